"""What memory allows: the bytes of a pass, and how far below its ceiling batch norm works."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure
from bnlib.traffic import PASSES, bytes_moved

DTYPES = ("float32", "float16")
BANDWIDTHS = {"laptop, 40 GB/s": 40.0, "card, 1000 GB/s": 1000.0, "card, 3000 GB/s": 3000.0}
CEILINGS = {"laptop, 40 GB/s": 0.5, "card, 1000 GB/s": 20.0, "card, 3000 GB/s": 60.0}  # TFLOP/s
OPERATIONS = {"train": 7, "eval": 4, "backward": 9}  # additions and products for each number of x
CHANNELS, SIDE = 64, 56


@lru_cache(maxsize=256)
def pass_bytes(batch: int, dtype: str, pass_: str, fused: bool) -> int:
    """Return the bytes of a pass over ``(batch, 64, 56, 56)``."""
    shape = (batch, CHANNELS, SIDE, SIDE)
    return bytes_moved(shape, np.dtype(dtype), pass_, fused)


def intensity(dtype: str, pass_: str, fused: bool) -> float:
    """Return the operations for each byte that a pass moves.

    Examples
    --------
    >>> round(intensity("float32", "train", fused=True), 2)
    0.58
    """
    numbers = CHANNELS * SIDE * SIDE
    return OPERATIONS[pass_] * numbers / pass_bytes(1, dtype, pass_, fused)


def draw_roofline(
    batch: int = 32, dtype: str = "float32", fused: bool = False, machine: str = "card, 1000 GB/s"
) -> Figure:
    """Draw the least time of each pass, and where batch norm stands under the machine's roof.

    Parameters
    ----------
    batch : int, default 32
        Images of 64 channels, 56 × 56.
    dtype : "float32" or "float16", default "float32"
        Of the activations.
    fused : bool, default False
        As few kernels as can be, or one for each line.
    machine : one of `BANDWIDTHS`
        A round number for a kind of machine, not a measurement.
    """
    speed, top = BANDWIDTHS[machine], CEILINGS[machine]
    moved = [pass_bytes(batch, dtype, name, fused) for name in PASSES]
    least = [n_bytes / speed / 1e6 for n_bytes in moved]
    worst = max(pass_bytes(batch, "float32", name, False) for name in PASSES) / speed / 1e6
    fig = figure(
        1,
        2,
        size=(9.6, 3.6),
        xlabel=["pass", "operations for each byte"],
        ylabel=["least time (ms)", "speed (TFLOP/s)"],
        title=[
            ", ".join(f"{n / 1e6:.0f} MB" for n in moved),
            f"{machine}: all three under the slope",
        ],
    )
    bars, roof = fig.axes
    bars.bar(range(3), least, color=COLORS["orange" if fused else "vermillion"], width=0.6)
    bars.set(xlim=(-0.6, 2.6), ylim=(0, 1.1 * worst), xticks=range(3))
    bars.set_xticklabels(PASSES)
    edges = np.array([-2.0, np.log10(top * 1e3 / speed), 3.0])
    roof.plot(edges, np.minimum(edges + np.log10(speed / 1e3), np.log10(top)), color=COLORS["grey"])
    for name, color in zip(PASSES, ("blue", "green", "vermillion"), strict=True):
        x = np.log10(intensity(dtype, name, fused))
        roof.plot([x], [x + np.log10(speed / 1e3)], "o", color=COLORS[color], label=name)
    roof.set(xlim=(-2, 3), ylim=(-4, 2.5), xticks=[-2, 0, 2], yticks=[-4, -2, 0, 2])
    roof.set_xticklabels(["0.01", "1", "100"])
    roof.set_yticklabels(["0.0001", "0.01", "1", "100"])
    roof.legend(fontsize=9, loc="lower right")
    return fig
