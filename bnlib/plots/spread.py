"""How wide the output is in evaluation mode, by which variance the layer stored."""

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

_BATCHES = 10_000  # batches averaged into the stored variance
_LARGEST = 128  # batch sizes on the axis: 2, 4, …, 128
_SIGMA = 2.0  # standard deviation of the feature; the ratio does not depend on it


@cache
def stored_variances(m: int, seed: int = 0) -> tuple[float, float]:
    """Return the average biased and unbiased variance of 10 000 batches of ``m`` normal values.

    Raises
    ------
    ValueError
        If ``m`` is less than 2.

    Examples
    --------
    >>> biased, unbiased = stored_variances(2)
    >>> bool(np.isclose(unbiased, 2 * biased))
    True
    """
    if m < 2:
        raise ValueError(f"m must be a batch size of at least 2; got {m}.")
    batches = np.random.default_rng(seed).normal(5.0, _SIGMA, size=(_BATCHES, m))
    return float(batches.var(axis=1).mean()), float(batches.var(axis=1, ddof=1).mean())


def draw_small_batches(m: int = 2) -> Figure:
    """Draw the standard deviation of the output in evaluation mode over the batch size.

    Points: the feature's true standard deviation over the root of what 10 000 batches stored; the
    batch size ``m`` is marked. Line: theory, √(m/(m−1)) for the biased variance.
    """
    sizes = 2 ** np.arange(1, int(np.log2(_LARGEST)) + 1)
    stored = np.array([stored_variances(int(size)) for size in sizes])
    widths = _SIGMA / np.sqrt(stored)
    here = _SIGMA / np.sqrt(np.array(stored_variances(m)))
    fig = figure(
        size=(7.0, 3.6),
        xlabel="batch size m (values per channel)",
        ylabel="std of the output (no unit)",
        title=f"m = {m}: biased stored {here[0]:.3f}, unbiased stored {here[1]:.3f}",
    )
    (ax,) = fig.axes
    fine = np.geomspace(2, _LARGEST, 100)
    ax.plot(fine, np.sqrt(fine / (fine - 1)), color=COLORS["grey"], label="√(m/(m−1))")
    ax.plot(sizes, widths[:, 0], "s", color=COLORS["vermillion"], label="biased variance stored")
    ax.plot(sizes, widths[:, 1], "o", color=COLORS["blue"], label="unbiased variance stored")
    ax.axvline(m, color=COLORS["black"], linestyle=":", linewidth=1.2)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set_ylim(0.95, 1.5)
    ax.legend(fontsize=9, loc="upper right")
    return fig
