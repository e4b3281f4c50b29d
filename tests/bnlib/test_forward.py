import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnlib import (
    batch_mean,
    batch_var,
    batchnorm_forward,
    identity_affine,
    inverse_std,
    normalize,
    scale_shift,
)
from bnlib.errors import BatchSizeError, DtypeError, ParameterError, ShapeError
from tests.bnlib.grid import (
    DTYPES,
    KINDS,
    LAYOUTS,
    SHAPES,
    assert_close,
    draw,
    lay_out,
    problem,
    rounding,
    torch_batchnorm,
)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_forward_pass_is_torchs(shape, kind, eps, rng):
    """In double precision, to 1e-10 of the largest entry."""
    x, gamma, beta, dy = problem(shape, kind, rng)
    y, _ = batchnorm_forward(x, gamma, beta, eps)
    assert_close(y, torch_batchnorm(x, gamma, beta, dy, eps).y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_narrow_dtype_is_rounded_once_at_the_end(dtype, kind, rng):
    """The float64 answer to the same numbers, rounded; parameters may be of another dtype."""
    x, gamma, beta, _ = problem((64, 4, 3), kind, rng)
    narrow = x.astype(dtype)
    y, _ = batchnorm_forward(narrow, gamma.astype(np.float32), beta.astype(np.float32))
    wide, _ = batchnorm_forward(
        narrow.astype(np.float64), gamma.astype(np.float32), beta.astype(np.float32)
    )
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, wide.astype(dtype))


def test_float16_with_large_values_stays_finite(rng):
    """Their squares do not fit into float16, their variance is not asked to."""
    x = rng.uniform(-6e4, 6e4, (64, 2)).astype(np.float16)
    y, _ = batchnorm_forward(x, np.ones(2, np.float16), np.zeros(2, np.float16))
    assert np.all(np.isfinite(y))
    np.testing.assert_allclose(y.astype(float).std(axis=0), 1.0, rtol=rounding(np.float16))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_does_not_matter(layout, rng):
    """Strides are an implementation detail of the caller."""
    x, gamma, beta, _ = problem((6, 4, 2, 3), "plain", rng)
    y, _ = batchnorm_forward(lay_out(x, layout), gamma, beta)
    assert_close(y, batchnorm_forward(x, gamma, beta)[0])


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.sampled_from(KINDS))
def test_the_output_has_mean_beta_and_variance_a_little_under_gamma_squared(seed, shape, kind):
    """Exactly v/(v + eps) · gamma², with v the batch variance."""
    rng = np.random.default_rng(seed)
    x, gamma, beta, _ = problem(shape, kind, rng)
    y, cache = batchnorm_forward(x, gamma, beta)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    np.testing.assert_allclose(y.mean(axis=axes), beta, rtol=0, atol=1e-9)
    expected = gamma**2 * cache.var / (cache.var + cache.eps)
    np.testing.assert_allclose(y.var(axis=axes), expected, rtol=1e-8, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(-100, 100), st.floats(0.1, 10))
def test_shifting_and_scaling_the_input_changes_nothing(seed, shift, scale):
    """Batch norm forgets where its input was and how long; with eps = 0 exactly so."""
    x = np.random.default_rng(seed).normal(size=(7, 3))
    one, zero = np.ones(3), np.zeros(3)
    y, _ = batchnorm_forward(x, one, zero, eps=0.0)
    moved, _ = batchnorm_forward(scale * x + shift, one, zero, eps=0.0)
    np.testing.assert_allclose(moved, y, rtol=0, atol=1e-9)


def test_two_rows_become_plus_and_minus_one(rng):
    """Whatever they were: x_hat = ±1 up to eps."""
    x = rng.normal(size=(2, 50))
    y, _ = batchnorm_forward(x, np.ones(50), np.zeros(50), eps=0.0)
    np.testing.assert_allclose(np.abs(y), 1.0, rtol=1e-9)
    np.testing.assert_allclose(y[0], -y[1], rtol=1e-9)


