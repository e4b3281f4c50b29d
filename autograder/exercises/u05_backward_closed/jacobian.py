"""Exercise `normalize_jacobian`: the derivative as a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u05_backward_closed.batches import (
    EPS,
    MAX_ROWS,
    TOLERANCES,
    UNIT,
    features,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import call

SCRIPT = (call("normalize_jacobian", "x", "eps", into="J"),)
NO_EPS = (call("normalize_jacobian", "x", into="J"),)
FEW_DIGITS = 1e-3  # of the largest entry: what finite differences reach where they work badly
FAR = 1e8  # mean of the feature far from zero
FAR_TOLERANCE = Tolerance(
    0.0, 1e-5, "8 rows: 8 (eps64/2) 1e8 = 9e-8 of the mean, over a std of 0.4, times 2 x_hat/std"
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `normalize_jacobian`."""
    n = int(rng.integers(4, 9))

    def case(name: str, x: np.ndarray, eps: float | None = EPS, **options: Any) -> Case:
        inputs = {"x": x} if eps is None else {"x": x, "eps": eps}
        return Case(
            name, inputs, NO_EPS if eps is None else SCRIPT, ("J",), unchanged=("x",), **options
        )

    def feature(rows: int) -> np.ndarray:
        return np.array(features(rng, rows, 1)[:, 0])

    yield case("the first example of the test cell", np.array([0.0, 0.0, 4.0, 4.0]), 0.0, gate=True)
    yield case("the second example of the test cell", np.array([-1.0, 1.0]), 3.0, gate=True)
    yield case("a random feature", feature(n), weight=2)
    yield case("a large eps", feature(n), float(rng.uniform(0.5, 2.0)), weight=2)
    yield case("eps left out: 1e-5", 0.003 * feature(n), None)
    yield case("a batch of two", feature(2))
    yield case("a batch of three", feature(3))
    yield case("a batch of 64", feature(MAX_ROWS))
    yield case(
        "a feature in small units, of a variance near eps",
        0.002 * feature(n),
        help="Finite differences lose their digits here, and so does an eps in the wrong place.",
    )
    yield case("a constant feature", np.full(n, 3.0))
    yield case(
        "a feature far from zero (mean 100 000 000)", FAR + feature(n), tolerance=FAR_TOLERANCE
    )
    yield case("a column of a batch (a view)", features(rng, n, 3)[:, int(rng.integers(3))])


def _pieces(x: np.ndarray, eps: float) -> tuple[int, np.ndarray, Any]:
    inv_std = 1.0 / np.sqrt(x.var() + eps)
    return len(x), (x - x.mean()) * inv_std, inv_std


def diagonal(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Hold mean and variance constant."""
    n, _, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * np.eye(n))


def no_mean_path(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Leave the path through the mean out."""
    n, x_hat, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) - np.outer(x_hat, x_hat) / n))


def no_var_path(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Leave the path through the variance out."""
    n, _, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n))


def no_inv_std(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Return the bracket alone."""
    n, x_hat, _ = _pieces(x, eps)
    return np.asarray(np.eye(n) - 1.0 / n - np.outer(x_hat, x_hat) / n)


def exact_projector(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Divide by the squared length of x_hat in place of N."""
    n, x_hat, inv_std = _pieces(x, eps)
    length = max(float(x_hat @ x_hat), 1e-300)
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - np.outer(x_hat, x_hat) / length))


def not_over_n(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Forget to divide the outer product by N."""
    n, x_hat, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - np.outer(x_hat, x_hat)))


def inner_product(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Take the one number x_hat · x_hat for the matrix of products."""
    n, x_hat, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - x_hat @ x_hat / n))


def squares_for_products(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Multiply x_hat by itself entry by entry, and let broadcasting repeat the row."""
    n, x_hat, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - x_hat * x_hat / n))


def mean_on_diagonal(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Subtract 1/N on the diagonal only."""
    n, x_hat, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) * (1.0 - 1.0 / n) - np.outer(x_hat, x_hat) / n))


def plus_sign(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Add the term of the variance."""
    n, x_hat, inv_std = _pieces(x, eps)
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n + np.outer(x_hat, x_hat) / n))


def n_minus_1(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Normalise with N − 1."""
    n = len(x)
    centered = x - x.mean()
    inv_std = 1.0 / np.sqrt(np.square(centered).sum() / (n - 1) + eps)
    x_hat = centered * inv_std
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - np.outer(x_hat, x_hat) / (n - 1)))


def unbiased_std(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Take the unbiased variance, and N everywhere else."""
    n = len(x)
    inv_std = 1.0 / np.sqrt(x.var(ddof=1) + eps)
    x_hat = (x - x.mean()) * inv_std
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - np.outer(x_hat, x_hat) / n))


