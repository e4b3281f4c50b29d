import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnlib import (
    BatchNormCache,
    batchnorm_backward,
    batchnorm_forward,
    design_check,
    gradcheck,
    numerical_gradient,
)
from bnlib.errors import DtypeError, ParameterError, ShapeError
from tests.bnlib.wrong_backward import WRONG

SEEDS = st.integers(0, 2**32 - 1)


def forward(x, gamma, beta):
    """Training-mode batch norm without its cache."""
    return batchnorm_forward(x, gamma, beta)[0]


def backward(dy, x, gamma, beta):
    """Go back as one should."""
    return batchnorm_backward(dy, batchnorm_forward(x, gamma, beta)[1])


@pytest.mark.parametrize("shape", [(3,), (4, 2), (2, 3, 2)])
def test_the_numerical_gradient_is_torchs(shape, rng):
    """Of a function that mixes all entries, for a random upstream gradient."""
    x, dy = rng.normal(size=shape), rng.normal(size=shape)
    t = torch.tensor(x, requires_grad=True)
    (torch.sin(t) * torch.exp(t.mean())).backward(torch.tensor(dy))
    actual = numerical_gradient(lambda v: np.sin(v) * np.exp(v.mean()), x, dy)
    np.testing.assert_allclose(actual, t.grad.numpy(), rtol=1e-8, atol=1e-8)


def test_the_output_may_have_another_shape(rng):
    """From array to array, whatever the two shapes are."""
    matrix, x, dy = rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=5)
    actual = numerical_gradient(lambda v: matrix @ v, x, dy)
    np.testing.assert_allclose(actual, dy @ matrix, rtol=1e-8)


def test_central_differences_are_exact_for_a_parabola(rng):
    """Their error begins with the third derivative; a one-sided difference would be off by h."""
    x, dy = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    np.testing.assert_allclose(numerical_gradient(np.square, x, dy, h=0.25), 2 * x * dy)


def in_place(v):
    """Overwrite the argument and return it."""
    v *= 3.0
    return v


@pytest.mark.parametrize(
    "f", [lambda v: v, lambda v: v[::-1][::-1], in_place], ids=["itself", "a view", "in place"]
)
def test_f_may_return_a_view_or_overwrite_its_argument(f, rng):
    """Every evaluation gets a fresh array, and what it returned is copied."""
    x, dy = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    before = x.copy()
    slope = 3.0 if f is in_place else 1.0
    np.testing.assert_allclose(numerical_gradient(f, x, dy), slope * dy, rtol=1e-8)
    np.testing.assert_array_equal(x, before)


def test_f_may_reuse_one_buffer(rng):
    """The second call overwrites what the first one returned."""
    x, dy = rng.normal(size=3), rng.normal(size=3)
    buffer = np.empty(3)
    actual = numerical_gradient(lambda v: np.multiply(v, 2.0, out=buffer), x, dy)
    np.testing.assert_allclose(actual, 2 * dy, rtol=1e-8)


def test_a_large_x_does_not_spoil_the_step(rng):
    """At 1e4 the last place is 2e-12, a part in 1e7 of h: the step actually taken counts."""
    x, dy = rng.uniform(1e4, 2e4, 50), np.ones(50)
    np.testing.assert_allclose(numerical_gradient(lambda v: v, x, dy), 1.0, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_has_the_dtype_of_x_and_is_taken_in_float64(dtype, rng):
    """A step of 1e-5 would vanish in float32."""
    x, dy = rng.normal(size=4).astype(dtype), rng.normal(size=4).astype(dtype)
    actual = numerical_gradient(np.exp, x, dy)
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, dy * np.exp(x), rtol=1e-6)


def test_what_does_not_fit_is_refused():
    """A dy that would broadcast, a step of 0, integers."""
    with pytest.raises(ShapeError, match=r"dy must have the shape of f\(x\), \(4, 2\)"):
        numerical_gradient(lambda v: v, np.ones((4, 2)), np.ones(2))
    with pytest.raises(ParameterError, match="h must be greater than 0"):
        numerical_gradient(lambda v: v, np.ones(2), np.ones(2), h=0.0)
    with pytest.raises(DtypeError, match="x must be a floating"):
        numerical_gradient(lambda v: v, np.ones(2, int), np.ones(2))


def test_gradcheck_names_the_entry_that_is_wrong(rng):
    """Argument, index and both values; and says so in words."""
    x, gamma, beta, _ = design_check(rng)

    def broken(dy, x, gamma, beta):
        dx, dgamma, dbeta = backward(dy, x, gamma, beta)
        dgamma = dgamma.copy()
        dgamma[2] += 0.5
        return dx, dgamma, dbeta

    report = gradcheck(forward, broken, {"x": x, "gamma": gamma, "beta": beta}, rng)
    assert not report.passed
    assert (report.argument, report.index) == ("gamma", (2,))
    assert report.analytic - report.numeric == pytest.approx(0.5, rel=1e-5)
    assert "gradients differ; worst entry dgamma[2]" in str(report)


