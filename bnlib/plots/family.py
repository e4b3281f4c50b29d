"""One picture of the axes: which values of a batch of images share a mean, in four norms."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from bnlib.family import batchnorm_nd, group_norm, instance_norm, layer_norm, reduce_axes
from bnlib.plots.style import COLORS, SEQUENTIAL, figure

SAMPLES, CHANNELS, SIDE = 3, 4, 3
#: What the reader may choose, by the number on the slider.
NORMS: dict[int, str] = {1: "batch", 2: "layer", 3: "instance", 4: "group"}
#: Axes the channels may be on: (N, C, H, W) and (N, H, W, C).
FIRST, LAST = CHANNEL_AXES = (1, 3)
_GAP = 2  # pixels between two tiles; above each stands a number
_FADED = 0.78  # how much of a tile's colour goes where nothing is shared
_PAPER = np.array([0.988, 0.988, 0.992])
_RANGE_X, _RANGE_Y = (-4.0, 8.0), (-2.5, 2.5)  # values at the ends of the colour map


@dataclass(frozen=True)
class Shared:
    """What one tile, a channel of a sample, shares its statistics with."""

    #: ndarray of shape (N, C), bool: the tiles that share them, itself included.
    tiles: np.ndarray
    #: The mean of all their values.
    mean: float
    #: Their biased standard deviation.
    std: float
    #: How many values that are.
    count: int
    #: How many means there are in all.
    sets: int
    #: ndarray in the shape of the batch: the batch after the norm.
    y: np.ndarray


@cache
def images() -> np.ndarray:
    """Return the batch, (3, 4, 3, 3): images of their own brightness, channels of their own level.

    Examples
    --------
    >>> images().shape
    (3, 4, 3, 3)
    """
    rng = np.random.default_rng(6)
    brightness = np.array([0.0, 2.0, -1.0]).reshape(-1, 1, 1, 1)
    level = np.array([3.0, -1.5, 0.5, 2.0]).reshape(1, -1, 1, 1)
    contrast = np.array([1.0, 1.6, 0.6, 1.2]).reshape(1, -1, 1, 1)
    x = brightness + level + contrast * rng.normal(size=(SAMPLES, CHANNELS, SIDE, SIDE))
    x.flags.writeable = False
    return np.asarray(x)


@cache
def shared(kind: str, sample: int, channel: int, groups: int) -> Shared:
    """Say what a tile shares its statistics with, and normalise the batch.

    Parameters
    ----------
    kind : str
        "batch", "layer", "instance" or "group".
    sample, channel : int
        Which tile, counted from 0.
    groups : int
        Of group norm; the others do not ask for it.
    """
    x = images()
    size = CHANNELS // groups
    n, c = np.indices((SAMPLES, CHANNELS))
    same_sample, same_channel = n == sample, c == channel
    tiles, sets = {
        "batch": (same_channel, CHANNELS),
        "layer": (same_sample, SAMPLES),
        "instance": (same_sample & same_channel, SAMPLES * CHANNELS),
        "group": (same_sample & (c // size == channel // size), SAMPLES * groups),
    }[kind]
    values = x[tiles]
    one, zero = np.ones(CHANNELS), np.zeros(CHANNELS)
    whole = np.ones(x.shape[1:])
    y = {
        "batch": lambda: batchnorm_nd(x, one, zero),
        "layer": lambda: layer_norm(x, whole, 0 * whole),
        "instance": lambda: instance_norm(x),
        "group": lambda: group_norm(x, groups, one, zero),
    }[kind]()
    return Shared(tiles, float(values.mean()), float(values.std()), values.size, sets, y)


def code_line(kind: str, groups: int, channel_axis: int) -> str:
    """Return the mean as a line of NumPy, for an array with its channels on that axis.

    Examples
    --------
    >>> code_line("batch", 2, 3)
    'x.mean(axis=(0, 1, 2))'
    >>> code_line("group", 2, 1)
    'x.reshape(3, 2, 2, 3, 3).mean(axis=(2, 3, 4))'
    """
    last = channel_axis == LAST
    if kind != "group":
        axes = reduce_axes(kind, 4, channel_axis)  # type: ignore[arg-type]
        return f"x.mean(axis={axes})"
    split = (groups, CHANNELS // groups)
    shape = (SAMPLES, SIDE, SIDE, *split) if last else (SAMPLES, *split, SIDE, SIDE)
    return f"x.reshape{shape}.mean(axis={(1, 2, 4) if last else (2, 3, 4)})"


def draw_family(
    norm: int = 4, sample: int = 1, channel: int = 2, groups: int = 2, channel_axis: int = FIRST
) -> Figure:
    """Draw the batch as tiles, frame what shares a mean with the chosen tile, and what comes out.

    Parameters
    ----------
    norm : int
        A key of `NORMS`.
    sample, channel : int
        Which tile, counted from 1.
    groups : int
        1, 2 or 4.
    channel_axis : int
        1 or 3: it changes the numbers of the axes, not what is shared.
    """
    kind = NORMS[norm]
    found = shared(kind, sample - 1, channel - 1, groups)
    shape = (SAMPLES, CHANNELS, SIDE, SIDE)
    if channel_axis == LAST:
        shape = (SAMPLES, SIDE, SIDE, CHANNELS)
    fig = figure(1, 2, size=(9.2, 5.0))
    left, right = fig.axes
    left.set_position((0.085, 0.155, 0.42, 0.755))
    right.set_position((0.57, 0.155, 0.42, 0.755))
    draw_tiles(left, images(), _RANGE_X, found.tiles, (sample - 1, channel - 1))
    draw_tiles(right, found.y, _RANGE_Y, found.tiles, (sample - 1, channel - 1))
    name_tiles(left)
    together = found.y[found.tiles]
    _say(
        fig,
        (
            0.085,
            0.085,
            f"{code_line(kind, groups, channel_axis)}   for x of shape {shape}",
            "monospace",
        ),
        (0.085, 0.03, _sentence(found), "sans-serif"),
        (
            0.57,
            0.03,
            f"these values now: mean {abs(together.mean()):.2f}, std {together.std():.2f}",
            "sans-serif",
        ),
    )
    left.set_title("x (above each tile: its mean)", loc="left", fontsize=11, y=1.04)
    right.set_title(f"after {kind} norm", loc="left", fontsize=11, y=1.04)
    return fig


def draw_tiles(
    ax: Any,
    x: np.ndarray,
    ends: tuple[float, float],
    bright: np.ndarray,
    chosen: tuple[int, int],
) -> None:
    """Draw an array (N, C, H, W) as tiles: samples side by side, channels below one another.

    Each tile has its mean above it. Those that are not `bright` are faded, the others framed.
    """
    n, c, side, _ = x.shape
    step = side + _GAP
    canvas = np.tile(_PAPER, (c * step, n * step, 1))
    low, high = ends
    shades = colormaps[SEQUENTIAL](np.clip((x - low) / (high - low), 0, 1))[..., :3]
    fade = np.where(bright, 0.0, _FADED)[:, :, None, None, None]
    shades = shades * (1 - fade) + _PAPER * fade
    for i, j in np.ndindex(n, c):
        top, start = j * step + _GAP, i * step + 1
        canvas[top : top + side, start : start + side] = shades[i, j]
        ink = COLORS["black"] if bright[i, j] else COLORS["grey"]
        mean = f"{x[i, j].mean():+.2f}".replace("-0.00", "+0.00")
        ax.text(start + side / 2, top - 0.95, mean, ha="center", va="center", fontsize=9, color=ink)
    ax.set_axis_off()
    extent = (0, n * step, c * step, 0)
    ax.imshow(canvas, extent=extent, aspect="auto", interpolation="none")
    _frames(ax, bright, step, side, 2.0)
    only = np.zeros_like(bright)
    only[chosen] = True
    _frames(ax, only, step, side, 5.0)


def name_tiles(ax: Any) -> None:
    """Write which samples and channels the tiles are, along the edges."""
    step = SIDE + _GAP
    for i in range(SAMPLES):
        ax.text(i * step + 1 + SIDE / 2, -0.2, f"sample {i + 1}", ha="center", fontsize=9)
    for j in range(CHANNELS):
        y = j * step + _GAP + SIDE / 2
        ax.text(0.4, y, f"channel {j + 1}", ha="right", va="center", fontsize=9)


def _frames(ax: Any, where: np.ndarray, step: int, side: int, width: float) -> None:
    """Frame tiles, all in one line that is lifted in between."""
    xs: list[float] = []
    ys: list[float] = []
    for i, j in np.argwhere(where):
        left, top = i * step + 1.0, j * step + float(_GAP)
        xs += [left, left + side, left + side, left, left, np.nan]
        ys += [top, top, top + side, top + side, top, np.nan]
    ax.plot(xs, ys, color=COLORS["vermillion"], linewidth=width, solid_joinstyle="miter")


def _sentence(found: Shared) -> str:
    """Say how many values share what."""
    means = "1 mean" if found.sets == 1 else f"{found.sets} means"
    return (
        f"framed: {found.count} values, mean {found.mean:.2f}, std {found.std:.2f}; {means} in all"
    )


def _say(fig: Figure, *lines: tuple[float, float, str, str]) -> None:
    """Write lines of text at places of the figure."""
    for x, y, text, family in lines:
        fig.text(x, y, text, fontsize=9.5, family=family)
