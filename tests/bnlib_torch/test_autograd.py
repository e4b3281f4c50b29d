"""Batch norm as an autograd function: central differences, torch, and what its graph keeps."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import bnlib
from bnlib.errors import ShapeError
from bnlib.torch import BatchNormFunction

apply = BatchNormFunction.apply
SHAPES = [(5, 3), (2, 1), (4, 3, 6), (3, 2, 4, 5)]
RTOL = 1e-10  # of the largest entry, in float64: as bnlib's own tests against torch


def problem(shape: tuple[int, ...], place: float = 0.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return x, gamma, beta that learn, and a random upstream gradient, in float64."""
    rng = torch.Generator().manual_seed(len(shape))
    x = place + 2 * torch.randn(shape, generator=rng, dtype=torch.float64)
    gamma, beta = torch.randn(2, shape[1], generator=rng, dtype=torch.float64)
    dy = torch.randn(shape, generator=rng, dtype=torch.float64)
    return x.requires_grad_(), gamma.requires_grad_(), beta.requires_grad_(), dy


def gradients(y: Tensor, inputs: tuple[Tensor, ...], dy: Tensor) -> tuple[Tensor, ...]:
    """Return the gradients of the sum of dy·y."""
    return torch.autograd.grad(y, inputs, dy)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradcheck_in_double(shape):
    """Central differences, with eps given and left out."""
    x, gamma, beta, _ = problem(shape)
    assert torch.autograd.gradcheck(apply, (x, gamma, beta, 0.1))
    assert torch.autograd.gradcheck(apply, (x, gamma, beta))


@pytest.mark.parametrize("place", [0.0, 1e4])
@pytest.mark.parametrize("shape", SHAPES)
def test_output_and_gradients_are_those_of_torch(shape, place):
    """In float64, also far from zero."""
    x, gamma, beta, dy = problem(shape, place)
    theirs = nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-3)
    ours = apply(x, gamma, beta, 1e-3)
    torch.testing.assert_close(ours, theirs, rtol=RTOL, atol=1e-10)
    pairs = zip(
        gradients(ours, (x, gamma, beta), dy), gradients(theirs, (x, gamma, beta), dy), strict=True
    )
    for mine, other in pairs:
        torch.testing.assert_close(mine, other, rtol=RTOL, atol=1e-10)


def test_the_gradient_is_that_of_the_numpy_reference():
    """The same closed form, in two libraries."""
    x, gamma, beta, dy = problem((6, 4))
    found = gradients(apply(x, gamma, beta), (x, gamma, beta), dy)
    _, cache = bnlib.batchnorm_forward(x.detach().numpy(), gamma.detach().numpy(), np.zeros(4))
    wanted = bnlib.batchnorm_backward_closed(
        dy.numpy(), cache.x_hat, cache.inv_std, gamma.detach().numpy()
    )
    for mine, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine.numpy(), other, rtol=1e-10, atol=1e-12)


def test_the_gradient_by_x_has_no_sum_in_any_channel():
    """A shift of a channel changes nothing."""
    x, gamma, beta, dy = problem((3, 2, 4, 5))
    (dx,) = gradients(apply(x, gamma, beta), (x,), dy)
    torch.testing.assert_close(dx.sum((0, 2, 3)), torch.zeros(2).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32_and_rounded_once(dtype):
    """Squares of 300 would overflow float16; gradients come in the dtype of their tensors."""
    x, gamma, beta, dy = problem((16, 3))
    half = (300 * x).detach().to(dtype).requires_grad_()
    gamma, beta = gamma.detach().float().requires_grad_(), beta.detach().float().requires_grad_()
    y = apply(half, gamma, beta)
    wide = apply(half.detach().double(), gamma.double(), beta.double())
    assert y.dtype == dtype
    unit = torch.finfo(dtype).eps
    torch.testing.assert_close(y.double(), wide, rtol=unit, atol=unit)
    found = gradients(y, (half, gamma, beta), dy.to(dtype))
    assert [g.dtype for g in found] == [dtype, torch.float32, torch.float32]


def test_the_graph_keeps_one_tensor_of_the_size_of_x():
    """Autograd on the formula, line by line, keeps three."""
    x, gamma, beta, _ = problem((64, 32))

    def kept(forward) -> float:
        sizes: dict[int, int] = {}
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: sizes.update({t.data_ptr(): t.numel()}) or t, lambda t: t
        ):
            forward()
        return sum(sizes.values()) / x.numel()

    def plain() -> Tensor:
        mean = x.mean(0)
        var = ((x - mean) ** 2).mean(0)
        return gamma * ((x - mean) / (var + 1e-5).sqrt()) + beta

    assert kept(lambda: apply(x, gamma, beta)) < 1.1
    assert kept(plain) > 2.9


def test_a_change_of_x_before_the_backward_pass_is_an_error():
    """Not a wrong gradient: that is what save_for_backward is for."""
    x, gamma, beta, _ = problem((5, 3))
    other = x.clone()
    y = apply(other, gamma, beta)
    other.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("shape", SHAPES)
def test_second_derivatives(shape):
    """A penalty on gradients asks for them: central differences of the backward pass."""
    x, gamma, beta, _ = problem(shape)
    assert torch.autograd.gradgradcheck(apply, (x, gamma, beta, 0.1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's tracing warns of itself
def test_the_compilers_graph_has_no_break():
    """Output and gradients through torch's tracing are the same."""
    x, gamma, beta, dy = problem((3, 2, 4, 5))
    compiled = torch.compile(lambda *args: apply(*args), backend="aot_eager", fullgraph=True)
    ours, theirs = (gradients(f(x, gamma, beta), (x, gamma, beta), dy) for f in (apply, compiled))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other)


def test_wrong_shapes_are_named():
    """No channel axis; a gamma that does not fit."""
    with pytest.raises(ShapeError, match="channels on axis 1"):
        apply(torch.ones(3), torch.ones(3), torch.ones(3))
    with pytest.raises(ShapeError, match=r"gamma must have shape \(C,\) = \(3,\)"):
        apply(torch.ones(4, 3), torch.ones(4), torch.ones(3))
