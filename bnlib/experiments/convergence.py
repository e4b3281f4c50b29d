"""Whether batch norm makes training converge in fewer steps: the paper's own small network."""

from typing import Literal

from bnlib.data import digits
from bnlib.experiments._curves import Curve, best, error_curve, steps_until
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp

SIZES = [64, 100, 100, 100, 10]
BATCH = 60
STEPS = 1500
EVERY = 5
LEVEL = 10.0  # % test error: the paper's measure is steps to a fixed accuracy, too
RATES = (0.3, 1.0, 3.0, 10.0)
TRIAL_SEED = 1000  # rates are chosen on a run that is not measured


def curve(norm: Literal["batch"] | None, lr: float, seed: int, steps: int) -> Curve:
    """Return the test error over one training run, as far as the level."""
    model = mlp(SIZES, norm=norm, activation="sigmoid", seed=seed)
    return error_curve(
        model,
        digits(),
        steps=steps,
        every=EVERY,
        batch_size=BATCH,
        lr=lr,
        seed=seed,
        stop_at=LEVEL,
    )


def best_rate(norm: Literal["batch"] | None, steps: int) -> float:
    """Return the learning rate that reaches the level first, on a seed of its own."""
    return best(RATES, lambda lr: steps_until(curve(norm, lr, TRIAL_SEED, steps), LEVEL))


def run(scale: Scale) -> Outcome:
    """Measure steps to 10 % test error, each network at its own best learning rate."""
    steps = scale.steps(STEPS)
    rates = {norm: best_rate(norm, steps) for norm in ("batch", None)}
    until = {
        (norm, lr): tuple(
            steps_until(curve(norm, lr, seed, steps), LEVEL) for seed in range(scale.seeds)
        )
        for norm in ("batch", None)
        for lr in {rates[norm], rates[None]}
    }
    measures = (
        Measure(
            "steps to 10 % test error, each at its best learning rate",
            "steps",
            until["batch", rates["batch"]],
            until[None, rates[None]],
        ),
        Measure(
            f"the same, both at the best rate of the plain network ({rates[None]:g})",
            "steps",
            until["batch", rates[None]],
            until[None, rates[None]],
            decides=False,
        ),
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Inception reaches 72.2 % on ImageNet after 31.0 million steps; with batch norm after "
            "13.3 million at the same learning rate (2.3 times fewer), after 2.1 million at five "
            "times that rate (14 times fewer). Figure 1a: the network tried here, on MNIST."
        ),
        comparison=(
            "The network and the batch are those of §4.1; the images are smaller, and each network "
            "gets the learning rate at which it is fastest, which the paper does not do: a "
            "comparison at one rate mixes this claim with the one about learning rates."
        ),
        setup=(
            f"Three hidden layers of 100 sigmoids (weights N(0, 1/fan-in)), digits, batches of "
            f"{BATCH}, SGD without momentum, at most {steps} steps; learning rate from "
            f"{', '.join(f'{r:g}' for r in RATES)} by a run of its own: {rates['batch']:g} with "
            f"batch norm, {rates[None]:g} without. A run that never gets there counts as worst."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="convergence",
    claim="Training with batch norm needs fewer steps.",
    source="Ioffe & Szegedy 2015, §4.1 and §4.2",
    run=run,
)
