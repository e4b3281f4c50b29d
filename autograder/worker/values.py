"""The closed set of values that may pass between student code and judge.

Arrays, tensors, numbers, strings, booleans, None, lists, tuples and dicts with string keys, and
nothing else. `plain` copies a value into that set; what does not fit becomes a `Foreign`, which is
an answer of the wrong type and never compares equal to anything expected.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

MAX_BYTES = 64 * 2**20  # one answer; the largest honest one of the course is below 1 MiB
MAX_DEPTH = 8  # state dicts in lists need 3
MAX_BITS = 1024  # of a whole number; a count of the course has 64
ENTRY = 64  # bytes: of an entry of a list or dict, about
MAX_ITEMS = 10_000  # entries of all lists and dicts of one answer together


@dataclass(frozen=True)
class Foreign:
    """A value that may not pass: only the name of its type does."""

    type_name: str
    """Name of the value's class, as the student would write it."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A torch tensor as data: what passes between a process with torch and one without."""

    dtype: str
    """torch's name of the type, without ``torch.``: ``float32``, ``bfloat16``."""
    array: np.ndarray
    """The values; those of a bfloat16 in float32, which holds them exactly."""
    requires_grad: bool = False
    """Whether it is a leaf or result that gradients flow to."""


Plain: TypeAlias = (
    "np.ndarray | np.generic | Tensor | bool | int | float | str | Foreign"
    " | list[Plain] | tuple[Plain, ...] | dict[str, Plain] | None"
)

NUMERIC_KINDS = frozenset("biuf")
TENSOR_DTYPES = frozenset(
    (
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
    )
)


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


def size_of(value: Plain) -> int:
    """Return about how many bytes a plain value takes on its way."""
    if isinstance(value, dict):
        return sum(map(size_of, value.values())) + ENTRY * len(value)
    if isinstance(value, list | tuple):
        return sum(map(size_of, value)) + ENTRY
    if isinstance(value, Tensor):
        return value.array.nbytes + ENTRY
    return ENTRY + (len(value) if isinstance(value, str) else getattr(value, "nbytes", 0))


def _plain(value: Any, budget: _Budget, depth: int) -> Plain:
    kind = type(value)  # never `isinstance`: a class may lie about what its objects are
    if depth > MAX_DEPTH:
        return Foreign(kind.__name__)
    if value is None or kind in (bool, int, float):
        fits = kind is not int or int.bit_length(value) <= MAX_BITS
        return value if fits and budget.take(16) else Foreign(kind.__name__)
    if kind is str:
        return value if budget.take(len(value)) else Foreign(kind.__name__)
    if issubclass(kind, np.ndarray):
        base = np.ndarray.view(value, np.ndarray)
        if base.dtype.kind not in NUMERIC_KINDS or not budget.take(base.nbytes):
            return Foreign(kind.__name__)
        return np.array(base, order="K", subok=False)
    if issubclass(kind, np.generic) and kind.__module__ == "numpy":
        is_number = value.dtype.kind in NUMERIC_KINDS and budget.take(value.nbytes)
        return value if is_number else Foreign(kind.__name__)
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(kind, torch.Tensor):
        return _plain_tensor(torch, value, budget) or Foreign(kind.__name__)
    return _plain_items(value, budget, depth, Foreign(kind.__name__))


def _plain_tensor(torch: Any, value: Any, budget: _Budget) -> Tensor | None:
    """Copy a dense tensor of numbers to the CPU, past whatever its class may override."""
    with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
        base = torch.Tensor.detach(value)
        name = str(base.dtype).removeprefix("torch.")
        if base.layout is not torch.strided or name not in TENSOR_DTYPES:
            return None
        if not budget.take(base.numel() * 8):
            return None
        wide = base.to("cpu", torch.float32 if name == "bfloat16" else base.dtype)
        return Tensor(name, np.array(wide.numpy()), bool(value.requires_grad))


def _plain_items(value: Any, budget: _Budget, depth: int, foreign: Foreign) -> Plain:
    """Copy what holds other values; named tuples count as tuples, dicts of any class as dicts."""
    kind: type = type(value)
    if kind is list or (issubclass(kind, tuple) and (kind is tuple or hasattr(kind, "_fields"))):
        items = list(value) if kind is list else list(tuple.__iter__(value))
        if not budget.take(0, len(items)):
            return foreign
        copied = [_plain(item, budget, depth + 1) for item in items]
        return copied if kind is list else tuple(copied)
    if issubclass(kind, dict):
        pairs = list(dict.items(value))
        if not budget.take(0, len(pairs)) or any(type(key) is not str for key, _ in pairs):
            return foreign
        return {key: _plain(item, budget, depth + 1) for key, item in pairs}
    return foreign
