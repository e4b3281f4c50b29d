"""Exercises of u00_start: the axis one sums over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.differences import within
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import call

UNIT = "u00_start"
MAX_ROWS = 64  # rows of the largest batch
FAR = 1e4  # mean of the batch far from zero

# Entries are of order 1 to 10. A sum of N rows, taken one by one, is off by at most N eps of it.
TOLERANCES = {
    "float64": Tolerance(1e-12, 1e-12, "64 rows of order 10: 64 eps64 * 10 = 1.4e-13, and some"),
    "float32": Tolerance(1e-4, 1e-4, "64 rows of order 10: 64 eps32 * 10 = 7.6e-5"),
}
# Added one by one in float32, a mean near 1e4 of 64 rows may be off by N eps/2 |mean| = 0.04.
CENTER_FAR = Tolerance(0.0, 0.05, "64 rows at 1e4: 64 (eps32 / 2) 1e4 = 0.038")
# A mean that is off by 0.038 adds 0.038² to a variance of at least 0.64: 1.2e-3 of the std.
SCALE_FAR = Tolerance(
    2e-3, 0.0, "a mean off by 0.038 changes a std of at least 0.8 by 1.2e-3 of it"
)


def batch(
    rng: np.random.Generator, rows: int, columns: int, dtype: str = "float64", mean: float = 0.0
) -> np.ndarray:
    """Draw a batch whose columns clearly differ in mean and width."""
    places = mean + 3.0 * rng.permutation(columns) + rng.uniform(0.5, 1.5, columns)
    widths = rng.permutation(np.linspace(1.0, 3.0, columns))
    z = rng.normal(size=(rows, columns))
    z[:2] = [[1.5], [-1.5]]  # far enough apart for a std of at least 1 in a batch of two
    return np.asarray(places + widths * z, dtype=dtype)


def behaviours(
    function: str,
    answer: str,
    examples: dict[str, np.ndarray],
    far: Tolerance,
    rng: np.random.Generator,
) -> Iterator[Case]:
    """Behaviours of a function of one batch: both exercises are looked at in the same way."""
    n, c = int(rng.integers(5, 9)), int(rng.integers(2, 5))
    script = (call(function, "x", into=answer),)

    def case(name: str, x: np.ndarray, **options: Any) -> Case:
        return Case(name, {"x": x}, script, (answer,), unchanged=("x",), **options)

    for name, example in examples.items():
        yield case(name, example, gate=True)
    yield case("a random batch", batch(rng, n, c), weight=2)
    yield case("as many rows as columns", batch(rng, 4, 4))
    yield case("a batch of two", batch(rng, 2, 4))
    yield case("a single column", batch(rng, 3, 1))
    yield case("a float32 batch", batch(rng, MAX_ROWS, 4, "float32"))
    yield case(
        "a batch stored column by column (Fortran order)", np.asfortranarray(batch(rng, n, c))
    )
    yield case("a view: every other row of a larger array", batch(rng, 2 * n, c)[::2])
    constant = batch(rng, n, c)
    constant[:, int(rng.integers(c))] = rng.uniform(1.0, 3.0)
    yield case("a column that is constant", constant)
    yield case(
        "a float32 batch far from zero (mean 10 000)",
        batch(rng, MAX_ROWS, 4, "float32", FAR),
        tolerance=far,
    )


# --- center ---------------------------------------------------------------------------------------


def center_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `center`."""
    examples = {"the example of the test cell": np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 80.0]])}
    return behaviours("center", "centered", examples, CENTER_FAR, rng)


def minus_row_mean(x: np.ndarray) -> np.ndarray:
    """Take out each row's mean."""
    return np.asarray(x - x.mean(axis=1, keepdims=True))


def minus_misplaced_row_mean(x: np.ndarray) -> np.ndarray:
    """Take row i's mean out of column i: runs for as many rows as columns."""
    return np.asarray(x - x.mean(axis=1))


def minus_grand_mean(x: np.ndarray) -> np.ndarray:
    """Take out one mean of everything."""
    return np.asarray(x - x.mean())


def minus_sum(x: np.ndarray) -> np.ndarray:
    """Take out the sum where the mean belongs."""
    return np.asarray(x - x.sum(axis=0))


