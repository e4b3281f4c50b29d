"""Models and tensors that are handed to a function: as described, and torch only when needed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from autograder.worker.givens import build_given

LAYERS = [
    {"kind": "linear", "weight": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])},
    {
        "kind": "batch_norm",
        **{name: np.full(3, k + 1.0) for k, name in enumerate(("weight", "bias", "running_mean"))},
        "running_var": np.full(3, 4.0),
    },
    {
        "kind": "sequential",
        "layers": [
            {"kind": "tanh"},
            {"kind": "linear", "weight": np.ones((1, 3)), "bias": np.array([0.5])},
        ],
    },
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_is_what_its_arrays_say(dtype: str) -> None:
    """Weights, statistics, dtype and mode; a missing bias is none."""
    layers = [{k: _cast(v, dtype) for k, v in spec.items()} for spec in LAYERS]
    model = build_given("network", {"layers": layers, "training": False})
    x = torch.tensor([[1.0, -1.0]], dtype=getattr(torch, dtype))
    z = torch.tensor([[-1.0, -1.0, -1.0]], dtype=x.dtype)
    hidden = torch.tanh(1.0 * (z - 3.0) / (4.0 + 1e-5) ** 0.5 + 2.0)
    torch.testing.assert_close(model(x), hidden.sum(1, keepdim=True) + 0.5)
    assert model[0].bias is None
    assert not model[1].training


def _cast(value: object, dtype: str) -> object:
    if isinstance(value, np.ndarray):
        return value.astype(dtype)
    if isinstance(value, list):
        return [{k: _cast(v, dtype) for k, v in item.items()} for item in value]
    return value


def test_a_built_network_shares_nothing_with_its_arrays() -> None:
    """What a student does to it does not reach the next draw."""
    model = build_given("network", {"layers": LAYERS})
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.zero_()
    assert LAYERS[0]["weight"][0, 0] == 1.0


def test_the_state_shows_every_trace() -> None:
    """Parameters, statistics, gradients, modes: each of them, and nothing when nothing is done."""
    read = build_given("model_state", {})
    model = build_given("network", {"layers": LAYERS, "stale": True})
    before = read(model)
    assert _same(before, read(model))
    model(torch.ones(4, 2, dtype=torch.float64)).sum().backward()
    model.eval()
    with torch.no_grad():
        model[0].weight[0, 0] += 1e-15
    after = read(model)
    differing = [part for part in before if not _same(before[part], after[part])]
    assert differing == ["parameters", "running statistics", "gradients", "training mode"]
    assert after["running statistics"]["1.num_batches_tracked"] == 1


def _same(a: object, b: object) -> bool:
    if isinstance(a, dict):
        return all(_same(a[key], b[key]) for key in a)  # type: ignore[index]
    return bool(np.array_equal(a, b))  # type: ignore[arg-type]


def test_numbers_and_rows_come_in_several_forms() -> None:
    """A float, a tensor of shape (), an array; what is none of them stays what it is."""
    number, row = build_given("as_float", {}), build_given("as_row", {})
    leaf = torch.tensor(2.0, requires_grad=True)
    assert [number(v) for v in (2.0, np.float32(2.0), leaf)] == [2.0, 2.0, 2.0]
    assert number(None) is None
    assert number("2") == "2"
    for form in ([1.0, leaf], (1, 2.0), np.array([1.0, 2.0], "float32"), torch.tensor([1.0, 2.0])):
        assert row(form).dtype == np.float64
        assert row(form).tolist() == [1.0, 2.0]
    assert row([1.0, "2"]) == [1.0, "2"]


def test_a_gradient_that_does_not_flow_is_none() -> None:
    """Instead of an error that would hide the rest of the answer."""
    gradient = build_given("gradient_of_sum", {})
    x = build_given("tensor", {"array": np.ones((2, 1)), "requires_grad": True})
    assert gradient(3 * x, x).tolist() == [[3.0], [3.0]]
    assert gradient(3 * x.detach(), x) is None


def test_no_unit_loads_torch_before_it_is_graded() -> None:
    """Whoever grades NumPy units does not wait for it, nor does a worker that runs them."""
    code = (
        "import sys, autograder.worker.givens; from autograder.exercises import all_exercises; "
        "all_exercises(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
