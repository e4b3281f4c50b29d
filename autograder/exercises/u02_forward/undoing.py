"""`identity_affine`: the parameters that undo the normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import (
    EXAMPLE_EPS,
    EXAMPLE_MEAN,
    EXAMPLE_VAR,
    GATE,
    UNIT,
    USUAL_EPS,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

AFFINE_TOLERANCES = {
    "float64": Tolerance(1e-13, 0.0, "one sum and one root: eps64, times 450"),
    "float32": Tolerance(1e-6, 0.0, "one sum and one root: 3 (eps32 / 2) = 1.8e-7, times 5"),
}

PAIR = "(gamma, beta)"


def affine_case(name: str, mean: np.ndarray, var: np.ndarray, eps: float, **options: Any) -> Case:
    """Ask for the parameters that undo given statistics."""
    script = (call("identity_affine", "mean", "var", "eps", into=PAIR),)
    inputs = {"mean": mean, "var": var, "eps": eps}
    return Case(name, inputs, script, (PAIR,), unchanged=("mean", "var"), dtype_of="var", **options)


def affine_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `identity_affine`."""
    yield affine_case(GATE, EXAMPLE_MEAN, EXAMPLE_VAR, EXAMPLE_EPS, gate=True)
    c = int(rng.integers(3, 7))
    mean = rng.uniform(1.0, 4.0, c) * rng.choice([-1.0, 1.0], c)
    var = rng.uniform(0.5, 9.0, c)
    yield affine_case("random statistics", mean, var, USUAL_EPS, weight=2)
    yield affine_case("a single feature", mean[:1], var[:1], USUAL_EPS)
    yield affine_case("a large eps", mean, var, float(rng.uniform(0.5, 2.0)), weight=2)
    yield affine_case("variances as small as eps", mean, var * 1e-3, 1e-3)
    yield affine_case("a feature with variance 0", mean, var * (np.arange(c) > 0), 1e-3)
    yield affine_case("eps = 0", mean, var, 0.0)
    single = np.float32
    yield affine_case(
        "float32 statistics far from zero", (mean + 1e4).astype(single), var.astype(single), 1e-5
    )


Pair = tuple[np.ndarray, np.ndarray]


def root_without_eps(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Leave eps out."""
    return np.sqrt(var), mean


def root_plus_eps(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Add eps outside the root."""
    return np.sqrt(var) + eps, mean


def without_root(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Take the variance for gamma."""
    return var + eps, mean


def inverse(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Normalise once more."""
    return 1 / np.sqrt(var + eps), mean


def minus_mean(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Shift in the wrong direction."""
    return np.sqrt(var + eps), -mean


def swapped(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Return them in the other order."""
    return mean, np.sqrt(var + eps)


def untouched(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Return what a new layer starts with."""
    return np.ones_like(var), np.zeros_like(mean)


def normalised_mean(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Take the affine form of normalising itself."""
    return 1 / np.sqrt(var + eps), -mean / np.sqrt(var + eps)


def scaled_mean(mean: np.ndarray, var: np.ndarray, eps: float) -> Pair:
    """Multiply the mean by the standard deviation."""
    return np.sqrt(var + eps), mean * np.sqrt(var + eps)


IDENTITY_AFFINE = Exercise(
    unit=UNIT,
    name="identity_affine",
    points=1,
    minutes=5,
    oracle=bnlib.identity_affine,
    cases=affine_cases,
    tolerances=AFFINE_TOLERANCES,
    misconceptions=(
        Misconception(
            "eps-forgotten",
            "gamma has to undo the division by √(var + eps), all of it: you left eps out.",
            root_without_eps,
        ),
        Misconception(
            "eps-outside-root",
            "eps stands outside the square root here, but inside it in the division that is to be "
            "undone.",
            root_plus_eps,
        ),
        Misconception(
            "gamma-is-a-variance",
            "Your gamma is the variance (plus eps). What was divided by is its square root.",
            without_root,
        ),
        Misconception(
            "normalises-again",
            "These two numbers *normalise*; asked for are the two that undo it, applied to x_hat.",
            normalised_mean,
        ),
        Misconception(
            "gamma-inverted",
            "Your gamma divides once more. x_hat was divided already: multiply to get back.",
            inverse,
        ),
        Misconception(
            "beta-has-wrong-sign",
            "Your beta has the wrong sign: the mean was taken out, so it has to be put back.",
            minus_mean,
        ),
        Misconception(
            "gamma-and-beta-swapped",
            "The two came back in the other order: first gamma, which multiplies, then beta.",
            swapped,
        ),
        Misconception(
            "beta-scaled",
            "You scaled the mean. beta is added after the multiplication, in the units of x.",
            scaled_mean,
        ),
        Misconception(
            "start-values",
            "gamma = 1 and beta = 0 leave x_hat as it is; asked for is to get `x` back.",
            untouched,
        ),
    ),
    hints=(
        "Write the condition down: gamma · (x − mean)/√(var + eps) + beta = x, for *every* x. Both "
        "sides are straight lines in x.",
        "Two lines are equal if their slopes are, and their values at one point. Compare the "
        "slopes; then put x = mean, where x_hat is 0.",
        "The slope on the left is gamma divided by the root, on the right it is 1. At x = mean the "
        "left side is just beta. Return the two in the order (gamma, beta).",
    ),
)