def minus_sum_over_n_minus_1(x: np.ndarray) -> np.ndarray:
    """Divide the sum by N − 1."""
    return np.asarray(x - x.sum(axis=0) / max(len(x) - 1, 1))


def only_mean(x: np.ndarray) -> np.ndarray:
    """Return the mean itself."""
    return np.asarray(x.mean(axis=0))


def mean_minus_x(x: np.ndarray) -> np.ndarray:
    """Subtract the wrong way round."""
    return np.asarray(x.mean(axis=0) - x)


def standardized(x: np.ndarray) -> np.ndarray:
    """Divide by the standard deviation, too."""
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def minus_median(x: np.ndarray) -> np.ndarray:
    """Take out the median."""
    return np.asarray(x - np.median(x, axis=0))


def unchanged_x(x: np.ndarray) -> np.ndarray:
    """Give back what came in."""
    return x


CENTER = Exercise(
    unit=UNIT,
    name="center",
    points=1,
    minutes=2,
    oracle=bnlib.center,
    cases=center_cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "mean-over-axis-1",
            "You averaged over axis 1, along each row: that mixes different features of one "
            "sample. Ask for one mean per column, over the samples.",
            minus_row_mean,
        ),
        Misconception(
            "axis-1-mean-broadcast",
            "You averaged over axis 1 (one mean per row), and broadcasting lines those means up "
            "with the columns: mostly an error, and with as many rows as columns it silently takes "
            "row i's mean out of column i. Ask for one mean per column.",
            minus_misplaced_row_mean,
        ),
        Misconception(
            "mean-over-all-axes",
            "You subtracted one mean of the whole array. Every column needs its own: tell `mean` "
            "which axis to run over.",
            minus_grand_mean,
        ),
        Misconception(
            "sum-for-mean",
            "You subtracted each column's sum. A mean is the sum divided by how many values went "
            "into it.",
            minus_sum,
        ),
        Misconception(
            "mean-divides-by-n-minus-1",
            "You divided the sum by N − 1. That belongs to some variances, never to a mean: divide "
            "by N.",
            minus_sum_over_n_minus_1,
        ),
        Misconception(
            "returns-the-mean",
            "You returned the column means themselves; what is asked for is `x` with them taken "
            "out, in the shape of `x`.",
            only_mean,
        ),
        Misconception(
            "mean-minus-x",
            "You subtracted the wrong way round: `x` comes first, the mean is taken out of it.",
            mean_minus_x,
        ),
        Misconception(
            "also-divided",
            "You divided by the standard deviation as well. Here only the mean goes: the columns "
            "keep their widths.",
            standardized,
        ),
        Misconception(
            "median-for-mean",
            "You took out the median of each column; the mean is the sum divided by N.",
            minus_median,
        ),
        Misconception(
            "returns-its-argument",
            "You returned `x` as it came. Did you assign the result to another name?",
            unchanged_x,
        ),
    ),
    hints=(
        "`x` has shape (N, C). You need C means, one per column. Which axis has to *disappear*?",
        "`x.mean(axis=k)` removes axis `k`. From shape (N, C), removing axis 0 leaves (C,): one "
        "number per column. Broadcasting then lines (C,) up with the columns of `x` by itself.",
        "Two steps: first `mean = ...`, an array of shape (C,), the mean of `x` over axis 0; then "
        "return `x` minus that. Use `-`, not `-=`: `x -= ...` would change your caller's array.",
    ),
)


# --- column_scale ---------------------------------------------------------------------------------


