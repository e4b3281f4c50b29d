"""Wrong backward passes that a gradient check should expose, sorted by the kind of bug.

All are bugs people really write: forgotten paths, sums for means, eps in the wrong place, a scale
left out, statistics over the wrong axis. Each is wrong for some input; `design_check` has to find
one input at which all of them are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.exercises.u04_backward_graph.faults import Gradients, backward, with_inv_std
from autograder.worker.givens.backward import Cache

PATHS = "sees a lost path through the graph"
SUMS = "sees a sum for a mean, a wrong factor, a wrong sign"
EPS = "sees eps left out or in the wrong place"
GAMMA = "sees gamma missing, squared or without its sign"
SCALE = "sees one array or scale in the place of another"
AXES = "sees features mixed up with one another"


@dataclass(frozen=True)
class Point:
    """Where a check looks: the input of the layer, the upstream gradient, and the forward pass."""

    dy: np.ndarray
    """Upstream gradient, (N, C)."""
    beta: np.ndarray
    """Shift, (C,)."""
    y: np.ndarray
    """Output of the layer, (N, C)."""
    cache: Cache
    """Every node of the graph."""


@dataclass(frozen=True)
class WrongPass:
    """A backward pass with one bug."""

    kind: str
    """Kind of bug: the name of the case it counts for."""
    words: str
    """What it does, to complete "a backward pass that ..."."""
    run: Callable[[Point], Gradients]
    """Its gradients (dx, dgamma, dbeta)."""


def _keep(dcentered: np.ndarray) -> np.ndarray:
    return dcentered


def _dx_only(p: Point, change: Callable[[np.ndarray], np.ndarray]) -> Gradients:
    dx, dgamma, dbeta = backward(p.dy, p.cache)
    return change(dx), dgamma, dbeta


def _dgamma(p: Point, array: np.ndarray) -> Gradients:
    return backward(p.dy, p.cache, dgamma=(p.dy * array).sum(axis=0))


def _x_hat_from_y(p: Point) -> Gradients:
    """Recompute x_hat from the output, as memory-saving layers do, and forget to subtract beta."""
    x_hat = p.y / p.cache.gamma
    centered = x_hat / p.cache.inv_std
    return backward(p.dy, p.cache, centered=centered, dgamma=(p.dy * x_hat).sum(axis=0))


def _uncentered(p: Point) -> Gradients:
    return backward(p.dy, p.cache, centered=p.cache.x)


def _unbiased(p: Point) -> Gradients:
    n = len(p.dy)
    return with_inv_std(p.dy, p.cache, (p.cache.var * n / (n - 1) + p.cache.eps) ** -0.5)


def _pooled_var_path(p: Point) -> Gradients:
    c = p.cache
    pooled = (c.gamma * p.dy * c.centered).sum() / c.centered.shape[1]
    return backward(p.dy, c, dinv_std=np.full(c.gamma.shape, pooled))


def _over_axis_1(p: Point) -> Gradients:
    return backward(p.dy, p.cache, center=lambda d: d - d.mean(axis=1, keepdims=True))


WRONG_PASSES = (
    WrongPass(PATHS, "treats mean and variance as constants",
        lambda p: backward(p.dy, p.cache, var_factor=0.0, center=_keep)),
    WrongPass(PATHS, "loses the path through the variance",
        lambda p: backward(p.dy, p.cache, var_factor=0.0)),
    WrongPass(PATHS, "loses the path through the mean",
        lambda p: backward(p.dy, p.cache, center=_keep)),
    WrongPass(PATHS, "returns zeros for dx", lambda p: _dx_only(p, np.zeros_like)),
    WrongPass(SUMS, "subtracts a sum in the place of a mean",
        lambda p: backward(p.dy, p.cache, center=lambda d: d - d.sum(axis=0))),
    WrongPass(SUMS, "forgets the 1/N of the variance", lambda p: backward(p.dy, p.cache, n=1.0)),
    WrongPass(SUMS, "divides by N−1 in the derivative of the variance",
        lambda p: backward(p.dy, p.cache, n=len(p.dy) - 1.0)),
    WrongPass(SUMS, "normalises with the unbiased variance", _unbiased),
    WrongPass(SUMS, "is a factor of 2 off in the path through the variance",
        lambda p: backward(p.dy, p.cache, var_factor=-1.0)),
    WrongPass(SUMS, "has the wrong sign in the path through the variance",
        lambda p: backward(p.dy, p.cache, var_factor=0.5)),
    WrongPass(SUMS, "has the wrong sign in all of dx", lambda p: _dx_only(p, np.negative)),
    WrongPass(SUMS, "averages dgamma and dbeta over the batch",
        lambda p: backward(p.dy, p.cache, dgamma=(p.dy * p.cache.x_hat).mean(axis=0),
                           dbeta=p.dy.mean(axis=0))),
    WrongPass(EPS, "leaves eps out",
        lambda p: with_inv_std(p.dy, p.cache, p.cache.var**-0.5)),
    WrongPass(EPS, "adds eps outside the root",
        lambda p: with_inv_std(p.dy, p.cache, 1.0 / (np.sqrt(p.cache.var) + p.cache.eps))),
    WrongPass(EPS, "leaves eps out of the derivative of the variance only",
        lambda p: backward(p.dy, p.cache, cube=p.cache.var**-1.5)),
    WrongPass(GAMMA, "leaves gamma out of dx", lambda p: backward(p.dy, p.cache, gamma=1.0)),
    WrongPass(GAMMA, "multiplies dx by gamma twice",
        lambda p: backward(p.dy, p.cache, gamma=p.cache.gamma**2)),
    WrongPass(GAMMA, "loses the sign of gamma",
        lambda p: backward(p.dy, p.cache, gamma=np.abs(p.cache.gamma))),
    WrongPass(GAMMA, "multiplies dbeta by gamma",
        lambda p: backward(p.dy, p.cache, dbeta=(p.cache.gamma * p.dy).sum(axis=0))),
    WrongPass(SCALE, "leaves 1/std out of the straight path",
        lambda p: backward(p.dy, p.cache, direct=np.ones_like(p.cache.gamma))),
    WrongPass(SCALE, "takes 1/std in the place of its cube",
        lambda p: backward(p.dy, p.cache, cube=p.cache.inv_std)),
    WrongPass(SCALE, "builds dgamma from x", lambda p: _dgamma(p, p.cache.x)),
    WrongPass(SCALE, "builds dgamma from x − mean", lambda p: _dgamma(p, p.cache.centered)),
    WrongPass(SCALE, "builds dgamma from y", lambda p: _dgamma(p, p.y)),
    WrongPass(SCALE, "takes x in the place of x − mean", _uncentered),
    WrongPass(SCALE, "recovers x_hat from y and forgets beta", _x_hat_from_y),
    WrongPass(AXES, "subtracts one mean over all entries",
        lambda p: backward(p.dy, p.cache, center=lambda d: d - d.mean())),
    WrongPass(AXES, "subtracts the mean over the features", _over_axis_1),
    WrongPass(AXES, "gives every feature the same path through the variance", _pooled_var_path),
    WrongPass(AXES, "gives every feature the average gamma",
        lambda p: backward(p.dy, p.cache, gamma=float(p.cache.gamma.mean()))),
    WrongPass(AXES, "takes the features of gamma in reverse order",
        lambda p: backward(p.dy, p.cache, gamma=p.cache.gamma[::-1])),
)  # fmt: skip
