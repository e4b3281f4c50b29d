"""Exercise `distribution_shift`: how far the means of a layer's inputs moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u07_shift.networks import (
    EXACT,
    FORBIDDEN,
    KEEP_ARGUMENTS,
    UNIT,
    reference,
    tensor,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

SCRIPT = (
    call("distribution_shift", "before", "after", into="answer"),
    call("as_float", "answer", into="shift"),
)
KEPT_SCRIPT = (
    call("distribution_shift", "before", "after"),
    call("as_arrays", "before", into="before afterwards"),
    call("as_arrays", "after", into="after afterwards"),
)
HELPERS = {"as_float": Given("as_float"), "as_arrays": Given("as_arrays")}
TOLERANCE = {
    "float64": Tolerance(1e-9, 1e-12, "sums of 64 numbers, divided: 1e3 eps64 = 2e-13, with room")
}
SINGLE = Tolerance(
    1e-2,
    0.0,
    "float32 at 1e4 holds a value, and a mean of 64, to 1e-3; the narrowest feature, 0.5 wide, "
    "moves by at least 0.2",
)

FAR = (
    "So far from zero, E[x²] − E[x]² has lost all its digits in float32: take the mean of the "
    "squared deviations, or go to float64 first."
)
MOST_EPS = 1e-3  # part of its size that a shift loses by an ε beside the variance


def drawn(
    rng: np.random.Generator, rows: int, columns: int, place: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw features that differ in width, and the same features moved by clear, unequal amounts."""
    widths = rng.permutation(np.geomspace(0.5, 4.0, columns)) if columns > 1 else np.array([2.5])
    signs = rng.choice([-1.0, 1.0], columns)
    before = place + rng.normal(size=(rows, columns)) * widths + rng.uniform(-3, 3, columns)
    moved = signs * rng.uniform(0.4, 1.6, columns) * widths
    after = before * rng.uniform(1.2, 1.5)
    after += before.mean(axis=0) + moved - after.mean(axis=0)
    return before, rng.permutation(after)  # a row's place says nothing


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `distribution_shift`."""
    n, c = int(rng.integers(6, 10)), int(rng.integers(3, 5))

    def case(name: str, before: Any, after: Any, **options: Any) -> Case:
        inputs = {"before": before, "after": after, **HELPERS}
        return Case(name, inputs, SCRIPT, ("shift",), dtype_of=None, **options)

    def tensors(*arrays: np.ndarray, **options: Any) -> list[Given]:
        return [tensor(array, **options) for array in arrays]

    example = np.array([[0.0, 10.0], [2.0, 30.0]])
    moved = example + np.array([1.0, -5.0])
    yield case("the example of the test cell", *tensors(example, moved), gate=True)
    yield case("tensors", *tensors(*drawn(rng, n, c)), weight=2)
    yield case("NumPy arrays", *drawn(rng, n, c), weight=2)
    before, after = drawn(rng, n, c)
    yield case("another number of rows after than before", *tensors(before, after[: n - 2]))
    yield case("a single feature", *tensors(*drawn(rng, n, 1)))
    yield case("two rows", *tensors(*drawn(rng, 2, c)))
    yield case("tensors that gradients flow to", *tensors(*drawn(rng, n, c), requires_grad=True))
    far = [a.astype(np.float32) for a in drawn(rng, 64, c, place=1e4)]
    yield case("float32 far from zero (mean 10 000)", *tensors(*far), tolerance=SINGLE, help=FAR)
    before, _ = drawn(rng, n, c)
    yield case("nothing moved", *tensors(before, before), idle=True)
    inputs = dict(zip(("before", "after"), tensors(*drawn(rng, n, c)), strict=True))
    report = ("before afterwards", "after afterwards")
    yield Case(
        "the arguments are left as they were",
        {**inputs, **HELPERS},
        KEPT_SCRIPT,
        report,
        dtype_of=None,
        idle=True,
        tolerance=EXACT,
        help=KEEP_ARGUMENTS,
    )


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach() if hasattr(value, "detach") else value, np.float64)


def of_arrays(
    measure: Callable[[np.ndarray, np.ndarray], Any],
) -> Callable[[Any, Any], float]:
    """Make the exercise's function from a measure of two float64 arrays."""

    def distribution_shift(before: Any, after: Any) -> float:
        return float(measure(_array(before), _array(after)))

    return distribution_shift


