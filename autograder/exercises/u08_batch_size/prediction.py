"""`predicted_mean_noise`: the noise of a batch mean, by theory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u08_batch_size.draws import UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

SCRIPT = (call("predicted_mean_noise", "sigma", "m", into="noise"),)
ELEMENTWISE = {
    "float64": Tolerance(1e-12, 0.0, "a root and a quotient: 2 eps64, with room"),
    "float32": Tolerance(1e-6, 0.0, "a root and a quotient: 2 eps32 = 2.4e-7, with room"),
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `predicted_mean_noise`."""
    c = int(rng.integers(3, 6))
    m = int(rng.integers(5, 40))

    def case(name: str, sigma: Any, m: int, **options: Any) -> Case:
        options = {"unchanged": ("sigma",), "dtype_of": "sigma"} | options
        return Case(name, {"sigma": sigma, "m": m}, SCRIPT, ("noise",), **options)

    yield case("the example of the test cell", np.array([2.0, 6.0]), 4, gate=True)
    yield case("random widths", rng.uniform(1.2, 9.0, c), m, weight=2)
    yield case("a plain number", float(rng.uniform(1.2, 9.0)), m)
    yield case("a batch of two", rng.uniform(1.2, 9.0, 3), 2)
    yield case("a batch of one: the noise is that of the value", rng.uniform(2, 9, 3), 1, idle=True)
    yield case("a feature that does not vary", np.array([0.0, *rng.uniform(2, 9, 2)]), m)
    yield case("float32 in, float32 out", rng.uniform(1.2, 9.0, c).astype(np.float32), m)
    yield case("a view: every other width", rng.uniform(1.2, 9.0, 8)[::2], m)


def by_m(sigma: Any, m: int) -> Any:
    """Divide by m."""
    return sigma / m


def variance(sigma: Any, m: int) -> Any:
    """Return the variance of the mean."""
    return sigma**2 / m


def squared_by_root(sigma: Any, m: int) -> Any:
    """Take σ for a variance, the wrong way."""
    return sigma**2 / m**0.5


def root_of_sigma(sigma: Any, m: int) -> Any:
    """Take sigma for a variance."""
    return (sigma / m) ** 0.5


def one_less(sigma: Any, m: int) -> Any:
    """Divide by the root of m − 1."""
    with np.errstate(all="ignore"):
        return sigma / np.sqrt(np.float64(m - 1))


def times_root(sigma: Any, m: int) -> Any:
    """Multiply."""
    return sigma * m**0.5


def unchanged(sigma: Any, m: int) -> Any:
    """Forget m."""
    return sigma * 1.0


def root_of_features(sigma: Any, m: int) -> Any:
    """Take the number of features for m."""
    return sigma / np.sqrt(np.size(sigma))


PREDICTED_MEAN_NOISE = Exercise(
    unit=UNIT,
    name="predicted_mean_noise",
    points=1,
    minutes=3,
    oracle=bnlib.predicted_mean_noise,
    cases=cases,
    tolerances=ELEMENTWISE,
    misconceptions=(
        Misconception(
            "divided-by-m",
            "You divided by m. The *variance* of a mean is that of a value over m; what about its "
            "root?",
            by_m,
        ),
        Misconception(
            "variance-for-standard-deviation",
            "That is the variance of the mean. Asked is its standard deviation.",
            variance,
        ),
        Misconception(
            "sigma-read-as-variance",
            "You took the root of sigma. It is a standard deviation already.",
            root_of_sigma,
        ),
        Misconception(
            "sigma-squared",
            "You squared sigma and not m. Take the root of the whole quotient σ²/m.",
            squared_by_root,
        ),
        Misconception(
            "m-minus-one",
            "You divided by √(m − 1). Sigma is that of the population, known, not estimated from "
            "the batch: nothing is to be corrected.",
            one_less,
        ),
        Misconception(
            "multiplied",
            "You multiplied by √m: that is the noise of a sum. A mean divides the sum by m.",
            times_root,
        ),
        Misconception(
            "m-forgotten", "You returned sigma: that is the noise of a batch of one.", unchanged
        ),
        Misconception(
            "features-for-rows",
            "You used the number of features. What is averaged are the m rows.",
            root_of_features,
        ),
    ),
    hints=(
        "Variances of independent values add up. Which variance has the sum of m of them?",
        "The sum has variance m σ². The mean is the sum over m, and a factor of 1/m goes into a "
        "variance squared.",
        "So the mean has variance σ²/m. The noise is the root of that.",
    ),
)
