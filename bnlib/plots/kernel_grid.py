"""A kernel as a picture: which entries of memory a program touches, and which lanes are idle."""

from functools import lru_cache

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from bnlib import blocks as bl
from bnlib.plots.style import COLORS, figure

LAYOUTS = ("channels first", "channels last")
"""Whether the places of a channel lie side by side, or the channels of a place."""
IMAGES = 2
_ACROSS = 32  # entries in a row of the picture: 128 bytes, four sectors
_MAP = ListedColormap(["#E8EBEF", COLORS["sky"], COLORS["blue"]])


def sum_channel(x, total, N, C, L, image, channel, place, BLOCK):  # type: ignore[no-untyped-def]
    """Sum one channel: entry (n, c, l) lies at n·image + c·channel + l·place."""
    c, found = bl.program_id(0), 0.0
    for start in range(0, N * L, BLOCK):
        i = start + bl.arange(0, BLOCK)
        at = (i // L) * image + c * channel + (i % L) * place
        found += bl.sum(bl.load(x + at, mask=i < N * L, other=0.0))
    bl.store(total + c, found)


def strides(channels: int, places: int, layout: str) -> tuple[int, int, int]:
    """Return how far apart two images, two channels, two places lie in memory, in entries.

    Raises
    ------
    ValueError
        If `layout` is none of `LAYOUTS`.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}; got {layout!r}.")
    if layout == "channels first":
        return channels * places, places, 1
    return channels * places, 1, channels


@lru_cache(maxsize=256)
def counted(channels: int, places: int, block: int, layout: str) -> tuple[int, int]:
    """Return loads and sectors of all programs together, by running them.

    Examples
    --------
    >>> counted(8, 8, 8, "channels first"), counted(8, 8, 8, "channels last")
    ((128, 16), (128, 128))
    """
    x = np.zeros(IMAGES * channels * places, np.float32)
    total = np.zeros(channels, np.float32)
    steps = strides(channels, places, layout)
    report = bl.launch(
        sum_channel, (channels,), x, total, IMAGES, channels, places, *steps, BLOCK=block
    )
    return report["x"].loads, report["x"].sectors


def draw_kernel_grid(
    block: int = 8,
    channels: int = 8,
    places: int = 16,
    program: int = 0,
    layout: str = "channels first",
) -> Figure:
    """Draw what one program of a sum over channels loads, step by step.

    Left: memory, 128 bytes a row; blue is what the program loads, its first block dark. Right: its
    lanes in every step of the loop; grey ones are masked. The counts are those of all programs.
    """
    c = min(program, channels - 1)
    m = IMAGES * places
    image, channel, place = strides(channels, places, layout)
    i = np.arange(m)
    at = (i // places) * image + c * channel + (i % places) * place
    memory = np.full(-(-IMAGES * channels * places // _ACROSS) * _ACROSS, np.nan)
    memory[: IMAGES * channels * places] = 0
    memory[at] = 1 + (i < block)
    lanes = np.zeros(-(-m // block) * block)
    lanes[:m] = 1 + (np.arange(m) < block)
    loads, sectors = counted(channels, places, block, layout)
    fig = figure(
        1,
        2,
        xlabel=["entry (32 entries of 4 bytes a row)", "lane"],
        ylabel=["row of memory", "step of the loop"],
        title=[
            f"loads: {4 * loads} bytes in {sectors} sectors of 32: {32 * sectors} bytes",
            f"program {c} of {channels}: {1 - m / lanes.size:.0%} of its lanes idle",
        ],
    )
    for ax, cells in zip(
        fig.axes, (memory.reshape(-1, _ACROSS), lanes.reshape(-1, block)), strict=True
    ):
        ax.grid(False)
        rows, columns = cells.shape
        ax.imshow(cells, cmap=_MAP, vmin=0, vmax=2, aspect="auto", interpolation="nearest")
        ax.set_xlim(-0.5, columns - 0.5)
        ax.set_ylim(rows - 0.5, -0.5)
        ax.set_yticks(range(0, rows, -(-rows // 4)))
    for edge in range(8, _ACROSS, 8):
        fig.axes[0].axvline(edge - 0.5, color="white", linewidth=2)
    return fig
