"""Exercise `critical_scale`: the weights that keep a linear layer's variance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u01_signal.networks import UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

SCRIPT = (call("critical_scale", "width", into="scale"),)
TOLERANCES = {"float64": Tolerance(1e-12, 0.0, "a root and a division: two roundings")}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `critical_scale`."""

    def case(name: str, width: int, **options: Any) -> Case:
        return Case(name, {"width": width}, SCRIPT, ("scale",), dtype_of=None, **options)

    yield case("the first example of the test cell", 100, gate=True)
    yield case("the second example of the test cell", 4, gate=True)
    yield case("a small layer", int(rng.integers(5, 50)), weight=2)
    yield case("a large layer", int(rng.integers(500, 5000)), weight=2)
    yield case("a huge layer", int(rng.integers(10**6, 10**7)))
    yield case("a single input", 1, idle=True)


def variance(width: int) -> float:
    """Return the variance."""
    return float(1 / width)


def for_relu(width: int) -> float:
    """Return the scale for ReLU."""
    return float(np.sqrt(2 / width))


def uniform_bound(width: int) -> float:
    """Return the bound of the uniform distribution of that variance."""
    return float(np.sqrt(3 / width))


def torch_default(width: int) -> float:
    """Return the standard deviation of what PyTorch's linear layer starts with."""
    return float(1 / np.sqrt(3 * width))


def inverted(width: int) -> float:
    """Return the root of the width."""
    return float(np.sqrt(width))


def halved(width: int) -> float:
    """Count inputs and outputs."""
    return float(np.sqrt(1 / (2 * width)))


def less_one(width: int) -> float:
    """Divide by one less."""
    return float(1 / np.sqrt(max(width - 1, 0.5)))


SCALE = Exercise(
    unit=UNIT,
    name="critical_scale",
    points=1,
    minutes=4,
    oracle=bnlib.critical_scale,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "variance-for-std",
            "That is the *variance* the weights should have. Asked for is their standard "
            "deviation.",
            variance,
        ),
        Misconception(
            "scale-for-relu",
            "That is He's scale, for ReLU, which halves the mean square. The layer here is linear.",
            for_relu,
        ),
        Misconception(
            "bound-of-uniform",
            "That is the bound of a uniform distribution with the right variance. Asked for is its "
            "standard deviation.",
            uniform_bound,
        ),
        Misconception(
            "scale-of-pytorch",
            "That is what PyTorch's linear layer starts with: a third of the variance that keeps "
            "the signal.",
            torch_default,
        ),
        Misconception(
            "upside-down",
            "That is how much the standard deviation grows for weights of scale 1. What undoes it?",
            inverted,
        ),
        Misconception(
            "inputs-and-outputs-added",
            "You divided by twice the width. Each output is a sum over the inputs alone.",
            halved,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "Each output is a sum of `width` terms, not of one less.",
            less_one,
        ),
    ),
    hints=(
        "One output is a sum of `width` products. What is the variance of one product, and what "
        "is that of the sum?",
        "Variances of independent terms add up: var(z) = width · s² · mean(h²). Which s makes that "
        "mean(h²)?",
        "width · s² must be 1. Solve for s, the standard deviation, not for s².",
    ),
)
