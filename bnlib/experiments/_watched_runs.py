"""Training runs that are measured on the way, for the experiments on shift and smoothness."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.data import digits
from bnlib.nets import mlp
from bnlib.nets.norms import Norm
from bnlib.torch.functional import layer_inputs
from bnlib.torch.shift import distribution_shift
from bnlib.training import batch_order, train

SIZES = [64, 100, 100, 100, 10]
BATCH = 64
RATE = 0.1
PROBE = 256  # rows on which activations are compared, the same in every run
SETUP = (
    f"Three hidden layers of 100 ReLU units, digits, batches of {BATCH}, SGD without momentum, "
    f"learning rate {RATE:g} for all"
)


def batches(steps: int, seed: int) -> list[np.ndarray]:
    """Return the rows of each step's batch; the measurements use them, too."""
    order = batch_order(len(digits().train_x), BATCH, seed)
    return [next(order) for _ in range(steps)]


def rows_of(rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return inputs and classes of some rows of the training set."""
    data = digits()
    return torch.from_numpy(data.train_x[rows]), torch.from_numpy(data.train_y[rows])


def watched_run(
    norm: Norm,
    seed: int,
    steps: int,
    watch: Callable[[nn.Module, Tensor, Tensor], float],
    *,
    every: int = 1,
    lr: float = RATE,
) -> tuple[np.ndarray, np.ndarray]:
    """Train a network, and measure it on the next batch, before it takes the step.

    Parameters
    ----------
    norm
        Of the hidden layers.
    seed
        Of weights and batches.
    steps
        Length of the run.
    watch
        From the model in training mode and a batch to a number.
    every
        Steps between two measurements.
    lr
        Learning rate.

    Returns
    -------
    losses, measured : ndarray
        The training loss at every step, and what was measured. Shorter if the run diverged.
    """
    model = mlp(SIZES, norm=norm, seed=seed)
    order = batches(steps + 1, seed)
    found: list[float] = []

    def look(step: int, model: nn.Module, loss: float) -> None:
        if (step + 1) % every == 0:
            found.append(watch(model, *rows_of(order[step + 1])))

    run = train(
        model,
        digits(),
        steps=steps,
        batch_size=BATCH,
        lr=lr,
        seed=seed,
        batches=order[:steps],
        on_step=look,
    )
    return run.loss, np.array(found)


def shifts_of_run(norm: Norm, seed: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Train a network; return its losses and the shift of its layers' inputs at each step.

    The shift of a step is `distribution_shift` between two neighbouring steps, on the same rows and
    in training mode, averaged over the inputs of all linear layers but the first.
    """
    probe, _ = rows_of(np.arange(PROBE))
    seen: list[list[Tensor]] = []

    def watch(model: nn.Module, x: Tensor, y: Tensor) -> float:
        seen.append([inputs.double() for inputs in layer_inputs(model, probe)[1:]])
        if len(seen) == 1:
            return 0.0
        pairs = zip(seen.pop(0), seen[0], strict=True)
        return float(np.mean([shift_of_live(before, after) for before, after in pairs]))

    losses, shifts = watched_run(norm, seed, steps, watch)
    return losses, shifts[1:]


def shift_of_live(before: Tensor, after: Tensor) -> float:
    """Return the shift of the features that are alive: a dead ReLU has no spread to compare with.

    Examples
    --------
    >>> before = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> shift_of_live(before, before + 0.5)
    0.5
    """
    alive = before.std(0, correction=0) > 0
    return distribution_shift(before[:, alive], after[:, alive]) if alive.any() else 0.0


def mean_or_worst(values: np.ndarray, expected: int) -> float:
    """Return the mean of what a run measured, infinite if the run ended before its time."""
    return float(values.mean()) if len(values) == expected else float("inf")
