"""Which values are averaged together: a batch of six cats, and the axis one sums over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, SEQUENTIAL, figure

CATS: tuple[str, ...] = ("Mia", "Felix", "Luna", "Oskar", "Nala", "Simba")
FEATURES: tuple[str, ...] = ("length", "mass", "age", "naps")
UNITS: tuple[str, ...] = ("cm", "kg", "years", "a day")
_TABLE = (
    (46.0, 4.6, 3.0, 7.0),
    (50.0, 5.4, 8.0, 9.0),
    (44.0, 3.9, 1.0, 6.0),
    (52.0, 6.1, 11.0, 10.0),
    (45.0, 4.2, 2.0, 5.0),
    (48.0, 5.0, 5.0, 8.0),
)
#: What the slider's reader may choose, and the axes it means.
AXES: dict[str, tuple[int, ...]] = {
    "axis=0 (down a column)": (0,),
    "axis=1 (along a row)": (1,),
    "no axis (over everything)": (0, 1),
}
_COLUMN, _ROW, _ALL = AXES
_MM_PER_CM = 10.0
_COLOR_RANGE = 2.0  # standard deviations at which the right map's colours end
_RIGHT = 4.9  # where the right table begins, in columns of the left one
_DARK = 0.55  # position on viridis below which black text is hard to read


def cats() -> np.ndarray:
    """Return the batch: an array of shape (6, 4), one row per cat, one column per feature.

    The columns are body length in cm, mass in kg, age in years and naps a day. Invented, within
    what house cats do.

    Examples
    --------
    >>> cats().shape
    (6, 4)
    """
    return np.array(_TABLE)


@dataclass(frozen=True)
class AxisStory:
    """What summing over one choice of axes makes of a batch."""

    #: ndarray of shape (N, C): the batch.
    x: np.ndarray
    #: ndarray broadcastable to (N, C): the mean over the axes.
    mean: np.ndarray
    #: ndarray like ``mean``: the biased standard deviation over the axes.
    std: np.ndarray
    #: ndarray of shape (N, C): (x − mean) / std.
    x_hat: np.ndarray


def axis_story(x: np.ndarray, axes: tuple[int, ...]) -> AxisStory:
    r"""Standardise ``x`` over ``axes``: :math:`(x - \text{mean}) / \text{std}`.

    Parameters
    ----------
    x : ndarray of shape (N, C)
        float64; no group that is averaged together may be constant.
    axes : tuple of int
        ``(0,)`` for one mean per column, ``(1,)`` for one per row, ``(0, 1)`` for one in all.

    Examples
    --------
    >>> axis_story(np.array([[1.0, 10.0], [3.0, 30.0]]), (0,)).x_hat
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    mean = x.mean(axis=axes, keepdims=True)
    std = x.std(axis=axes, keepdims=True)
    return AxisStory(x, mean, std, (x - mean) / std)


def companions(shape: tuple[int, int], axes: tuple[int, ...], row: int, col: int) -> np.ndarray:
    """Mark the entries that are averaged together with entry ``(row, col)``, itself included.

    Examples
    --------
    >>> companions((2, 3), (0,), 0, 1)
    array([[False,  True, False],
           [False,  True, False]])
    """
    rows, cols = np.indices(shape)
    together = ((rows == row) | (0 in axes)) & ((cols == col) | (1 in axes))
    return np.asarray(together)


