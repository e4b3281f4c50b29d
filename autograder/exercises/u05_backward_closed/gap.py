"""Exercise `detached_gap`: how wrong dx is without the gradient of the statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u05_backward_closed.batches import (
    MAX_ROWS,
    TOLERANCES,
    UNIT,
    as_views,
    features,
    in_columns,
    kept,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

ARGUMENTS = ("dy", "x_hat", "inv_std", "gamma")
SCRIPT = (call("detached_gap", *ARGUMENTS, into="gap"),)
OF_TWO = Tolerance(
    1e-6, 0.0, "in a batch of two dx is 1e-5 of dy: eps64 * 5 / 1e-5 = 1e-10, with room"
)

ONE_FEATURE = {
    "x_hat": np.array([[-1.0], [-1.0], [1.0], [1.0]]),
    "inv_std": np.array([0.5]),
    "gamma": np.array([3.0]),
}
EXAMPLE = {"dy": np.array([[0.0], [-2.0], [8.0], [6.0]]), **ONE_FEATURE}
ORTHOGONAL = {"dy": np.array([[1.0], [-1.0], [1.0], [-1.0]]), **ONE_FEATURE}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `detached_gap`."""
    n, c = int(rng.integers(5, 9)), int(rng.integers(2, 5))

    def case(name: str, inputs: dict[str, Any], **options: Any) -> Case:
        return Case(name, inputs, SCRIPT, ("gap",), ARGUMENTS, dtype_of="dy", **options)

    def drawn(rows: int, columns: int, eps: float = 1e-5) -> dict[str, Any]:
        return kept(rng, features(rng, rows, columns), eps)

    yield case("the first example of the test cell", EXAMPLE, gate=True)
    yield case("the second example of the test cell", ORTHOGONAL, gate=True)
    yield case("a random batch", drawn(n, c), weight=2)
    yield case("a large eps", drawn(n, c, float(rng.uniform(0.5, 2.0))), weight=2)
    yield case("a batch of two", drawn(2, 3), tolerance=OF_TWO)
    yield case("a batch of three", drawn(3, 4))
    yield case("a batch of 64", drawn(MAX_ROWS, 4))
    yield case("a single feature", drawn(n, 1))
    yield case("as many rows as features", drawn(4, 4))
    uneven = drawn(n, c)
    uneven["gamma"] = uneven["gamma"] * np.logspace(0, 1, c)
    yield case("features with very different gamma", uneven)
    constant = features(rng, n, c)
    constant[:, int(rng.integers(c))] = 3.0
    yield case("a constant feature", kept(rng, constant))
    yield case("arrays stored column by column (Fortran order)", in_columns(drawn(n, c)))
    yield case("views: every other entry of larger arrays", as_views(drawn(n, c)))


def _both(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    bracket = dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)
    return gamma * inv_std * dy, gamma * inv_std * bracket


def _measured(
    measure: Callable[[np.ndarray, np.ndarray], float],
) -> Callable[..., float]:
    """Make the exercise's function from a way to compare (detached, true)."""

    def detached_gap(
        dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
    ) -> float:
        return float(measure(*_both(dy, x_hat, inv_std, gamma)))

    return detached_gap


