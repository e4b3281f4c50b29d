"""Whether batch renormalization does better than batch norm on small batches (Ioffe 2017)."""

from collections.abc import Callable

from torch import nn

from bnlib.data import digits
from bnlib.experiments._curves import error_rate
from bnlib.experiments._norm_layers import Renorm
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 10]
BATCHES = (4, 32)
RATE, STEPS = 0.1, 1500
PLAIN_SHARE = 0.1  # of all steps: batch norm first, then limits that grow over as many steps


def norm_of(kind: str, steps: int) -> Callable[[int], nn.Module]:
    """Return a function width -> norm."""
    if kind == "batch norm":
        return nn.BatchNorm1d
    return lambda width: Renorm(width, plain=round(PLAIN_SHARE * steps))


def error(kind: str, batch_size: int, seed: int, steps: int) -> float:
    """Return the test error after so many steps, in %."""
    data = digits()
    model = mlp(SIZES, norm=norm_of(kind, steps), seed=seed)
    train(model, data, steps=steps, batch_size=batch_size, lr=RATE, seed=seed)
    return error_rate(model, data)


def run(scale: Scale) -> Outcome:
    """Measure the test error with batches of 4, and with batches of 32 beside it."""
    steps = scale.steps(STEPS)
    measures = tuple(
        Measure(
            f"test error, batches of {size}",
            "%",
            tuple(error("renorm", size, seed, steps) for seed in range(scale.seeds)),
            tuple(error("batch norm", size, seed, steps) for seed in range(scale.seeds)),
            with_label="batch renorm",
            without_label="batch norm",
            decides=size == min(BATCHES),
        )
        for size in BATCHES
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="Ioffe 2017 (abstract): models trained with batch renormalization perform "
        "substantially better than batch norm when training with small or non-i.i.d. minibatches, "
        "and keep its benefits otherwise.",
        comparison="His small batches are groups of 4 images in Inception-v3 on ImageNet, with "
        "many positions per image; a batch of 4 in our MLP is 4 values per feature.",
        setup=f"mlp({SIZES}) on digits, plain SGD, learning rate {RATE:g}, {STEPS} steps; r_max "
        f"and d_max stay at 1 and 0 for {PLAIN_SHARE:.0%} of the steps and grow to 3 and 5 over "
        "as many.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="batch_renorm",
    claim="On small batches batch renormalization reaches a lower error than batch norm.",
    source="Ioffe 2017, §4",
    run=run,
)
