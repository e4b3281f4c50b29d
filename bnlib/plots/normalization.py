"""What normalising does to a batch: to its rows, to a whole column, to what an activation sees."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

_EPS = 1e-5  # torch's default
_ROOM_TEMPERATURE = 20.0  # °C, where the other rows of the outlier figure lie
_ROOM_SPREAD = 2.0  # °C
_LARGEST_BATCH = 32  # fixes the right axis of the outlier figure, so that one sees the bound grow
_LEGEND_ROOM = 1.5  # rows end above the legend
_ROW_TICKS = 6  # at most so many rows are numbered
_COLUMNS = 48  # features on the circle
_VALUES = 4096  # normalised values under the activation
_HISTOGRAM_RANGE = 10.0  # axes of the activation figure; a few larger values are not shown
_SATURATED = 0.97  # |tanh| beyond which a unit hardly learns any more


def standardise(x: np.ndarray, eps: float = _EPS) -> np.ndarray:
    """Return ``(x − mean)/√(var + eps)`` along the last axis, with the biased variance.

    Examples
    --------
    >>> standardise(np.array([1.0, 3.0]), eps=0.0)
    array([-1.,  1.])
    """
    centered = x - x.mean(axis=-1, keepdims=True)
    return np.asarray(centered / np.sqrt(np.square(centered).mean(axis=-1, keepdims=True) + eps))


def batch_with_outlier(n: int, pull: float, seed: int = 0) -> np.ndarray:
    """Return n temperatures in °C; row 0 lies ``pull`` above 20 °C, the others near it.

    Raises
    ------
    ValueError
        If ``n < 2``: one row alone has no company.
    """
    if n < 2:
        raise ValueError(f"n must be a batch size of at least 2; got {n}.")
    others = np.random.default_rng(seed).normal(_ROOM_TEMPERATURE, _ROOM_SPREAD, size=n - 1)
    return np.concatenate([[_ROOM_TEMPERATURE + pull], others])


def draw_company(n: int = 8, pull: float = 4) -> Figure:
    """Draw a batch of temperatures before and after normalising, with one row pulled away.

    Left: x in °C. Right: x̂, with the bound ±√(N−1) that no entry of a batch can pass. The right
    axis stays as it is.
    """
    x = batch_with_outlier(n, pull)
    fig = figure(
        1,
        2,
        xlabel=["x (°C)", "x̂ (no unit)"],
        ylabel="row of the batch",
        title=["before", f"after: row 0 has x̂ = {standardise(x)[0]:.3f}"],
    )
    for ax, values in zip(fig.axes, (x, standardise(x)), strict=True):
        _draw_rows(ax, values)
    bound = np.sqrt(n - 1)
    right = fig.axes[1]
    for side, text in ((-1, f"±√(N−1) = ±{bound:.3f}"), (1, None)):
        right.axvline(side * bound, color=COLORS["grey"], linestyle="--", label=text)
    reach = np.sqrt(_LARGEST_BATCH - 1) + 0.6
    right.set_xlim(-reach, reach)
    right.legend(fontsize=9, loc="lower right")
    return fig


def random_columns(spread: float, seed: int = 0) -> np.ndarray:
    """Return features of three rows each, shape (48, 3), of standard deviation near ``spread``."""
    return np.random.default_rng(seed).normal(5.0, spread, size=(_COLUMNS, 3))


def draw_circle(spread: float = 1.0) -> Figure:
    """Draw features of three rows as points of the plane in which all centred columns lie.

    Left: after centring, in units of ``spread``. Right: after the division by √(var + eps): on the
    circle of radius √3 wherever the variance is much larger than eps, inside it elsewhere.
    """
    columns = random_columns(spread)
    centered = columns - columns.mean(axis=-1, keepdims=True)
    fig = figure(
        1,
        2,
        size=(8.4, 4.1),
        xlabel=["along (1, −1, 0)/√2", "along (1, −1, 0)/√2"],
        ylabel="along (1, 1, −2)/√6",
        title=[f"x − μ, in units of {spread:g}", "x̂, and the circle of radius √3"],
    )
    colors = (COLORS["sky"], COLORS["orange"])
    for ax, points, color in zip(
        fig.axes, (centered / spread, standardise(columns)), colors, strict=True
    ):
        across, along = _plane(points)
        ax.plot(across, along, "o", color=color, markersize=5, markeredgecolor=COLORS["black"])
        ax.set_aspect("equal")
        ax.set_xlim(-4, 4)
        ax.set_ylim(-4, 4)
    angle = np.linspace(0, 2 * np.pi, 200)
    fig.axes[1].plot(
        np.sqrt(3) * np.cos(angle), np.sqrt(3) * np.sin(angle), color=COLORS["grey"], linewidth=1.2
    )
    return fig


def activation_report(y: np.ndarray, activation: str) -> str:
    """Say what share of the inputs ``y`` an activation passes on in a degenerate way.

    Raises
    ------
    ValueError
        If ``activation`` is neither ``"relu"`` nor ``"tanh"``.

    Examples
    --------
    >>> activation_report(np.array([-1.0, 2.0]), "relu")
    '50 % of the outputs are exactly 0'
    """
    if activation == "relu":
        return f"{100 * np.mean(y <= 0):.0f} % of the outputs are exactly 0"
    if activation == "tanh":
        return f"{100 * np.mean(np.abs(np.tanh(y)) > _SATURATED):.0f} % saturate (|tanh| > 0.97)"
    raise ValueError(f"activation must be 'relu' or 'tanh'; got {activation!r}.")


def draw_scale_shift(gamma: float = 1.0, beta: float = 0.0, activation: str = "relu") -> Figure:
    """Draw the values ``y = gamma·x̂ + beta`` and what an activation makes of them."""
    y = gamma * _normalised_values() + beta
    fig = figure(
        1,
        2,
        xlabel=["y = γ x̂ + β (no unit)", f"{activation}(y) (no unit)"],
        ylabel="share of values",
        title=["what the activation gets", activation_report(y, activation)],
    )
    after = np.maximum(y, 0.0) if activation == "relu" else np.tanh(y)
    edges = np.linspace(-_HISTOGRAM_RANGE, _HISTOGRAM_RANGE, 101)
    fine = edges if activation == "relu" else np.linspace(-1.05, 1.05, 43)
    for ax, values, bins, color in (
        (fig.axes[0], y, edges, COLORS["sky"]),
        (fig.axes[1], after, fine, COLORS["orange"]),
    ):
        counts, _ = np.histogram(values, bins=bins)
        ax.stairs(counts / values.size, bins, fill=True, color=color)
        ax.set_xlim(bins[0], bins[-1])
    fig.axes[0].axvline(
        beta, color=COLORS["vermillion"], linestyle="--", label=f"mean β = {beta:g}"
    )
    fig.axes[0].legend(fontsize=9, loc="upper left")
    return fig


@lru_cache(maxsize=1)
def _normalised_values() -> np.ndarray:
    """Return a skewed feature, normalised over its 4096 rows."""
    return standardise(np.random.default_rng(0).gamma(4.0, 1.0, size=_VALUES))


def _draw_rows(ax: Any, values: np.ndarray) -> None:
    """Draw one dot a row, row 0 in another colour and form."""
    rows = np.arange(values.size)
    ax.plot(values[1:], rows[1:], "o", color=COLORS["blue"], label="the others")
    ax.plot(values[:1], rows[:1], "D", color=COLORS["vermillion"], markersize=8, label="row 0")
    ax.set_ylim(_LEGEND_ROOM * values.size, -0.5 - 0.04 * values.size)
    ax.set_yticks(rows[:: -(-values.size // _ROW_TICKS)])


def _plane(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of centred columns of three rows in the plane ⟂ (1, 1, 1)."""
    first = np.array([1.0, -1.0, 0.0]) / np.sqrt(2)
    second = np.array([1.0, 1.0, -2.0]) / np.sqrt(6)
    return columns @ first, columns @ second
