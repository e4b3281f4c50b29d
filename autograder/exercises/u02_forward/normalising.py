"""`normalize`: take given statistics out of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import (
    EXAMPLE,
    EXAMPLE_EPS,
    EXAMPLE_MEAN,
    EXAMPLE_VAR,
    GATE,
    UNIT,
    USUAL_EPS,
    batch,
    far_batches,
    plain_batches,
    sizes,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

ENTRY = "x_hat"

# x_hat is of order 5. Taken as x/σ − mean/σ (also right) it loses eps · |mean|/σ, here below 5 eps.
NORMALIZE_TOLERANCES = {
    "float64": Tolerance(1e-12, 1e-12, "a few roundings of numbers of order 10: 1e-14, times 100"),
    "float32": Tolerance(1e-5, 1e-5, "a few roundings of numbers of order 10: 20 eps32 = 2.4e-6"),
    "float16": Tolerance(5e-3, 2e-2, "a few roundings of numbers of order 10: 20 eps16 = 2e-2"),
}
NORMALIZE_FAR = {
    "float32": Tolerance(1e-5, 5e-3, "x/σ − mean/σ at mean/σ = 1e4 loses 2 eps32 · 1e4 = 2.4e-3"),
    "float64": Tolerance(1e-9, 2e-7, "x/σ − mean/σ at mean/σ = 1e8 loses 2 eps64 · 1e8 = 4.4e-8"),
}


def own_statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and biased variance of a batch, taken in float64, in its dtype."""
    wide = x.astype(np.float64)
    return wide.mean(axis=0).astype(x.dtype), wide.var(axis=0).astype(x.dtype)


def normalize_case(
    name: str,
    x: np.ndarray,
    statistics: tuple[np.ndarray, np.ndarray],
    eps: float,
    **options: Any,
) -> Case:
    """Ask for x normalised with given statistics."""
    mean, var = statistics
    script = (call("normalize", "x", "mean", "var", "eps", into=ENTRY),)
    inputs = {"x": x, "mean": mean, "var": var, "eps": eps}
    return Case(name, inputs, script, (ENTRY,), unchanged=("x", "mean", "var"), **options)


def normalize_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `normalize`."""
    yield normalize_case(GATE, EXAMPLE, (EXAMPLE_MEAN, EXAMPLE_VAR), EXAMPLE_EPS, gate=True)
    for name, x in plain_batches(rng):
        yield normalize_case(name, x, own_statistics(x), USUAL_EPS)
    n, c = sizes(rng)
    others = (rng.normal(size=c), rng.uniform(0.5, 4.0, c))
    yield normalize_case(
        "statistics that are not those of the batch",
        batch(rng, n, c),
        others,
        USUAL_EPS,
        weight=4,
        help="Use the `mean` and `var` that were handed in, whatever they are.",
    )
    small = (rng.normal(size=c), rng.uniform(0.005, 0.02, c))
    eps = float(rng.uniform(0.005, 0.02))
    yield normalize_case("a variance as small as eps", batch(rng, n, c), small, eps, weight=2)
    zero = (rng.normal(size=c), np.zeros(c))
    yield normalize_case("a variance of zero, eps keeps it finite", batch(rng, n, c), zero, 1e-3)
    yield normalize_case("eps = 0", batch(rng, n, c), others, 0.0)
    for name, x in far_batches(rng):
        tolerance = NORMALIZE_FAR[x.dtype.name]
        yield normalize_case(name, x, own_statistics(x), USUAL_EPS, tolerance=tolerance)
    half = batch(rng, n, c, "float16")
    yield normalize_case("a float16 batch", half, own_statistics(half), USUAL_EPS)


def no_eps(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Leave eps out."""
    return np.asarray((x - mean) / np.sqrt(var))


def fixed_eps(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Write 1e-5 in the code."""
    return np.asarray((x - mean) / np.sqrt(var + USUAL_EPS))


def eps_outside(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Add eps to the root."""
    return np.asarray((x - mean) / (np.sqrt(var) + eps))


def eps_last(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Close the brackets too early: add eps to the fraction."""
    return np.asarray((x - mean) / np.sqrt(var) + eps)


def no_root(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Divide by the variance."""
    return np.asarray((x - mean) / (var + eps))


def multiplied(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Multiply by the standard deviation."""
    return np.asarray((x - mean) * np.sqrt(var + eps))


def only_centred(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Stop after the subtraction."""
    return np.asarray(x - mean)


def only_scaled(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Divide without subtracting."""
    return np.asarray(x / np.sqrt(var + eps))


def mean_last(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Forget the brackets: divide the mean only."""
    return np.asarray(x - mean / np.sqrt(var + eps))


def own_instead(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Take the statistics of x, not the ones handed in."""
    return np.asarray((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps))


NORMALIZE = Exercise(
    unit=UNIT,
    name="normalize",
    points=2,
    minutes=5,
    oracle=bnlib.normalize,
    cases=normalize_cases,
    tolerances=NORMALIZE_TOLERANCES,
    misconceptions=(
        Misconception(
            "eps-outside-root",
            "eps stands outside the square root. In the formula it is added to the variance, "
            "before the root is taken.",
            eps_outside,
        ),
        Misconception(
            "eps-argument-ignored",
            "You always use 1e-5, whatever `eps` is: use the argument.",
            fixed_eps,
        ),
        Misconception(
            "eps-forgotten",
            "eps is missing under the root. It is added to every variance, large or small; without "
            "it a feature with variance 0 is divided by zero.",
            no_eps,
        ),
        Misconception(
            "eps-added-to-the-result",
            "eps was added to the finished fraction. It belongs to the variance, under the root: "
            "look at your brackets.",
            eps_last,
        ),
        Misconception(
            "divides-by-variance",
            "You divided by the variance. To bring the spread to 1 it takes its square root, the "
            "standard deviation.",
            no_root,
        ),
        Misconception(
            "recomputes-statistics",
            "You normalised with the statistics of `x` itself. Use the `mean` and `var` that were "
            "handed in: in evaluation mode they come from somewhere else.",
            own_instead,
        ),
        Misconception(
            "mean-not-subtracted",
            "You divided, but the mean is still in. It goes first.",
            only_scaled,
        ),
        Misconception(
            "not-divided",
            "You took the mean out, but did not divide: the spread is still that of `x`.",
            only_centred,
        ),
        Misconception(
            "multiplies-by-std",
            "You multiplied by the standard deviation; a wide feature became wider. Divide.",
            multiplied,
        ),
        Misconception(
            "brackets-missing",
            "Only the mean was divided: division binds more tightly than subtraction. Put "
            "brackets round the difference.",
            mean_last,
        ),
    ),
    hints=(
        "The formula is a fraction. What stands above the bar, what below, and what is under the "
        "root?",
        "The numerator has shape (N, C), the denominator (C,): broadcasting does the rest. Every "
        "argument is used exactly once.",
        "First the difference of `x` and `mean`, in brackets. Then divide it by `np.sqrt(...)` of "
        "the sum of `var` and `eps`. With floating arrays NumPy keeps the dtype by itself.",
    ),
)
