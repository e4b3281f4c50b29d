"""How large a learning rate may be: the largest at which a network still learns."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from bnlib.data import digits
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 100, 100, 100, 10]
BATCH = 60
STEPS = 200
LEARNED = 1.0  # mean training loss of the last tenth; guessing among ten classes gives 2.3
POWERS = tuple(np.arange(-4, 5.01, 0.25))  # of two; so fine that seeds can differ


def largest_that_learns(powers: Sequence[float], learns: Callable[[float], bool]) -> float:
    """Return the log2 of the largest learning rate, of 2^power, at which a network learns.

    `nan` if there is none: the network counts as diverged.
    """
    return float(max((power for power in powers if learns(2.0**power)), default=math.nan))


def learns(norm: Literal["batch"] | None, lr: float, seed: int, steps: int) -> bool:
    """Say whether a network has learned something after so many steps at this learning rate."""
    model = mlp(SIZES, norm=norm, seed=seed)
    found = train(model, digits(), steps=steps, batch_size=BATCH, lr=lr, seed=seed)
    tail = found.loss[-max(1, steps // 10) :]
    return not found.diverged and float(np.mean(tail)) < LEARNED


def run(scale: Scale) -> Outcome:
    """Measure the largest learning rate that works, with and without batch norm."""
    steps = scale.steps(STEPS)

    def largest(norm: Literal["batch"] | None, seed: int) -> float:
        return largest_that_learns(POWERS, lambda lr: learns(norm, lr, seed, steps))

    seeds = range(scale.seeds)
    measures = (
        Measure(
            "largest learning rate that learns, as log2",
            "",
            tuple(largest("batch", seed) for seed in seeds),
            tuple(largest(None, seed) for seed in seeds),
            smaller_is_claim=False,
        ),
    )
    factor = 2 ** (np.nanmean(measures[0].with_bn) - np.nanmean(measures[0].without_bn))
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Bjorck et al.: networks without batch norm diverge at rates that it makes possible, "
            "and these are why it is faster and generalises better. Ioffe & Szegedy: five times "
            "the rate without harm; without batch norm that rate drove the parameters to infinity."
        ),
        comparison=(
            "Here batch norm multiplies the largest rate that works by "
            f"{factor:.0f}. The factor depends on depth and on what one calls "
            "working; an initial rate is held throughout, where the papers let it decay."
        ),
        setup=(
            f"Five hidden layers of 100 ReLUs (He initialisation), digits, batches of {BATCH}, "
            f"plain SGD for {steps} steps at each rate from 2^{POWERS[0]:g} to 2^{POWERS[-1]:g} in "
            f"steps of 2^¼. It works if the training loss of the last tenth is below {LEARNED:g}."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="learning_rate",
    claim="Batch norm makes higher learning rates possible.",
    source="Ioffe & Szegedy 2015, §3.3; Bjorck et al. 2018, §3",
    run=run,
)