def draw_axis(axis: str = _COLUMN, value: int = 0, length_in: str = "cm") -> Figure:
    """Draw the cats, who is averaged with whom, and what is left after standardising.

    Left: the batch; framed is what is averaged together with entry ``value`` (in reading order),
    which has the thick frame. Right: (x − mean) / std over the same axes.

    Parameters
    ----------
    axis : str
        A key of `AXES`.
    value : int
        0 … 23, counting along the rows.
    length_in : str
        ``"cm"`` or ``"mm"``: the unit of the first column.
    """
    x = cats()
    if length_in == "mm":
        x[:, 0] *= _MM_PER_CM
    row, col = divmod(value, x.shape[1])
    story = axis_story(x, AXES[axis])
    fig = figure(size=(9.6, 4.3))
    (ax,) = fig.axes
    _blank(fig, ax)
    _heat(ax, 0.0, "x", x / x.max(), _raw_labels(x))
    shades = np.clip(story.x_hat / (2 * _COLOR_RANGE) + 0.5, 0, 1)
    _heat(ax, _RIGHT, "(x − mean) / std", shades, [f"{v:+.2f}" for v in story.x_hat.flat])
    _names(ax, (length_in, *UNITS[1:]))
    together = companions(x.shape, AXES[axis], row, col)
    for i, j in np.argwhere(together):
        _frame(ax, i, j, 2.0)
    for left in (0.0, _RIGHT):
        _frame(ax, row, left + col, 5.0)
    mean = np.broadcast_to(story.mean, x.shape)[row, col]
    _say(ax, 0.0, _sentence(axis, row, col, mean, length_in))
    _say(ax, _RIGHT, _means_after(story))
    return fig


def _blank(fig: Figure, ax: Any) -> None:
    """Make room for two tables; text placed by hand costs half the time of ticks."""
    rows, cols = len(CATS), len(FEATURES)
    ax.set_axis_off()
    fig.subplots_adjust(left=0.0, right=1.0, top=1.0, bottom=0.0)
    ax.set_xlim(-1.35, _RIGHT + cols - 0.3)
    ax.set_ylim(rows + 0.85, -1.15)


def _raw_labels(x: np.ndarray) -> list[str]:
    """Write the table's entries as a person would."""
    decimals = (0, 1, 0, 0)
    return [f"{v:.{decimals[k % x.shape[1]]}f}" for k, v in enumerate(x.flat)]


def _heat(ax: Any, left: float, title: str, shades: np.ndarray, labels: list[str]) -> None:
    """Draw a table as a heat map; ``shades`` in [0, 1] pick the colours."""
    rows, cols = shades.shape
    extent = (left - 0.5, left + cols - 0.5, rows - 0.5, -0.5)
    limits = ax.axis()
    ax.imshow(
        shades, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="none"
    )
    ax.axis(limits)
    ax.text(left - 0.5, -0.7, title, fontsize=12)
    for k, label in enumerate(labels):
        i, j = divmod(k, cols)
        ink = "white" if shades[i, j] < _DARK else "black"
        ax.text(left + j, i, label, ha="center", va="center", color=ink, fontsize=11)


def _names(ax: Any, units: tuple[str, ...]) -> None:
    """Write whose rows and which columns they are."""
    for i, cat in enumerate(CATS):
        ax.text(-0.6, i, cat, ha="right", va="center", fontsize=10)
    for j, (feature, unit) in enumerate(zip(FEATURES, units, strict=True)):
        ax.text(j, len(CATS) - 0.2, f"{feature} ({unit})", ha="center", va="center", fontsize=9)
        ax.text(_RIGHT + j, len(CATS) - 0.2, feature, ha="center", va="center", fontsize=9)


def _frame(ax: Any, row: float, col: float, width: float) -> None:
    """Draw a frame inside one entry."""
    near, far = -0.43, 0.43
    x = [col + near, col + far, col + far, col + near, col + near]
    y = [row + near, row + near, row + far, row + far, row + near]
    ax.plot(x, y, color=COLORS["vermillion"], linewidth=width, solid_joinstyle="miter")


def _say(ax: Any, left: float, sentence: str) -> None:
    """Write a sentence under a table."""
    ax.text(left - 0.5, len(CATS) + 0.5, sentence, fontsize=10)


def _sentence(axis: str, row: int, col: int, mean: float, length_in: str) -> str:
    """Say what the chosen value is averaged with."""
    what = f"{CATS[row]}'s {FEATURES[col]}, averaged"
    if axis == _COLUMN:
        return f"{what} down the column: mean {mean:.2f} {(length_in, *UNITS[1:])[col]}"
    where = "along the row" if axis == _ROW else "with everything"
    return f"{what} {where}: mean {mean:.2f} of what?"


def _means_after(story: AxisStory) -> str:
    """Say what the columns average afterwards."""
    means = ", ".join(f"{m:+.2f}".replace("-0.00", "+0.00") for m in story.x_hat.mean(axis=0))
    return f"column means now: {means}"
