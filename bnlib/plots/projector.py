"""What of an upstream gradient passes back through batch norm: all but a mean and a slope."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

_EPS = 1e-5  # torch's default
_REACH = 5.2  # left axis: no x_hat of the figure's batches lies farther out
#: Upstream gradients to choose from.
PUSHES = ("random", "one row alone", "the same for all rows", "along x̂")


class Parts(NamedTuple):
    """An upstream gradient as the sum of three orthogonal parts."""

    mean: np.ndarray
    """Its part along (1, …, 1): the same number in all rows."""
    along: np.ndarray
    """Its part along x_hat."""
    rest: np.ndarray
    """What is orthogonal to both, N − 2 directions of N."""


def split(dy: np.ndarray, x_hat: np.ndarray) -> Parts:
    """Split the upstream gradient of one feature, `dy = mean + along + rest`.

    Parameters
    ----------
    dy, x_hat : ndarray of shape (N,)
        Upstream gradient and the normalised feature, whose sum is 0.

    Examples
    --------
    >>> mean, along, rest = split(np.array([0.0, -2.0, 8.0, 6.0]), np.array([-1.0, -1.0, 1.0, 1.0]))
    >>> mean, along, rest
    (array([3., 3., 3., 3.]), array([-4., -4.,  4.,  4.]), array([ 1., -1.,  1., -1.]))
    """
    mean = np.full_like(dy, dy.mean())
    along = x_hat * (dy @ x_hat) / (x_hat @ x_hat)
    return Parts(mean, along, dy - mean - along)


def kept(var: float, eps: float = _EPS) -> tuple[float, float, float]:
    """Return the factors with which the three parts reach x, but for `gamma · inv_std`.

    `(0, eps/(var + eps), 1)`: exact for every eps.

    Examples
    --------
    >>> kept(3.0, eps=1.0)
    (0.0, 0.25, 1.0)
    """
    return 0.0, eps / (var + eps), 1.0


def upstream(push: str, x_hat: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the upstream gradient of that name, of shape (N,).

    Raises
    ------
    ValueError
        If ``push`` is none of `PUSHES`.
    """
    n = x_hat.size
    if push == "random":
        return np.random.default_rng(seed).normal(size=n)
    if push == "one row alone":
        return np.asarray(2.0 * np.eye(n)[0])
    if push == "the same for all rows":
        return np.full(n, 1.5)
    if push == "along x̂":
        return np.asarray(x_hat / np.sqrt(np.mean(x_hat**2)))
    raise ValueError(f"push must be one of {', '.join(map(repr, PUSHES))}; got {push!r}.")


def feature(n: int, spread: float, seed: int = 0) -> np.ndarray:
    """Return n values of a feature with mean 0 and standard deviation exactly ``spread``.

    Raises
    ------
    ValueError
        If ``n < 2``: one value has no spread.
    """
    if n < 2:
        raise ValueError(f"n must be a batch size of at least 2; got {n}.")
    x = np.random.default_rng(seed + 1).normal(size=n)
    return np.asarray(spread * (x - x.mean()) / x.std())


def draw_projector(n: int = 8, push: str = "random", spread: float = 1.0, seed: int = 0) -> Figure:
    """Draw an upstream gradient against x_hat, and how much of each of its parts reaches x.

    Left: one dot a row, the least squares line through the dots, and from the line to each dot what
    is left of it. Right: shares of `‖dy‖²`, sent and arrived (in units of `gamma · inv_std`).
    """
    x = feature(n, spread, seed)
    var = float(x.var())
    x_hat = x / np.sqrt(var + _EPS)
    parts = split(upstream(push, x_hat, seed), x_hat)
    sent, arrived = shares(parts, var)
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel=["x̂ (no unit)", "part of dy"],
        ylabel=["dy (units of L)", "share of ‖dy‖²"],
        title=["dots: sent. Sticks: what arrives", f"{_percent(sum(arrived))} of ‖dy‖² arrive"],
    )
    _draw_line_and_sticks(fig.axes[0], x_hat, parts, var)
    _draw_shares(fig.axes[1], sent, arrived)
    return fig


def shares(
    parts: Parts, var: float, eps: float = _EPS
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the share of `‖dy‖²` that lies in each part, and the share that reaches x.

    Examples
    --------
    >>> parts = split(np.array([0.0, -2.0, 8.0, 6.0]), np.array([-1.0, -1.0, 1.0, 1.0]))
    >>> sent, arrived = shares(parts, var=1.0, eps=0.0)
    >>> [round(104 * s) for s in sent], [round(104 * a) for a in arrived]
    ([36, 64, 4], [0, 0, 4])
    """
    squares = [float(part @ part) for part in parts]
    sent = tuple(square / sum(squares) for square in squares)
    arrived = tuple(s * k**2 for s, k in zip(sent, kept(var, eps), strict=True))
    return sent, arrived


def _draw_line_and_sticks(ax: Any, x_hat: np.ndarray, parts: Parts, var: float) -> None:
    """Draw dy against x_hat, the line that is taken out, and the sticks that are left."""
    dy = parts.mean + parts.along + parts.rest
    left = sum(k * part for k, part in zip(kept(var), parts, strict=True))
    slope = float(dy @ x_hat / (x_hat @ x_hat))
    level = float(parts.mean[0])
    removed = 1.0 - kept(var)[1]  # all of the slope but for eps
    ends = np.array([-_REACH, _REACH])
    ax.plot(ends, level + removed * slope * ends, color=COLORS["grey"], label="taken out")
    ax.vlines(x_hat, dy - left, dy, color=COLORS["vermillion"], linewidth=2.0)
    ax.plot(x_hat, dy, "o", color=COLORS["blue"], markersize=5, label="dy, one dot a row")
    reach = 1.15 * max(1.0, float(np.abs(x_hat).max()))
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-3.4, 4.4)
    ax.legend(fontsize=9, loc="upper left", ncols=2)


def _draw_shares(ax: Any, sent: tuple[float, ...], arrived: tuple[float, ...]) -> None:
    """Draw two bars for each part."""
    places = np.arange(3)
    ax.bar(places - 0.2, sent, 0.38, color=COLORS["sky"], label="sent")
    ax.bar(places + 0.2, arrived, 0.38, color=COLORS["vermillion"], label="arrives at x")
    ax.set_xticks(places, ["mean", "along x̂", "rest"])
    ax.set_ylim(0, 1.25)  # room for the legend above a full bar
    ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    ax.legend(fontsize=9, loc="upper right", ncols=2)


def _percent(share: float) -> str:
    """Write a share so that a small one does not read as nothing."""
    if share < 1e-20:  # rounding: the square of some 1e-16
        return "0 %"
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"