def _gap(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.asarray(after.mean(axis=0) - before.mean(axis=0))


def _pooled(a: np.ndarray, b: np.ndarray) -> Any:
    return (np.abs(_gap(a, b)) / np.concatenate([a, b]).std(axis=0)).mean()


def _a_little_too_small(_: Case, answer: Answer, expected: Answer) -> bool:
    """Whether the shift is smaller by as little as an ε in the denominator makes it."""
    got: Any = answer.values["shift"]
    want: Any = expected.values["shift"]
    return bool(0 < want - got < MOST_EPS * want)


DISTRIBUTION = Exercise(
    unit=UNIT,
    name="distribution_shift",
    points=3,
    minutes=7,
    oracle=reference("distribution_shift"),
    cases=cases,
    tolerances=TOLERANCE,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "unbiased-std",
            "Your standard deviation divides by N−1. torch's `std` does so unless told otherwise: "
            "`correction=0`; NumPy's divides by N.",
            of_arrays(lambda a, b: (np.abs(_gap(a, b)) / a.std(axis=0, ddof=1)).mean()),
        ),
        Misconception(
            "sign-kept",
            "A feature that moved up and one that moved down cancel in your mean. Take absolute "
            "values first.",
            of_arrays(lambda a, b: (_gap(a, b) / a.std(axis=0)).mean()),
        ),
        Misconception(
            "absolute-of-the-mean",
            "You took the absolute value of the mean over the features, when they had already "
            "cancelled. Feature by feature first, then the mean.",
            of_arrays(lambda a, b: np.abs((_gap(a, b) / a.std(axis=0)).mean())),
        ),
        Misconception(
            "std-of-after",
            "You divided by the standard deviation of `after`. The unit of the shift is the "
            "spread that was there *before*.",
            of_arrays(lambda a, b: (np.abs(_gap(a, b)) / b.std(axis=0)).mean()),
        ),
        Misconception(
            "pooled-std",
            "You divided by the standard deviation of both samples together, which the shift "
            "itself makes larger. Use that of `before`.",
            of_arrays(_pooled),
        ),
        Misconception(
            "variance-for-std",
            "You divided by the variance. It has the square of the feature's unit.",
            of_arrays(lambda a, b: (np.abs(_gap(a, b)) / a.var(axis=0)).mean()),
        ),
        Misconception(
            "not-in-units-of-std",
            "You left the standard deviation out: a shift of 1 is little for a feature that "
            "spreads over 100, and much for one that spreads over 0.01.",
            of_arrays(lambda a, b: np.abs(_gap(a, b)).mean()),
        ),
        Misconception(
            "one-std-for-all-features",
            "You divided all features by one standard deviation. Each has its own.",
            of_arrays(lambda a, b: np.abs(_gap(a, b)).mean() / a.std()),
        ),
        Misconception(
            "over-the-features",
            "You took means over the features of a row (axis 1). What has a distribution is a "
            "feature, over the rows (axis 0).",
            of_arrays(
                lambda a, b: (np.abs(b.mean(axis=1) - a.mean(axis=1)) / a.std(axis=1)).mean()
            ),
        ),
        Misconception(
            "row-by-row",
            "You took the mean of |after − before| row by row. A distribution is shifted if its "
            "*mean* moved; rows may change places.",
            of_arrays(lambda a, b: (np.abs(b - a).mean(axis=0) / a.std(axis=0)).mean()),
        ),
        Misconception(
            "squared",
            "You squared the distances. The measure takes absolute values.",
            of_arrays(lambda a, b: ((_gap(a, b) / a.std(axis=0)) ** 2).mean()),
        ),
        Misconception(
            "sum-over-features",
            "You added the features up. Take their mean, so that wide layers can be compared with "
            "narrow ones.",
            of_arrays(lambda a, b: (np.abs(_gap(a, b)) / a.std(axis=0)).sum()),
        ),
        Misconception(
            "eps-added",
            "Your shift is a trace too small, as if an ε stood in the denominator. There is none "
            "in this formula.",
            signs=_a_little_too_small,
        ),
    ),
    hints=(
        "One number a feature first: how far did its mean move, in units of its own spread? "
        "Everything runs over the rows, axis 0.",
        "`torch.as_tensor` makes a tensor of an array and leaves a tensor as it is. torch's `std` "
        "divides by N−1 unless it gets `correction=0`.",
        "Three lines: the distance of the two means, shape (C,), in absolute value; divided by "
        "the biased standard deviation of `before`; the mean of that, as a float.",
    ),
)
