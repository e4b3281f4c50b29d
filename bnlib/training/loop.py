"""The one training loop: stochastic gradient descent over seeded batches."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import nn
from tqdm.auto import tqdm

from bnlib.data import Dataset
from bnlib.training.batches import Rows, batch_order

Losses = Float64[np.ndarray, " steps_done"]
LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, eq=False)
class History:
    """What a training run left behind."""

    loss: Losses
    """Training loss of each step's batch, before the step. One that diverged ends in the loss that
    was not finite."""
    diverged: bool
    """Whether the loss became infinite or not a number, which ended the run."""
    interrupted: bool
    """Whether the run was stopped by an interrupt (the stop button, Ctrl-C)."""


def train(
    model: nn.Module,
    data: Dataset,
    *,
    steps: int,
    batch_size: int,
    lr: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    seed: int = 0,
    batches: Iterable[Rows] | None = None,
    on_step: Callable[[int, nn.Module, float], None] | None = None,
    loss_function: LossFunction = nn.functional.cross_entropy,
    progress: bool = False,
) -> History:
    """Train a model in place, in training mode, by stochastic gradient descent.

    Parameters
    ----------
    model : nn.Module
        Left in training mode, with the parameters it has reached.
    data : Dataset
        Its training part is used.
    steps : int
        Steps at most; fewer if `batches` ends, the loss diverges or the user interrupts.
    batch_size : int
        Rows of a batch; not used if `batches` are given.
    lr, momentum, weight_decay : float
        Of `torch.optim.SGD`.
    seed : int, default 0
        Of the batches' order, and of torch's global generator (dropout) as long as this runs;
        afterwards that is where it was.
    batches : iterable of index arrays or None, default None
        The rows of each batch. None: `batch_order(len(data.train_x), batch_size, seed)`.
    on_step : function (step, model, loss) or None, default None
        Called after each step, counted from 0, with the batch's loss before it. What it raises
        ends the run, and so does an interrupt in it.
    loss_function : function (outputs, targets) -> scalar tensor, default cross-entropy
        What is minimised.
    progress : bool, default False
        Show a bar with the time left, in notebook and terminal.

    Returns
    -------
    History
        The losses so far, also after an interrupt.

    Examples
    --------
    >>> from bnlib.data import digits
    >>> from bnlib.nets import mlp
    >>> run = train(mlp([64, 32, 10], norm="batch"), digits(), steps=50, batch_size=32, lr=0.1)
    >>> len(run.loss), run.diverged, bool(run.loss[-5:].mean() < run.loss[0] / 2)
    (50, False, True)
    """
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    if batches is None:
        batches = batch_order(len(x), batch_size, seed)
    losses: list[float] = []
    interrupted = False
    model.train()
    with torch.random.fork_rng(devices=[]), tqdm(total=steps, disable=not progress) as bar:
        torch.manual_seed(seed)
        try:
            for step, rows in zip(range(steps), batches, strict=False):
                chosen = torch.from_numpy(rows)
                losses.append(_step(model, optimizer, x[chosen], y[chosen], loss_function))
                bar.update()
                if not math.isfinite(losses[-1]):
                    break
                if on_step is not None:
                    on_step(step, model, losses[-1])
        except KeyboardInterrupt:
            interrupted = True
    diverged = bool(losses) and not math.isfinite(losses[-1])
    return History(np.array(losses, np.float64), diverged, interrupted)


def _step(
    model: nn.Module,
    optimizer: torch.optim.SGD,
    x: torch.Tensor,
    y: torch.Tensor,
    loss_function: LossFunction,
) -> float:
    """Take one step, and return the loss before it; there is none if that is not finite."""
    loss = loss_function(model(x), y)
    value = float(loss.detach())
    if math.isfinite(value):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return value
