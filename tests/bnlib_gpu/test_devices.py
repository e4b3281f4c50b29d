"""Devices, and batches on their way there."""

from typing import NamedTuple

import pytest
import torch

from autograder.worker.givens.placed import place_of
from bnlib.gpu import pick_device, to_device
from tests.bnlib_gpu.computers import computer


class Sample(NamedTuple):
    """What a data loader may hand out."""

    image: torch.Tensor
    name: str


@pytest.mark.parametrize(("cards", "kind"), [(0, "cpu"), (1, "cuda"), (2, "cuda")])
def test_the_device_is_what_the_computer_has(cards, kind):
    """Asked anew at every call."""
    assert computer(cards=cards).call(pick_device).type == kind


def test_every_tensor_moves_and_every_container_keeps_its_kind():
    """Nested as one likes; what is no tensor is passed through."""
    batch = {"a": [torch.ones(2), Sample(torch.zeros(1), "cat")], "b": (torch.ones(1), None, 3)}
    moved = computer().call(to_device, batch, torch.device("cuda"))
    assert [type(moved), type(moved["a"]), type(moved["a"][1]), type(moved["b"])] == [
        *(dict, list, Sample, tuple)
    ]
    tensors = [moved["a"][0], moved["a"][1].image, moved["b"][0]]
    assert [place_of(tensor) for tensor in tensors] == ["cuda:0"] * 3
    assert (moved["a"][1].name, moved["b"][1:]) == ("cat", (None, 3))


def test_the_batch_itself_stays_where_it_is():
    """New containers, new tensors."""
    batch = {"a": [torch.ones(2)]}
    computer().call(to_device, batch, torch.device("cuda"))
    assert place_of(batch["a"][0]) == "cpu"


def test_copies_to_a_card_do_not_wait_and_copies_back_do():
    """The host may read what came to the CPU at once."""
    machine = computer()
    moved = machine.call(to_device, [torch.ones(2)], torch.device("cuda"))
    assert machine.copies_go_alone
    machine.call(to_device, moved, torch.device("cpu"))
    assert machine.copies_wait


@pytest.mark.gpu
def test_a_batch_moves_to_a_real_card_and_back():
    """With its numbers."""
    batch = {"x": torch.arange(4.0), "y": [torch.ones(2, dtype=torch.int64)]}
    there = to_device(batch, torch.device("cuda"))
    assert there["x"].is_cuda
    back = to_device(there, torch.device("cpu"))
    assert torch.equal(back["x"], batch["x"])
    assert torch.equal(back["y"][0], batch["y"][0])