def centered_for_x_hat(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Take the outer product of x − mean."""
    n, _, inv_std = _pieces(x, eps)
    centered = x - x.mean()
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - np.outer(centered, centered) / n))


def eps_ignored(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Compute without eps."""
    with np.errstate(all="ignore"):
        return np.asarray(bnlib.normalize_jacobian(np.asarray(x, np.float64), 0.0))


def eps_fixed(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Compute with 1e-5 whatever eps is."""
    return np.asarray(bnlib.normalize_jacobian(np.asarray(x, np.float64), EPS))


def eps_outside(x: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Add eps to the standard deviation."""
    n = len(x)
    inv_std = 1.0 / (x.std() + eps)
    x_hat = (x - x.mean()) * inv_std
    return np.asarray(inv_std * (np.eye(n) - 1.0 / n - np.outer(x_hat, x_hat) / n))


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Wrong in the case far from zero, in the right shape: E[x²] − E[x]²."""
    got, want = answer.values["J"], expected.values["J"]
    same_shape = isinstance(got, np.ndarray) and got.shape == np.asarray(want).shape
    return case.tolerance is FAR_TOLERANCE and same_shape


def few_digits(case: Case, answer: Answer, expected: Answer) -> bool:
    """Right to a few digits and no further: finite differences, or float32 on the way."""
    got, want = answer.values["J"], np.asarray(expected.values["J"])
    if not isinstance(got, np.ndarray) or got.shape != want.shape:
        return False
    return bool(np.abs(got - want).max() < FEW_DIGITS * np.abs(want).max())


JACOBIAN = Exercise(
    unit=UNIT,
    name="normalize_jacobian",
    points=3,
    minutes=9,
    oracle=bnlib.normalize_jacobian,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "detached-statistics",
            "Your matrix is diagonal: x_j moves only its own x_hat. It also moves the mean and the "
            "variance, and with them every row.",
            diagonal,
        ),
        Misconception(
            "missing-mean-path",
            "The path through the mean is missing: shift all x by the same amount, and x_hat must "
            "not move, so every row of J has to sum to 0.",
            no_mean_path,
        ),
        Misconception(
            "missing-variance-path",
            "The path through the variance is missing: your J does not depend on where in the "
            "batch x_i and x_j lie.",
            no_var_path,
        ),
        Misconception(
            "inv-std-forgotten",
            "That is the bracket without its factor: a feature in millimetres has another "
            "derivative than the same feature in metres.",
            no_inv_std,
        ),
        Misconception(
            "exact-projector",
            "Your outer product is that of an x_hat of full length, without eps, which makes a "
            "perfect projector. Keep eps in x_hat and divide by N: with eps it is not quite one.",
            exact_projector,
        ),
        Misconception(
            "outer-product-not-over-n",
            "The outer product lacks its 1/N: the variance is a mean of N squares.",
            not_over_n,
        ),
        Misconception(
            "inner-product-for-outer",
            "`x_hat @ x_hat` is one number, the same for all i and j. Wanted is a matrix with the "
            "entry x_hat_i · x_hat_j in row i, column j.",
            inner_product,
        ),
        Misconception(
            "squares-for-products",
            "`x_hat * x_hat` has N entries, the squares, and broadcasting repeats them in every "
            "row; `.T` does nothing to a 1-d array. Wanted is an (N, N) matrix of all products.",
            squares_for_products,
        ),
        Misconception(
            "mean-term-on-diagonal-only",
            "Your 1/N stands on the diagonal only. The mean connects all rows: it is in every "
            "entry of the matrix.",
            mean_on_diagonal,
        ),
        Misconception(
            "wrong-sign-of-variance-term",
            "The outer product has the wrong sign: a larger spread makes x_hat smaller.",
            plus_sign,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You normalised with N − 1. The batch is normalised with the biased variance, 1/N.",
            n_minus_1,
        ),
        Misconception(
            "unbiased-variance",
            "Your inv_std is made with the unbiased variance. The batch is normalised with the "
            "biased one, 1/N.",
            unbiased_std,
        ),
        Misconception(
            "centered-for-x-hat",
            "The outer product is of x − mean; the formula has x_hat there, which has no unit.",
            centered_for_x_hat,
        ),
        Misconception(
            "eps-hard-coded",
            "Your answer does not listen to the argument `eps`: it is the one for 1e-5.",
            eps_fixed,
        ),
        Misconception(
            "eps-ignored",
            "Your answer is the one for eps = 0. It belongs under the root, and so also into "
            "x_hat.",
            eps_ignored,
        ),
        Misconception(
            "eps-outside-the-root",
            "You added eps to the standard deviation. It belongs to the variance, under the root.",
            eps_outside,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: E[x²] − E[x]² is a small difference of two huge "
            "numbers. Subtract the mean first, then square.",
            signs=cancelled,
        ),
        Misconception(
            "few-digits",
            "Right to a few digits, and then not: finite differences do that, and float32 on the "
            "way. The formula in float64 gives all digits.",
            signs=few_digits,
        ),
    ),
    hints=(
        "Compute x_hat and inv_std of the one feature first. Then each of the three terms in the "
        "bracket is an (N, N) matrix: which one is the identity, which one is the same everywhere?",
        "δ_ij is `np.eye(N)`, 1/N is the same number in every entry (broadcasting does it), and "
        "all products x_hat_i · x_hat_j at once are an outer product.",
        "`np.outer(a, b)[i, j]` is `a[i] * b[j]`. Take the biased variance (divide by N), put eps "
        "under the root, and do not forget the factor before the bracket.",
    ),
)
