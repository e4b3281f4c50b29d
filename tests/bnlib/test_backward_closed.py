import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnlib import (
    batchnorm_backward,
    batchnorm_backward_closed,
    batchnorm_backward_eval,
    batchnorm_forward,
    detached_gap,
    gradcheck,
    linear_bn_weight_grad,
    normalize,
    normalize_jacobian,
    numerical_gradient,
    scale_shift,
)
from bnlib.errors import ParameterError, ShapeError
from tests.bnlib.grid import (
    DTYPES,
    KINDS,
    LAYOUTS,
    SHAPES,
    SMALL_SHAPES,
    assert_close,
    draw,
    lay_out,
    problem,
    torch_batchnorm,
)


def closed(dy, x, gamma, beta, eps=1e-5):
    """Forward, then backward in closed form."""
    _, cache = batchnorm_forward(x, gamma, beta, eps)
    return batchnorm_backward_closed(dy, cache.x_hat, cache.inv_std, cache.gamma)


def running(channels, rng):
    """Draw running statistics that are not the batch's."""
    return rng.normal(size=channels), rng.uniform(0.5, 2.0, channels)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_closed_form_is_torchs(shape, kind, eps, rng):
    """For a small eps and for one that matters."""
    p = problem(shape, kind, rng)
    dx, dgamma, dbeta = closed(p.dy, p.x, p.gamma, p.beta, eps)
    expected = torch_batchnorm(*p, eps)
    assert_close(dx, expected.dx, p.scale(expected.dx))
    assert_close(dgamma, expected.dgamma, p.scale(expected.dgamma))
    assert_close(dbeta, expected.dbeta)


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.floats(0.0, 1.0))
def test_the_closed_form_is_the_graph(seed, shape, eps):
    """Two derivations, one gradient, for every eps."""
    p = problem(shape, "plain", np.random.default_rng(seed))
    _, cache = batchnorm_forward(p.x, p.gamma, p.beta, eps)
    one = batchnorm_backward(p.dy, cache)
    other = batchnorm_backward_closed(p.dy, cache.x_hat, cache.inv_std, cache.gamma)
    scale = float(np.abs(p.dy).max() * cache.inv_std.max() * np.abs(p.gamma).max())
    assert_close(other[0], one[0], scale)
    assert_close(other[1], one[1], p.scale(one[1]))
    assert_close(other[2], one[2], p.scale(one[2]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_the_closed_form_agrees_with_central_differences(shape, kind, rng):
    """For a random upstream gradient, in every entry of x, gamma and beta."""
    p = problem(shape, kind, rng)
    report = gradcheck(
        lambda x, gamma, beta: batchnorm_forward(x, gamma, beta)[0],
        closed,
        {"x": p.x, "gamma": p.gamma, "beta": p.beta},
        rng,
    )
    assert report.passed, str(report)


def test_dx_has_no_component_along_x_hat_but_for_eps(rng):
    """⟨dx, x_hat⟩ = gamma inv_std ⟨dy, x_hat⟩ · eps/(var + eps), which is 0 for eps = 0."""
    p = problem((9, 4), "plain", rng)
    for eps in (0.0, 0.1):
        _, cache = batchnorm_forward(p.x, p.gamma, p.beta, eps)
        dx, dgamma, _ = closed(p.dy, p.x, p.gamma, p.beta, eps)
        expected = p.gamma * cache.inv_std * dgamma * eps / (cache.var + eps)
        np.testing.assert_allclose((dx * cache.x_hat).sum(axis=0), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_eval_backward_is_torchs(shape, kind, rng):
    """With running statistics that are not the batch's."""
    p = problem(shape, kind, rng)
    stats = running(shape[1], rng)
    actual = batchnorm_backward_eval(p.dy, p.x, p.gamma, *stats, 0.01)
    expected = torch_batchnorm(*p, 0.01, stats)
    for one, other in zip(actual, expected[1:], strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_the_eval_backward_agrees_with_central_differences(shape, rng):
    """Of the forward pass with constant statistics."""
    p = problem(shape, "plain", rng)
    mean, var = running(shape[1], rng)
    report = gradcheck(
        lambda x, gamma, beta: scale_shift(normalize(x, mean, var, 1e-5), gamma, beta),
        lambda dy, x, gamma, beta: batchnorm_backward_eval(dy, x, gamma, mean, var),
        {"x": p.x, "gamma": p.gamma, "beta": p.beta},
        rng,
    )
    assert report.passed, str(report)


def test_an_eval_row_does_not_see_its_neighbours(rng):
    """Changing dy and x in the other rows leaves a row's dx as it was, bit for bit."""
    p = problem((5, 4), "plain", rng)
    stats = running(4, rng)
    alone, _, _ = batchnorm_backward_eval(p.dy[:1], p.x[:1], p.gamma, *stats)
    together, _, _ = batchnorm_backward_eval(p.dy, p.x, p.gamma, *stats)
    np.testing.assert_array_equal(together[:1], alone)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_dtypes_are_kept_and_layouts_do_not_matter(dtype, layout, rng):
    """That of dy for dx, that of gamma for dgamma and dbeta; rounded once, at the end."""
    p = problem((6, 4, 2, 3), "plain", rng)
    x, gamma, beta, dy = (v.astype(dtype) for v in p)
    _, cache = batchnorm_forward(x, gamma, beta)
    stats = [v.astype(dtype) for v in running(4, rng)]
    wide = [v.astype(np.float64) for v in (dy, gamma, *stats, x)]
    pairs = [
        (
            batchnorm_backward_closed(lay_out(dy, layout), cache.x_hat, cache.inv_std, gamma),
            batchnorm_backward_closed(wide[0], cache.x_hat, cache.inv_std, wide[1]),
        ),
        (
            batchnorm_backward_eval(lay_out(dy, layout), lay_out(x, layout), gamma, *stats),
            batchnorm_backward_eval(wide[0], wide[4], wide[1], *wide[2:4]),
        ),
    ]
    tolerance = {np.float16: 1e-3, np.float32: 2e-7, np.float64: 1e-13}[dtype]  # one rounding
    for actual, expected in pairs:
        for one, other in zip(actual, expected, strict=True):
            assert one.dtype == dtype
            largest = np.abs(other).max()
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * largest)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 3, 64])
def test_the_jacobian_is_torchs(n, kind, eps, rng):
    """Row i is the gradient of x_hat_i, by torch.autograd.functional.jacobian."""
    x = draw((n, 1), kind, rng)[:, 0]

    def f(t: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.batch_norm(
            t[:, None], None, None, training=True, eps=eps
        ).squeeze(1)

    expected = torch.autograd.functional.jacobian(f, torch.tensor(x)).numpy()
    scale = 1.0 if n == 2 else None  # of the upstream, a unit vector
    assert_close(normalize_jacobian(x, eps), expected, scale)


def test_the_jacobian_agrees_with_central_differences(rng):
    """Contracted with a random dy it is the gradient of Σ dy · normalize(x)."""
    x, dy = rng.normal(size=5), rng.normal(size=5)

    def f(v: np.ndarray) -> np.ndarray:
        return batchnorm_forward(v[:, None], np.ones(1), np.zeros(1))[0][:, 0]

    np.testing.assert_allclose(
        dy @ normalize_jacobian(x), numerical_gradient(f, x, dy), rtol=1e-6, atol=1e-8
    )


def test_the_jacobian_is_a_projector_of_rank_n_minus_two(rng):
    """With eps = 0, times the standard deviation: P² = P, Pᵀ = P, P1 = 0, P x_hat = 0."""
    x = rng.normal(size=6)
    p = normalize_jacobian(x, eps=0.0) * x.std()
    np.testing.assert_allclose(p @ p, p, atol=1e-12)
    np.testing.assert_array_equal(p, p.T)
    np.testing.assert_allclose(p @ np.ones(6), 0.0, atol=1e-12)
    np.testing.assert_allclose(p @ (x - x.mean()), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.trace(p), 4.0)


def test_the_jacobian_keeps_its_dtype_and_wants_one_feature():
    """(N,) only: a column (N, 1) is refused by name."""
    assert normalize_jacobian(np.array([1.0, 2.0, 4.0], np.float32)).dtype == np.float32
    with pytest.raises(ShapeError, match=r"x must be one feature of shape \(N,\)"):
        normalize_jacobian(np.ones((3, 1)))


@pytest.mark.parametrize("shape", [(7, 3), (5, 3, 4)])
def test_the_detached_gap_is_torchs(shape, rng):
    """Against torch with the statistics under no_grad, all channels in one norm."""
    p = problem(shape, "plain", rng)
    true = torch_batchnorm(*p).dx
    axes = tuple(axis for axis in range(p.x.ndim) if axis != 1)
    x = torch.tensor(p.x, requires_grad=True)
    var, mean = torch.var_mean(x.detach(), dim=axes, correction=0, keepdim=True)
    column = (1, 3, *(1 for _ in shape[2:]))
    y = (x - mean) / torch.sqrt(var + 1e-5) * torch.tensor(p.gamma).reshape(column)
    y.backward(torch.tensor(p.dy))
    expected = np.linalg.norm(x.grad.numpy() - true) / np.linalg.norm(true)
    _, cache = batchnorm_forward(p.x, p.gamma, p.beta)
    gap = detached_gap(p.dy, cache.x_hat, cache.inv_std, p.gamma)
    assert type(gap) is float
    np.testing.assert_allclose(gap, expected, rtol=1e-9)


def test_the_detached_gap_at_its_ends():
    """0 where both gradients are equal, zero ones included; infinite where only one vanishes."""
    x_hat = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    one = np.ones(1)
    assert detached_gap(np.zeros((4, 1)), x_hat, one, one) == 0.0
    assert detached_gap(np.ones((4, 1)), x_hat, one, one) == np.inf


def test_two_rows_with_a_detached_statistic_miss_everything(rng):
    """For N = 2 the true gradient is nearly 0, so the gap is huge: why N = 2 is a bad check."""
    x, dy = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    _, cache = batchnorm_forward(x, np.ones(3), np.zeros(3))
    assert detached_gap(dy, cache.x_hat, cache.inv_std, np.ones(3)) > 1e3


@pytest.mark.parametrize("n", [3, 64])
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_the_weight_gradient_is_torchs(n, eps, rng):
    """The weight gradient of batch norm without affine part after x @ w."""
    x, w, dy = rng.normal(size=(n, 5)), rng.normal(size=(5, 3)), rng.normal(size=(n, 3))
    weight = torch.tensor(w, requires_grad=True)
    y = torch.nn.functional.batch_norm(torch.tensor(x) @ weight, None, None, training=True, eps=eps)
    y.backward(torch.tensor(dy))
    assert_close(linear_bn_weight_grad(x, w, dy, eps), weight.grad.numpy())


def test_the_weight_gradient_agrees_with_central_differences(rng):
    """By w, with x held fixed."""
    x, w, dy = rng.normal(size=(7, 4)), rng.normal(size=(4, 2)), rng.normal(size=(7, 2))

    def f(v: np.ndarray) -> np.ndarray:
        return batchnorm_forward(x @ v, np.ones(2), np.zeros(2))[0]

    np.testing.assert_allclose(
        linear_bn_weight_grad(x, w, dy), numerical_gradient(f, w, dy), rtol=1e-6, atol=1e-8
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_length_and_direction_of_a_weight_decouple(seed, scale):
    """With eps = 0: ⟨w, dw⟩ = 0 per column, and dw(s·w) = dw(w)/s."""
    rng = np.random.default_rng(seed)
    x, w, dy = rng.normal(size=(8, 4)), rng.normal(size=(4, 3)), rng.normal(size=(8, 3))
    dw = linear_bn_weight_grad(x, w, dy, eps=0.0)
    size = float(np.abs(dw).max())
    np.testing.assert_allclose((w * dw).sum(axis=0), 0.0, atol=1e-9 * size)
    scaled = linear_bn_weight_grad(x, scale * w, dy, eps=0.0)
    np.testing.assert_allclose(scaled, dw / scale, rtol=0, atol=1e-9 * size / scale)


def test_the_weight_gradient_refuses_what_does_not_fit():
    """Inner dimensions, and a dy that would broadcast."""
    with pytest.raises(ShapeError, match=r"x and w must have shapes \(N, D\) and \(D, C\)"):
        linear_bn_weight_grad(np.ones((4, 3)), np.ones((2, 5)), np.ones((4, 5)))
    with pytest.raises(ShapeError, match="dy must have the shape of x @ w"):
        linear_bn_weight_grad(np.ones((4, 3)), np.ones((3, 5)), np.ones((1, 5)))


def test_the_closed_forms_refuse_what_does_not_fit(rng):
    """By name."""
    p = problem((5, 4), "plain", rng)
    four = np.ones(4)
    with pytest.raises(ShapeError, match="x_hat must have the shape of dy"):
        batchnorm_backward_closed(p.dy, p.x[:1], four, four)
    with pytest.raises(ShapeError, match="inv_std must have shape"):
        batchnorm_backward_closed(p.dy, p.x, np.ones(1), four)
    with pytest.raises(ShapeError, match="x must have the shape of dy"):
        batchnorm_backward_eval(p.dy, p.x[:1], four, four, four)
    with pytest.raises(ShapeError, match="running_var must have shape"):
        batchnorm_backward_eval(p.dy, p.x, four, four, np.ones(1))
    with pytest.raises(ParameterError, match="eps"):
        batchnorm_backward_eval(p.dy, p.x, four, four, four, -1.0)
