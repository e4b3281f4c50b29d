"""The explosion that batch norm brings along: the gradient's way down a ReLU network."""

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure
from bnlib.signal import explosion_rate
from bnlib.signal_network import RELU_RATE, Layers, send

_WIDTH = 96  # units of every layer
_RATE_DEPTH = 24  # layers of the networks whose rate the right panel shows
_FIRST = 4  # layers near the input that are left out of a rate: the batch has not settled yet
BATCHES = (4, 8, 16, 32, 64, 128)
"""Batch sizes that are measured."""
PLAIN, NORMED, SKIP = "no batch norm", "batch norm", "batch norm and skip connections"
KINDS = (PLAIN, NORMED, SKIP)
"""Networks to choose from: ReLU, weights at He's scale."""
_OPTIONS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    NORMED: {"norm": True},
    SKIP: {"norm": True, "skip": True},
}


@lru_cache(maxsize=64)
def squared_gradients(kind: str, depth: int, batch: int, seed: int = 0) -> np.ndarray:
    """Return the squared length of the gradient that arrives at each layer, the last one's being 1.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    depth, batch : int
        Layers of the network, and rows of the batch.
    seed : int
        Draws everything.

    Returns
    -------
    ndarray of shape (depth,)
        From the input to the output; read-only.
    """
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(2, batch, _WIDTH))
    arriving = send(Layers(depth, _WIDTH, **_OPTIONS[kind]), x, dy, rng).arriving
    found = np.asarray((arriving / arriving[-1]) ** 2)
    found.setflags(write=False)
    return found


def rate(kind: str, batch: int, depth: int = _RATE_DEPTH) -> float:
    """Return the factor a layer of the squared gradient norm, on its way to the input."""
    return explosion_rate(squared_gradients(kind, depth, batch)[:_FIRST:-1])


@lru_cache(maxsize=4)
def rates_by_batch(kind: str) -> tuple[float, ...]:
    """Return the rate for each of `BATCHES`."""
    return tuple(rate(kind, batch) for batch in BATCHES)


def draw_explosion(depth: int = 40, batch: int = 64, kind: str = NORMED) -> Figure:
    """Draw the squared gradient norm at each layer, and its rate for all batch sizes.

    Left: measured, with r = π/(π − 1) to the number of layers passed, and with the power law
    `((L + r)/(l + r)) ** r` that theory gives with skip connections. Right: the factor a layer.
    """
    squares = squared_gradients(kind, depth, batch)
    fig = figure(
        1,
        2,
        size=(9.6, 4.0),
        xlabel=["layer (the gradient comes from the right)", "batch size (rows)"],
        ylabel=["squared gradient norm (last layer: 1)", "factor a layer"],
        title=[f"× {squares[0]:.1e} from the last layer to the first", f"ReLU, {_WIDTH} units"],
    )
    _draw_way(fig.axes[0], squares)
    _draw_rates(fig.axes[1], kind, batch)
    return fig


def _draw_way(ax: Any, squares: np.ndarray) -> None:
    """Fill the left panel."""
    depth = len(squares)
    layers = np.arange(1, depth + 1)
    ax.semilogy(
        layers, RELU_RATE ** (depth - layers), "--", color=COLORS["grey"], label="1.467 a layer"
    )
    power = ((depth + RELU_RATE) / (layers + RELU_RATE)) ** RELU_RATE
    ax.semilogy(layers, power, ":", color=COLORS["black"], label="a power of the layer")
    ax.semilogy(layers, squares, color=COLORS["vermillion"], marker=".", label="measured")
    ax.set(xlim=(0, 61), ylim=(1e-2, 1e12), yticks=[1.0, 1e3, 1e6, 1e9, 1e12])
    ax.minorticks_off()
    ax.legend(fontsize=9, loc="upper right")


def _draw_rates(ax: Any, kind: str, batch: int) -> None:
    """Fill the right panel."""
    rates = rates_by_batch(kind)
    places = np.log2(BATCHES)
    ax.plot(places, rates, color=COLORS["blue"], marker=".")
    ax.plot([np.log2(batch)], [rates[BATCHES.index(batch)]], "D", color=COLORS["vermillion"])
    ax.axhline(RELU_RATE, color=COLORS["grey"], linestyle="--", label="π/(π − 1)")
    ax.set(ylim=(0.8, 3.2), xticks=places[::2], xticklabels=[str(b) for b in BATCHES[::2]])
    ax.legend(fontsize=9, loc="upper right")
