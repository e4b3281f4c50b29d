"""The two nodes through which dy reaches the statistics: scale and shift, and normalisation."""

from __future__ import annotations

import numpy as np

import bnlib
from autograder.exercises.u04_backward_graph.batches import (
    EXAMPLE_DY,
    NODE_TOLERANCE,
    UNIT,
    graph,
)
from autograder.exercises.u04_backward_graph.node_cases import Inputs, node_cases
from autograder.vocabulary import Exercise, Misconception
from autograder.worker.script import call

SUMMED_OVER_FEATURES = (
    "You summed over the features (axis 1). γ, the mean and the variance belong to one feature "
    "and are shared by all rows: gradients add up over the batch."
)
SUMMED_OVER_EVERYTHING = (
    "You summed over rows and features, down to one number. Every feature has a γ and a variance "
    "of its own: sum over axis 0 only."
)


# --- d_scale_shift: y = gamma * x_hat + beta ----------------------------------------------------


def _draw_scale_shift(rng: np.random.Generator, n: int, c: int) -> Inputs:
    cache, dy = graph(rng, n, c)
    return {"dy": dy, "x_hat": cache.x_hat, "gamma": cache.gamma}


def _gradients(
    dx_hat: np.ndarray, dgamma: np.ndarray, dbeta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return dx_hat, dgamma, dbeta


D_SCALE_SHIFT = Exercise(
    unit=UNIT,
    name="d_scale_shift",
    points=2,
    minutes=8,
    oracle=bnlib.d_scale_shift,
    cases=node_cases(
        (call("d_scale_shift", "dy", "x_hat", "gamma", into="(dx_hat, dgamma, dbeta)"),),
        "(dx_hat, dgamma, dbeta)",
        "dy",
        {
            "dy": EXAMPLE_DY,
            "x_hat": np.array([[-1.0], [-0.5], [0.5], [1.0]]),
            "gamma": np.array([2.0]),
        },
        _draw_scale_shift,
    ),
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "averages-parameter-gradients",
            "You averaged dγ and dβ over the batch. The loss feels γ once for every row, and "
            "effects add up: no 1/N here.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (dy * x_hat).mean(axis=0), dy.mean(axis=0)
            ),
        ),
        Misconception(
            "gamma-forgotten",
            "Your dx_hat is dy unchanged. How much does y move when x_hat moves by 1?",
            lambda dy, x_hat, gamma: _gradients(dy, (dy * x_hat).sum(axis=0), dy.sum(axis=0)),
        ),
        Misconception(
            "x-hat-missing-in-dgamma",
            "Your dγ is the same as dβ. γ is multiplied by something in the forward pass; its "
            "gradient must be, too.",
            lambda dy, x_hat, gamma: _gradients(gamma * dy, dy.sum(axis=0), dy.sum(axis=0)),
        ),
        Misconception(
            "sums-over-features",
            SUMMED_OVER_FEATURES,
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (dy * x_hat).sum(axis=1), dy.sum(axis=1)
            ),
        ),
        Misconception(
            "sums-over-everything",
            SUMMED_OVER_EVERYTHING,
            lambda dy, x_hat, gamma: _gradients(gamma * dy, (dy * x_hat).sum(), dy.sum()),
        ),
        Misconception(
            "counts-the-rows",
            "Your dβ is the number of rows. The derivative is 1 in every row, and the chain rule "
            "multiplies it by that row's dy.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (dy * x_hat).sum(axis=0), np.full(gamma.shape, float(len(dy)))
            ),
        ),
        Misconception(
            "gamma-twice",
            "γ got into dγ and dβ. They take dy as it arrives; only the way on to x_hat passes γ.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (gamma * dy * x_hat).sum(axis=0), (gamma * dy).sum(axis=0)
            ),
        ),
        Misconception(
            "x-hat-in-dx-hat",
            "Your dx_hat contains x_hat. The derivative of γ·x_hat by x_hat does not.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy * x_hat, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
            ),
        ),
        Misconception(
            "order-of-results",
            "The numbers are right, in another order: hand back dx_hat, dgamma, dbeta.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, dy.sum(axis=0), (dy * x_hat).sum(axis=0)
            ),
        ),
    ),
    hints=(
        "Write down the three derivatives of $y_i = \\gamma\\hat x_i + \\beta$: by $\\hat x_i$, "
        "by γ, by β. Each gradient is dy times one of them.",
        "$\\hat x_i$ belongs to one row, so dx_hat keeps the shape (N, C). γ and β are shared by "
        "all rows of a feature, so theirs are sums over axis 0 and have shape (C,).",
        "Three lines: dy times the scale; the batch sum of dy times x_hat; the batch sum of dy. "
        "Broadcasting a (C,) array against (N, C) works as it is.",
    ),
)


