"""Whether batch norm takes the length of weights out of the function, into the step size.

For a layer followed by batch norm, `f(αW) = f(W)`. Then `⟨W, ∇f(W)⟩ = 0` and
`∇f(αW) = ∇f(W)/α`, so that a run from αW at learning rate α²η goes through the same functions as
one from W at η: η/‖W‖² is the learning rate that counts.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import nn

from bnlib.data import digits
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import batch_order

SIZES = [64, 100, 100, 10]
BATCH = 100
STEPS = 100
LR = 0.1
ALPHA = 2.0
TINY_EPS = 1e-12  # eps is what breaks the symmetry; here, in float64, nothing should


def network(norm: Literal["batch"] | None, seed: int) -> nn.Sequential:
    """Return a network in float64 whose eps is too small to matter."""
    model = mlp(SIZES, norm=norm, activation="tanh", seed=seed).double()
    for module in model:
        if isinstance(module, nn.BatchNorm1d):
            module.eps = TINY_EPS
    return model


def hidden_weights(model: nn.Sequential) -> list[torch.Tensor]:
    """Return the weights of all linear layers but the last: those that a norm may follow."""
    linears = [module for module in model if isinstance(module, nn.Linear)]
    return [module.weight for module in linears[:-1]]


@torch.no_grad()
def lengthen(model: nn.Sequential, alpha: float) -> None:
    """Multiply all hidden weights and their biases by α."""
    linears = [module for module in model if isinstance(module, nn.Linear)]
    for module in linears[:-1]:
        module.weight.mul_(alpha)
        module.bias.mul_(alpha)


def alignment(model: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the largest |cos| between the weights of a hidden neuron and their gradient.

    Of neurons with a gradient of no length (dead ones) there is none.
    """
    model.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    largest = 0.0
    for weight in hidden_weights(model):
        assert weight.grad is not None
        lengths = weight.norm(dim=1) * weight.grad.norm(dim=1)
        products = (weight * weight.grad).sum(1).abs()
        largest = max(largest, float((products[lengths > 0] / lengths[lengths > 0]).max().detach()))
    return largest


@torch.no_grad()
def response(norm: Literal["batch"] | None, seed: int, x: torch.Tensor) -> float:
    """Return by how much the outputs change, relatively, when all hidden weights are doubled."""
    model = network(norm, seed)
    before = model(x)
    lengthen(model, ALPHA)
    return float((model(x) - before).norm() / before.norm())


def path(
    norm: Literal["batch"] | None, seed: int, alpha: float, rows: Iterator[torch.Tensor], steps: int
) -> torch.Tensor:
    """Return the outputs, on the first batch, of a network trained from αW at α²η.

    Only hidden weights are stretched and get the scaled rate; all other parameters get η.
    """
    data = digits()
    x, y = torch.from_numpy(data.train_x).double(), torch.from_numpy(data.train_y)
    model = network(norm, seed)
    lengthen(model, alpha)
    linears = [module for module in model if isinstance(module, nn.Linear)][:-1]
    scaled = [p for module in linears for p in module.parameters()]
    others = [p for p in model.parameters() if all(p is not q for q in scaled)]
    groups = [{"params": scaled, "lr": LR * alpha**2}, {"params": others, "lr": LR}]
    optimizer = torch.optim.SGD(groups, lr=LR)
    first = None
    for _, chosen in zip(range(steps), rows, strict=False):
        first = chosen if first is None else first
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
        optimizer.step()
    with torch.no_grad():
        return torch.as_tensor(model(x[first]))


def divergence_of_paths(norm: Literal["batch"] | None, seed: int, steps: int) -> float:
    """Return how far apart the runs from W at η and from αW at α²η end, relative to the outputs."""
    n = len(digits().train_x)

    def rows() -> Iterator[torch.Tensor]:
        return (torch.from_numpy(batch) for batch in batch_order(n, BATCH, seed))

    plain, scaled = (path(norm, seed, alpha, rows(), steps) for alpha in (1.0, ALPHA))
    return float((scaled - plain).norm() / plain.norm())


def run(scale: Scale) -> Outcome:
    """Measure scale invariance, orthogonality, and the effective learning rate over a whole run."""
    steps, seeds = scale.steps(STEPS), range(scale.seeds)
    data = digits()
    x = torch.from_numpy(data.train_x[:BATCH]).double()
    y = torch.from_numpy(data.train_y[:BATCH])
    norms: tuple[Literal["batch"] | None, ...] = ("batch", None)
    changed = [tuple(response(norm, s, x) for s in seeds) for norm in norms]
    cosines = [tuple(alignment(network(norm, s), x, y) for s in seeds) for norm in norms]
    paths = [tuple(divergence_of_paths(norm, s, steps) for s in seeds) for norm in norms]
    measures = (
        Measure("change of the outputs as hidden weights double", "ratio", changed[0], changed[1]),
        Measure("largest |cos| of weights and their gradient", "ratio", cosines[0], cosines[1]),
        Measure(
            f"distance of two runs of {steps} steps, W at η and 2W at 4η",
            "ratio",
            paths[0],
            paths[1],
        ),
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Exact statements, no figures: van Laarhoven derives the effective learning rate "
            "η/‖W‖², through which alone weight decay acts; Kohler et al. show that gradient "
            "descent on length and direction apart converges linearly on problems that are not "
            "convex."
        ),
        comparison=(
            "What is exact on paper holds to float64's rounding, over a whole training run. Tried "
            "is the decoupling, not that it is why training is fast. With the usual eps of 1e-5 "
            "it holds as long as a layer's variances are far above that."
        ),
        setup=(
            f"Two hidden layers of 100 tanh, digits, batches of {BATCH}, plain SGD at {LR:g}, "
            f"float64, eps {TINY_EPS:g}. Hidden weights and biases are multiplied by {ALPHA:g}; in "
            "the last row their learning rate by its square."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="length_direction",
    claim=(
        "Batch norm decouples the length of weights from their direction: "
        "length only sets the learning rate."
    ),
    source="van Laarhoven 2017, §2; Kohler et al. 2019, §3",
    run=run,
)
