"""What folding does to weights that are to be rounded: ranges of channels, and the error."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

CHANNELS, ENTRIES = 24, 144  # filters of 16 channels, 3×3
BITS = np.arange(3, 13)
KINDS = ("before folding, one step", "folded, one step for all", "folded, a step a channel")
_SHADES = ("grey", "vermillion", "blue")


@lru_cache(maxsize=1)
def _drawn() -> tuple[np.ndarray, np.ndarray]:
    """Return filters (C, entries), and one standard normal number for each channel."""
    rng = np.random.default_rng(5)
    z = np.sort(rng.normal(size=CHANNELS))
    return rng.normal(size=(CHANNELS, ENTRIES)) / np.sqrt(ENTRIES), z - z.mean()


def filters(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return filters as they are, and with batch norm folded in.

    Parameters
    ----------
    spread : float
        Standard deviation, in factors of e, of the scales ``s = gamma / √(running_var + eps)``.
    """
    weights, z = _drawn()
    return weights, weights * np.exp(spread * z)[:, None]


def rounded(weights: np.ndarray, bits: int, *, each: bool) -> np.ndarray:
    """Return weights on a grid of ``2**bits − 1`` values from −max to max.

    Parameters
    ----------
    weights : ndarray of shape (C, entries)
        One filter a row.
    bits : int
        Of a whole number with a sign.
    each : bool
        Whether each channel has a largest value, and so a step, of its own.

    Examples
    --------
    >>> rounded(np.array([[1.0, 0.3]]), 3, each=False).round(3).tolist()
    [[1.0, 0.333]]
    """
    largest = np.abs(weights).max(axis=1 if each else None, keepdims=True)
    step = largest / (2 ** (bits - 1) - 1)
    return np.asarray(np.round(weights / step) * step)


def relative_error(weights: np.ndarray, bits: int, *, each: bool) -> float:
    """Return ‖rounded − w‖/‖w‖ of a channel's filter, mean over the channels."""
    error = rounded(weights, bits, each=each) - weights
    return float(np.mean(np.linalg.norm(error, axis=1) / np.linalg.norm(weights, axis=1)))


@lru_cache(maxsize=64)
def errors(spread: float) -> tuple[tuple[float, ...], ...]:
    """Return the errors of the three kinds, for each number of bits."""
    plain, folded = filters(spread)
    kinds = ((plain, False), (folded, False), (folded, True))
    return tuple(
        tuple(relative_error(w, int(bits), each=each) for bits in BITS) for w, each in kinds
    )


def draw_rounding(spread: float = 1.0, bits: int = 8) -> Figure:
    """Draw the range of each channel before and after folding, and the error of rounding.

    Parameters
    ----------
    spread : float, default 1
        How much the scales of the batch norm differ, in factors of e.
    bits : int, default 8
        Of the rounded weights.
    """
    curves = errors(spread)
    at = int(np.flatnonzero(bits == BITS)[0])
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel=["output channel, in the order of its scale s", "bits of a weight"],
        ylabel=["largest weight of the channel", "relative error of a filter"],
        title=[
            "ranges of the channels",
            f"{bits} bits: {curves[1][at]:.1%} with one step, {curves[2][at]:.1%} with one each",
        ],
    )
    left, right = fig.axes
    for weights, shade in zip(filters(spread), _SHADES, strict=False):
        largest = np.log10(np.abs(weights).max(axis=1))
        left.plot(largest, "o", color=COLORS[shade], markersize=5)
    _powers_of_ten(left, -3, 1)
    _name(left, ("before", "folded"), top=0.92)
    for curve, shade in zip(curves, _SHADES, strict=True):
        right.plot(BITS, np.log10(curve), color=COLORS[shade], linewidth=2.0)
        right.plot([bits], [np.log10(curve[at])], "D", color=COLORS[shade], markersize=7)
    right.set_xlim(2.8, 12.2)
    _powers_of_ten(right, -4, 0)
    _name(right, KINDS, top=0.22)
    return fig


def _powers_of_ten(ax: Any, low: int, high: int) -> None:
    """Label an axis of logarithms: a log scale of matplotlib's draws twice as long."""
    powers = range(low, high + 1)
    ax.set(ylim=(low - 0.1, high + 0.5), yticks=list(powers))
    ax.set_yticklabels([f"{10.0**power:g}" for power in powers])


def _name(ax: Any, names: tuple[str, ...], top: float) -> None:
    """Write the names of the curves in their colours, below one another."""
    for row, (name, shade) in enumerate(zip(names, _SHADES, strict=False)):
        place = 0.03, top - 0.08 * row
        ax.text(*place, name, color=COLORS[shade], fontsize=10, transform=ax.transAxes)
