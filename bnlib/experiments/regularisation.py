"""Whether batch norm regularises, so that dropout has less to do."""

from dataclasses import replace
from typing import Literal

import numpy as np

from bnlib.data import Dataset, digits
from bnlib.experiments._curves import error_rate
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 200, 200, 10]
IMAGES = 200  # few, so that there is something to overfit
BATCH = 20
STEPS = 1000
LR = 0.1
DROPOUT = 0.5
SEEDS_TIMES = 2  # a test error of a few percent is a noisy thing


def few(data: Dataset, n: int, seed: int) -> Dataset:
    """Return a data set with n of its training images, drawn with a seed; the test set stays."""
    rows = np.random.default_rng(seed).choice(len(data.train_x), n, replace=False)
    return replace(data, train_x=data.train_x[rows], train_y=data.train_y[rows])


def final_error(norm: Literal["batch"] | None, dropout: float, seed: int, steps: int) -> float:
    """Return the test error in % of a network trained on a few images until it knows them."""
    data = few(digits(), IMAGES, seed)
    model = mlp(SIZES, norm=norm, dropout=dropout, seed=seed)
    found = train(model, data, steps=steps, batch_size=BATCH, lr=LR, seed=seed)
    return float("nan") if found.diverged else error_rate(model, data)


def run(scale: Scale) -> Outcome:
    """Measure test errors with batch norm, dropout, both and neither."""
    steps, seeds = scale.steps(STEPS), range(SEEDS_TIMES * scale.seeds)
    norms: tuple[Literal["batch"] | None, ...] = ("batch", None)
    error = {
        (norm, dropout): np.array([final_error(norm, dropout, seed, steps) for seed in seeds])
        for norm in norms
        for dropout in (0.0, DROPOUT)
    }
    gain = {norm: error[norm, 0.0] - error[norm, DROPOUT] for norm in norms}
    measures = (
        Measure(
            "test error without dropout", "%", tuple(error["batch", 0.0]), tuple(error[None, 0.0])
        ),
        Measure(
            "what dropout takes off the test error", "%", tuple(gain["batch"]), tuple(gain[None])
        ),
        Measure(
            "test error with dropout",
            "%",
            tuple(error["batch", DROPOUT]),
            tuple(error[None, DROPOUT]),
            decides=False,
        ),
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Ioffe & Szegedy remove dropout from Inception with batch norm and see no more "
            "overfitting (§4.2.1). Luo et al. write batch norm as population normalisation plus a "
            "decay of γ that acts as a regulariser. Others found a little dropout useful beside "
            "it: CaffeNet with batch norm 51.3 % right without, 52.7 % with dropout 0.2, 49.9 % "
            "with 0.5 (ducha-aiki, caffenet-benchmark)."
        ),
        comparison=(
            "Two things have to hold here: a smaller test error without dropout, and less to gain "
            "from dropout. The network is small, the batches are, too, which makes batch norm "
            "noisier than at ImageNet's sizes."
        ),
        setup=(
            f"Two hidden layers of 200 ReLUs, {IMAGES} of the digits to train on (others for each "
            f"seed), 500 to test, batches of {BATCH}, plain SGD at {LR:g} for {steps} steps, "
            f"dropout {DROPOUT:g} after each hidden layer where there is any."
        ),
        seeds=len(seeds),
    )


EXPERIMENT = Experiment(
    id="regularisation",
    claim="Batch norm regularises, and lowers the need for dropout.",
    source="Ioffe & Szegedy 2015, §3.4; Luo et al. 2019",
    run=run,
)
