"""Whether batch norm makes loss and gradient change less along the gradient."""

import numpy as np
from torch import Tensor, nn

from bnlib.experiments._watched_runs import RATE, SETUP, mean_or_worst, watched_run
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets.norms import Norm
from bnlib.torch.smoothness import effective_smoothness, loss_along_gradient

STEPS = 200
EVERY = 10
ALONG = tuple(float(t) for t in RATE * np.array([0.5, 1.0, 2.0, 4.0]))
"""Steps along the gradient: half of the learning rate to four times it, as in the paper."""


def looks(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Return the range of losses along the gradient, and the effective smoothness."""
    loss = nn.functional.cross_entropy
    losses = loss_along_gradient(model, loss, x, y, ALONG)
    smoothness = effective_smoothness(model, loss, x, y, ALONG)
    return float(losses.max() - losses.min()), smoothness


def run_looks(norm: Norm, seed: int, steps: int) -> tuple[float, float]:
    """Train one network; return both as means over the run."""
    found: list[tuple[float, float]] = []

    def watch(model: nn.Module, x: Tensor, y: Tensor) -> float:
        found.append(looks(model, x, y))
        return found[-1][0]

    watched_run(norm, seed, steps, watch, every=EVERY)
    columns = np.array(found).reshape(-1, 2).T
    expected = steps // EVERY
    return mean_or_worst(columns[0], expected), mean_or_worst(columns[1], expected)


def run(scale: Scale) -> Outcome:
    """Measure how loss and gradient vary along the gradient, over training runs."""
    steps = max(scale.steps(STEPS), EVERY)
    found = {
        norm: [run_looks(norm, seed, steps) for seed in range(scale.seeds)]
        for norm in ("batch", None)
    }
    names = (
        ("range of the loss along the gradient", "loss"),
        ("effective smoothness: change of the gradient for each unit of way", "ratio"),
    )
    measures = tuple(
        Measure(
            name,
            unit,
            tuple(pair[k] for pair in found["batch"]),
            tuple(pair[k] for pair in found[None]),
        )
        for k, (name, unit) in enumerate(names)
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Figure 4 of Santurkar et al.: for VGG on CIFAR-10 the loss along the gradient varies "
            "over orders of magnitude without batch norm at first, and far less with it; the "
            "gradient's l2 change and the effective smoothness are smaller with it throughout."
        ),
        comparison=(
            "A shallow network that trains well without batch norm, too. The gradient with batch "
            "norm may be larger, and then a step of the same learning rate is a longer way."
        ),
        setup=(
            f"{SETUP}, {steps} steps. Every {EVERY} steps, on the next batch, the losses and "
            "gradients at w − t·g for t = 0.05, 0.1, 0.2, 0.4; means over the run."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="smoothness",
    claim="Batch norm smooths the loss: loss and gradient change less along the gradient.",
    source="Santurkar et al. 2018, §3.1, Figure 4",
    run=run,
)
