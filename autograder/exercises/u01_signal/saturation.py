"""Exercise `saturated_fraction`: how much of a layer no longer listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u01_signal.networks import UNIT, view
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

LIMIT = 0.97  # the exercise's default
DEFAULT = (call("saturated_fraction", "h", into="fraction"),)
GIVEN = (call("saturated_fraction", "h", "threshold", into="fraction"),)
_EXACT = "a count over a count: one rounding in the dtype of whoever divides"
TOLERANCES = {
    "float64": Tolerance(1e-12, 0.0, _EXACT),
    "float32": Tolerance(1e-6, 0.0, _EXACT),
}

EXAMPLE = np.array([[-0.99, 0.20], [0.98, -0.50]])


def outputs(
    rng: np.random.Generator, shape: tuple[int, ...], levels: tuple[float, ...] = (LIMIT,)
) -> np.ndarray:
    """Draw tanh outputs: some beyond each level on either side, none within 0.001 of one."""
    h = np.tanh(rng.normal(0.2, 1.6, size=int(np.prod(shape))))
    h[:8] = [0.999, -0.998, -0.9975, 0.98, 0.5, -0.3, 0.91, -0.65]
    for level in levels:
        h[np.abs(np.abs(h) - level) < 1e-3] = 0.1
    return np.asarray(rng.permutation(h).reshape(shape))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `saturated_fraction`."""
    n, d = int(rng.integers(5, 9)), int(rng.integers(3, 6))
    level = float(rng.uniform(0.55, 0.62))

    def case(name: str, h: np.ndarray, threshold: float | None = None, **options: Any) -> Case:
        inputs: dict[str, Any] = {"h": h}
        if threshold is not None:
            inputs["threshold"] = threshold
        script = DEFAULT if threshold is None else GIVEN
        return Case(name, inputs, script, ("fraction",), ("h",), dtype_of="h", **options)

    yield case("the example of the test cell", EXAMPLE, gate=True)
    yield case("the example with threshold 0.4", EXAMPLE, 0.4, gate=True)
    yield case("tanh outputs, threshold left out", outputs(rng, (n, d)), weight=2)
    yield case("another threshold", outputs(rng, (n, d), (level, LIMIT)), level, weight=2)
    yield case("saturated on the negative side only", -np.abs(outputs(rng, (n, d))))
    yield case("nothing saturated", 0.9 * outputs(rng, (n, d)), idle=True)
    yield case("everything saturated", np.sign(outputs(rng, (n, d))) * 0.99, idle=True)
    yield case("one axis", outputs(rng, (n * d,)))
    yield case("four axes", outputs(rng, (2, 3, 2, 2)))
    yield case("as many rows as columns", outputs(rng, (4, 4)))
    yield case(
        "an activation that ends at ±2, threshold 1.9", 2 * outputs(rng, (n, d), (0.95,)), 1.9
    )
    yield case("float32", outputs(rng, (n, d)).astype(np.float32))
    yield case("stored column by column (Fortran order)", np.asfortranarray(outputs(rng, (n, d))))
    yield case("a view: every other row of a larger array", view(outputs(rng, (n, d))))


def one_sided(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Forget the negative side."""
    return float((h > threshold).mean())


def counted(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Return the number, not the fraction."""
    return float((np.abs(h) > threshold).sum())


def in_percent(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Return per cent."""
    return float(100 * (np.abs(h) > threshold).mean())


def still_alive(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Return the fraction that is not saturated."""
    return float((np.abs(h) <= threshold).mean())


def threshold_fixed(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Compare with 0.97 whatever the threshold is."""
    return float((np.abs(h) > LIMIT).mean())


def activated_again(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Take h for what goes into tanh."""
    return float((np.abs(np.tanh(h)) > threshold).mean())


def squares(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Compare the square with the threshold."""
    return float((h * h > threshold).mean())


def per_feature(h: np.ndarray, threshold: float = LIMIT) -> np.ndarray:
    """Return a fraction for each feature."""
    return np.asarray((np.abs(h) > threshold).mean(axis=0))


def whole_features(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Count features that are saturated somewhere."""
    return float((np.abs(h) > threshold).any(axis=0).mean())


def per_row_count(h: np.ndarray, threshold: float = LIMIT) -> float:
    """Divide by the number of rows."""
    return float((np.abs(h) > threshold).sum() / len(h))


SATURATION = Exercise(
    unit=UNIT,
    name="saturated_fraction",
    points=2,
    minutes=4,
    oracle=bnlib.saturated_fraction,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "one-side-only",
            "You counted the entries near +1 only. A tanh unit at −0.99 is just as flat.",
            one_sided,
        ),
        Misconception(
            "counted",
            "You returned a number of entries. Divide by how many there are.",
            counted,
        ),
        Misconception(
            "divided-by-rows",
            "You divided by the number of rows. The fraction is of all entries.",
            per_row_count,
        ),
        Misconception(
            "in-per-cent",
            "You returned per cent. A fraction lies between 0 and 1.",
            in_percent,
        ),
        Misconception(
            "not-saturated",
            "You counted the entries that are *not* saturated.",
            still_alive,
        ),
        Misconception(
            "threshold-ignored",
            "Your answer does not listen to the argument `threshold`: it is the one for 0.97.",
            threshold_fixed,
        ),
        Misconception(
            "activated-again",
            "You applied tanh once more. `h` is what has come out of the activation already.",
            activated_again,
        ),
        Misconception(
            "squares-compared",
            "You compared h² with the threshold. Compare |h|.",
            squares,
        ),
        Misconception(
            "fraction-per-feature",
            "You have one fraction for each column. Wanted is a single number, over all entries.",
            per_feature,
        ),
        Misconception(
            "whole-features-counted",
            "You counted features that are saturated in some row. Count entries, each on its own.",
            whole_features,
        ),
    ),
    hints=(
        "A comparison of an array with a number is an array of True and False. What is the mean of "
        "those?",
        "Both ends are flat: compare the absolute value. `threshold` is the argument, not 0.97.",
        "`np.abs(h) > threshold` is True where an entry is saturated. True counts as 1, so its "
        "mean, over everything, is the fraction.",
    ),
)
