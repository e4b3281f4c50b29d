"""Exercise `explosion_rate`: one honest number for the growth of forty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u01_signal.digits import few_digits_of
from autograder.exercises.u01_signal.networks import ALLCLOSE, DEEP, UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

SCRIPT = (call("explosion_rate", "norms", into="rate"),)
TOLERANCES = {
    "float64": Tolerance(1e-9, 0.0, "logarithms of order 500 over 40 layers: 500 eps64 = 1e-13"),
    "float32": Tolerance(1e-4, 0.0, "logarithms of order 50: 50 eps32 = 6e-6 of the slope"),
}


def norms_of(
    rng: np.random.Generator, layers: int, factor: float, noise: float = 0.5, start: float = 0.0
) -> np.ndarray:
    """Draw norms that change by `factor` a layer, with noise on their logarithms."""
    logs = start + np.log(factor) * np.arange(layers) + noise * rng.normal(size=layers)
    return np.asarray(np.exp(logs))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `explosion_rate`."""
    layers = int(rng.integers(6, 12))
    up, down = float(rng.uniform(1.3, 2.0)), float(rng.uniform(0.4, 0.8))

    def case(name: str, norms: np.ndarray, **options: Any) -> Case:
        inputs = {"norms": norms}
        return Case(name, inputs, SCRIPT, ("rate",), ("norms",), dtype_of="norms", **options)

    yield case(
        "the first example of the test cell",
        np.array([3.0, 6.0, 12.0, 24.0]),
        gate=True,
        tolerance=ALLCLOSE,
    )
    yield case(
        "the second example of the test cell",
        np.array([1.0, 8.0, 1.0, 2.0]),
        gate=True,
        tolerance=ALLCLOSE,
    )
    yield case("norms that grow, with noise", norms_of(rng, layers, up), weight=2)
    yield case("norms that shrink, with noise", norms_of(rng, layers, down), weight=2)
    yield case("an even number of layers", norms_of(rng, 2 * layers, up))
    yield case("two layers", norms_of(rng, 2, up))
    yield case("three layers", norms_of(rng, 3, down))
    yield case("exactly geometric", norms_of(rng, layers, up, noise=0.0, start=3.0))
    yield case("the same norm everywhere", np.full(layers, float(rng.uniform(2.0, 5.0))), idle=True)
    yield case(
        "norms from 1e-250 to 1e250",
        norms_of(rng, DEEP, float(np.exp(29.0)), start=-566.0),
        help="Products and sums of such norms leave the range of floating point; their "
        "logarithms do not.",
    )
    yield case("float32", norms_of(rng, layers, up).astype(np.float32))
    yield case("a view: a larger array backwards", norms_of(rng, layers, up)[::-1])


def _slope(norms: np.ndarray) -> float:
    return float(np.polyfit(np.arange(len(norms)), np.log(norms), 1)[0])


def slope_alone(norms: np.ndarray) -> float:
    """Forget exp."""
    return _slope(norms)


def line_through_norms(norms: np.ndarray) -> float:
    """Fit the norms themselves."""
    return float(np.polyfit(np.arange(len(norms)), norms, 1)[0])


def ends_alone(norms: np.ndarray) -> float:
    """Use the first and the last norm."""
    return float(np.exp((np.log(norms[-1]) - np.log(norms[0])) / (len(norms) - 1)))


def ends_over_count(norms: np.ndarray) -> float:
    """Use the first and the last norm, and count the layers for the steps."""
    return float(np.exp((np.log(norms[-1]) - np.log(norms[0])) / len(norms)))


def total_growth(norms: np.ndarray) -> float:
    """Return the growth over all layers."""
    return float(norms[-1] / norms[0])


def mean_of_ratios(norms: np.ndarray) -> float:
    """Average the ratios of neighbours."""
    return float(np.mean(norms[1:] / norms[:-1]))


def median_of_ratios(norms: np.ndarray) -> float:
    """Take the median of the ratios of neighbours."""
    return float(np.median(norms[1:] / norms[:-1]))


def upside_down(norms: np.ndarray) -> float:
    """Return the factor per layer towards the input."""
    return float(np.exp(-_slope(norms)))


def ten_to_the_slope(norms: np.ndarray) -> float:
    """Mix natural logarithms with powers of ten."""
    return float(10.0 ** _slope(norms))


def exp_of_decimal_slope(norms: np.ndarray) -> float:
    """Mix decimal logarithms with exp."""
    return float(np.exp(_slope(norms) / np.log(10.0)))


def two_to_the_slope(norms: np.ndarray) -> float:
    """Mix natural logarithms with powers of two."""
    return float(2.0 ** _slope(norms))


def through_the_origin(norms: np.ndarray) -> float:
    """Fit a line without an intercept, layers counted from 1."""
    steps = np.arange(1, len(norms) + 1)
    return float(np.exp(steps @ np.log(norms) / (steps @ steps)))


def through_zero_at_zero(norms: np.ndarray) -> float:
    """Fit a line without an intercept, layers counted from 0."""
    steps = np.arange(len(norms))
    return float(np.exp(steps @ np.log(norms) / (steps @ steps)))


def axes_swapped(norms: np.ndarray) -> float:
    """Fit positions over logarithms; norms that are all the same give nan."""
    steps, logs = np.arange(len(norms)), np.log(norms)
    along = logs - logs.mean()
    return float(np.exp((steps @ along) / (along @ along)))