# --- d_normalize: x_hat = centered * inv_std ----------------------------------------------------


def _draw_normalize(rng: np.random.Generator, n: int, c: int) -> Inputs:
    cache, dy = graph(rng, n, c)
    return {"dx_hat": dy, "centered": cache.centered, "inv_std": cache.inv_std}


def _normalize_with_var_path(
    dx_hat: np.ndarray, centered: np.ndarray, inv_std: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add the path through the variance, which is another node's work."""
    dinv_std = (dx_hat * centered).sum(axis=0)
    return dx_hat * inv_std - inv_std**3 * dinv_std * centered / len(centered), dinv_std


D_NORMALIZE = Exercise(
    unit=UNIT,
    name="d_normalize",
    points=2,
    minutes=6,
    oracle=bnlib.d_normalize,
    cases=node_cases(
        (call("d_normalize", "dx_hat", "centered", "inv_std", into="(dcentered, dinv_std)"),),
        "(dcentered, dinv_std)",
        "dx_hat",
        {
            "dx_hat": np.array([[6.0], [2.0], [-2.0], [2.0]]),
            "centered": np.array([[-2.0], [-1.0], [1.0], [2.0]]),
            "inv_std": np.array([0.5]),
        },
        _draw_normalize,
    ),
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "averages-dinv-std",
            "Your dinv_std is an average over the batch. All rows use the one inv_std, so what "
            "they send back adds up.",
            lambda dx_hat, centered, inv_std: (
                dx_hat * inv_std,
                (dx_hat * centered).mean(axis=0),
            ),
        ),
        Misconception(
            "both-paths-at-once",
            "Your dcentered already holds the path through the variance. Here inv_std is an "
            "input of its own; that path comes later, in d_inv_std and d_var.",
            _normalize_with_var_path,
        ),
        Misconception(
            "x-hat-for-centered",
            "Your dinv_std is built from x_hat. In x_hat = centered · inv_std, what stands next "
            "to inv_std?",
            lambda dx_hat, centered, inv_std: (
                dx_hat * inv_std,
                (dx_hat * centered * inv_std).sum(axis=0),
            ),
        ),
        Misconception(
            "divides-by-inv-std",
            "You divided by inv_std. It is already one over the standard deviation, and the "
            "forward pass multiplies by it.",
            lambda dx_hat, centered, inv_std: (
                dx_hat / inv_std,
                (dx_hat * centered).sum(axis=0),
            ),
        ),
        Misconception(
            "inv-std-forgotten",
            "Your dcentered is dx_hat unchanged. By how much does x_hat move when centered moves "
            "by 1?",
            lambda dx_hat, centered, inv_std: (dx_hat, (dx_hat * centered).sum(axis=0)),
        ),
        Misconception(
            "sums-over-features",
            SUMMED_OVER_FEATURES,
            lambda dx_hat, centered, inv_std: (
                dx_hat * inv_std,
                (dx_hat * centered).sum(axis=1),
            ),
        ),
        Misconception(
            "sums-over-everything",
            SUMMED_OVER_EVERYTHING,
            lambda dx_hat, centered, inv_std: (dx_hat * inv_std, (dx_hat * centered).sum()),
        ),
    ),
    hints=(
        "It is a product of two inputs. Differentiate by one while the other stands still, then "
        "the other way round.",
        "By `centered`: one number for each entry, shape (N, C). By `inv_std`: every row of a "
        "feature used it, so sum over axis 0, shape (C,).",
        "The gradient by one factor is dx_hat times the *other* factor. The second one is then "
        "summed over the batch. Leave the variance's path alone.",
    ),
)
