"""Torch tensors cross the wire as data, whatever their class does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autograder.worker import wire
from autograder.worker.interpreter import run_script
from autograder.worker.script import call
from autograder.worker.values import Foreign, Tensor, plain

DTYPES = ("bool", "int64", "float16", "bfloat16", "float32", "float64")


def passed(value: object) -> object:
    """Return what the judge gets of a value."""
    frame = wire.encode({"value": plain(value)})
    return wire.decode(frame, inbound=True)["value"]


@pytest.mark.parametrize("name", DTYPES)
def test_a_tensor_keeps_type_shape_and_values(name: str) -> None:
    """Also a bfloat16, which NumPy does not have."""
    tensor = torch.tensor([[0.0, 1.0, 3.0], [2.0, 0.5, 1.0]]).to(getattr(torch, name))
    got = passed(tensor)
    assert isinstance(got, Tensor)
    assert (got.dtype, got.array.shape, got.requires_grad) == (name, (2, 3), False)
    np.testing.assert_array_equal(got.array.astype("float64"), tensor.double().numpy())


def test_a_tensor_made_from_a_part_of_an_array_arrives() -> None:
    """On the way to the worker, where arrays keep their layouts and tensors have none."""
    wide = np.arange(12.0).reshape(3, 4)
    frame = wire.encode({"value": Tensor("float64", wide[:, ::2])}, layouts=True)
    got = wire.decode(frame, inbound=False)["value"]
    np.testing.assert_array_equal(got.array, wide[:, ::2])


def test_a_tensor_with_a_graph_passes_without_it() -> None:
    """Whether gradients flow to it is part of the answer."""
    leaf = torch.ones(2, requires_grad=True)
    got = passed(leaf * 3)
    assert isinstance(got, Tensor)
    assert got.requires_grad
    np.testing.assert_array_equal(got.array, [3.0, 3.0])


def test_a_lying_subclass_shows_what_it_holds() -> None:
    """No method of the student's decides what passes."""

    class Liar(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return torch.zeros(2)

        def detach(self):
            return torch.zeros(2)

    got = passed(torch.ones(2).as_subclass(Liar))
    assert isinstance(got, Tensor)
    np.testing.assert_array_equal(got.array, [1.0, 1.0])


@pytest.mark.parametrize("tensor", [torch.ones(2).to_sparse(), torch.ones(2, dtype=torch.cfloat)])
def test_what_is_no_dense_array_of_numbers_is_foreign(tensor: torch.Tensor) -> None:
    """Only the name of its type passes."""
    assert passed(tensor) == Foreign("Tensor")


@pytest.mark.parametrize("name", ["float64", "bfloat16"])
def test_an_input_tensor_is_built_for_the_student(name: str) -> None:
    """The function gets a real one, a fresh copy, with gradients if asked for."""
    given = Tensor(name, np.array([1.0, 2.0], dtype="float64"), requires_grad=True)
    sent = wire.decode(wire.encode({"x": given}), inbound=False)["x"]

    def double(x: torch.Tensor) -> torch.Tensor:
        assert x.requires_grad
        assert x.dtype is getattr(torch, name)
        return 2 * x

    answer = run_script((call("double", "x", into="y"),), {"x": sent}, ("y",), {"double": double})

    assert answer.failure is None
    got = answer.values["y"]
    assert isinstance(got, Tensor)
    assert got.dtype == name
    np.testing.assert_array_equal(got.array, [2.0, 4.0])


def test_a_tensor_of_another_type_is_no_message() -> None:
    """A forged node is refused."""
    frame = wire.encode({"x": Tensor("float32", np.ones(1, "float32"))})
    with pytest.raises(wire.WireError):
        wire.decode(frame.replace(b'"float32"', b'"object_"'), inbound=True)
