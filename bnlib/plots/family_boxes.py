"""Black boxes with a norm inside, and who feels a nudge of one value."""

from collections.abc import Callable
from functools import cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.family import batchnorm_nd, group_norm, instance_norm, layer_norm
from bnlib.family_probe import influence
from bnlib.plots.family import CHANNELS, SAMPLES, SIDE, draw_tiles, images, name_tiles
from bnlib.plots.style import figure

Box = Callable[[np.ndarray], np.ndarray]
_LARGEST = 0.4  # outputs that move farther than this have the last colour of the map


@cache
def black_boxes() -> dict[int, Box]:
    """Return six functions of an array (N, 4, H, W), by number: one of each norm, and two of none.

    Which number is which is the reader's to find out; the lecture says it at the end.
    """
    rng = np.random.default_rng(11)
    gain = rng.uniform(0.5, 1.5, (CHANNELS, 1, 1))
    offset = rng.normal(size=(CHANNELS, 1, 1))
    flat = gain.ravel(), offset.ravel()
    whole = np.ones((CHANNELS, SIDE, SIDE))
    mean, std = images().mean(axis=(0, 2, 3)), images().std(axis=(0, 2, 3))

    def stored(x: np.ndarray) -> np.ndarray:
        x_hat = (x - mean.reshape(-1, 1, 1)) / std.reshape(-1, 1, 1)
        return np.asarray(gain * x_hat + offset)

    return {
        1: lambda x: group_norm(x, 2, *flat),
        2: stored,
        3: lambda x: gain * instance_norm(x) + offset,
        4: lambda x: batchnorm_nd(x, *flat),
        5: np.copy,
        6: lambda x: layer_norm(x, gain * whole, offset * whole),
    }


@cache
def felt(box: int, sample: int, channel: int, nudge: float) -> np.ndarray:
    """Return how far each output of a box moves when the middle of a tile is nudged.

    Parameters
    ----------
    box : int
        1 to 6.
    sample, channel : int
        Which tile, counted from 0.
    nudge : float
        How far the value is moved.
    """
    entry = (sample, channel, SIDE // 2, SIDE // 2)
    return influence(black_boxes()[box], images(), entry, nudge)


def draw_boxes(box: int = 1, sample: int = 1, channel: int = 1, nudge: float = 2.0) -> Figure:
    """Draw the batch with the nudged tile, and how far each output of the box moved.

    Parameters
    ----------
    box : int
        1 to 6.
    sample, channel : int
        Where the value is that is nudged, counted from 1.
    nudge : float
        How far.
    """
    chosen = sample - 1, channel - 1
    moved = felt(box, *chosen, nudge)
    fig = figure(1, 2, size=(9.2, 4.7))
    left, right = fig.axes
    left.set_position((0.085, 0.09, 0.42, 0.81))
    right.set_position((0.57, 0.09, 0.42, 0.81))
    only = np.zeros((SAMPLES, CHANNELS), bool)
    only[chosen] = True
    x = images().copy()
    x[(*chosen, SIDE // 2, SIDE // 2)] += nudge
    draw_tiles(left, x, (-4.0, 8.0), only, chosen)
    reached = np.asarray((moved > 0).any(axis=(2, 3)))
    draw_tiles(right, moved, (0.0, _LARGEST), reached, chosen)
    name_tiles(left)
    left.set_title(f"x, one value moved by {nudge:g}", loc="left", fontsize=11, y=1.04)
    title = f"box {box}: how far its outputs move (mean of a tile)"
    right.set_title(title, loc="left", fontsize=11, y=1.04)
    count = int((moved > 0).sum())
    fig.text(0.57, 0.025, f"{count} of {moved.size} outputs felt it", fontsize=10)
    return fig
