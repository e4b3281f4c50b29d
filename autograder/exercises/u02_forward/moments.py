"""`batch_mean` and `batch_var`: the statistics of one batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import (
    EXAMPLE,
    GATE,
    OVERFLOW,
    UNIT,
    USUAL_EPS,
    batch,
    far_batches,
    half_batch,
    looks_cancelled,
    looks_narrowed,
    looks_overflown,
    plain_batches,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

# Entries are of order 10. A sum of N rows taken one by one is off by at most N eps/2 of Σ|x|.
MEAN_TOLERANCES = {
    "float64": Tolerance(1e-12, 1e-12, "64 rows of order 10: 64 (eps64 / 2) 10 = 7e-14, times 14"),
    "float32": Tolerance(1e-4, 1e-4, "64 rows of order 10: 64 (eps32 / 2) 10 = 3.8e-5, times 3"),
    "float16": Tolerance(
        2e-3, 2e-3, "summed in float32, rounded once: eps16 / 2 = 4.9e-4, times 4"
    ),
}
MEAN_FAR = {
    "float32": Tolerance(0.0, 0.05, "64 rows at 1e4: 64 (eps32 / 2) 1e4 = 0.038"),
    "float64": Tolerance(0.0, 1e-6, "64 rows at 1e8: 64 (eps64 / 2) 1e8 = 7.1e-7"),
}
VAR_TOLERANCES = {
    "float64": Tolerance(1e-12, 1e-12, "64 squares of order 1 to 10: 64 (eps64 / 2) = 7e-15"),
    "float32": Tolerance(1e-4, 1e-4, "64 squares: 64 (eps32 / 2) = 3.8e-6, and x − mean as much"),
    "float16": Tolerance(
        5e-3, 0.0, "x − mean, its square and the result each rounded to float16: 4 eps16 = 3.9e-3"
    ),
}
# A mean taken anew is off by MEAN_FAR; its square is added to the variance. Updated row by row
# (Welford) it is rounded 64 times, and the variance feels each of them once.
VAR_FAR = {
    "float32": Tolerance(1e-4, 2e-3, "a mean off by 0.038 adds 0.038² = 1.5e-3"),
    "float64": Tolerance(1e-5, 1e-5, "64 updates of a mean of 1e8: 64 (eps64 / 2) 1e8 = 7e-7"),
}


# --- batch_mean -----------------------------------------------------------------------------------


def mean_case(name: str, x: np.ndarray, **options: object) -> Case:
    """Ask for the mean of x."""
    script = (call("batch_mean", "x", into="mean"),)
    return Case(name, {"x": x}, script, ("mean",), unchanged=("x",), **options)  # type: ignore[arg-type]


def mean_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batch_mean`."""
    yield mean_case(GATE, EXAMPLE, gate=True)
    for number, (name, x) in enumerate(plain_batches(rng)):
        yield mean_case(name, x, weight=1.0 if number else 2.0)
    for name, x in far_batches(rng):
        yield mean_case(name, x, tolerance=MEAN_FAR[x.dtype.name])
    near_1500 = (30.0 * batch(rng, 64, 3) + 1500.0).astype(np.float16)
    yield mean_case(
        f"a float16 batch whose sum would {OVERFLOW} (mean 1500)",
        near_1500,
        help="In this case the sum of 64 rows passes 65 504, the largest float16.",
    )


def mean_of_rows(x: np.ndarray) -> np.ndarray:
    """Average along each row."""
    return np.asarray(x.mean(axis=1))


def mean_of_all(x: np.ndarray) -> np.ndarray:
    """One mean of everything, for all columns."""
    return np.full(x.shape[1], x.mean())


def one_number(x: np.ndarray) -> np.ndarray:
    """One mean of everything, as a single number."""
    return np.asarray(x.mean())


def column_sum(x: np.ndarray) -> np.ndarray:
    """Sum where a mean belongs."""
    return np.asarray(x.sum(axis=0))


def sum_over_n_minus_1(x: np.ndarray) -> np.ndarray:
    """Divide the sum by N − 1."""
    return np.asarray(x.sum(axis=0) / max(len(x) - 1, 1))