def cov_over_var(norms: np.ndarray) -> float:
    """Divide NumPy's unbiased covariance by its biased variance."""
    steps = np.arange(len(norms))
    return float(np.exp(np.cov(steps, np.log(norms))[0, 1] / np.var(steps)))


def through_the_first(norms: np.ndarray) -> float:
    """Fit a line through the first norm."""
    steps, logs = np.arange(len(norms)), np.log(norms)
    return float(np.exp(steps @ (logs - logs[0]) / (steps @ steps)))


def intercept(norms: np.ndarray) -> float:
    """Return where the line starts."""
    return float(np.exp(np.polyfit(np.arange(len(norms)), np.log(norms), 1)[1]))


def of_squares(norms: np.ndarray) -> float:
    """Return the factor of the squared norms."""
    return float(np.exp(2 * _slope(norms)))


RATE = Exercise(
    unit=UNIT,
    name="explosion_rate",
    points=3,
    minutes=7,
    oracle=bnlib.explosion_rate,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "slope-not-exponentiated",
            "That is the slope of the line, in logarithms per layer. Take its exponential.",
            slope_alone,
        ),
        Misconception(
            "line-through-the-norms",
            "You fitted the norms themselves. Growth by a factor a layer is a straight line in "
            "their logarithms.",
            line_through_norms,
        ),
        Misconception(
            "ends-alone",
            "You used the first and the last norm only (the product of all ratios of neighbours is "
            "the same thing). The least squares line listens to every layer.",
            ends_alone,
        ),
        Misconception(
            "layers-for-steps",
            "You divided by the number of layers; between L layers lie L − 1 steps. And the least "
            "squares line listens to every layer, not to the first and last only.",
            ends_over_count,
        ),
        Misconception(
            "growth-over-all-layers",
            "That is the growth from the first layer to the last. Asked for is the factor of one "
            "layer.",
            total_growth,
        ),
        Misconception(
            "mean-of-ratios",
            "You averaged the ratios of neighbours. With noise that is too large: a jump up and "
            "back averages to more than 1. Fit a line to the logarithms.",
            mean_of_ratios,
        ),
        Misconception(
            "median-of-ratios",
            "You took the median of the ratios of neighbours. Asked for is the least squares line "
            "through the logarithms.",
            median_of_ratios,
        ),
        Misconception(
            "upside-down",
            "Your rate is one over the right one: it must be above 1 if the norms grow in the "
            "order in which they stand.",
            upside_down,
        ),
        Misconception(
            "ten-to-a-natural-slope",
            "You took natural logarithms and raised 10 to the slope. `np.log` belongs to "
            "`np.exp`, `np.log10` to powers of 10.",
            ten_to_the_slope,
        ),
        Misconception(
            "exp-of-a-decimal-slope",
            "You took decimal logarithms and then `np.exp`. `np.log` belongs to `np.exp`, "
            "`np.log10` to powers of 10.",
            exp_of_decimal_slope,
        ),
        Misconception(
            "two-to-a-natural-slope",
            "You took natural logarithms and raised 2 to the slope. `np.log` belongs to `np.exp`.",
            two_to_the_slope,
        ),
        Misconception(
            "line-through-the-origin",
            "Your line has no intercept: it must pass through 0, wherever the norms start. Let it "
            "have one, as `np.polyfit(..., 1)` does.",
            through_the_origin,
        ),
        Misconception(
            "line-through-the-origin-from-0",
            "Your line has no intercept: it says that the first norm, at position 0, is 1. Let it "
            "have one, as `np.polyfit(..., 1)` does.",
            through_zero_at_zero,
        ),
        Misconception(
            "line-through-the-first",
            "Your line must pass through the first norm, noise and all. Let it have an intercept "
            "of its own.",
            through_the_first,
        ),
        Misconception(
            "intercept",
            "You returned where the line starts. `np.polyfit` gives the slope *first*.",
            intercept,
        ),
        Misconception(
            "of-the-squares",
            "That is the factor of the *squared* norms. Asked for is the one of the norms.",
            of_squares,
        ),
        Misconception(
            "axes-swapped",
            "You fitted positions over logarithms. Positions are the x of the line, logarithms its "
            "y: `np.polyfit(positions, logarithms, 1)`.",
            axes_swapped,
        ),
        Misconception(
            "covariance-over-another-variance",
            "`np.cov` divides by L − 1 and `np.var` by L: their quotient is not the slope. Give "
            "both the same `ddof`.",
            cov_over_var,
        ),
        Misconception(
            "few-digits",
            "Right to a few digits, and then not: rounding does that, and a small constant added "
            "to the norms. Leave the numbers as they are.",
            signs=few_digits_of("rate"),
        ),
    ),
    hints=(
        "If every layer multiplies by the same factor, what do the *logarithms* of the norms do "
        "from layer to layer?",
        "They climb a straight line; its slope is the logarithm of the factor. "
        "`np.polyfit(positions, values, 1)` returns slope and intercept of the least squares line.",
        "Positions are `np.arange(len(norms))`, values `np.log(norms)`. Take the slope, the first "
        "of the two numbers, and undo the logarithm.",
    ),
)
