"""The batches that unit 2 is looked at with: plain ones, and some that break careless formulas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.differences import within
from autograder.vocabulary import Case, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.values import Plain

UNIT = "u02_forward"
MAX_ROWS = 64  # rows of the largest batch: the error of a sum grows with it
FAR32 = 1e4  # mean at which E[x²] − E[x]² fails in float32
FAR64 = 1e8  # mean at which it fails in float64
FAR = "far from zero"  # part of the names of those cases
OVERFLOW = "overflow float16"  # part of the names of cases that need a wider type inside

# One tiny example stands in every test cell of the notebook, and is the gate of every exercise.
EXAMPLE = np.array([[1.0, 4.0], [3.0, 10.0], [3.0, 12.0], [5.0, 14.0]])
EXAMPLE_MEAN = np.array([3.0, 10.0])
EXAMPLE_VAR = np.array([2.0, 14.0])
USUAL_EPS = 1e-5
EXAMPLE_EPS = 2.0  # var + eps = 4 and 16
GATE = "the example of the test cell"
_WRONG = Tolerance(5e-3, 2e-2, "float16: what is off by more was lost, not rounded")


def batch(
    rng: np.random.Generator, rows: int, columns: int, dtype: str = "float64", mean: float = 0.0
) -> np.ndarray:
    """Draw a batch whose columns clearly differ, in place (mean ± 4) and in width (1 to 3)."""
    places = mean + rng.permutation(np.linspace(-4.0, 4.0, columns)) + rng.uniform(0.2, 0.8)
    widths = rng.permutation(np.linspace(1.0, 3.0, columns))
    z = rng.normal(size=(rows, columns))
    z[:2] = [[1.5], [-1.5]]  # for a standard deviation of at least half of the width
    return np.asarray(places + widths * z, dtype=dtype)


def sizes(rng: np.random.Generator) -> tuple[int, int]:
    """Draw a number of rows and a smaller number of columns."""
    return int(rng.integers(5, 9)), int(rng.integers(2, 5))


def plain_batches(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Draw named batches of all sizes and memory layouts, the first one the ordinary one."""
    n, c = sizes(rng)
    yield "a random batch", batch(rng, n, c)
    yield "as many rows as columns", batch(rng, 4, 4)
    yield "a batch of two", batch(rng, 2, 4)
    yield "a single column", batch(rng, 3, 1)
    yield "a float32 batch", batch(rng, MAX_ROWS, 4, "float32")
    yield "a batch stored column by column (Fortran order)", np.asfortranarray(batch(rng, n, c))
    yield "a view: every other row of a larger array", batch(rng, 2 * n, c)[::2]
    constant = batch(rng, n, c)
    constant[:, int(rng.integers(c))] = rng.uniform(1.0, 3.0)
    yield "a column that is constant", constant


def far_batches(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Draw two batches on which E[x²] − E[x]² fails, one in each dtype."""
    yield f"a float32 batch {FAR} (mean 10 000)", batch(rng, MAX_ROWS, 4, "float32", FAR32)
    yield f"a float64 batch {FAR} (mean 100 000 000)", batch(rng, MAX_ROWS, 4, "float64", FAR64)


def half_batch(rng: np.random.Generator) -> np.ndarray:
    """Draw a float16 batch whose variance fits into float16, and the squares on the way do not.

    The standard deviation is about 110 to 190; the largest deviation is some 360, the square of
    which is far above 65 504.
    """
    z = rng.normal(size=(MAX_ROWS, 3))
    z[:2] = [[3.0], [-3.0]]
    return np.asarray(z * rng.uniform(120.0, 160.0, 3) + rng.uniform(-30.0, 30.0, 3), np.float16)


def parameters(
    rng: np.random.Generator, columns: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a gamma and a beta that are neither 1 nor 0, of both signs."""
    signs = rng.permutation(np.where(np.arange(columns) % 2, -1.0, 1.0))
    gamma = signs * rng.uniform(0.5, 2.0, columns)
    beta = rng.uniform(0.5, 2.0, columns) * rng.choice([-1.0, 1.0], columns)
    return gamma.astype(dtype), beta.astype(dtype)


def looks_cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether an answer is wrong as E[x²] − E[x]² is: only a batch far from zero is lost."""
    return FAR in case.name and is_off(case, answer, expected)


def looks_overflown(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether a float16 case went wrong because something on the way did not fit."""
    return OVERFLOW in case.name and is_off(case, answer, expected)


def looks_narrowed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether a float64 case was computed in float32: nearly right, and of float32's digits."""
    label = case.report[-1]
    got, want = _arrays(answer.values[label]), _arrays(expected.values[label])
    if FAR in case.name or case.inputs["x"].dtype != np.float64:
        return False
    return [a.shape for a in got] == [a.shape for a in want] and all(
        bool((a == a.astype(np.float32)).all() and within(a, b, 1e-4, 1e-4).all())
        for a, b in zip(got, want, strict=True)
    )


def is_off(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether the last reported value has the right form and the wrong numbers."""
    label = case.report[-1]
    got, want = _arrays(answer.values[label]), _arrays(expected.values[label])
    if [a.shape for a in got] != [a.shape for a in want]:
        return False
    tolerance = case.tolerance or _WRONG
    return not all(
        within(a, b, tolerance.rtol, tolerance.atol).all() for a, b in zip(got, want, strict=True)
    )


def _arrays(value: Plain) -> list[np.ndarray]:
    """Return the arrays of an answer: itself, or those of a tuple."""
    items = value if isinstance(value, tuple) else (value,)
    return [item for item in items if isinstance(item, np.ndarray)]