def sum_over_c(x: np.ndarray) -> np.ndarray:
    """Divide the sum over rows by the number of columns."""
    return np.asarray(x.sum(axis=0) / x.shape[1])


def column_median(x: np.ndarray) -> np.ndarray:
    """Take the median."""
    return np.asarray(np.median(x, axis=0))


BATCH_MEAN = Exercise(
    unit=UNIT,
    name="batch_mean",
    points=1,
    minutes=4,
    oracle=bnlib.batch_mean,
    cases=mean_cases,
    tolerances=MEAN_TOLERANCES,
    misconceptions=(
        Misconception(
            "computed-in-float16",
            "Right, except that something on the way did not fit into float16, whose largest "
            "number is 65 504. Compute in a wider type and return to the dtype of `x` at the end.",
            signs=looks_overflown,
        ),
        Misconception(
            "mean-over-axis-1",
            "You averaged along axis 1: one number per example, over features that have nothing in "
            "common. Run over the examples, and keep one number per feature.",
            mean_of_rows,
        ),
        Misconception(
            "mean-over-all-axes",
            "You took one mean over all entries: every feature (column) keeps a mean of its own.",
            mean_of_all,
        ),
        Misconception(
            "mean-over-all-axes",
            "You returned a single number, the mean of all entries: every feature (column) has a "
            "mean of its own, so the answer has shape (C,).",
            one_number,
        ),
        Misconception(
            "sum-for-mean",
            "You have the sum over the batch: a mean is the sum divided by how many values went "
            "into it.",
            column_sum,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You divided the sum by N − 1. That belongs to some variances, never to a mean.",
            sum_over_n_minus_1,
        ),
        Misconception(
            "divides-by-number-of-features",
            "You divided by the number of features. How many values went into each sum? As many as "
            "there are examples.",
            sum_over_c,
        ),
        Misconception(
            "median-for-mean",
            "You took the median of each column; the mean is the sum divided by N.",
            column_median,
        ),
        Misconception(
            "narrowed-to-float32",
            "Right to about 7 digits, and a float64 batch has 16: you computed in float32. Widen "
            "float16 and float32 on the way, but never make anything narrower than it came.",
            signs=looks_narrowed,
        ),
    ),
    hints=(
        "Which index of $x_{n,c}$ disappears in the formula? That is the axis to average over.",
        "The answer has one number for each feature: shape (C,), so axis 0 has to go. Now think of "
        "`float16`: a plain sum of 64 values near 1500 is more than 65 504.",
        "NumPy's `mean` takes `axis`, and a `dtype` to compute in; `.astype(x.dtype)` brings the "
        "result back to the dtype that came in.",
    ),
)


# --- batch_var ------------------------------------------------------------------------------------


def var_case(name: str, x: np.ndarray, **options: object) -> Case:
    """Ask for the variance of x, given its mean."""
    mean = x.mean(axis=0, dtype=np.float64).astype(x.dtype)
    script = (call("batch_var", "x", "mean", into="var"),)
    return Case(
        name,
        {"x": x, "mean": mean},
        script,
        ("var",),
        unchanged=("x", "mean"),
        **options,  # type: ignore[arg-type]
    )


