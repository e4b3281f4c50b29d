"""Networks that hide no bug: layers of different widths, deep ones, and other memory layouts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograder.vocabulary import Tolerance

UNIT = "u01_signal"
DEEP = 40  # layers of the deepest network
MAX_ROWS = 64  # rows of the largest batch

TOLERANCES = {
    "float64": Tolerance(
        1e-9,
        0.0,
        "40 products of 16 terms: 40 * 16 * eps64 = 1.4e-13 of the standard deviation; a mean may "
        "be 1000 times smaller than that. No absolute part: signals of 1e-12 count, too",
    ),
}
ALLCLOSE = Tolerance(1e-5, 1e-8, "what the test cell's own assert allows, NumPy's default")
SINGLE = Tolerance(1e-3, 1e-6, "float32, 3 layers of 16 terms: 3 * 16 * eps32 = 6e-6 of order 1")


def network(
    rng: np.random.Generator, rows: int, widths: tuple[int, ...], gain: float = 1.0
) -> dict[str, Any]:
    """Draw `weights` of `len(widths) − 1` layers and a batch `x`.

    The weights have a mean that is not 0, so that means of outputs are not small by chance.
    """
    weights = [
        gain / np.sqrt(inputs) * (rng.normal(size=(inputs, outputs)) + 0.3)
        for inputs, outputs in pairwise(widths)
    ]
    return {"weights": weights, "x": rng.normal(size=(rows, widths[0])) + 0.4}


def with_upstream(rng: np.random.Generator, drawn: dict[str, Any]) -> dict[str, Any]:
    """Add a random gradient by the last layer's output, `dy`."""
    rows, columns = len(drawn["x"]), drawn["weights"][-1].shape[1]
    return {**drawn, "dy": rng.normal(size=(rows, columns))}


def some_widths(rng: np.random.Generator, layers: int = 3) -> tuple[int, ...]:
    """Draw widths of which no two are equal."""
    return tuple(int(w) for w in rng.permutation(np.arange(3, 4 + layers)))


def each(inputs: dict[str, Any], change: Any) -> dict[str, Any]:
    """Return the inputs with `change` applied to every array."""
    return {
        name: [change(w) for w in value]
        if isinstance(value, list)
        else change(value)
        if isinstance(value, np.ndarray)
        else value
        for name, value in inputs.items()
    }


def in_columns(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with every matrix stored column by column (Fortran order)."""
    return each(inputs, np.asfortranarray)


def as_views(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with every array as a view: every other row of a larger one."""
    return each(inputs, view)


def in_single(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs in float32."""
    return each(inputs, lambda a: a.astype(np.float32))


def view(array: np.ndarray) -> np.ndarray:
    """Return the array as every other row of a larger one that holds nan in between."""
    larger = np.full((2 * array.shape[0], *array.shape[1:]), np.nan)
    larger[::2] = array
    return np.asarray(larger[::2])
