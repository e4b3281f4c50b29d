"""The cancellation figure shows why E[x²] − E[x]² must not be used."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.cancellation import (
    PRECISIONS,
    batches_at,
    draw_cancellation,
    one_pass_var,
    relative_errors,
    two_pass_var,
)


def test_both_formulas_agree_near_zero() -> None:
    """Where the mean is small both give the variance."""
    x = np.random.default_rng(0).normal(0.5, 2.0, size=(3, 50))

    np.testing.assert_allclose(one_pass_var(x), x.var(axis=1), rtol=1e-12)
    np.testing.assert_allclose(two_pass_var(x), x.var(axis=1), rtol=1e-12)


def test_one_pass_gives_multiples_of_eight_at_ten_thousand() -> None:
    """In float32 at mean 1e4 the difference can only be a multiple of 8, whatever the variance."""
    found = one_pass_var(batches_at(1e4))

    assert found.dtype == np.float32
    np.testing.assert_array_equal(found % 8, 0)
    assert {-8.0, 16.0} <= {float(v) for v in found}


def test_error_of_one_pass_grows_with_the_square_of_the_mean() -> None:
    """A mean 100 times as large makes the error about 10 000 times as large."""
    small, large = relative_errors(1e2)[0], relative_errors(1e4)[0]

    assert 1e3 < large / small < 1e5


@pytest.mark.parametrize("mean", [1.0, 1e2, 1e4])
def test_two_pass_stays_accurate(mean: float) -> None:
    """The two-pass formula keeps at least four digits where the other one has none."""
    assert relative_errors(mean)[1] < 1e-4


def test_title_gives_the_spacing_of_float32() -> None:
    """The right panel says how far apart the numbers are near mean²."""
    _, right = draw_cancellation(10_000).axes

    assert right.get_title(loc="left") == "float32 has a number every 8 here"


def test_drawing_is_repeatable() -> None:
    """The same state gives the same picture, another one another."""
    first = to_png(draw_cancellation(100), dpi=40)

    assert first == to_png(draw_cancellation(100), dpi=40)
    assert first != to_png(draw_cancellation(1000), dpi=40)


@pytest.mark.parametrize("mean", [1, 10, 100, 1000, 10_000, 100_000, 1_000_000])
def test_every_position_of_the_slider_can_be_drawn(mean: int) -> None:
    """No mean of the lecture's slider breaks the figure."""
    assert to_png(draw_cancellation(mean), dpi=40)


@pytest.mark.parametrize(
    ("precision", "mean", "lost"),
    [("float16", 100.0, True), ("float32", 100.0, False), ("float64", 1e4, False)],
)
def test_each_precision_loses_the_variance_at_its_own_mean(
    precision: str, mean: float, lost: bool
) -> None:
    """The one-pass error is about mean² times the rounding; the two-pass one stays below it."""
    one, two = relative_errors(mean, precision=precision)

    assert (one > 1.0) is lost
    assert two < 0.1 * one


def test_what_does_not_fit_into_float16_is_no_number() -> None:
    """Squares beyond 65 504: the one-pass formula overflows, and the figure says so."""
    assert np.isnan(relative_errors(1e3, precision="float16")[0])
    _, right = draw_cancellation(1000, "float16").axes

    assert right.get_title(loc="left") == "float16 ends at 65 504: overflow"
    assert not right.lines


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_axes_of_the_errors_stay(precision: str) -> None:
    """One sees the curves move, not the scale."""
    left, _ = draw_cancellation(10, precision).axes

    assert left.get_ylim() == draw_cancellation(1000, "float32").axes[0].get_ylim()
    assert left.get_title(loc="left") == f"{precision}, std 1"
