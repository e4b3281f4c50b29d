"""How a variance is lost in a precision: the error of two formulas, and the numbers there are."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

_ROWS = 64  # values a variance is taken of
_BATCHES = 64  # batches an error is averaged over
_MEANS = np.logspace(0, 6, 25)  # where the curves are measured
_TICKS_SHOWN = 3  # numbers of the precision on each side of mean² in the right panel
_SMALLEST_ERROR = 1e-17  # an error of 0 has no place on a logarithmic axis
_ERRORS_SHOWN = (3e-18, 1e10)  # the same for every precision, so that one sees the curves move

PRECISIONS = ("float16", "float32", "float64")
"""Floating-point types to choose from."""


def one_pass_var(x: np.ndarray) -> np.ndarray:
    """Return ``E[x²] − E[x]²`` along the last axis in the dtype of x: the formula that cancels."""
    return np.asarray(np.square(x).mean(axis=-1) - np.square(x.mean(axis=-1)))


def two_pass_var(x: np.ndarray) -> np.ndarray:
    """Return ``E[(x − E[x])²]`` along the last axis in the dtype of x."""
    return np.asarray(np.square(x - x.mean(axis=-1, keepdims=True)).mean(axis=-1))


def batches_at(mean: float, seed: int = 0, precision: str = "float32") -> np.ndarray:
    """Return 64 batches of 64 values, drawn with standard deviation 1 around ``mean``.

    What does not fit into the precision is infinite: float16 ends at 65 504.
    """
    drawn = np.random.default_rng(seed).normal(mean, 1.0, size=(_BATCHES, _ROWS))
    with np.errstate(over="ignore"):
        return drawn.astype(precision)


def relative_errors(mean: float, seed: int = 0, precision: str = "float32") -> tuple[float, float]:
    """Return the root mean square relative error of both formulas.

    Parameters
    ----------
    mean : float
        Mean of the data; their standard deviation is 1.
    seed : int, default 0
        The same seed gives the same batches.
    precision : str, default "float32"
        One of `PRECISIONS`: that of the data and of every step of both formulas.

    Returns
    -------
    tuple of float
        Of `one_pass_var` and of `two_pass_var`, both against the variance of the same stored
        values around ``mean`` in float64, which subtracts without rounding; `nan` where something
        on the way does not fit into the precision.

    Examples
    --------
    >>> one, two = relative_errors(1e4)
    >>> one > 1 and two < 1e-4
    True
    """
    x = batches_at(mean, seed, precision)
    with np.errstate(all="ignore"):  # float16 overflows, and where all values are equal var is 0
        truth = two_pass_var(x.astype(np.float64) - mean)
        errors = [
            float(np.sqrt(np.mean(np.square(formula(x).astype(np.float64) / truth - 1.0))))
            for formula in (one_pass_var, two_pass_var)
        ]
    return tuple(e if np.isfinite(e) else float("nan") for e in errors)  # type: ignore[return-value]


def draw_cancellation(mean: float = 10_000, precision: str = "float32") -> Figure:
    """Draw the error of both formulas against the mean, and the numbers there are near mean².

    Left: the relative error of the variance, a dashed line at ``mean``. Right: every number of the
    precision near mean², and the two numbers that the one-pass formula subtracts.
    """
    step = _spacing(mean, precision)
    fits = np.isfinite(step)
    has = f"has a number every {step:.2g} here" if fits else "ends at 65 504: overflow"
    fig = figure(
        1,
        2,
        xlabel=["mean of the data (units of their std)", "number − mean² (units of the variance)"],
        ylabel=["relative error of the variance", ""],
        title=[f"{precision}, std 1", f"{precision} {has}"],
    )
    left, right = fig.axes
    one, two = np.maximum(_error_curves(precision), _SMALLEST_ERROR)
    left.loglog(_MEANS, one, "o-", markersize=3, label="E[x²] − E[x]²", color=COLORS["vermillion"])
    left.loglog(_MEANS, two, "s-", markersize=3, label="E[(x − E[x])²]", color=COLORS["blue"])
    left.minorticks_off()  # they would cost half of the drawing's time
    left.set_xlim(0.7, 1.4e6)
    left.set_ylim(*_ERRORS_SHOWN)
    left.axhline(1.0, color=COLORS["grey"], linewidth=1.0)
    left.axvline(mean, color=COLORS["black"], linestyle="--", linewidth=1.2)
    left.legend(fontsize=9, loc="upper left")
    if fits:
        _draw_numbers(right, mean, precision)
    return fig


def _stored(value: float, precision: str) -> Any:
    """Round a number to a precision; beyond its range it is infinite."""
    with np.errstate(over="ignore"):
        return np.dtype(precision).type(value)


def _spacing(mean: float, precision: str) -> float:
    """Return the distance of neighbouring numbers at mean²; nan beyond the precision's range."""
    square = _stored(mean * mean, precision)
    return float(np.spacing(square)) if np.isfinite(square) else float("nan")


@lru_cache(maxsize=len(PRECISIONS))
def _error_curves(precision: str) -> np.ndarray:
    """Measure both curves once, shape (2, 25)."""
    return np.array([relative_errors(float(m), precision=precision) for m in _MEANS]).T


def _draw_numbers(ax: Any, mean: float, precision: str) -> None:
    """Draw the numbers there are around mean² as ticks, and the two that are subtracted."""
    step = _spacing(mean, precision)
    reach = max(_TICKS_SHOWN * step, 2.0)
    square = mean * mean
    grid = _numbers_between(square - reach, square + reach, step) - square
    ax.plot(grid, np.zeros(grid.size), "|", color=COLORS["grey"], markersize=22)
    for value, height, color, text in (
        (0.0, 0.5, COLORS["blue"], "E[x]²"),
        (1.0, 1.0, COLORS["vermillion"], "E[x²] = E[x]² + 1"),
    ):
        stored = float(_stored(square + value, precision)) - square
        ax.plot([value, value], [0, height], color=color, linestyle=":")
        ax.plot([value], [height], "v", color=color, markersize=9, label=text)
        ax.plot([stored], [0], "o", color=color, markersize=11 - 4 * value, alpha=0.9)
    ax.set_xlim(-reach * 1.05, reach * 1.05)
    ax.set_ylim(-0.6, 2.0)
    ax.set_yticks([])
    ax.legend(
        fontsize=9, loc="upper right", title=f"dots: what {precision} keeps", title_fontsize=9
    )


def _numbers_between(low: float, high: float, step: float) -> np.ndarray:
    """Return the multiples of a step from low to high, at most 400 of them, evenly thinned out."""
    count = int((high - low) / step) + 1
    stride = max(1, count // 400)
    first = np.ceil(low / step) * step
    return np.asarray(first + step * stride * np.arange(count // stride))
