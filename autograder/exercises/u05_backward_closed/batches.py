"""Batches, upstream gradients and scales that hide no bug, for all exercises of the unit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.vocabulary import Tolerance

UNIT = "u05_backward_closed"
EPS = 1e-5  # torch's default, and the exercises'
MAX_ROWS = 64  # rows of the largest batch

TOLERANCES = {
    "float64": Tolerance(
        1e-9,
        1e-10,
        "64 rows, entries of order 3, times 1/sqrt(eps) = 316 for a constant feature: "
        "64 eps64 * 3 * 316 = 1.4e-11",
    ),
}


def features(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw a batch whose columns clearly differ in mean and width."""
    places = 3.0 * rng.permutation(columns) + rng.uniform(0.5, 1.5, columns)
    widths = rng.permutation(np.linspace(0.6, 2.0, columns)) if columns > 1 else np.array([1.4])
    z = rng.normal(size=(rows, columns))
    if rows > 1:
        z[:2] = [[1.5], [-1.2]]  # far enough apart for a variance of at least 0.3
    return np.asarray(places + widths * z)


def scales(rng: np.random.Generator, columns: int) -> np.ndarray:
    """Draw a gamma of both signs, with no entry near 0, 1 or −1."""
    sizes = rng.uniform(1.3, 2.5, columns) ** rng.choice([-1.0, 1.0], columns)
    return np.asarray(sizes * rng.choice([-1.0, 1.0], columns))


def normalised(x: np.ndarray, eps: float = EPS) -> tuple[np.ndarray, np.ndarray]:
    """Return `(x_hat, inv_std)` of a batch, as the forward pass makes them."""
    centered = x - x.mean(axis=0)
    inv_std = 1.0 / np.sqrt(np.square(centered).mean(axis=0) + eps)
    return centered * inv_std, inv_std


def upstream(rng: np.random.Generator, x_hat: np.ndarray) -> np.ndarray:
    """Draw an upstream gradient with a clear part along ones, along x_hat, and along the rest."""
    columns = x_hat.shape[1]
    signs = rng.choice([-1.0, 1.0], (2, columns))
    level, slope = signs * rng.uniform(0.6, 1.4, (2, columns))
    return np.asarray(level + slope * x_hat + rng.normal(size=x_hat.shape))


def kept(
    rng: np.random.Generator, x: np.ndarray, eps: float = EPS, dy: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Return what a backward pass gets: `dy, x_hat, inv_std, gamma`."""
    x_hat, inv_std = normalised(x, eps)
    pushed = upstream(rng, x_hat) if dy is None else dy
    return {"dy": pushed, "x_hat": x_hat, "inv_std": inv_std, "gamma": scales(rng, x.shape[1])}


def in_columns(inputs: Mapping[str, object]) -> dict[str, object]:
    """Return the inputs with every matrix stored column by column (Fortran order)."""
    return {
        name: np.asfortranarray(v) if isinstance(v, np.ndarray) and v.ndim == 2 else v
        for name, v in inputs.items()
    }


def as_views(inputs: Mapping[str, object]) -> dict[str, object]:
    """Return the inputs with every array as a view: every other entry of a larger one."""
    return {name: _view(v) if isinstance(v, np.ndarray) else v for name, v in inputs.items()}


def _view(array: np.ndarray) -> np.ndarray:
    larger = np.full((2 * array.shape[0], *array.shape[1:]), np.nan)
    larger[::2] = array
    return np.asarray(larger[::2])
