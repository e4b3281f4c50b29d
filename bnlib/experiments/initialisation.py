"""Whether batch norm makes training less sensitive to the scale of the initial weights."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bnlib.data import digits
from bnlib.experiments._curves import best, error_rate
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 100, 100, 100, 10]
BATCH, STEPS = 60, 250
RIGHT = 2**0.5  # He's gain, for ReLU
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the right gain
RATES = tuple(10.0**power for power in np.arange(-7, 0.51, 0.5))
TRIAL_SEED = 1000  # rates are chosen on a run that is not measured
GUESSING = 90.0  # % error among ten classes: what a run that diverged counts as


def spread(errors: Sequence[float]) -> float:
    """Return by how much the worst of several errors exceeds the best."""
    return max(errors) - min(errors)


def error_at(
    norm: Literal["batch"] | None, factor: float, lr: float, seed: int, steps: int
) -> float:
    """Train from weights of so many times the right scale; return the test error in %."""
    model, data = mlp(SIZES, norm=norm, gain=factor * RIGHT, seed=seed), digits()
    found = train(model, data, steps=steps, batch_size=BATCH, lr=lr, seed=seed)
    return GUESSING if found.diverged else error_rate(model, data)


def best_rate(norm: Literal["batch"] | None, factor: float, steps: int) -> float:
    """Return the learning rate of least error at this scale, on a seed of its own."""
    return best(RATES, lambda lr: error_at(norm, factor, lr, TRIAL_SEED, steps))


def spreads(
    norm: Literal["batch"] | None, rates: Sequence[float], seeds: int, steps: int
) -> tuple[float, ...]:
    """Return the spread over the scales for each seed, with a rate for each scale."""
    return tuple(
        spread(
            [
                error_at(norm, factor, lr, seed, steps)
                for factor, lr in zip(FACTORS, rates, strict=True)
            ]
        )
        for seed in range(seeds)
    )


def run(scale: Scale) -> Outcome:
    """Measure how much the test error depends on the initial scale."""
    steps = scale.steps(STEPS)
    fixed, tuned, rates = {}, {}, {}
    kinds: tuple[Literal["batch"] | None, ...] = ("batch", None)
    for norm in kinds:
        own = [best_rate(norm, factor, steps) for factor in FACTORS]
        rates[norm] = own[FACTORS.index(1.0)]
        fixed[norm] = spreads(norm, [rates[norm]] * len(FACTORS), scale.seeds, steps)
        tuned[norm] = spreads(norm, own, scale.seeds, steps)
    measures = (
        Measure(
            "worst minus best test error over the initial scales, at the rate that suits He's",
            "%",
            fixed["batch"],
            fixed[None],
        ),
        Measure(
            "the same, each scale at the rate that suits it",
            "%",
            tuned["batch"],
            tuned[None],
        ),
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="Ioffe & Szegedy 2015 (abstract): batch norm allows one to be less careful about "
        "initialization. They give no figure.",
        comparison="The scale cancels in the forward pass. It still sets the effective learning "
        "rate, lr/‖W‖², so not every scale is equally good with batch norm either.",
        setup=f"Five hidden layers of 100 ReLUs, digits, plain SGD, batches of {BATCH}, {steps} "
        f"steps; initial weights {', '.join(f'{f:g}' for f in FACTORS)} times He's. Rates from "
        "1e-7 to 3 in half powers of ten, chosen on another seed; at He's scale "
        f"{rates['batch']:.2g} with batch norm, {rates[None]:.2g} without. A run that diverges "
        "counts as guessing.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="initialisation",
    claim="With batch norm training is less sensitive to the scale of the initial weights.",
    source="Ioffe & Szegedy 2015, abstract and §1",
    run=run,
)