def scale_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `column_scale`."""
    examples = {
        "the square example of the test cell": np.array([[1.0, 30.0], [3.0, 10.0]]),
        "the tall example of the test cell": np.array([[9.0], [3.0], [3.0], [1.0]]),
    }
    return behaviours("column_scale", "scale", examples, SCALE_FAR, rng)


def scale_of_rows(x: np.ndarray) -> np.ndarray:
    """Take the standard deviation of each row."""
    return np.asarray(x.std(axis=1))


def scale_of_all(x: np.ndarray) -> np.ndarray:
    """One standard deviation of everything."""
    return np.full(x.shape[1], x.std())


def one_scale(x: np.ndarray) -> np.ndarray:
    """One standard deviation of everything, as a single number."""
    return np.asarray(x.std())


def variance(x: np.ndarray) -> np.ndarray:
    """Leave out the root."""
    return np.asarray(x.var(axis=0))


def corrected(x: np.ndarray) -> np.ndarray:
    """Divide by N − 1."""
    return np.asarray(x.std(axis=0, ddof=1))


def summed(x: np.ndarray) -> np.ndarray:
    """Add up where a mean belongs."""
    return np.asarray(np.sqrt(np.square(x - x.mean(axis=0)).sum(axis=0)))


def root_mean_square(x: np.ndarray) -> np.ndarray:
    """Forget to take the mean out."""
    return np.asarray(np.sqrt(np.square(x).mean(axis=0)))


def mean_absolute(x: np.ndarray) -> np.ndarray:
    """Take absolute values for squares."""
    return np.asarray(np.abs(x - x.mean(axis=0)).mean(axis=0))


def sqrt_of_n(x: np.ndarray) -> np.ndarray:
    """Divide by √N once more: the standard error of the mean."""
    return np.asarray(x.std(axis=0) / np.sqrt(len(x)))


def with_eps(x: np.ndarray) -> np.ndarray:
    """Add batch norm's eps under the root."""
    return np.asarray(np.sqrt(x.var(axis=0) + 1e-5))


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Wrong far from zero, in some column: that is how E[x²] − E[x]² goes wrong."""
    got, want = np.asarray(answer.values["scale"]), np.asarray(expected.values["scale"])
    if case.tolerance is not SCALE_FAR or got.shape != want.shape:
        return False
    return not bool(within(got, want, SCALE_FAR.rtol, SCALE_FAR.atol).all())


COLUMN_SCALE = Exercise(
    unit=UNIT,
    name="column_scale",
    points=1,
    minutes=2,
    oracle=bnlib.column_scale,
    cases=scale_cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "std-over-axis-1",
            "You have the standard deviation along axis 1: one number per row, over features that "
            "have nothing in common. Run over the samples instead, and keep one number per column.",
            scale_of_rows,
        ),
        Misconception(
            "std-over-all-axes",
            "You have one standard deviation of the whole array, the same for every column. Each "
            "column has its own.",
            scale_of_all,
        ),
        Misconception(
            "std-over-all-axes",
            "You returned a single number, for the whole array. Every column has its own: tell "
            "`std` which axis to run over, and C numbers come back.",
            one_scale,
        ),
        Misconception(
            "variance-for-std",
            "You have the variance. The standard deviation is its square root, in the units of "
            "`x`.",
            variance,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You divided by N − 1. Here, and in the normalising step of batch norm, it is 1/N: "
            "the biased one (`correction=0`, which is NumPy's default).",
            corrected,
        ),
        Misconception(
            "sum-for-mean",
            "You added up the squares and did not divide by N: the answer grows with the batch.",
            summed,
        ),
        Misconception(
            "mean-not-subtracted",
            "You took the root of the mean square without taking the column's mean out first: that "
            "measures how far from zero the values are, not how far from each other.",
            root_mean_square,
        ),
        Misconception(
            "absolute-for-square",
            "You averaged absolute distances. The standard deviation squares them, averages, and "
            "takes the root at the end.",
            mean_absolute,
        ),
        Misconception(
            "standard-error",
            "You divided by √N once more than the standard deviation does: that is the standard "
            "error of the mean, another quantity.",
            sqrt_of_n,
        ),
        Misconception(
            "eps-added",
            "You added a small constant under the root. Batch norm does that before it divides; "
            "the standard deviation itself has none.",
            with_eps,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: E[x²] − E[x]² is a small difference of two huge "
            "numbers, and float32 keeps about 7 digits. Subtract the mean first, then square.",
            signs=cancelled,
        ),
    ),
    hints=(
        "Look at the panel: it names the axis. How many numbers should come back for a batch of "
        "shape (N, C), and how many come back now?",
        "The axis you pass to `std` is the one that *disappears*. To keep one number per column, "
        "the rows' axis has to go.",
        "Axis 0 counts the rows (samples), axis 1 the columns (features). The formula of the code "
        "handed to you is fine: one digit in it is not.",
    ),
)

EXERCISES = (CENTER, COLUMN_SCALE)
