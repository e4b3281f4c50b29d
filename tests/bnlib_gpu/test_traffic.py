"""Bytes that a pass moves, held against counts by hand and against each other."""

import numpy as np
import pytest
import torch

from bnlib.errors import ParameterError, ShapeError
from bnlib.traffic import (
    BIG,
    KERNELS,
    PASSES,
    achieved_bandwidth,
    big_accesses,
    bytes_moved,
)

BY_HAND = {  # (large tensors, tensors of C numbers) read or written
    ("train", False): (6, 7),
    ("train", True): (3, 6),
    ("eval", False): (4, 4),
    ("eval", True): (2, 4),
    ("backward", False): (6, 6),
    ("backward", True): (5, 9),
}


@pytest.mark.parametrize(("pass_", "fused"), BY_HAND)
def test_counts_are_those_made_by_hand(pass_, fused):
    """With numbers that share no factor, so that no two mistakes cancel."""
    large, small = BY_HAND[pass_, fused]
    n, c, h = 7, 5, 11
    assert bytes_moved((n, c, h), torch.float32, pass_, fused) == 4 * (
        large * n * c * h + small * c
    )


@pytest.mark.parametrize("pass_", PASSES)
def test_every_kernel_has_its_inputs(pass_):
    """What a kernel reads was given, or written by a kernel before it."""
    for fused in (False, True):
        known = {"x", "gamma", "beta", "dy", "mean", "var", "x_hat"}
        if pass_ == "train":
            known -= {"mean", "var", "x_hat"}
        if pass_ == "eval":
            known -= {"x_hat"}
        for kernel in KERNELS[pass_, fused]:
            assert set(kernel.reads) <= known, kernel.name
            known |= set(kernel.writes)


@pytest.mark.parametrize("pass_", PASSES)
def test_fusing_saves_large_accesses(pass_):
    """That is what it is for."""
    assert big_accesses(pass_, fused=True) < big_accesses(pass_, fused=False)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_halves_the_data_and_not_the_statistics(dtype):
    """Statistics stay in float32."""
    shape, c = (8, 6, 4, 4), 6
    half = bytes_moved(shape, dtype, "train", True)
    assert 2 * half - bytes_moved(shape, torch.float32, "train", True) == 6 * c * 4


def test_torch_and_numpy_dtypes_count_the_same():
    """Only the size of a number matters."""
    arguments = ((3, 4), "backward", False)
    for name in ("float16", "float32", "float64"):
        shape, pass_, fused = arguments
        ours = bytes_moved(shape, getattr(torch, name), pass_, fused)
        assert ours == bytes_moved(shape, np.dtype(name), pass_, fused)


def test_counts_are_whole_numbers_however_large():
    """Beyond 32 bits, and an int."""
    moved = bytes_moved((4096, 512, 56, 56), torch.float16, "train", False)
    assert type(moved) is int
    assert moved > 2**36


def test_what_has_no_channels_or_is_no_pass_is_refused():
    """With a word on what is expected."""
    with pytest.raises(ShapeError, match=r"\(N, C\)"):
        bytes_moved((3,), torch.float32, "train", True)
    with pytest.raises(ParameterError, match="train, eval, backward"):
        bytes_moved((3, 4), torch.float32, "forward", True)


def test_bandwidth_is_in_decimal_gigabytes_a_second():
    """3 GB in 2 ms."""
    assert achieved_bandwidth(3_000_000_000, 2.0) == pytest.approx(1500)
    with pytest.raises(ParameterError, match="above 0"):
        achieved_bandwidth(1, 0.0)


def test_large_tensors_are_those_of_the_shape_of_x():
    """All others hold a number a channel."""
    named = {n for kernels in KERNELS.values() for k in kernels for n in (*k.reads, *k.writes)}
    assert named - BIG == {"mean", "var", "gamma", "beta", "dgamma", "dbeta"}