def test_gradcheck_passes_what_is_right_and_changes_nothing(rng):
    """The report then shows how much room was left."""
    x, gamma, beta, _ = design_check(rng)
    copies = [v.copy() for v in (x, gamma, beta)]
    report = gradcheck(forward, backward, {"x": x, "gamma": gamma, "beta": beta}, rng)
    assert report.passed
    assert report.excess < 0.1
    assert str(report).startswith("gradients agree")
    for value, before in zip((x, gamma, beta), copies, strict=True):
        np.testing.assert_array_equal(value, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradcheck_never_passes_what_is_not_finite(bad, rng):
    """Comparisons with nan are false; this one must not be read as passed."""
    report = gradcheck(
        np.square, lambda dy, v: (np.where([True, False], bad, 2 * v * dy),), {"v": np.ones(2)}, rng
    )
    assert not report.passed
    assert report.index == (0,)


def test_gradcheck_accepts_a_gradient_of_zero(rng):
    """A function that ignores its argument, where the largest entry is 0 itself."""
    report = gradcheck(lambda v: np.zeros(3), lambda dy, v: (np.zeros(3),), {"v": np.ones(3)}, rng)
    assert report.passed


def test_gradcheck_counts_and_measures_the_gradients(rng):
    """One per argument, each of its shape: (1,) for (3,) would broadcast."""
    at = {"v": np.ones(3)}
    with pytest.raises(ShapeError, match="one gradient per argument, 1; got 2"):
        gradcheck(np.square, lambda dy, v: (dy, dy), at, rng)
    with pytest.raises(ShapeError, match="dv must have the shape of v"):
        gradcheck(np.square, lambda dy, v: (dy[:1],), at, rng)


def exposes(check, wrong):
    """Say whether central differences tell a backward pass from the truth at a check."""
    x, gamma, beta, dy = check
    arguments = (x, gamma, beta)
    for i, gradient in enumerate(wrong(dy, *arguments)):

        def along(v, i=i):
            return forward(*(v if j == i else other for j, other in enumerate(arguments)))

        numeric = numerical_gradient(along, arguments[i], dy)
        if np.shape(gradient) != numeric.shape:
            return True
        tolerance = 1e-4 * np.abs(numeric) + 1e-6 * np.abs(numeric).max()
        if not np.all(np.abs(gradient - numeric) <= tolerance):
            return True
    return False


@given(SEEDS)
def test_the_designed_check_exposes_every_wrong_backward_pass(seed):
    """On every seed, and the right one passes."""
    check = design_check(np.random.default_rng(seed))
    assert not exposes(check, backward)
    assert [name for name, wrong in WRONG.items() if not exposes(check, wrong)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda x, g, b, dy: (x, g, b, np.ones_like(dy)), id="dy of ones"),
        pytest.param(lambda x, g, b, dy: (x, np.ones_like(g), b, dy), id="gamma of ones"),
        pytest.param(lambda x, g, b, dy: (x - x.mean(axis=0), g, b, dy), id="mean zero"),
        pytest.param(lambda x, g, b, dy: (100 * x, g, b, dy), id="large variance"),
    ],
)
def test_without_one_of_its_properties_the_check_is_no_good(spoil, rng):
    """A wrong pass gets through or, where the gradient vanishes, the right one does not."""
    check = spoil(*design_check(rng))
    assert exposes(check, backward) or not all(exposes(check, wrong) for wrong in WRONG.values())


@given(SEEDS)
def test_the_designed_check_holds_its_bounds(seed):
    """Those its docstring promises."""
    x, gamma, beta, dy = design_check(np.random.default_rng(seed))
    assert x.shape == dy.shape == (7, 3)
    assert gamma.shape == beta.shape == (3,)
    assert all(v.dtype == np.float64 for v in (x, gamma, beta, dy))
    assert np.all(np.abs(x.mean(axis=0)) > 0.5)
    np.testing.assert_allclose(x.std(axis=0), [0.03, 0.2, 1.0], rtol=1e-9)
    assert gamma.min() < 0 < gamma.max()
    x_hat = (x - x.mean(axis=0)) / x.std(axis=0)
    assert np.all(np.abs(dy.mean(axis=0)) > 0.4)
    assert np.all(np.abs((dy * x_hat).mean(axis=0)) > 0.4)


def test_the_cache_is_the_one_the_course_hands_out():
    """Eight fields in the contract's order."""
    assert BatchNormCache._fields == (
        "x",
        "mean",
        "centered",
        "var",
        "inv_std",
        "x_hat",
        "gamma",
        "eps",
    )
