"""Whether statistics of small groups make training on large batches generalise better."""

from torch import nn

from bnlib.data import digits
from bnlib.experiments._curves import error_rate
from bnlib.experiments._norm_layers import GhostNorm
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 10]
LARGE, GHOST = 512, 32
RATE, STEPS = 0.4, 200


def ghosts(width: int) -> nn.Module:
    """Return ghost batch norm of groups of 32."""
    return GhostNorm(width, GHOST)


def whole(width: int) -> nn.Module:
    """Return batch norm."""
    return nn.BatchNorm1d(width)


def error(norm: type[nn.Module] | object, batch_size: int, seed: int, steps: int) -> float:
    """Return the test error after so many steps, in %."""
    data = digits()
    model = mlp(SIZES, norm=norm, seed=seed)  # type: ignore[arg-type]
    train(model, data, steps=steps, batch_size=batch_size, lr=RATE, seed=seed)
    return error_rate(model, data)


def run(scale: Scale) -> Outcome:
    """Measure the test error of training on batches of 512, with groups of 32 and without."""
    steps = scale.steps(STEPS)
    seeds = range(scale.seeds)
    small = tuple(error(whole, GHOST, seed, steps) for seed in seeds)
    grouped = tuple(error(ghosts, LARGE, seed, steps) for seed in seeds)
    full = tuple(error(whole, LARGE, seed, steps) for seed in seeds)
    measures = (
        Measure(
            f"test error, batches of {LARGE}",
            "%",
            grouped,
            full,
            with_label=f"ghosts of {GHOST}",
            without_label="whole batch",
        ),
        Measure(
            f"the same, against batches of {GHOST} and as many steps",
            "%",
            grouped,
            small,
            with_label=f"ghosts of {GHOST}",
            without_label=f"batches of {GHOST}",
            decides=False,
        ),
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="Hoffer et al. 2017 (abstract): ghost batch normalization enables a significant "
        "decrease in the generalization gap without increasing the number of updates.",
        comparison="They train ResNets on CIFAR and ImageNet for a hundred epochs, where large "
        "batches generalise clearly worse. Digits are nearly solved by every variant.",
        setup=f"mlp({SIZES}) on digits, plain SGD, learning rate {RATE:g}, {STEPS} steps each.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="ghost_batches",
    claim="Training on large batches generalises better if each small group of rows is normalised "
    "with its own statistics.",
    source="Hoffer, Hubara & Soudry 2017, §4",
    run=run,
)