def test_a_single_value_per_channel_gives_beta(rng):
    """Its deviation from its own mean is 0."""
    beta = rng.normal(size=4)
    y, _ = batchnorm_forward(rng.normal(size=(1, 4)), np.ones(4), beta)
    np.testing.assert_array_equal(y, beta[np.newaxis])


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 2, 3)])
def test_the_cache_holds_every_node(shape, rng):
    """Fields in the contract's order, each node computed from the one before, in float64."""
    x, gamma, beta, _ = problem(shape, "plain", rng)
    x = x.astype(np.float32)
    y, cache = batchnorm_forward(x, gamma, beta, eps=0.01)
    assert cache._fields == ("x", "mean", "centered", "var", "inv_std", "x_hat", "gamma", "eps")
    assert cache.x is x
    assert cache.eps == 0.01
    column = (1, 4, *(1 for _ in shape[2:]))
    np.testing.assert_array_equal(cache.centered, x - cache.mean.reshape(column))
    np.testing.assert_array_equal(cache.inv_std, 1 / np.sqrt(cache.var + 0.01))
    np.testing.assert_array_equal(cache.x_hat, cache.centered * cache.inv_std.reshape(column))
    expected = cache.gamma.reshape(column) * cache.x_hat + beta.reshape(column)
    np.testing.assert_allclose(y, expected, rtol=rounding(np.float32))
    for name in ("mean", "centered", "var", "inv_std", "x_hat"):
        assert getattr(cache, name).dtype == np.float64, name


def test_the_cache_keeps_its_own_gamma(rng):
    """An optimiser that steps in place must not reach into a finished forward pass."""
    x, gamma, beta, _ = problem((5, 4), "plain", rng)
    before = gamma.copy()
    _, cache = batchnorm_forward(x, gamma, beta)
    gamma += 1.0
    np.testing.assert_array_equal(cache.gamma, before)


def test_normalize_uses_the_statistics_it_is_given(rng):
    """Not the batch's own: this is what evaluation mode needs."""
    x = rng.normal(size=(5, 2))
    y = normalize(x, np.array([1.0, -1.0]), np.array([3.0, 0.0]), eps=1.0)
    np.testing.assert_allclose(y, (x - [1.0, -1.0]) / [2.0, 1.0], rtol=1e-15)


def test_eps_stands_inside_the_square_root():
    """For a constant feature 1/√eps, not 1/eps."""
    np.testing.assert_allclose(inverse_std(np.zeros(1), 1e-4), [100.0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_identity_affine_undoes_the_normalisation(kind, dtype, rng):
    """scale_shift(normalize(x)) is x again, to the rounding of the numbers involved."""
    x = draw((16, 4), kind, rng).astype(dtype)
    mean = batch_mean(x)
    var = batch_var(x, mean)
    gamma, beta = identity_affine(mean, var, 1e-5)
    assert gamma.dtype == beta.dtype == dtype
    y = scale_shift(normalize(x, mean, var, 1e-5), gamma, beta)
    spread = np.abs(x.astype(float)).max() + float(gamma.max()) * 16
    np.testing.assert_allclose(y, x, rtol=0, atol=4 * rounding(dtype) * spread)


def test_the_identity_affine_is_a_new_pair_of_arrays():
    """Training beta must not move the mean it was made from."""
    mean, var = np.zeros(2), np.ones(2)
    _, beta = identity_affine(mean, var, 1e-5)
    beta += 1.0
    np.testing.assert_array_equal(mean, 0.0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.ones(4)}, ShapeError, "x must have shape"),
        ({"x": np.ones((5, 4), int)}, DtypeError, "x must be a floating-point array"),
        ({"x": np.ones((0, 4))}, BatchSizeError, "at least one value per channel"),
        ({"gamma": np.ones(1)}, ShapeError, r"gamma must have shape \(C,\) = \(4,\)"),
        ({"gamma": np.ones((1, 4))}, ShapeError, r"got \(1, 4\)"),
        ({"beta": np.ones(5)}, ShapeError, r"beta must have shape \(C,\) = \(4,\)"),
        ({"beta": np.ones(4, int)}, DtypeError, "beta must be a floating-point array"),
        ({"eps": -1.0}, ParameterError, "eps must be"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, error, message):
    """Nothing broadcasts by accident."""
    arguments = {"x": np.ones((5, 4)), "gamma": np.ones(4), "beta": np.ones(4), "eps": 1e-5}
    with pytest.raises(error, match=message):
        batchnorm_forward(**{**arguments, **change})


def test_identity_affine_refuses_statistics_of_different_lengths():
    """Broadcasting a single variance would go unnoticed."""
    with pytest.raises(ShapeError, match="var must have the shape of mean"):
        identity_affine(np.zeros(3), np.ones(1), 1e-5)
    with pytest.raises(ParameterError, match="eps"):
        identity_affine(np.zeros(3), np.ones(3), -1.0)
