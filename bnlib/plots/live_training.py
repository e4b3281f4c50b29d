"""A network small enough to be trained while a slider moves."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.data import Dataset, digits
from bnlib.plots.style import COLORS, figure
from bnlib.plots.training_grid import LOOKS

_STEPS = 60
_SIZES = (64, 24, 10)
_SMOOTH = 10  # steps that are averaged in the drawn curve
_HIGHEST = 4.0  # of the axis; guessing costs ln 10 = 2.3
NORMS = ("none", "batch")


@lru_cache(maxsize=256)
def live_losses(norm: str, batch_size: int, rate: float, seed: int = 0) -> np.ndarray:
    """Train one hidden layer of 24 on digits for 60 steps; return the loss of each step.

    Parameters
    ----------
    norm : "none" or "batch"
        What normalises the hidden layer.
    batch_size : int
        Images per step, at least 1.
    rate : float
        Learning rate of plain SGD.
    seed : int, default 0
        Of weights and order.

    Returns
    -------
    ndarray of shape (steps done,)
        Empty where training is impossible: batch norm on batches of one. Shorter than 60 if the
        loss became infinite.
    """
    if norm == "batch" and batch_size == 1:
        return np.empty(0)
    import torch

    from bnlib.nets import mlp
    from bnlib.training import train

    model = mlp(_SIZES, norm="batch" if norm == "batch" else None, seed=seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # matrices this small are slower on two
    try:
        run = train(model, _digits(), steps=_STEPS, batch_size=batch_size, lr=rate, seed=seed)
    finally:
        torch.set_num_threads(threads)
    return np.asarray(run.loss)


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    """Return the digits, read once."""
    return digits()


def draw_live(batch_size: int = 8, rate: float = 0.3, seed: int = 0) -> Figure:
    """Train now, with batch norm and without, and draw the training loss.

    Thin: the loss of each batch. Thick: the mean of the last ten.
    """
    fig = figure(
        size=(7.0, 3.6),
        xlabel="training step",
        ylabel="loss of the batch (nats)",
        title=f"trained just now: batches of {batch_size}, learning rate {rate:g}",
    )
    (ax,) = fig.axes
    for norm in NORMS:
        color, _, label = LOOKS[norm]
        losses = live_losses(norm, batch_size, rate, seed)
        if not losses.size:
            label += " (cannot train on one)"
        elif losses.size < _STEPS:
            label += f" (diverged at step {losses.size})"
        elif losses[-_SMOOTH:].min() > _HIGHEST:
            label += " (off the scale)"
        finite = losses[np.isfinite(losses)]
        ax.plot(finite, color=COLORS[color], linewidth=0.7, alpha=0.5)
        kernel = np.ones(_SMOOTH) / _SMOOTH
        smooth = np.convolve(finite, kernel, "valid") if finite.size >= _SMOOTH else finite
        ax.plot(np.arange(smooth.size) + _SMOOTH - 1, smooth, color=COLORS[color], label=label)
    ax.set_xlim(0, _STEPS)
    ax.set_ylim(0, _HIGHEST)
    ax.legend(fontsize=9, loc="upper right")
    return fig
