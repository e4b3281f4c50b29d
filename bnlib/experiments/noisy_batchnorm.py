"""Whether batch norm still helps when noise after it makes the shift worse than without it."""

import numpy as np
from torch import nn

from bnlib.experiments._watched_runs import SETUP, mean_or_worst, shifts_of_run
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets.norms import Norm
from bnlib.torch.noise import NoisyBatchNorm1d

STEPS = 150
MEAN_SCALE, STD_SCALE = 0.5, 1.25  # the paper's n_μ and n_σ


def noisy_norm(seed: int) -> Norm:
    """Return what makes the noisy norm of each hidden layer, every one with a seed of its own."""
    made = iter(range(1000))

    def make(width: int) -> nn.Module:
        return NoisyBatchNorm1d(width, MEAN_SCALE, STD_SCALE, seed=1000 * seed + next(made))

    return make


def losses_and_shift(norm: Norm, seed: int, steps: int) -> tuple[float, float]:
    """Return the mean training loss of a run, and the mean shift of its layers' inputs."""
    losses, shifts = shifts_of_run(norm, seed, steps)
    return mean_or_worst(np.asarray(losses), steps), mean_or_worst(shifts, steps - 1)


def run(scale: Scale) -> Outcome:
    """Measure shift and training loss of three networks: noisy, plain batch norm, none."""
    steps, seeds = scale.steps(STEPS), range(scale.seeds)
    noisy = [losses_and_shift(noisy_norm(seed), seed, steps) for seed in seeds]
    plain = [losses_and_shift("batch", seed, steps) for seed in seeds]
    none = [losses_and_shift(None, seed, steps) for seed in seeds]

    def column(found: list[tuple[float, float]], k: int) -> tuple[float, ...]:
        return tuple(pair[k] for pair in found)

    measures = (
        Measure(
            "shift of the inputs of hidden layers in one step",
            "standard deviations",
            column(noisy, 1),
            column(none, 1),
            smaller_is_claim=False,
            with_label="noisy batch norm",
        ),
        Measure(
            f"mean training loss over the first {steps} steps",
            "nats",
            column(noisy, 0),
            column(none, 0),
            with_label="noisy batch norm",
        ),
        Measure(
            "the same, next to batch norm without noise",
            "nats",
            column(noisy, 0),
            column(plain, 0),
            with_label="noisy batch norm",
            without_label="batch norm",
            decides=False,
        ),
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Figure 1 of Santurkar et al.: VGG on CIFAR-10 with noisy batch norm trains nearly as "
            "fast as with batch norm and clearly faster than without, while its activations are "
            "less stable than those of the network without."
        ),
        comparison=(
            "Our noise is one shift and one factor for each feature and step; the paper lets both "
            "vary from sample to sample, too, around such values."
        ),
        setup=(
            f"{SETUP}, {steps} steps. Noise after each batch norm: mean from U(−{MEAN_SCALE:g}, "
            f"{MEAN_SCALE:g}), factor from U(1, {STD_SCALE:g}), drawn at each forward pass."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="noisy_batchnorm",
    claim="With noise after it batch norm has more shift than no batch norm, and still trains "
    "faster.",
    source="Santurkar et al. 2018, §2.1, Figure 1",
    run=run,
)
