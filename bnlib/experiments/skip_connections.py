"""Whether skip connections tame the explosion that batch norm brings along."""

import math

import numpy as np
import torch
from torch import nn

from bnlib.data import digits
from bnlib.experiments._curves import best, error_rate
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.signal_network import Layers, send
from bnlib.training import train

WIDTH, BATCH, DEPTH = 256, 256, 40  # of the networks at initialisation
TRAINED_WIDTH, TRAINED_DEPTH, TRAINED_BATCH, STEPS = 64, 40, 60, 120
RATES = (0.01, 0.03, 0.1, 0.3)
TRIAL_SEED = 1000  # rates are chosen on a run that is not measured
WITH, WITHOUT = "skip connections", "no skip connections"
GUESSING = 90.0  # % error among ten classes: what a run that diverged counts as


def growth(arriving: np.ndarray) -> float:
    """Return log10 of the squared gradient norm at the first layer over that at the last."""
    return 2 * math.log10(arriving[0] / arriving[-1])


def growth_of(seed: int, width: int, batch: int, depth: int, *, skip: bool) -> float:
    """Draw a network with batch norm, a batch and a gradient, and measure the growth."""
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((2, batch, width))
    return growth(send(Layers(depth, width, norm=True, skip=skip), x, dy, rng).arriving)


class Block(nn.Module):
    """`h + linear(relu(norm(h)))`, or without a skip connection `relu(norm(linear(h)))`."""

    def __init__(self, width: int, generator: torch.Generator, *, skip: bool) -> None:
        super().__init__()
        self.skip = skip
        self.linear = nn.Linear(width, width, bias=False)
        with torch.no_grad():
            self.linear.weight.normal_(0.0, (2 / width) ** 0.5, generator=generator)
        self.norm, self.relu = nn.BatchNorm1d(width), nn.ReLU()

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Return what the layer hands on."""
        if self.skip:
            out: torch.Tensor = h + self.linear(self.relu(self.norm(h)))
        else:
            out = self.relu(self.norm(self.linear(h)))
        return out


def deep_network(depth: int, seed: int, *, skip: bool) -> nn.Sequential:
    """Return a classifier of digits: `depth` blocks between two linear layers."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, last = nn.Linear(64, TRAINED_WIDTH), nn.Linear(TRAINED_WIDTH, 10)
        blocks = [Block(TRAINED_WIDTH, generator, skip=skip) for _ in range(depth)]
    return nn.Sequential(nn.Flatten(), first, *blocks, nn.BatchNorm1d(TRAINED_WIDTH), last)


def error_after(seed: int, lr: float, steps: int, *, skip: bool) -> float:
    """Train a deep network, and return its test error in %."""
    model, data = deep_network(TRAINED_DEPTH, seed, skip=skip), digits()
    found = train(model, data, steps=steps, batch_size=TRAINED_BATCH, lr=lr, seed=seed)
    return GUESSING if found.diverged else error_rate(model, data)


def best_rate(steps: int, *, skip: bool) -> float:
    """Return the learning rate of least error, on a seed of its own."""
    return best(RATES, lambda lr: error_after(TRIAL_SEED, lr, steps, skip=skip))


def run(scale: Scale) -> Outcome:
    """Measure the growth with and without skip connections, and train both."""
    width, batch, steps = scale.steps(WIDTH), scale.steps(BATCH), scale.steps(STEPS)
    seeds = range(scale.seeds)
    grown = {
        (depth, skip): tuple(growth_of(s, width, batch, depth, skip=skip) for s in seeds)
        for depth in (DEPTH // 2, DEPTH)
        for skip in (True, False)
    }
    doubled = {
        skip: tuple(np.subtract(grown[DEPTH, skip], grown[DEPTH // 2, skip]).tolist())
        for skip in (True, False)
    }
    rates = {skip: best_rate(steps, skip=skip) for skip in (True, False)}
    errors = {
        skip: tuple(error_after(s, rates[skip], steps, skip=skip) for s in seeds)
        for skip in (True, False)
    }
    measures = (
        Measure(
            f"growth of the squared gradient norm over {DEPTH} layers, as log10",
            "",
            grown[DEPTH, True],
            grown[DEPTH, False],
            with_label=WITH,
            without_label=WITHOUT,
        ),
        Measure(
            f"what doubling the depth, {DEPTH // 2} to {DEPTH}, adds to it, as log10",
            "",
            doubled[True],
            doubled[False],
            with_label=WITH,
            without_label=WITHOUT,
        ),
        Measure(
            f"test error after {steps} steps, {TRAINED_DEPTH} layers, each at its best rate",
            "%",
            errors[True],
            errors[False],
            decides=False,
            with_label=WITH,
            without_label=WITHOUT,
        ),
    )
    return Outcome(
        verdict=verdict_of(measures),
        measures=measures,
        paper="Yang et al. 2019: networks with batch norm and without skip connections cannot be "
        "trained at large depth. De & Smith 2020: with them the residual branch is smaller than "
        "the skip path, by about the root of the depth, so the network starts near the identity.",
        comparison=f"Over {DEPTH} layers the square grows by "
        f"{10 ** np.mean(grown[DEPTH, True]):.0f} with skip connections, near the {DEPTH} to the "
        f"1.467 of our own estimate, and by {10 ** np.mean(grown[DEPTH, False]):.0e} without. The "
        "papers' networks are deeper and convolutional.",
        setup=f"Gradients: {DEPTH // 2} and {DEPTH} layers of {width} ReLUs with batch norm, He's "
        f"weights, a batch of {batch} normal rows, nothing trained. Training: digits, "
        f"{TRAINED_DEPTH} layers of {TRAINED_WIDTH}, plain SGD, batches of {TRAINED_BATCH}, rates "
        f"{rates[True]:g} (skip) and {rates[False]:g} (none) chosen of {RATES} on another seed.",
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="skip_connections",
    claim="Skip connections cure the explosion that batch norm brings along at initialisation.",
    source="Yang et al. 2019; De & Smith 2020, §3",
    run=run,
)
