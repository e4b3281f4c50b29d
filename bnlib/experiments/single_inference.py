"""Whether running statistics make an answer independent of the company, down to a batch of one."""

import numpy as np
import torch

from bnlib.data import digits
from bnlib.experiments._norm_layers import answers, share_different
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 10]
BATCH, RATE, STEPS = 32, 0.1, 400
COMPANY = 8  # images asked together


def changed(model: torch.nn.Module, x: torch.Tensor, seed: int) -> tuple[float, float, float]:
    """Return the share of images, in %, whose answer depends on who else is asked.

    In evaluation mode alone against in company; in training mode in one company against another;
    and the share of wrong answers is not in it: only change counts.
    """
    whole = len(x) // COMPANY * COMPANY
    x = x[:whole]
    order = torch.from_numpy(np.random.default_rng(seed).permutation(whole))
    back = torch.argsort(order)
    alone = answers(model, x, 1, training=False)
    together = answers(model, x[order], COMPANY, training=False)[back]
    here = answers(model, x, COMPANY, training=True)
    there = answers(model, x[order], COMPANY, training=True)[back]
    return share_different(alone, together), share_different(here, there), float(len(x))


def one(seed: int, steps: int) -> tuple[float, ...]:
    """Train a network; return changes in both modes, and errors alone and in training mode."""
    data = digits()
    model = mlp(SIZES, norm="batch", seed=seed)
    train(model, data, steps=steps, batch_size=BATCH, lr=RATE, seed=seed)
    x, y = torch.from_numpy(data.test_x), torch.from_numpy(data.test_y)
    evaluated, trained, count = changed(model, x, seed)
    x, y = x[: int(count)], y[: int(count)]
    alone = share_different(answers(model, x, 1, training=False), y)
    batches = share_different(answers(model, x, COMPANY, training=True), y)
    return evaluated, trained, alone, batches


def run(scale: Scale) -> Outcome:
    """Ask the same images alone, together, and in other company."""
    steps = scale.steps(STEPS)
    found = [one(seed, steps) for seed in range(scale.seeds)]
    evaluated, trained, alone, batches = (tuple(column) for column in zip(*found, strict=True))
    measures = (
        Measure(
            f"answers that change with the company (alone or among {COMPANY}; {COMPANY} others)",
            "%",
            evaluated,
            trained,
            with_label="running statistics",
            without_label="the batch's own",
        ),
        Measure(
            f"test error, asked one at a time, or in batches of {COMPANY}",
            "%",
            alone,
            batches,
            with_label="running statistics",
            without_label="the batch's own",
        ),
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="Ioffe & Szegedy 2015, §3.1: the output in inference is to depend only on the input, "
        "deterministically, and the running statistics see to that. No figure.",
        comparison="One image at a time gives what a batch gives; with the batch's own statistics "
        f"the answer depends on the {COMPANY - 1} others, and a batch of one gives none at all.",
        setup=f"mlp({SIZES}) on digits, plain SGD, batches of {BATCH}, learning rate {RATE:g}, "
        f"{STEPS} steps; 496 test images asked alone and in shuffled batches of {COMPANY}.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="single_inference",
    claim="Running statistics make the answer to an image independent of the images asked with it, "
    "also for a single one.",
    source="Ioffe & Szegedy 2015, §3.1",
    run=run,
)
