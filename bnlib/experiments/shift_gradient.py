"""Whether batch norm keeps a layer's gradient steadier when the layers before it have moved."""

import numpy as np
from torch import Tensor, nn

from bnlib.experiments._watched_runs import RATE, SETUP, mean_or_worst, watched_run
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets.norms import Norm
from bnlib.torch.functional import parameterised_layers
from bnlib.torch.shift import shift_of_gradient, upstream_update_gradients

STEPS = 200
EVERY = 10
RATES = (RATE, RATE / 10)
"""The claim names no learning rate: one that trains fast, and a careful one."""


def shifts(model: nn.Module, x: Tensor, y: Tensor, lr: float) -> tuple[float, float]:
    """Return the l2 shift, and 1 − cosine, averaged over all linear layers but the first."""
    layers = [module for _, module in parameterised_layers(model)]
    hidden = [k for k, module in enumerate(layers) if k and isinstance(module, nn.Linear)]
    pairs = []
    for index in hidden:
        gradients = upstream_update_gradients(model, index, nn.functional.cross_entropy, x, y, lr)
        l2, cosine = shift_of_gradient(*gradients)
        pairs.append((l2, 1.0 - cosine))
    means = np.mean(pairs, axis=0)
    return float(means[0]), float(means[1])


def run_shifts(norm: Norm, lr: float, seed: int, steps: int) -> tuple[float, float]:
    """Train one network; return both shifts as means over the run."""
    found: list[tuple[float, float]] = []

    def watch(model: nn.Module, x: Tensor, y: Tensor) -> float:
        found.append(shifts(model, x, y, lr))
        return found[-1][0]

    watched_run(norm, seed, steps, watch, every=EVERY, lr=lr)
    columns = np.array(found).reshape(-1, 2).T
    expected = steps // EVERY
    return mean_or_worst(columns[0], expected), mean_or_worst(columns[1], expected)


def measures_at(lr: float, seeds: int, steps: int) -> tuple[Measure, Measure]:
    """Measure both shifts at one learning rate, with and without."""
    found = {
        norm: np.array([run_shifts(norm, lr, seed, steps) for seed in range(seeds)]).T.tolist()
        for norm in ("batch", None)
    }
    distance, angle = (
        Measure(f"{name}, learning rate {lr:g}", unit, tuple(with_bn), tuple(without_bn))
        for name, unit, with_bn, without_bn in zip(
            ("l2 distance of a layer's gradients", "1 − cosine of the angle between them"),
            ("", "ratio"),
            found["batch"],
            found[None],
            strict=True,
        )
    )
    return distance, angle


def run(scale: Scale) -> Outcome:
    """Measure Definition 2.1 along training runs, with and without, at two learning rates."""
    steps = max(scale.steps(STEPS), EVERY)
    measures = tuple(m for lr in RATES for m in measures_at(lr, scale.seeds, steps))
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Figure 2 of Santurkar et al.: for VGG on CIFAR-10 and for a deep linear network the "
            "l2 shift with batch norm is as large as without, or larger, and the cosine is no "
            "nearer to 1: with batch norm in the deep linear network the gradients are nearly "
            "uncorrelated."
        ),
        comparison=(
            "A shallow network on small images. At the large learning rate the network without "
            "batch norm is at the edge of stability, and its gradients turn; at a tenth of it "
            "they hardly do. The l2 distance also grows with the gradient itself, so the angle is "
            "the fairer half."
        ),
        setup=(
            f"{SETUP}, and a tenth of it; {steps} steps. Every {EVERY} steps Definition 2.1 on the "
            "next batch, for each linear layer but the first: all layers before it take one step "
            "of SGD."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="shift_gradient",
    claim="Batch norm reduces internal covariate shift, as a change of gradients.",
    source="Ioffe & Szegedy 2015 in the sense of Santurkar et al. 2018, §2.2, Definition 2.1",
    run=run,
)
