"""How a variance is lost in float32: the error of two formulas, and the numbers there are."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

_ROWS = 64  # values a variance is taken of
_BATCHES = 64  # batches an error is averaged over
_MEANS = np.logspace(0, 6, 25)  # where the curves are measured
_TICKS_SHOWN = 3  # float32 numbers on each side of mean² in the right panel
_SMALLEST_ERROR = 1e-9  # an error of 0 has no place on a logarithmic axis


def one_pass_var(x: np.ndarray) -> np.ndarray:
    """Return ``E[x²] − E[x]²`` along the last axis in the dtype of x: the formula that cancels."""
    return np.asarray(np.square(x).mean(axis=-1) - np.square(x.mean(axis=-1)))


def two_pass_var(x: np.ndarray) -> np.ndarray:
    """Return ``E[(x − E[x])²]`` along the last axis in the dtype of x."""
    return np.asarray(np.square(x - x.mean(axis=-1, keepdims=True)).mean(axis=-1))


def batches_at(mean: float, seed: int = 0) -> np.ndarray:
    """Return 64 float32 batches of 64 values, drawn with standard deviation 1 around ``mean``."""
    drawn = np.random.default_rng(seed).normal(mean, 1.0, size=(_BATCHES, _ROWS))
    return drawn.astype(np.float32)


def relative_errors(mean: float, seed: int = 0) -> tuple[float, float]:
    """Return the root mean square relative error of both formulas in float32.

    Parameters
    ----------
    mean : float
        Mean of the data; their standard deviation is 1.
    seed : int, default 0
        The same seed gives the same batches.

    Returns
    -------
    tuple of float
        Of `one_pass_var` and of `two_pass_var`, both against float64 on the same float32 values.

    Examples
    --------
    >>> one, two = relative_errors(1e4)
    >>> one > 1 and two < 1e-4
    True
    """
    x = batches_at(mean, seed)
    truth = two_pass_var(x.astype(np.float64))
    errors = [
        float(np.sqrt(np.mean(np.square(formula(x).astype(np.float64) / truth - 1.0))))
        for formula in (one_pass_var, two_pass_var)
    ]
    return errors[0], errors[1]


def draw_cancellation(mean: float = 10_000) -> Figure:
    """Draw the error of both formulas against the mean, and the float32 numbers near mean².

    Left: the relative error of the variance, a dashed line at ``mean``. Right: every float32
    number near mean², and the two numbers that the one-pass formula subtracts.
    """
    fig = figure(
        1,
        2,
        xlabel=["mean of the data (units of their std)", "number − mean² (units of the variance)"],
        ylabel=["relative error of the variance", ""],
        title=["float32, std 1", f"float32 has a number every {_spacing(mean):.2g} here"],
    )
    left, right = fig.axes
    one, two = np.maximum(_error_curves(), _SMALLEST_ERROR)
    left.loglog(_MEANS, one, "o-", markersize=3, label="E[x²] − E[x]²", color=COLORS["vermillion"])
    left.loglog(_MEANS, two, "s-", markersize=3, label="E[(x − E[x])²]", color=COLORS["blue"])
    left.minorticks_off()  # they would cost half of the drawing's time
    left.axhline(1.0, color=COLORS["grey"], linewidth=1.0)
    left.axvline(mean, color=COLORS["black"], linestyle="--", linewidth=1.2)
    left.legend(fontsize=9, loc="upper left")
    _draw_numbers(right, mean)
    return fig


def _spacing(mean: float) -> float:
    """Return the distance of neighbouring float32 numbers at mean²."""
    return float(np.spacing(np.float32(mean * mean)))


@lru_cache(maxsize=1)
def _error_curves() -> np.ndarray:
    """Measure both curves once, shape (2, 25)."""
    return np.array([relative_errors(float(mean)) for mean in _MEANS]).T


def _draw_numbers(ax: Any, mean: float) -> None:
    """Draw the float32 numbers around mean² as ticks, and the two that are subtracted."""
    reach = max(_TICKS_SHOWN * _spacing(mean), 2.0)
    square = mean * mean
    grid = _float32_between(square - reach, square + reach) - square
    ax.plot(grid, np.zeros(grid.size), "|", color=COLORS["grey"], markersize=22)
    for value, height, color, text in (
        (0.0, 0.5, COLORS["blue"], "E[x]²"),
        (1.0, 1.0, COLORS["vermillion"], "E[x²] = E[x]² + 1"),
    ):
        stored = float(np.float32(square + value)) - square
        ax.plot([value, value], [0, height], color=color, linestyle=":")
        ax.plot([value], [height], "v", color=color, markersize=9, label=text)
        ax.plot([stored], [0], "o", color=color, markersize=11 - 4 * value, alpha=0.9)
    ax.set_xlim(-reach * 1.05, reach * 1.05)
    ax.set_ylim(-0.6, 2.0)
    ax.set_yticks([])
    ax.legend(fontsize=9, loc="upper right", title="dots: what float32 keeps", title_fontsize=9)


def _float32_between(low: float, high: float) -> np.ndarray:
    """Return the float32 numbers from low to high, at most 400 of them, evenly thinned out."""
    step = float(np.spacing(np.float32(high)))
    count = int((high - low) / step) + 1
    stride = max(1, count // 400)
    first = np.ceil(low / step) * step
    return np.asarray(first + step * stride * np.arange(count // stride))
