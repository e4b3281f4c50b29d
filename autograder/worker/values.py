"""The closed set of values that may pass between student code and judge.

Arrays, numbers, strings, booleans, None, lists, tuples and dicts with string keys, and nothing
else. `plain` copies a value into that set; what does not fit becomes a `Foreign`, which is an
answer of the wrong type and never compares equal to anything expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

MAX_BYTES = 64 * 2**20  # one answer; the largest honest one of the course is below 1 MiB
MAX_DEPTH = 8  # state dicts in lists need 3
MAX_ITEMS = 10_000  # entries of all lists and dicts of one answer together


@dataclass(frozen=True)
class Foreign:
    """A value that may not pass: only the name of its type does."""

    type_name: str
    """Name of the value's class, as the student would write it."""


Plain: TypeAlias = (
    "np.ndarray | np.generic | bool | int | float | str | Foreign"
    " | list[Plain] | tuple[Plain, ...] | dict[str, Plain] | None"
)

NUMERIC_KINDS = frozenset("biuf")


class _Budget:
    """Counts what one answer has used up."""

    def __init__(self) -> None:
        self.bytes = 0
        self.items = 0

    def take(self, n_bytes: int, items: int = 1) -> bool:
        self.bytes += n_bytes
        self.items += items
        return self.bytes <= MAX_BYTES and self.items <= MAX_ITEMS


def plain(value: object) -> Plain:
    """Copy `value` into the closed set of values, by exact type.

    Subclasses are stripped (an `ndarray` subclass becomes the base array it really holds) or
    refused, so that no method of the student's runs when the judge compares.
    """
    return _plain(value, _Budget(), 0)


def _plain(value: object, budget: _Budget, depth: int) -> Plain:
    foreign = Foreign(type(value).__name__)
    if depth > MAX_DEPTH:
        return foreign
    if value is None or type(value) in (bool, int, float):
        return value if budget.take(16) else foreign  # type: ignore[return-value]
    if type(value) is str:
        return value if budget.take(len(value)) else foreign
    if isinstance(value, np.ndarray):
        base = np.ndarray.view(value, np.ndarray)
        if base.dtype.kind not in NUMERIC_KINDS or not budget.take(base.nbytes):
            return foreign
        return base.copy()
    if isinstance(value, np.generic) and type(value).__module__ == "numpy":
        is_number = value.dtype.kind in NUMERIC_KINDS and budget.take(value.nbytes)
        return value if is_number else foreign
    if type(value) in (list, tuple) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        items = list(tuple.__iter__(value)) if isinstance(value, tuple) else list(value)  # type: ignore[call-overload]
        if not budget.take(0, len(items)):
            return foreign
        copied = [_plain(item, budget, depth + 1) for item in items]
        return copied if type(value) is list else tuple(copied)
    if isinstance(value, dict):
        pairs = list(dict.items(value))
        if not budget.take(0, len(pairs)) or any(type(key) is not str for key, _ in pairs):
            return foreign
        return {key: _plain(item, budget, depth + 1) for key, item in pairs}
    return foreign
