"""Exercises of u02_forward: batch normalization from the formulas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import bnlib
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

UNIT = "u02_forward"

STATISTICS = {
    "float64": Tolerance(1e-10, 1e-10, "64 rows: 64 eps64 = 1.4e-14, with room for any summation order"),
    "float32": Tolerance(1e-4, 1e-5, "64 rows: 64 eps32 = 7.6e-6 of the entries, which are of order 1"),
    "float16": Tolerance(4e-3, 4e-3, "reduced in float32, rounded once to float16: eps16 = 1e-3"),
}


def batch(rng: np.random.Generator, dtype: str = "float64") -> np.ndarray:
    """Draw a batch whose features differ in place and width, with N != C."""
    n, c = int(rng.integers(5, 9)), int(rng.integers(2, 5))
    return (rng.normal(size=(n, c)) * rng.uniform(0.5, 3, c) + rng.normal(size=c)).astype(dtype)


# --- batch_mean -----------------------------------------------------------------------------------

MEAN_SCRIPT = (call("batch_mean", "x", into="mean"),)


def mean_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batch_mean`."""

    def case(name: str, x: np.ndarray, **options: object) -> Case:
        return Case(name, {"x": x}, MEAN_SCRIPT, ("mean",), unchanged=("x",), **options)  # type: ignore[arg-type]

    yield case("the example of the test cell", np.array([[1.0, 10.0], [3.0, 20.0]]), gate=True)
    yield case("a random batch", batch(rng), weight=2)
    yield case("one row", batch(rng)[:1])
    yield case("a float32 batch", batch(rng, "float32"))


def mean_over_all(x: np.ndarray) -> np.ndarray:
    """One mean of everything."""
    return np.full(x.shape[1], x.mean())


def sum_over_batch(x: np.ndarray) -> np.ndarray:
    """Sum where a mean belongs."""
    return x.sum(axis=0)


BATCH_MEAN = Exercise(
    unit=UNIT,
    name="batch_mean",
    points=1,
    minutes=4,
    oracle=bnlib.batch_mean,
    cases=mean_cases,
    tolerances=STATISTICS,
    misconceptions=(
        Misconception(
            "sum-for-mean",
            "You have the sum over the batch: a mean is the sum divided by how many values went into it.",
            sum_over_batch,
        ),
        Misconception(
            "mean-over-everything",
            "You took one mean over all entries: every feature (column) keeps a mean of its own.",
            mean_over_all,
        ),
    ),
    hints=(
        "Which index of `x[n, c]` disappears in the formula? That is the axis to average over.",
        "The answer has one number for each feature: shape (C,). Axis 0 runs over the batch.",
        "NumPy's `mean` takes an `axis` argument.",
    ),
)

EXERCISES = (BATCH_MEAN,)
