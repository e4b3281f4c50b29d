"""Batch size and learning rate in real training: 189 small networks, trained ahead.

The numbers lie in `bnlib/data/training_grid.npz`; ``python -m bnlib.training.grid`` makes them.
"""

from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

LOOKS = {
    "none": ("vermillion", "s", "no norm"),
    "batch": ("blue", "o", "batch norm"),
    "group": ("green", "^", "group norm"),
}
"""Colour, marker and name of each norm."""

_CHANCE = 90.0  # % test error of guessing one of ten digits


class Grid(NamedTuple):
    """Test errors over training, for every norm, batch size and learning rate."""

    errors: np.ndarray
    """% wrong, (norms, batch sizes, rates, seeds, checkpoints); `nan` where there is no answer."""
    steps: np.ndarray
    """Training steps at the checkpoints."""
    norms: tuple[str, ...]
    """Names of the norms."""
    batch_sizes: tuple[int, ...]
    """Batch sizes, powers of 2 from 1."""
    rates: tuple[float, ...]
    """Learning rates."""


@lru_cache(maxsize=1)
def training_grid() -> Grid:
    """Return the stored grid. A run that diverged has an error of 90 %: it guesses.

    Examples
    --------
    >>> training_grid().norms
    ('none', 'batch', 'group')
    """
    file = resources.files("bnlib.data").joinpath("training_grid.npz")
    with file.open("rb") as opened, np.load(opened) as stored:
        kept = {name: stored[name] for name in stored.files}
    errors = kept["curves"][..., 1, :].astype(np.float64)
    trainable = ~np.isnan(errors[..., :1])  # batch norm on batches of one was never started
    errors = np.where(np.isnan(errors) & trainable, _CHANCE, errors)
    return Grid(
        errors,
        kept["steps"],
        tuple(map(str, kept["norms"])),
        tuple(map(int, kept["batch_sizes"])),
        tuple(float(rate) for rate in kept["rates"]),
    )


def final_errors(norm: str, rate: float) -> np.ndarray:
    """Return the mean test error (%) at the end, by batch size; `nan` where none can be trained."""
    grid = training_grid()
    found = grid.errors[grid.norms.index(norm), :, grid.rates.index(rate), :, -1]
    return np.asarray(found.mean(axis=-1))


def draw_training(batch_size: int = 8, rate: float = 0.1) -> Figure:
    """Draw the test error over training at one batch size and learning rate, with three norms.

    Left: over the steps, mean of three seeds, the range as a band. Right: the error at the end
    over all batch sizes, the present one marked.
    """
    grid = training_grid()
    size, lr = grid.batch_sizes.index(batch_size), grid.rates.index(rate)
    fig = figure(
        1,
        2,
        xlabel=["training steps", "batch size m (images)"],
        ylabel="test error (%)",
        title=[f"batches of {batch_size}, learning rate {rate:g}", f"after {grid.steps[-1]} steps"],
    )
    left, right = fig.axes
    for index, norm in enumerate(grid.norms):
        color, marker, label = LOOKS[norm]
        runs = grid.errors[index, size, lr]
        missing = bool(np.isnan(runs).all())
        label += " (cannot train)" if missing else ""
        if not missing:
            left.fill_between(
                grid.steps, runs.min(axis=0), runs.max(axis=0), color=COLORS[color], alpha=0.2
            )
        middle = np.full(grid.steps.shape, np.nan) if missing else runs.mean(axis=0)
        left.plot(grid.steps, middle, color=COLORS[color], label=label)
        ends = final_errors(norm, rate)
        right.plot(grid.batch_sizes, ends, marker + "-", color=COLORS[color], markersize=5)
    _finish(left, right, batch_size, grid.batch_sizes)
    return fig


def _finish(left: Any, right: Any, batch_size: int, sizes: tuple[int, ...]) -> None:
    """Fix the axes, so that only the data move."""
    left.set_ylim(0, 100)
    left.legend(fontsize=9, loc="upper right")
    right.set_xscale("log", base=2)
    right.minorticks_off()
    right.set_xticks(sizes, [str(size) for size in sizes])
    right.set_ylim(0, 100)
    right.axvline(batch_size, color=COLORS["black"], linestyle=":", linewidth=1.2)
