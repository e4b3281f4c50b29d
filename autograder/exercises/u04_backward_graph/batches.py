"""Random points of the graph that the exercises of this unit share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.vocabulary import Tolerance
from autograder.worker.givens.backward import Cache, batchnorm_forward

UNIT = "u04_backward_graph"

NODE_TOLERANCE = {
    "float64": Tolerance(
        1e-9, 1e-10, "float64: sums of 64 products of order 1 are good to 64 eps = 1.4e-14"
    )
}
BACKWARD_TOLERANCE = {
    "float64": Tolerance(
        1e-7,
        1e-9,
        "float64: dx is a difference of terms up to 1/sqrt(eps) = 316 times dy, each good to "
        "64 eps = 1.4e-14, so 5e-12; at mean 100 000 the input itself is only known to 2e-11",
    )
}

EXAMPLE_X = np.array([[1.0], [2.0], [4.0], [5.0]])
EXAMPLE_DY = np.array([[3.0], [1.0], [-1.0], [1.0]])
EXAMPLE_GAMMA, EXAMPLE_BETA, EXAMPLE_EPS = np.array([2.0]), np.array([1.0]), 1.5


def sizes(rng: np.random.Generator) -> tuple[int, int]:
    """Draw N and C with N > C > 1."""
    return int(rng.integers(6, 10)), int(rng.integers(2, 6))


def signed(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw numbers of both signs, away from 0 and from 1."""
    values = rng.uniform(1.2, 2.5, size) * np.where(np.arange(size) % 2, -1.0, 1.0)
    return np.asarray(rng.permutation(values))


def inputs(rng: np.random.Generator, n: int, c: int) -> tuple[np.ndarray, ...]:
    """Draw x, gamma, beta and dy: features that differ in place and width, dy with a mean."""
    x = rng.normal(size=(n, c)) * rng.uniform(0.5, 3.0, c) + 3.0 * signed(rng, c)
    return x, signed(rng, c), signed(rng, c), rng.normal(size=(n, c)) + 0.5 * signed(rng, c)


def graph(rng: np.random.Generator, n: int, c: int, eps: float = 0.2) -> tuple[Cache, np.ndarray]:
    """Draw a point of the graph: the nodes' values, and dy.

    eps is large, so that leaving it out shows at the first digit.
    """
    x, gamma, beta, dy = inputs(rng, n, c)
    return batchnorm_forward(x, gamma, beta, eps)[1], dy


def shapes(rng: np.random.Generator) -> Iterator[tuple[str, int, int]]:
    """Draw the shapes that every function of a batch must work for."""
    n, c = sizes(rng)
    yield "a random batch (N rows, C features)", n, c
    yield "as many rows as features (N = C)", c + 2, c + 2
    yield "a batch of two", 2, 4
    yield "one feature, many rows (C = 1)", 64, 1


def odd_layout(array: np.ndarray) -> np.ndarray:
    """Return the same numbers in Fortran order, or as every other column of a wider array."""
    wide = np.full((array.shape[0], 2 * array.shape[1]), 99.0)
    wide[:, ::2] = array
    return wide[:, ::2]
