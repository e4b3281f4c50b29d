import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnlib import (
    batchnorm_backward,
    batchnorm_forward,
    d_center,
    d_inv_std,
    d_normalize,
    d_scale_shift,
    d_var,
    gradcheck,
)
from bnlib.errors import DtypeError, ParameterError, ShapeError
from tests.bnlib.grid import (
    DTYPES,
    KINDS,
    LAYOUTS,
    SHAPES,
    SMALL_SHAPES,
    assert_close,
    lay_out,
    problem,
    torch_batchnorm,
)


def backward(dy, x, gamma, beta):
    """Forward, then backward through the graph."""
    return batchnorm_backward(dy, batchnorm_forward(x, gamma, beta)[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_backward_pass_is_torchs(shape, kind, rng):
    """All three gradients in double precision."""
    p = problem(shape, kind, rng)
    dx, dgamma, dbeta = backward(p.dy, p.x, p.gamma, p.beta)
    expected = torch_batchnorm(*p)
    assert_close(dx, expected.dx, p.scale(expected.dx))
    assert_close(dgamma, expected.dgamma, p.scale(expected.dgamma))
    assert_close(dbeta, expected.dbeta)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_the_backward_pass_agrees_with_central_differences(shape, kind, rng):
    """For a random upstream gradient, in every entry of x, gamma and beta."""
    p = problem(shape, kind, rng)
    report = gradcheck(
        lambda x, gamma, beta: batchnorm_forward(x, gamma, beta)[0],
        backward,
        {"x": p.x, "gamma": p.gamma, "beta": p.beta},
        rng,
    )
    assert report.passed, str(report)


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.sampled_from(KINDS))
def test_dx_knows_no_shift_and_a_constant_upstream_gives_none(seed, shape, kind):
    """Σ dx = 0 in every channel; dy of ones has the gradient 0."""
    p = problem(shape, kind, np.random.default_rng(seed))
    axes = tuple(axis for axis in range(p.x.ndim) if axis != 1)
    dx, _, _ = backward(p.dy, p.x, p.gamma, p.beta)
    scale = float(np.abs(p.dy).max() * np.abs(p.gamma).max()) / np.sqrt(1e-5)
    np.testing.assert_allclose(dx.sum(axis=axes), 0.0, rtol=0, atol=1e-12 * scale)
    dx, _, dbeta = backward(np.ones(shape), p.x, p.gamma, p.beta)
    np.testing.assert_allclose(dx, 0.0, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(dbeta, p.x.size / shape[1])


def node_gradients(f, inputs, upstream):
    """Return torch's gradients of one node."""
    leaves = [torch.tensor(v, requires_grad=True) for v in inputs]
    f(*leaves).backward(torch.tensor(upstream))
    return [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("shape", [(3, 4), (5, 4, 2), (3, 1, 2, 2)])
def test_every_node_is_torchs(shape, rng):
    """Each function alone, on inputs that no forward pass has made consistent."""
    c = shape[1]
    column = (1, c, *(1 for _ in shape[2:]))
    axes = tuple(axis for axis in range(len(shape)) if axis != 1)
    up, a = rng.normal(size=shape), rng.normal(size=shape)
    v, w, u = rng.uniform(0.5, 2.0, c), rng.normal(size=c), rng.normal(size=c)

    dx_hat, dgamma, dbeta = d_scale_shift(up, a, w)
    expected = node_gradients(
        lambda x, g, b: g.reshape(column) * x + b.reshape(column), (a, w, u), up
    )
    for actual, wanted in zip((dx_hat, dgamma, dbeta), expected, strict=True):
        assert_close(actual, wanted)

    expected = node_gradients(lambda x, s: x * s.reshape(column), (a, v), up)
    for actual, wanted in zip(d_normalize(up, a, v), expected, strict=True):
        assert_close(actual, wanted)

    (expected,) = node_gradients(lambda x: (x + 0.1) ** -0.5, (v,), u)
    assert_close(d_inv_std(u, v, 0.1), expected)

    (expected,) = node_gradients(lambda x: (x**2).mean(dim=axes), (a,), u)
    assert_close(d_var(u, a), expected)

    (expected,) = node_gradients(lambda x: x - x.mean(dim=axes, keepdim=True), (a,), up)
    assert_close(d_center(up), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_come_in_the_dtype_of_what_they_belong_to(dtype, rng):
    """That of dy for dx, that of gamma for dgamma and dbeta; rounded once, at the end."""
    p = problem((8, 4, 3), "plain", rng)
    x, gamma, beta, dy = (v.astype(dtype) for v in p)
    _, cache = batchnorm_forward(x, gamma, beta)
    narrow = batchnorm_backward(dy, cache)
    wide = batchnorm_backward(dy.astype(np.float64), cache._replace(gamma=gamma.astype(np.float64)))
    for actual, expected in zip(narrow, wide, strict=True):
        np.testing.assert_array_equal(actual, expected.astype(dtype), strict=True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_of_dy_does_not_matter(layout, rng):
    """Strides are an implementation detail of the caller."""
    p = problem((6, 4, 2, 3), "plain", rng)
    expected = backward(p.dy, p.x, p.gamma, p.beta)
    actual = backward(lay_out(p.dy, layout), lay_out(p.x, layout), p.gamma, p.beta)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other)


def test_what_does_not_fit_is_refused_by_name(rng):
    """Shapes, dtypes and eps, for every node."""
    p = problem((5, 4), "plain", rng)
    _, cache = batchnorm_forward(p.x, p.gamma, p.beta)
    row, four = np.ones((1, 4)), np.ones(4)
    with pytest.raises(ShapeError, match=r"dy must have the shape of x, \(5, 4\)"):
        batchnorm_backward(row, cache)
    with pytest.raises(DtypeError, match="dy must be a floating"):
        batchnorm_backward(np.ones((5, 4), int), cache)
    with pytest.raises(ShapeError, match="x_hat must have the shape of dy"):
        d_scale_shift(p.dy, row, four)
    with pytest.raises(ShapeError, match="gamma must have shape"):
        d_scale_shift(p.dy, p.x, np.ones(1))
    with pytest.raises(ShapeError, match="centered must have the shape of dx_hat"):
        d_normalize(p.dy, row, four)
    with pytest.raises(ShapeError, match="inv_std must have shape"):
        d_normalize(p.dy, p.x, np.ones(1))
    with pytest.raises(ShapeError, match="var must have the shape of dinv_std"):
        d_inv_std(four, np.ones(1), 1e-5)
    with pytest.raises(ParameterError, match="eps"):
        d_inv_std(four, four, -1.0)
    with pytest.raises(ShapeError, match="dvar must have shape"):
        d_var(np.ones(1), p.x)
    with pytest.raises(ShapeError, match="dcentered must have shape"):
        d_center(four)
