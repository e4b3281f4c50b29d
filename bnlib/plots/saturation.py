"""Saturation: where the outputs of a tanh layer lie, and how many of them no longer listen."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure
from bnlib.signal import saturated_fraction
from bnlib.signal_network import Layers, Signal, send

_WIDTH, _ROWS, _DEPTH = 64, 64, 40
_LIMIT = 0.97  # beyond it an output counts as saturated, as in the exercise
_EDGES = np.concatenate([[-1.0], np.linspace(-_LIMIT, _LIMIT, 39), [1.0]])
_MOST = 0.55  # upper end of the histogram's axis: share of the outputs in one bin


@lru_cache(maxsize=64)
def tanh_network(gain: float, norm: bool, seed: int = 0) -> Signal:
    """Send a batch through forty tanh layers of 64 units."""
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(2, _ROWS, _WIDTH))
    layers = Layers(_DEPTH, _WIDTH, activation="tanh", gain=gain, norm=norm)
    return send(layers, x, dy / np.linalg.norm(dy), rng)


def draw_saturation(gain: float = 1.0, layer: int = 40, norm: bool = False) -> Figure:
    """Draw a histogram of one layer's outputs, and the saturated fraction of all layers.

    The two outer bins, in vermillion, hold what lies beyond ±0.97.
    """
    signal = tanh_network(gain, norm)
    h = signal.outputs[layer - 1]
    shares = np.histogram(h, bins=_EDGES)[0] / h.size
    inner = shares.copy()
    inner[[0, -1]] = 0.0
    fractions = [saturated_fraction(output) for output in signal.outputs]
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel=[f"outputs of layer {layer}", "layer"],
        ylabel=["share of the outputs", "fraction beyond ±0.97"],
        title=[
            f"{fractions[layer - 1]:.0%} saturated, std {h.std():.2g}",
            f"‖dW‖ of layer 1: {signal.gradients[0]:.1e}",
        ],
    )
    left, right = fig.axes
    left.stairs(np.minimum(inner, _MOST), _EDGES, fill=True, color=COLORS["sky"])
    left.stairs(np.minimum(shares - inner, _MOST), _EDGES, fill=True, color=COLORS["vermillion"])
    left.set(xlim=(-1.0, 1.0), ylim=(0.0, _MOST), xticks=[-1.0, -0.5, 0.0, 0.5, 1.0])
    right.plot(np.arange(1, _DEPTH + 1), fractions, color=COLORS["vermillion"], marker=".")
    right.plot([layer], [fractions[layer - 1]], "D", color=COLORS["black"], markersize=7)
    right.set(xlim=(0, _DEPTH + 1), ylim=(-0.03, 1.03))
    return fig