def var_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batch_var`."""
    yield var_case(GATE, EXAMPLE, gate=True)
    for number, (name, x) in enumerate(plain_batches(rng)):
        yield var_case(name, x, weight=1.0 if number else 2.0)
    for name, x in far_batches(rng):
        yield var_case(name, x, tolerance=VAR_FAR[x.dtype.name], weight=2.0)
    yield var_case(
        f"a float16 batch whose squares would {OVERFLOW}",
        half_batch(rng),
        help="In this case the variance fits into float16, and a square on the way does not.",
    )


def over_n_minus_1(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Divide by N − 1."""
    return np.asarray(np.square(x - mean).sum(axis=0) / (len(x) - 1))


def not_divided(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Add up the squares, and stop."""
    return np.asarray(np.square(x - mean).sum(axis=0))


def with_root(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Take the root: the standard deviation."""
    return np.asarray(np.sqrt(np.square(x - mean).mean(axis=0)))


def not_centred(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Leave the mean in."""
    return np.asarray(np.square(x).mean(axis=0))


def not_squared(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Average the deviations themselves: zero, always."""
    return np.asarray((x - mean).mean(axis=0))


def absolute(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Take absolute values for squares."""
    return np.asarray(np.abs(x - mean).mean(axis=0))


def var_of_rows(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Average the squares along each row."""
    return np.asarray(np.square(x - mean).mean(axis=1))


def with_eps(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Add the usual eps already here."""
    return np.asarray(np.square(x - mean).mean(axis=0) + USUAL_EPS)


def var_of_all(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """One variance for all columns."""
    return np.full(x.shape[1], np.square(x - mean).mean())


def around_grand_mean(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Measure the deviations from one mean of everything."""
    return np.asarray(np.square(x - x.mean()).mean(axis=0))


def one_var(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """One number: the mean of all squares."""
    return np.asarray(np.square(x - mean).mean())


BATCH_VAR = Exercise(
    unit=UNIT,
    name="batch_var",
    points=2,
    minutes=7,
    oracle=bnlib.batch_var,
    cases=var_cases,
    tolerances=VAR_TOLERANCES,
    misconceptions=(
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: E[x²] − E[x]² is a small difference of two huge "
            "numbers, of which only the rounding errors are left. Subtract the mean first, then "
            "square.",
            signs=looks_cancelled,
        ),
        Misconception(
            "computed-in-float16",
            "Right, except that squares on the way did not fit into float16, whose largest number "
            "is 65 504. Compute in a wider type and return to the dtype of `x` at the end.",
            signs=looks_overflown,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "Your variance divides by N − 1: the batch you normalise uses 1/N. Nothing is being "
            "estimated here, these N numbers themselves shall get variance 1.",
            over_n_minus_1,
        ),
        Misconception(
            "sum-for-mean",
            "You added up the squares and did not divide by N: the answer grows with the batch.",
            not_divided,
        ),
        Misconception(
            "std-for-variance",
            "You took the square root: that is the standard deviation. The root comes later, "
            "together with eps.",
            with_root,
        ),
        Misconception(
            "mean-not-subtracted",
            "You averaged the squares of `x` itself. That measures how far from zero the values "
            "are, not how far from their mean.",
            not_centred,
        ),
        Misconception(
            "deviations-not-squared",
            "You averaged the deviations without squaring them: above and below the mean cancel, "
            "and zero comes out, always.",
            not_squared,
        ),
        Misconception(
            "absolute-for-square",
            "You averaged absolute deviations. The variance averages their squares.",
            absolute,
        ),
        Misconception(
            "eps-added-to-variance",
            "You added eps. It belongs under the root of the next step; the variance itself is "
            "without it.",
            with_eps,
        ),
        Misconception(
            "var-over-axis-1",
            "You averaged the squares along axis 1, within one example. The variance of a feature "
            "runs over the examples, axis 0.",
            var_of_rows,
        ),
        Misconception(
            "var-over-all-axes",
            "You have one variance for all features together. Every feature has its own.",
            var_of_all,
        ),
        Misconception(
            "var-over-all-axes",
            "You returned one number for all features together. Every feature has its own "
            "variance: shape (C,).",
            one_var,
        ),
        Misconception(
            "mean-over-all-axes",
            "You measured the deviations from one mean of the whole array. Every feature varies "
            "around its own mean: the one handed in as `mean`.",
            around_grand_mean,
        ),
        Misconception(
            "narrowed-to-float32",
            "Right to about 7 digits, and a float64 batch has 16: you computed in float32. Widen "
            "float16 and float32 on the way, but never make anything narrower than it came.",
            signs=looks_narrowed,
        ),
    ),
    hints=(
        "Three steps in the order of the formula: subtract, square, average. Which of the three "
        "needs an `axis`?",
        "`x - mean` has shape (N, C): broadcasting lines the C means up with the columns. Square "
        "it, average over the examples. For `float16` take a wider copy of `x` first: 300 squared "
        "is 90 000, and `float16` ends at 65 504.",
        "`wide = x.astype(np.float64)` makes a copy with room. Centre `wide` with `mean`, square, "
        "average over axis 0, and end with `.astype(x.dtype)`.",
    ),
)
