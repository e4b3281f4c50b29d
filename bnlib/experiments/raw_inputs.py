"""Whether batch norm makes it less important to normalise the inputs."""

from dataclasses import replace
from typing import Literal

import numpy as np

from bnlib.data import Dataset, digits
from bnlib.experiments._curves import best, error_rate
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 10]
BATCH, STEPS = 60, 250
RATES = tuple(10.0**power for power in np.arange(-6, 0.51, 0.5))
TRIAL_SEED = 1000  # rates are chosen on a run that is not measured
GUESSING = 90.0  # % error among ten classes: what a run that diverged counts as
GREY = 255.0  # pixels as they lie in a file


def raw(data: Dataset) -> Dataset:
    """Return the images as numbers from 0 to 255."""
    return replace(data, train_x=data.train_x * GREY, test_x=data.test_x * GREY)


def standardised(data: Dataset) -> Dataset:
    """Return the images with each pixel at mean 0 and variance 1 over the training set.

    A pixel that never changes is only centred.
    """
    mean, std = data.train_x.mean(axis=0), data.train_x.std(axis=0)
    std = np.where(std > 0, std, 1.0).astype(np.float32)
    return replace(data, train_x=(data.train_x - mean) / std, test_x=(data.test_x - mean) / std)


def error_at(
    norm: Literal["batch"] | None, data: Dataset, lr: float, seed: int, steps: int
) -> float:
    """Train on these inputs; return the test error in %."""
    model = mlp(SIZES, norm=norm, seed=seed)
    found = train(model, data, steps=steps, batch_size=BATCH, lr=lr, seed=seed)
    return GUESSING if found.diverged else error_rate(model, data)


def best_rate(norm: Literal["batch"] | None, data: Dataset, steps: int) -> float:
    """Return the learning rate of least error, on a seed of its own."""
    return best(RATES, lambda lr: error_at(norm, data, lr, TRIAL_SEED, steps))


def run(scale: Scale) -> Outcome:
    """Measure what raw inputs cost, with batch norm and without."""
    steps = scale.steps(STEPS)
    normal, grey = standardised(digits()), raw(digits())
    own, same = {}, {}
    kinds: tuple[Literal["batch"] | None, ...] = ("batch", None)
    for norm in kinds:
        usual, suited = best_rate(norm, normal, steps), best_rate(norm, grey, steps)
        seeds = range(scale.seeds)
        reference = [error_at(norm, normal, usual, seed, steps) for seed in seeds]
        at_own = [error_at(norm, grey, suited, seed, steps) for seed in seeds]
        at_same = [error_at(norm, grey, usual, seed, steps) for seed in seeds]
        own[norm] = tuple(np.subtract(at_own, reference).tolist())
        same[norm] = tuple(np.subtract(at_same, reference).tolist())
    measures = (
        Measure(
            "test error, raw minus standardised inputs, at the rate that suits standardised ones",
            "%",
            same["batch"],
            same[None],
        ),
        Measure(
            "the same, with a rate that suits raw inputs for raw inputs",
            "%",
            own["batch"],
            own[None],
        ),
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="LeCun et al. 1998: convergence is faster if each input has mean 0 and the same "
        "variance. Ioffe & Szegedy 2015, §2: batch norm does for each layer what is done there "
        "for the first.",
        comparison="Batch norm behind the first linear layer undoes the inputs' common scale and "
        "offset, not the differences from pixel to pixel.",
        setup=f"mlp({SIZES}) on digits, as numbers from 0 to 255 and with each pixel standardised; "
        f"plain SGD, batches of {BATCH}, {steps} steps, rates from 1e-6 to 3 in half powers of ten "
        "chosen on another seed. A run that diverges counts as guessing.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="raw_inputs",
    claim="With batch norm a network depends less on whether its inputs are normalised.",
    source="LeCun et al. 1998, §4.3; Ioffe & Szegedy 2015, §2",
    run=run,
)
