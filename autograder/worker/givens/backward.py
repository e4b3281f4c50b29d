"""What unit 4 hands out: the forward pass with its cache, and functions to differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autograder.worker.givens.registry import given


class Cache(NamedTuple):
    """The cache of the notebook's given cell, one field per node of the graph."""

    x: np.ndarray
    mean: np.ndarray
    centered: np.ndarray
    var: np.ndarray
    inv_std: np.ndarray
    x_hat: np.ndarray
    gamma: np.ndarray
    eps: float


def batchnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, Cache]:
    """Run the forward pass of the notebook's given cell, line for line."""
    mean = x.mean(axis=0)
    centered = x - mean
    var = (centered**2).mean(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = centered * inv_std
    y = gamma * x_hat + beta
    return y, Cache(x, mean, centered, var, inv_std, x_hat, gamma, eps)


@given("cache")
def cache(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> Cache:
    """Build the cache that the forward pass leaves behind."""
    return batchnorm_forward(x, gamma, beta, eps)[1]


@given("linear_map")
def linear_map(weight: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Build `x @ weight`, which mixes the columns."""
    return lambda x: x @ weight


@given("elementwise")
def elementwise(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Build a function of each entry on its own: `cube`, `square` or `sin`."""
    functions: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "cube": lambda x: x**3,
        "square": lambda x: x * x,
        "sin": np.sin,
    }
    return functions[name]


@given("batch_norm")
def batch_norm(
    gamma: np.ndarray, beta: np.ndarray, eps: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Build batch norm as a function of x, which mixes the rows."""
    return lambda x: batchnorm_forward(x, gamma, beta, eps)[0]


@given("rows_reversed_view")
def rows_reversed_view() -> Callable[[np.ndarray], np.ndarray]:
    """Build a function that returns a view of its argument: the rows in reverse."""
    return lambda x: x[::-1]


@given("identity")
def identity() -> Callable[[np.ndarray], np.ndarray]:
    """Build the function that returns its argument itself, not a copy."""
    return lambda x: x
