"""Exercise `batchnorm_backward_closed`: the backward pass in one formula."""

from __future__ import annotations

from collections.abc import Iterator
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
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]

ARGUMENTS = ("dy", "x_hat", "inv_std", "gamma")
ANSWER = "(dx, dgamma, dbeta)"
SCRIPT = (call("batchnorm_backward_closed", *ARGUMENTS, into=ANSWER),)

EXAMPLE = {  # x = (0, 0, 4, 4) and (1, 0, 1, 0), eps = 0
    "dy": np.array([[4.0, 0.0], [0.0, 2.0], [0.0, 2.0], [0.0, 0.0]]),
    "x_hat": np.array([[-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]]),
    "inv_std": np.array([0.5, 2.0]),
    "gamma": np.array([3.0, 0.5]),
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batchnorm_backward_closed`."""
    n, c = int(rng.integers(5, 9)), int(rng.integers(2, 5))

    def case(name: str, inputs: dict[str, Any], **options: Any) -> Case:
        return Case(name, inputs, SCRIPT, (ANSWER,), ARGUMENTS, dtype_of="dy", **options)

    yield case("the example of the test cell", EXAMPLE, gate=True)
    yield case("a random batch", kept(rng, features(rng, n, c)), weight=2)
    yield case(
        "a large eps, so that x_hat is clearly shorter",
        kept(rng, features(rng, n, c), eps=float(rng.uniform(0.5, 2.0))),
        weight=2,
        help="If it is this case alone: divide by N, the number of rows, not by the sum of "
        "`x_hat` squared.",
    )
    yield case("a batch of two", kept(rng, features(rng, 2, 4)))
    yield case("a batch of three", kept(rng, features(rng, 3, 1)))
    yield case("a batch of 64", kept(rng, features(rng, MAX_ROWS, 4)))
    yield case("as many rows as features", kept(rng, features(rng, 4, 4)))
    same = np.ones((n, 1)) * rng.uniform(0.5, 2.0, c)
    yield case("the same upstream gradient in all rows", kept(rng, features(rng, n, c), dy=same))
    constant = features(rng, n, c)
    constant[:, int(rng.integers(c))] = 3.0
    yield case("a constant feature", kept(rng, constant))
    off = kept(rng, features(rng, n, c))
    off["gamma"][int(rng.integers(c))] = 0.0
    yield case("a gamma with a zero in it", off)
    yield case(
        "arrays stored column by column (Fortran order)", in_columns(kept(rng, features(rng, n, c)))
    )
    yield case(
        "views: every other entry of larger arrays", as_views(kept(rng, features(rng, n, c)))
    )


def _parameters(dy: np.ndarray, x_hat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def detached(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Hold mean and variance constant."""
    return gamma * inv_std * dy, *_parameters(dy, x_hat)


def no_mean_path(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Leave the path through the mean out."""
    dx = gamma * inv_std * (dy - x_hat * (dy * x_hat).mean(axis=0))
    return dx, *_parameters(dy, x_hat)


def no_var_path(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Leave the path through the variance out."""
    return gamma * inv_std * (dy - dy.mean(axis=0)), *_parameters(dy, x_hat)


def sums_for_means(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Take dgamma and dbeta where their means belong."""
    dgamma, dbeta = _parameters(dy, x_hat)
    return gamma * inv_std * (dy - dbeta - x_hat * dgamma), dgamma, dbeta


def exact_projector(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Divide by the squared length of x_hat in place of N."""
    dgamma, dbeta = _parameters(dy, x_hat)
    length = np.maximum((x_hat * x_hat).sum(axis=0), 1e-300)
    return gamma * inv_std * (dy - dbeta / len(dy) - x_hat * dgamma / length), dgamma, dbeta


def no_gamma(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Forget gamma in dx."""
    return _bracket(dy, x_hat) * inv_std, *_parameters(dy, x_hat)


def no_inv_std(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Forget inv_std in dx."""
    return gamma * _bracket(dy, x_hat), *_parameters(dy, x_hat)


def gamma_on_dy_only(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Multiply the first term by gamma, and not the other two."""
    means = dy.mean(axis=0) + x_hat * (dy * x_hat).mean(axis=0)
    return inv_std * (gamma * dy - means), *_parameters(dy, x_hat)


def factor_on_dy_only(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Lose the bracket: the factor meets the first term only."""
    means = dy.mean(axis=0) + x_hat * (dy * x_hat).mean(axis=0)
    return gamma * inv_std * dy - means, *_parameters(dy, x_hat)


def divides_by_inv_std(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Take inv_std for the standard deviation."""
    return gamma / inv_std * _bracket(dy, x_hat), *_parameters(dy, x_hat)


def centered_dy_in_dbeta(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Subtract the mean from dy, and sum what is left as dbeta."""
    dx = gamma * inv_std * _bracket(dy, x_hat)
    return dx, *_parameters(dy - dy.mean(axis=0), x_hat)


def centers_dy_in_place(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Overwrite dy by dy without its mean, and sum it as dbeta."""
    dy -= dy.mean(axis=0)
    return gamma * inv_std * _bracket(dy, x_hat), *_parameters(dy, x_hat)


def plus_sign(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Add the term of the variance."""
    bracket = dy - dy.mean(axis=0) + x_hat * (dy * x_hat).mean(axis=0)
    return gamma * inv_std * bracket, *_parameters(dy, x_hat)


def n_minus_1(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Divide the sum with x_hat by N − 1."""
    dgamma, dbeta = _parameters(dy, x_hat)
    bracket = dy - dbeta / len(dy) - x_hat * dgamma / (len(dy) - 1)
    return gamma * inv_std * bracket, dgamma, dbeta


def over_all_axes(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Take one mean of everything."""
    bracket = dy - dy.mean() - x_hat * (dy * x_hat).mean()
    return gamma * inv_std * bracket, *_parameters(dy, x_hat)


def over_axis_1(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Take means along each row."""
    level = dy.mean(axis=1, keepdims=True)
    slope = (dy * x_hat).mean(axis=1, keepdims=True)
    return gamma * inv_std * (dy - level - x_hat * slope), *_parameters(dy, x_hat)


def gamma_in_dgamma(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Build dgamma and dbeta from gamma · dy."""
    dx = gamma * inv_std * _bracket(dy, x_hat)
    return dx, *_parameters(gamma * dy, x_hat)


def parameters_averaged(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> Gradients:
    """Give means back as dgamma and dbeta."""
    dx = gamma * inv_std * _bracket(dy, x_hat)
    return dx, (dy * x_hat).mean(axis=0), dy.mean(axis=0)


def swapped(dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray) -> Gradients:
    """Exchange dgamma and dbeta."""
    dgamma, dbeta = _parameters(dy, x_hat)
    return gamma * inv_std * _bracket(dy, x_hat), dbeta, dgamma


def _bracket(dy: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    return np.asarray(dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))


CLOSED = Exercise(
    unit=UNIT,
    name="batchnorm_backward_closed",
    points=4,
    minutes=10,
    oracle=bnlib.batchnorm_backward_closed,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "detached-statistics",
            "Your dx is that of a constant mean and variance: both means in the bracket are "
            "missing. In training mode every x moves the statistics.",
            detached,
        ),
        Misconception(
            "missing-mean-path",
            "The path through the mean is missing from dx. A quick sign of it: your dx does not "
            "sum to 0 over the batch.",
            no_mean_path,
        ),
        Misconception(
            "missing-variance-path",
            "The path through the variance is missing from dx: an upstream gradient along x_hat "
            "should (nearly) die, and yours passes. If you have the term: it is the mean of the "
            "product, not the product of the means.",
            no_var_path,
        ),
        Misconception(
            "sums-for-means",
            "In the bracket you subtracted sums over the batch. The formula has means there; only "
            "dgamma and dbeta are sums.",
            sums_for_means,
        ),
        Misconception(
            "exact-projector",
            "You projected on x_hat by dividing by its squared length. The formula divides by N: "
            "with eps the two differ, and the derivative of the variance has 1/N.",
            exact_projector,
        ),
        Misconception(
            "gamma-forgotten-in-dx",
            "dx lacks gamma: y depends on x_hat through `gamma * x_hat`.",
            no_gamma,
        ),
        Misconception(
            "inv-std-forgotten-in-dx",
            "dx lacks inv_std: how fast x_hat moves with x depends on the feature's spread.",
            no_inv_std,
        ),
        Misconception(
            "gamma-on-first-term-only",
            "gamma multiplies only the first of the three terms in your dx. It belongs to all of "
            "them: the upstream gradient enters as gamma times dy, everywhere.",
            gamma_on_dy_only,
        ),
        Misconception(
            "factor-on-first-term-only",
            "gamma and inv_std multiply only dy in your dx, not the two means. They belong to the "
            "whole bracket: are its parentheses there?",
            factor_on_dy_only,
        ),
        Misconception(
            "divides-by-inv-std",
            "You divided by inv_std. It is already one over the standard deviation.",
            divides_by_inv_std,
        ),
        Misconception(
            "wrong-sign-of-variance-term",
            "The term with x_hat has the wrong sign: a larger spread makes inv_std smaller.",
            plus_sign,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You divided by N − 1 somewhere. The batch is normalised with the biased variance, so "
            "its derivative has 1/N.",
            n_minus_1,
        ),
        Misconception(
            "mean-over-all-axes",
            "You took one mean over the whole array. Every feature has its own: run over the batch "
            "only.",
            over_all_axes,
        ),
        Misconception(
            "mean-over-axis-1",
            "You averaged along each row, over features that have nothing to do with each other. "
            "The statistics are those of the columns.",
            over_axis_1,
        ),
        Misconception(
            "gamma-in-dgamma",
            "dgamma and dbeta contain gamma. y = gamma * x_hat + beta: what is its derivative by "
            "gamma, and by beta?",
            gamma_in_dgamma,
        ),
        Misconception(
            "parameter-gradients-averaged",
            "You returned means as dgamma and dbeta. All N rows share one gamma, so their parts "
            "add up.",
            parameters_averaged,
        ),
        Misconception(
            "dbeta-of-centered-dy",
            "Your dbeta is the sum of a dy that has lost its mean, and so 0. Sum dy as it came.",
            centered_dy_in_dbeta,
        ),
        Misconception(
            "dy-overwritten",
            "Your dbeta is 0: a line like `dy -= ...` has taken the mean out of dy before it is "
            "summed, and has changed the caller's array, too. Work on a new array.",
            centers_dy_in_place,
        ),
        Misconception(
            "dgamma-and-dbeta-swapped",
            "dgamma and dbeta are in each other's place.",
            swapped,
        ),
    ),
    hints=(
        "Which two numbers per feature stand in the bracket besides dy and x_hat? Compute these "
        "first, each of shape (C,).",
        "Both are means over axis 0: one of `dy`, one of the product of `dy` and `x_hat`. "
        "Broadcasting spreads them over the rows. gamma and inv_std multiply the whole bracket.",
        "You can also begin with dbeta (the sum of dy) and dgamma (the sum of dy times x_hat), and "
        "take dbeta / N and dgamma / N for the two means. N is `len(dy)`. Work on new arrays: no "
        "`-=` on `dy`.",
    ),
)
