"""The kernels of unit 12 against float64, by Triton's interpreter or on a GPU."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import bnlib
from bnlib.kernels import triton_bn_backward, triton_bn_forward
from tests.bnlib_kernels.problems import DEVICE

SHAPES = [(5, 3), (2, 3, 7), (4, 2, 3, 5), (5, 2, 15, 16)]  # the last is longer than a block
ROUNDING = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2}


def draw(shape, dtype, mean=1.0):
    """Return x, dy, gamma and beta, and what float64 makes of them: y, dx, dgamma, dbeta."""
    rng = torch.Generator().manual_seed(len(shape))
    x, dy = (torch.randn(shape, generator=rng).add(mean).to(dtype) for _ in range(2))
    gamma, beta = torch.randn(2, shape[1], generator=rng) + 2
    wide = [t.double().requires_grad_() for t in (x, gamma, beta)]
    y = F.batch_norm(wide[0], None, None, *wide[1:], training=True, eps=0.1)
    y.backward(dy.double())
    return (x, dy, gamma, beta), (y.detach(), *(t.grad for t in wide))


@pytest.mark.parametrize("dtype", ROUNDING, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_both_passes_agree_with_torch_in_float64(shape, dtype):
    """Y and dx in the dtype of x, statistics and parameters' gradients in float32."""
    (x, dy, gamma, beta), (y, dx, dgamma, dbeta) = draw(shape, dtype)
    x, dy, gamma, beta = (t.to(DEVICE) for t in (x, dy, gamma, beta))
    ours, mean, var = triton_bn_forward(x, gamma, beta, 0.1)
    gradients = triton_bn_backward(dy, x, mean, var, gamma, 0.1)
    close = {"rtol": ROUNDING[dtype], "atol": ROUNDING[dtype]}
    assert ours.dtype == gradients[0].dtype == dtype
    assert {t.dtype for t in (mean, var, *gradients[1:])} == {torch.float32}
    np.testing.assert_allclose(ours.cpu().double(), y, **close)
    np.testing.assert_allclose(gradients[0].cpu().double(), dx, **close)
    for found, wanted in zip(gradients[1:], (dgamma, dbeta), strict=True):
        scale = float(wanted.abs().max())
        np.testing.assert_allclose(found.cpu(), wanted, rtol=1e-4, atol=1e-5 * scale)


def test_the_variance_keeps_its_digits_far_from_zero():
    """Two passes: at a mean of 1e4 the one of E[x²] − E[x]² would be off by 16 or so."""
    (x, _, gamma, beta), _ = draw((4, 3, 9), torch.float32, mean=1e4)
    _, _, var = triton_bn_forward(x.to(DEVICE), gamma.to(DEVICE), beta.to(DEVICE))
    np.testing.assert_allclose(var.cpu(), x.double().var((0, 2), correction=0), rtol=1e-3)


def test_strides_are_no_matter():
    """A transposed batch gives what its copy gives."""
    (x, dy, gamma, beta), _ = draw((4, 2, 3, 5), torch.float32)
    x, dy, gamma, beta = (t.to(DEVICE) for t in (x, dy, gamma, beta))
    turned = [t.transpose(0, 3).contiguous().transpose(0, 3) for t in (x, dy)]
    assert not turned[0].is_contiguous()
    forward = [triton_bn_forward(t, gamma, beta)[0] for t in (x, turned[0])]
    torch.testing.assert_close(*forward, rtol=0, atol=0)
    _, mean, var = triton_bn_forward(x, gamma, beta)
    backward = [triton_bn_backward(d, t, mean, var, gamma)[0] for d, t in ((dy, x), turned[::-1])]
    torch.testing.assert_close(*backward, rtol=0, atol=0)


def test_the_gradient_of_a_shift_is_zero():
    """An upstream gradient of ones dies: dx is 0, dbeta the number of values."""
    (x, _, gamma, beta), _ = draw((4, 3, 5), torch.float32)
    x, gamma, beta = (t.to(DEVICE) for t in (x, gamma, beta))
    _, mean, var = triton_bn_forward(x, gamma, beta)
    dx, _, dbeta = triton_bn_backward(torch.ones_like(x), x, mean, var, gamma)
    assert float(dx.abs().max()) < 1e-5
    np.testing.assert_allclose(dbeta.cpu(), 20.0)


def test_the_statistics_are_those_of_unit_2():
    """Mean and biased variance of the columns."""
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(6, 4))
    _, mean, var = triton_bn_forward(
        torch.from_numpy(x).float().to(DEVICE), *torch.ones(2, 4, device=DEVICE)
    )
    np.testing.assert_allclose(mean.cpu(), bnlib.batch_mean(x), rtol=1e-5)
    np.testing.assert_allclose(var.cpu(), bnlib.batch_var(x, bnlib.batch_mean(x)), rtol=1e-5)