def without_factors(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> float:
    """Compare the brackets, without gamma and inv_std."""
    ones = np.ones_like(gamma)
    detached, true = _both(dy, x_hat, ones, ones)
    return float(np.linalg.norm(detached - true) / np.linalg.norm(true))


def dy_for_detached(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> float:
    """Take dy itself for the detached gradient."""
    _, true = _both(dy, x_hat, inv_std, gamma)
    return float(np.linalg.norm(dy - true) / np.linalg.norm(true))


def gamma_dy_for_detached(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> float:
    """Forget inv_std in the detached gradient."""
    _, true = _both(dy, x_hat, inv_std, gamma)
    return float(np.linalg.norm(gamma * dy - true) / np.linalg.norm(true))


def only_mean_detached(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> float:
    """Hold only the mean constant."""
    _, true = _both(dy, x_hat, inv_std, gamma)
    half = gamma * inv_std * (dy - x_hat * (dy * x_hat).mean(axis=0))
    return float(np.linalg.norm(half - true) / np.linalg.norm(true))


def only_var_detached(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> float:
    """Hold only the variance constant."""
    _, true = _both(dy, x_hat, inv_std, gamma)
    half = gamma * inv_std * (dy - dy.mean(axis=0))
    return float(np.linalg.norm(half - true) / np.linalg.norm(true))


norm = np.linalg.norm
over_detached = _measured(lambda d, t: float(norm(d - t) / norm(d)))
not_relative = _measured(lambda d, t: float(norm(d - t)))
squared = _measured(lambda d, t: float(norm(d - t) ** 2 / norm(t) ** 2))
spectral = _measured(lambda d, t: float(norm(d - t, 2) / norm(t, 2)))
difference_of_norms = _measured(lambda d, t: float(abs(norm(d) - norm(t)) / norm(t)))
ratio_of_norms = _measured(lambda d, t: float(norm(d) / norm(t)))
mean_over_features = _measured(lambda d, t: float(np.mean(norm(d - t, axis=0) / norm(t, axis=0))))
largest_entry = _measured(lambda d, t: float(np.abs(d - t).max() / np.abs(t).max()))

GAP = Exercise(
    unit=UNIT,
    name="detached_gap",
    points=2,
    minutes=5,
    oracle=bnlib.detached_gap,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "divided-by-the-detached-norm",
            "You divided by the length of the detached gradient. The gap is measured against the "
            "true one.",
            over_detached,
        ),
        Misconception(
            "not-relative",
            "You returned the length of the difference itself. Relative to what?",
            not_relative,
        ),
        Misconception(
            "squared",
            "That is the square of the gap: take the roots of the sums of squares.",
            squared,
        ),
        Misconception(
            "spectral-norm",
            "`np.linalg.norm(A, 2)` of a matrix is its largest singular value. Here it is the root "
            "of the sum of all squared entries.",
            spectral,
        ),
        Misconception(
            "difference-of-norms",
            "You compared the two lengths. Two arrows of one length can point anywhere: take the "
            "length of the difference.",
            difference_of_norms,
        ),
        Misconception(
            "ratio-of-norms",
            "You divided the two lengths. The gap is the length of the difference, over that of "
            "the true gradient.",
            ratio_of_norms,
        ),
        Misconception(
            "averaged-over-features",
            "You computed a gap per feature and averaged. Take each norm over all entries of the "
            "array at once.",
            mean_over_features,
        ),
        Misconception(
            "largest-entry",
            "You compared largest entries. The norm here is the root of the sum of squares.",
            largest_entry,
        ),
        Misconception(
            "factors-left-out",
            "Your gap does not feel gamma and inv_std. They cancel for a single feature only; with "
            "several, they decide how much each one counts.",
            without_factors,
        ),
        Misconception(
            "dy-for-detached",
            "You compared dx with dy itself. Also with constant statistics, x goes through a "
            "straight line before it becomes y: which slope has it?",
            dy_for_detached,
        ),
        Misconception(
            "inv-std-forgotten-in-detached",
            "Your detached gradient lacks inv_std: a constant standard deviation still divides.",
            gamma_dy_for_detached,
        ),
        Misconception(
            "only-mean-detached",
            "You held only the mean constant. Detached means both: the mean and the variance.",
            only_mean_detached,
        ),
        Misconception(
            "only-variance-detached",
            "You held only the variance constant. Detached means both: the mean and the variance.",
            only_var_detached,
        ),
    ),
    hints=(
        "You need two arrays of shape (N, C): the true dx, which you have a function for, and the "
        "dx one gets if the statistics do not move.",
        "If mean and variance are constants, x_hat follows x with the factor inv_std and nothing "
        "else. Then compare the two arrays with `np.linalg.norm`, which takes all entries at once.",
        "The first of the three results of `batchnorm_backward_closed` is the true dx. The norm of "
        "the difference, divided by the norm of the true one: one number.",
    ),
)
