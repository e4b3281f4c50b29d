"""What batch norm costs a GPU: tensors touched, and the time that data sheets promise for them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.kernels.cards import CARDS
from bnlib.kernels.plan import View, plan_reduction
from bnlib.kernels.results import Measured
from bnlib.plots.style import COLORS, figure

RELU = ("none", "a kernel of its own", "in the same kernel")
"""Whether a ReLU follows, and where."""
OPERATIONS = 10  # for each number: subtract, square, add, scale, shift, and the merges
_ITEMSIZE = 4
_BAR = 0.5  # of a row; the rest is for the name above the bar


@dataclass(frozen=True)
class Variant:
    """One way to run the forward pass in training mode."""

    name: str
    """In a few words."""
    reads: int
    """How often a tensor of x's size is read."""
    writes: int
    """How often one is written."""
    possible: bool = True
    """Whether this batch allows it."""

    @property
    def touches(self) -> int:
        """Reads and writes together."""
        return self.reads + self.writes


def variants(shape: tuple[int, ...], relu: str = "none") -> list[Variant]:
    """Return four ways, from the slow to the fast.

    Raises
    ------
    ValueError
        If `relu` is none of `RELU`.

    Examples
    --------
    >>> [v.touches for v in variants((32, 512, 7, 7))]
    [6, 4, 3, 2]
    """
    if relu not in RELU:
        raise ValueError(f"relu must be one of {', '.join(RELU)}; got {relu!r}.")
    own = relu == "a kernel of its own"
    fits = plan_reduction(View.of(shape, False), _ITEMSIZE, "forward").resident
    return [
        Variant("a kernel for each formula", 4 + own, 2 + own),
        Variant("mean, variance, apply", 3 + own, 1 + own),
        Variant("both in one read, apply", 2 + own, 1 + own),
        Variant("a channel stays on the chip", 1 + own, 1 + own, fits),
    ]


def predicted_ms(shape: tuple[int, ...], card: str, variant: Variant) -> float:
    """Return the milliseconds by the card's data sheet: bytes over bandwidth.

    Examples
    --------
    >>> three = variants((256, 64, 112, 112))[2]
    >>> round(predicted_ms((256, 64, 112, 112), "H100", three), 2)
    0.74
    """
    return CARDS[card].memory_ms(variant.touches * int(np.prod(shape)) * _ITEMSIZE)


def draw_cost(
    images: int = 32, channels: int = 64, side: int = 56, relu: str = "none", card: str = "H100"
) -> Figure:
    """Draw tensors touched (left) and predicted times (right) of four ways to run batch norm."""
    shape = (images, channels, side, side)
    found = variants(shape, relu)
    megabytes = int(np.prod(shape)) * _ITEMSIZE / 1e6
    sums = CARDS[card].arithmetic_ms(OPERATIONS * int(np.prod(shape)))
    times = [predicted_ms(shape, card, v) if v.possible else 0.0 for v in found]
    fig = figure(
        1,
        2,
        xlabel=["times that x's size goes to or from memory", "predicted time (ms)"],
        title=[
            f"{'x'.join(map(str, shape))} floats: {megabytes:.4g} MB",
            f"{card}: predicted from its data sheet",
        ],
        size=(9.6, 4.0),
    )
    left, right = fig.axes
    rows = np.arange(len(found))
    shown = [v for v in found if v.possible]
    at = rows[: len(shown)]
    reads = [v.reads for v in shown]
    left.barh(at, reads, _BAR, color=COLORS["blue"], label="read")
    writes = [v.writes for v in shown]
    left.barh(at, writes, _BAR, left=reads, color=COLORS["orange"], label="written")
    left.set_xlim(0, 9)
    right.barh(rows, times, _BAR, color=COLORS["green"])
    _name_bars(left, found)
    right.set_yticks([])
    for row, (variant, time) in enumerate(zip(found, times, strict=True)):
        said = f"{time:.3g} ms" if variant.possible else "does not fit"
        right.annotate(f"  {said}", (max(time, sums), row), va="center", fontsize=9)
    right.set_xlim(0, max(times) * 1.35)
    right.axvline(sums, color=COLORS["vermillion"], label="arithmetic alone")
    for ax in fig.axes:
        ax.set_ylim(len(found) - 0.4, -0.6)
    left.legend(fontsize=9, loc="lower right")
    right.legend(fontsize=9, loc="lower right")
    return fig


def _name_bars(ax: Any, found: list[Variant]) -> None:
    """Write what each bar is into its row."""
    ax.set_yticks([])
    for row, variant in enumerate(found):
        ax.annotate(variant.name, (0.05, row - 0.38), va="center", fontsize=9)


def draw_measured(measured: Measured) -> Figure:
    """Draw time over bytes of every batch that was measured, and the line of a copy's speed."""
    contenders = list(dict.fromkeys(name for row in measured.rows for name in row.ms))
    fig = figure(
        xlabel="bytes that our kernels move in both passes (MB)",
        ylabel="forward + backward (ms)",
        title=f"measured: {measured.machine['device']}, {measured.machine['date']}",
        size=(8.0, 4.6),
    )
    (ax,) = fig.axes
    for name, marker in zip(contenders, "osx^v", strict=False):
        rows = [row for row in measured.rows if name in row.ms]
        sizes, times = [row.moved / 1e6 for row in rows], [row.ms[name] for row in rows]
        ax.plot(sizes, times, marker, markersize=4, label=name)
    ends = np.array([min(r.moved for r in measured.rows), max(r.moved for r in measured.rows)])
    line = ends / measured.bandwidth / 1e6
    ax.plot(ends / 1e6, line, color=COLORS["grey"], label="at a copy's speed")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.legend(fontsize=9)
    return fig
