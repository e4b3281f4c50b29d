"""Whether batches that differ in distribution hurt batch norm more than a norm of each image."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from bnlib.data import Dataset, digits
from bnlib.experiments._curves import error_rate
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import batch_order, train
from bnlib.training.batches import Rows

SIZES = [64, 100, 100, 10]
BATCH, RATE, STEPS = 32, 0.1, 800
CLASSES = 2  # different digits in a batch


def two_class_batches(labels: np.ndarray, batch_size: int, seed: int) -> Iterator[Rows]:
    """Yield batches without end, each drawn from two digits, which change from batch to batch."""
    rng = np.random.default_rng(seed)
    by_class = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    while True:
        chosen = rng.choice(len(by_class), size=CLASSES, replace=False)
        pool = np.concatenate([by_class[c] for c in chosen])
        yield rng.choice(pool, size=batch_size, replace=False)


def error(norm: Literal["batch", "layer"], kind: str, seed: int, steps: int) -> float:
    """Return the test error after training on mixed batches or on batches of two digits."""
    data: Dataset = digits()
    model = mlp(SIZES, norm=norm, seed=seed)
    mixed = batch_order(len(data.train_x), BATCH, seed)
    batches = mixed if kind == "mixed" else two_class_batches(data.train_y, BATCH, seed)
    train(model, data, steps=steps, batch_size=BATCH, lr=RATE, seed=seed, batches=batches)
    return error_rate(model, data)


def run(scale: Scale) -> Outcome:
    """Measure how much the error rises when batches hold two digits only."""
    steps = scale.steps(STEPS)
    found = {
        (norm, kind): np.array([error(norm, kind, seed, steps) for seed in range(scale.seeds)])
        for norm in ("batch", "layer")
        for kind in ("mixed", "two digits")
    }
    rise = {n: tuple(found[n, "two digits"] - found[n, "mixed"]) for n in ("batch", "layer")}
    measures = (
        Measure(
            "rise of the test error from mixed batches to batches of two digits",
            "% points",
            tuple(map(float, rise["batch"])),
            tuple(map(float, rise["layer"])),
            smaller_is_claim=False,
            without_label="layer norm",
        ),
        *(
            Measure(
                f"test error, trained on batches of {kind}"
                if kind != "mixed"
                else "test error, trained on mixed batches",
                "%",
                tuple(map(float, found["batch", kind])),
                tuple(map(float, found["layer", kind])),
                smaller_is_claim=False,
                without_label="layer norm",
                decides=False,
            )
            for kind in ("mixed", "two digits")
        ),
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="Ioffe 2017 (abstract): batch norm's effectiveness diminishes when minibatches do "
        "not consist of independent samples.",
        comparison="His batches hold 16 classes, two images each; ours two digits, sixteen images "
        "each. Such batches also make the gradient one-sided, which hurts any network: hence the "
        "comparison with layer norm under the same batches.",
        setup=f"mlp({SIZES}) on digits, plain SGD, batches of {BATCH}, learning rate {RATE:g}, "
        f"{STEPS} steps; evaluation mode.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="varying_batches",
    claim="Batches whose distribution varies from one to the next hurt batch norm more than a norm "
    "that looks at each image alone.",
    source="Ioffe 2017, §1 and §4.3; Wu & Johnson 2021, §5",
    run=run,
)
