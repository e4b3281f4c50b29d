"""Training runs side by side: losses, shifts, and how the loss varies along the gradient."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

KINDS = {"none": "vermillion", "batch norm": "blue", "noisy batch norm": "green"}
SMOOTHED = 10  # steps of the running mean that makes a noisy loss readable

Runs = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By kind of network: two series over the steps of a run."""


def running_mean(values: np.ndarray, width: int = SMOOTHED) -> np.ndarray:
    """Return means over the last `width` values, fewer at the start.

    Examples
    --------
    >>> running_mean(np.array([2.0, 4.0, 6.0]), 2)
    array([2., 3., 5.])
    """
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def draw_runs(runs: Runs) -> Figure:
    """Draw the training loss, and the shift of layers' inputs, of several networks.

    Parameters
    ----------
    runs : mapping of str to (losses, shifts)
        Named as in `KINDS`.
    """
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel="step",
        ylabel=["training loss (mean of 10 steps)", "shift in one step (standard deviations)"],
        title=["how fast it trains", "how much the layers' inputs shift"],
    )
    for kind, (losses, shifts) in runs.items():
        color = COLORS[KINDS[kind]]
        fig.axes[0].plot(running_mean(losses), color=color, linewidth=2.0, label=kind)
        fig.axes[1].plot(np.maximum(shifts, 1e-5), color=color, linewidth=1.5, label=kind)
    fig.axes[0].set_ylim(bottom=0.0)
    fig.axes[1].set_yscale("log")
    fig.axes[0].legend(fontsize=9, loc="upper right")
    return fig


def draw_bands(bands: Runs, every: int) -> Figure:
    """Draw between which values the loss lies along the gradient, over a training run.

    Parameters
    ----------
    bands : mapping of str to (lowest, highest)
        Losses at the best and the worst of the steps looked at, named as in `KINDS`.
    every : int
        Steps of training between two entries.
    """
    fig = figure(
        1,
        len(bands),
        size=(9.6, 3.8),
        xlabel="step",
        ylabel="loss along the gradient",
        title=list(bands),
    )
    top = max(float(high.max()) for _, high in bands.values())
    for ax, (kind, (low, high)) in zip(fig.axes, bands.items(), strict=True):
        steps = every * np.arange(1, len(low) + 1)
        ax.fill_between(steps, low, high, color=COLORS[KINDS[kind]], alpha=0.5, linewidth=0)
        ax.plot(steps, low, color=COLORS[KINDS[kind]], linewidth=1.5)
        ax.plot(steps, high, color=COLORS[KINDS[kind]], linewidth=1.5)
        ax.set_ylim(0, 1.05 * top)
    return fig
