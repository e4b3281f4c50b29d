"""A backward pass through the graph in which every single step can be replaced by a wrong one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.worker.givens.backward import Cache

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]
Backward = Callable[[np.ndarray, Cache], Gradients]


def subtract_mean(dcentered: np.ndarray) -> np.ndarray:
    """Go back through `centered = x - mean(x)`."""
    return np.asarray(dcentered - dcentered.mean(axis=0))


def backward(
    dy: np.ndarray,
    cache: Cache,
    *,
    gamma: np.ndarray | float | None = None,
    direct: np.ndarray | None = None,
    cube: np.ndarray | None = None,
    centered: np.ndarray | None = None,
    dinv_std: np.ndarray | None = None,
    var_factor: float = -0.5,
    n: float | None = None,
    center: Callable[[np.ndarray], np.ndarray] = subtract_mean,
    dgamma: np.ndarray | None = None,
    dbeta: np.ndarray | None = None,
) -> Gradients:
    """Return (dx, dgamma, dbeta); whatever is given stands in the place of the right thing.

    Parameters
    ----------
    dy, cache
        Upstream gradient and the forward pass's cache.
    gamma
        Scale between dy and dx_hat.
    direct
        inv_std on the straight path from x_hat to centered.
    cube
        `inv_std ** 3` in the derivative by var.
    centered
        The array that the variance's path is built from.
    dinv_std
        Gradient by inv_std.
    var_factor
        The -1/2 of the derivative by var; 0 loses the path.
    n
        What the derivative of var divides by.
    center
        Way back through the subtraction of the mean.
    dgamma, dbeta
        Gradients by gamma and beta.
    """

    def chosen(value: np.ndarray | float | None, usual: np.ndarray | float) -> np.ndarray:
        return np.asarray(usual if value is None else value)

    dx_hat = chosen(gamma, cache.gamma) * dy
    around = chosen(centered, cache.centered)
    dinv = chosen(dinv_std, (dx_hat * around).sum(axis=0))
    dvar = var_factor * chosen(cube, cache.inv_std**3) * dinv
    dcentered = dx_hat * chosen(direct, cache.inv_std) + dvar * 2.0 * around / chosen(n, len(dy))
    return (
        center(dcentered),
        chosen(dgamma, (dy * cache.x_hat).sum(axis=0)),
        chosen(dbeta, dy.sum(axis=0)),
    )


def with_inv_std(dy: np.ndarray, cache: Cache, inv_std: np.ndarray) -> Gradients:
    """Go back as if inv_std had been another number, in every step that uses it."""
    x_hat = cache.centered * inv_std
    return backward(dy, cache, direct=inv_std, cube=inv_std**3, dgamma=(dy * x_hat).sum(axis=0))
