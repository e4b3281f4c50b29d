"""Say in words how two arrays differ, without showing what was expected."""

from __future__ import annotations

import numpy as np

PATTERN_RTOL = 1e-3  # how constant a ratio or an offset must be to be called constant
MAP_LIMIT = 24  # rows or columns beyond which an error map stops being readable
LISTED = 3  # rows or columns named one by one before the text says "and others"


def within(answer: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Mark where ``|answer - expected| <= rtol*|expected| + atol``; nan is never within."""
    with np.errstate(all="ignore"):
        error = np.abs(answer.astype(np.float64) - expected.astype(np.float64))
        return np.asarray(error <= rtol * np.abs(expected) + atol)


def describe(label: str, answer: np.ndarray, expected: np.ndarray, right: np.ndarray) -> str:
    """Describe the difference between two finite arrays of one shape, in one sentence.

    Parameters
    ----------
    label
        What the array is called in the exercise: `dx`.
    answer, expected
        Arrays of the same shape; `expected` is used, never shown.
    right
        Boolean array: which entries are within the tolerance.
    """
    a, e = answer.astype(np.float64), expected.astype(np.float64)
    whole = f"`{label}`" if answer.ndim else f"the value of `{label}`"
    if pattern := _pattern(a, e):
        return f"{whole} {pattern}."
    if not answer.ndim:
        return f"{whole} is wrong."
    return f"{whole} is wrong in {_where(right)}."


def _pattern(a: np.ndarray, e: np.ndarray) -> str:
    """Name a relation that holds for all entries, if there is one."""
    scale = float(np.max(np.abs(e), initial=0.0))
    if scale > 0 and np.all(np.abs(a) <= 1e-12 * scale):
        return "is zero everywhere"
    if np.allclose(a, -e, rtol=PATTERN_RTOL, atol=PATTERN_RTOL * scale):
        return "has the wrong sign, and is right otherwise"
    large = np.abs(e) > 1e-3 * scale
    if large.sum() >= 2:
        ratios = a[large] / e[large]
        ratio = float(np.median(ratios))
        told = abs(ratio - 1.0) > 10 * PATTERN_RTOL  # a factor of 1.00 would say nothing
        if (
            told
            and np.allclose(ratios, ratio, rtol=PATTERN_RTOL, atol=0)
            and np.allclose(a, ratio * e, rtol=PATTERN_RTOL, atol=PATTERN_RTOL * scale)
        ):
            return f"is {ratio:.4g} times what it should be, the same factor everywhere"
        offsets = a - e
        offset = float(np.median(offsets))
        if abs(offset) > PATTERN_RTOL * scale and np.allclose(
            offsets, offset, rtol=PATTERN_RTOL, atol=1e-6 * scale
        ):
            return "is off by the same amount everywhere"
    square = a.ndim == 2 and a.shape[0] == a.shape[1]
    if (
        square
        and not np.allclose(e, e.T, rtol=PATTERN_RTOL, atol=PATTERN_RTOL * scale)
        and np.allclose(a, e.T, rtol=PATTERN_RTOL, atol=PATTERN_RTOL * scale)
    ):
        return "is transposed: rows and columns are exchanged"
    return ""


def _where(right: np.ndarray) -> str:
    """Say which entries are wrong."""
    wrong = ~right
    if wrong.all():
        return "every entry"
    if right.ndim == 1:
        return f"{_some('entry', np.flatnonzero(wrong))} of {right.size}"
    flat = wrong.reshape(wrong.shape[0], -1)
    columns, rows = np.flatnonzero(flat.any(axis=0)), np.flatnonzero(flat.any(axis=1))
    if right.ndim == 2 and flat[:, columns].all():
        return f"{_some('column', columns)}, and right in the others"
    if flat[rows].all():
        return f"{_some('row', rows)}, and right in the others"
    return f"{int(wrong.sum())} of {wrong.size} entries"


def _some(noun: str, indices: np.ndarray) -> str:
    plural = {"entry": "entries", "row": "rows", "column": "columns"}[noun]
    named = ", ".join(str(i) for i in indices[:LISTED])
    if len(indices) == 1:
        return f"{noun} {named} (counting from 0)"
    others = "" if len(indices) <= LISTED else " and others"
    return f"{plural} {named}{others} (counting from 0)"


def error_map(
    answer: np.ndarray, expected: np.ndarray, right: np.ndarray
) -> tuple[tuple[float, ...], ...] | None:
    """Size of the error per entry, as a share of the largest; None where words say it better."""
    if answer.ndim != 2 or max(answer.shape) > MAP_LIMIT or min(answer.shape) == 0:
        return None
    a, e = answer.astype(np.float64), expected.astype(np.float64)
    if _pattern(a, e) or not right.any():
        return None
    error = np.abs(a - e)
    error[right] = 0.0
    largest = float(error.max())
    if largest == 0.0:
        return None
    return tuple(tuple(round(float(v), 3) for v in row) for row in error / largest)
