"""Batch norm in half precision, against torch in float64."""

import pytest
import torch
from torch.nn.functional import batch_norm

from bnlib.gpu import batchnorm_mixed

ROUNDING = {torch.float16: 2e-3, torch.bfloat16: 2e-2, torch.float32: 1e-5, torch.float64: 1e-12}


def inputs(shape, dtype, place=0.0):
    """Draw x, gamma and beta."""
    generator = torch.Generator().manual_seed(1)
    x = (torch.randn(shape, generator=generator, dtype=torch.float64) * 2 + place).to(dtype)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    gamma = torch.rand(shape[1], generator=generator).to(wide) + 0.5
    return x, gamma, torch.randn(shape[1], generator=generator).to(wide)


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("shape", [(6, 3), (2, 4, 5), (3, 2, 4, 5)])
@pytest.mark.parametrize("place", [0.0, 500.0])
def test_the_result_is_torchs_in_double_rounded_once(dtype, shape, place):
    """Also far from zero, where half precision knows a mean to a quarter only."""
    x, gamma, beta = inputs(shape, dtype, place)
    y = batchnorm_mixed(x, gamma, beta, eps=1e-3)
    true = batch_norm(x.double(), None, None, gamma.double(), beta.double(), True, 0.0, 1e-3)
    assert y.dtype == dtype
    torch.testing.assert_close(y.double(), true, rtol=ROUNDING[dtype], atol=10 * ROUNDING[dtype])


def test_squares_beyond_the_range_of_half_do_no_harm():
    """60 000² is far beyond 65504."""
    x = torch.tensor([[6e4], [-6e4]], dtype=torch.float16)
    assert batchnorm_mixed(x, torch.ones(1), torch.zeros(1)).flatten().tolist() == [1, -1]


def test_channels_last_stays_channels_last():
    """The order of the axes in memory is x's."""
    x, gamma, beta = inputs((2, 4, 3, 5), torch.float16)
    x = x.contiguous(memory_format=torch.channels_last)
    y = batchnorm_mixed(x, gamma, beta)
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y, batchnorm_mixed(x.contiguous(), gamma, beta))


def test_the_gradient_is_torchs():
    """In double, with a random upstream, through mean and variance."""
    x, gamma, beta = inputs((5, 3, 2), torch.float64)
    leaves = [t.requires_grad_() for t in (x, gamma, beta)]
    upstream = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(2)).double()
    ours = torch.autograd.grad(batchnorm_mixed(*leaves), leaves, upstream)
    theirs = torch.autograd.grad(batch_norm(x, None, None, gamma, beta, True), leaves, upstream)
    torch.testing.assert_close(ours, theirs)


def test_autocast_changes_nothing():
    """No operation in it is one that autocast narrows."""
    x, gamma, beta = inputs((4, 3, 6, 6), torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = batchnorm_mixed(x, gamma, beta)
    assert torch.equal(inside, batchnorm_mixed(x, gamma, beta))


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_real_card_gives_the_same(dtype):
    """Up to one rounding of the output."""
    x, gamma, beta = inputs((8, 4, 6, 6), dtype)
    there = batchnorm_mixed(x.cuda(), gamma.cuda(), beta.cuda()).cpu()
    here = batchnorm_mixed(x, gamma, beta)
    torch.testing.assert_close(there, here, rtol=ROUNDING[dtype], atol=4 * ROUNDING[dtype])
