"""Depth and gain: how large the signal is after each layer, and the gradient of its weights."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure
from bnlib.signal_network import Layers, Signal, send

_WIDTH = 64  # units of every layer
_ROWS = 64  # rows of the batch
_DEEPEST = 60  # layers that the x axis has room for
_LIMITS = (1e-16, 1e16)  # both y axes, whatever the gain: one sees by how much
_TICKS = (1e-15, 1e-10, 1e-5, 1.0, 1e5, 1e10, 1e15)
ACTIVATIONS = ("tanh", "relu", "linear")
"""What the reader may choose."""


@lru_cache(maxsize=64)
def sent(depth: int, gain: float, activation: str, norm: bool, seed: int = 0) -> Signal:
    """Send a batch of order 1 through a network of 64 units a layer, and a unit gradient back.

    Parameters
    ----------
    depth : int
        Number of layers.
    gain : float
        Weights have this many times the standard deviation that keeps the signal.
    activation : str
        One of `ACTIVATIONS`.
    norm : bool
        Whether batch norm stands before each activation.
    seed : int
        Draws batch, gradient and weights; the first layers do not change with the depth.
    """
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(2, _ROWS, _WIDTH))
    layers = Layers(depth, _WIDTH, activation=activation, gain=gain, norm=norm)
    return send(layers, x, dy / np.linalg.norm(dy), rng)


def draw_depth(
    depth: int = 40, gain: float = 1.0, activation: str = "tanh", norm: bool = False
) -> Figure:
    """Draw the standard deviation of each layer's output, and ‖dW‖ of each layer.

    Both on one logarithmic scale that does not move with the sliders; what leaves it is drawn at
    its edge.
    """
    signal = sent(depth, gain, activation, norm)
    layers = np.arange(1, depth + 1)
    stds = signal.stds
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel="layer",
        ylabel=["std of the layer's output", "length of dW (loss gradient: 1)"],
        title=[
            f"forward: {stds[-1]:.1e} leaves the last layer",
            f"backward: {signal.gradients[0]:.1e} at layer 1",
        ],
    )
    for ax, values, color in (
        (fig.axes[0], stds, COLORS["blue"]),
        (fig.axes[1], signal.gradients, COLORS["vermillion"]),
    ):
        ax.semilogy(layers, np.clip(values, *_LIMITS), color=color, marker=".", markersize=5)
        ax.axhline(1.0, color=COLORS["grey"], linestyle="--", linewidth=1.0)
        ax.set(xlim=(0, _DEEPEST + 1), ylim=_LIMITS, yticks=_TICKS)
        ax.minorticks_off()  # each tick costs a slider's time
    return fig
