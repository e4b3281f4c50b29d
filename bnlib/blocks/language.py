"""The words a program is written in; each has the name and the meaning of `triton.language`'s."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnlib.blocks.errors import BlockError
from bnlib.blocks.memory import Pointer

Block = Any
"""A block of values, or one of them: a NumPy array or number."""


@dataclass(frozen=True)
class _Program:
    """The program that runs now."""

    number: int
    """Its number along the grid."""
    place: tuple[int, ...]
    """Its place in the grid."""
    grid: tuple[int, ...]
    """How many programs there are along each axis."""


_running: list[_Program] = []


@contextmanager
def running(number: int, place: tuple[int, ...], grid: tuple[int, ...]) -> Iterator[None]:
    """Let the words of this module speak of one program."""
    _running.append(_Program(number, place, grid))
    try:
        yield
    finally:
        _running.pop()


def program_id(axis: int) -> int:
    """Return the running program's place along an axis of the grid."""
    return _along(_now().place, axis, 0)


def num_programs(axis: int) -> int:
    """Return how many programs the grid has along an axis."""
    return _along(_now().grid, axis, 1)


def arange(start: int, end: int) -> np.ndarray:
    """Return the block ``start, …, end − 1``; its length must be a power of two, as on a GPU."""
    length = end - start
    if length < 1 or length & (length - 1):
        raise BlockError(
            f"arange({start}, {end}): a block has 1, 2, 4, 8, … lanes, and this one {length}. "
            "Take the next larger power of two, and mask the lanes you do not need."
        )
    return np.arange(start, end)


def load(pointer: Pointer, mask: Block = None, other: Block = None) -> Block:
    """Read the entries a pointer points to.

    Parameters
    ----------
    pointer
        An array's pointer with offsets added: ``x + at``.
    mask
        Lanes that take part; the others touch no memory.
    other
        What the other lanes get. Without it their values are undefined: here nan (or the smallest
        whole number), so that using one is seen.
    """
    at, takes_part = _lanes(pointer, mask)
    memory = pointer.memory
    filled = np.full(at.shape, _undefined(memory.dtype), memory.dtype)
    if other is not None:
        filled[...] = other
    filled[takes_part] = memory.load(at[takes_part], _now().number)
    return filled if filled.ndim else filled[()]


def store(pointer: Pointer, value: Block, mask: Block = None) -> None:
    """Write values to the entries a pointer points to, in the array's dtype."""
    at, takes_part = _lanes(pointer, mask)
    values = _spread(pointer, value, at)
    pointer.memory.store(at[takes_part], values[takes_part], _now().number)


def atomic_add(pointer: Pointer, value: Block, mask: Block = None) -> Block:
    """Add to the entries a pointer points to, undivided, and return what they held before."""
    at, takes_part = _lanes(pointer, mask)
    memory = pointer.memory
    before = np.full(at.shape, _undefined(memory.dtype), memory.dtype)
    values = _spread(pointer, value, at)
    before[takes_part] = memory.atomic_add(at[takes_part], values[takes_part], _now().number)
    return before if before.ndim else before[()]


def sum(block: Block, axis: int | None = None) -> Block:
    """Return the sum of a block, or the sums along one of its axes."""
    return np.sum(block, axis=axis)


def where(condition: Block, x: Block, y: Block) -> Block:
    """Return x in the lanes where the condition holds, and y in the others."""
    return np.where(condition, x, y)


def zeros(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """Return a block of zeros."""
    return np.zeros(shape, dtype)


def sqrt(block: Block) -> Block:
    """Return the square root of each lane."""
    return np.sqrt(block)


def cdiv(a: int, b: int) -> int:
    """Return ``⌈a / b⌉``: how many blocks of b hold a entries."""
    return -(-a // b)


def _now() -> _Program:
    if not _running:
        raise BlockError("There is no program running: call it through launch(program, grid, ...).")
    return _running[-1]


def _along(sizes: tuple[int, ...], axis: int, missing: int) -> int:
    if axis not in (0, 1, 2):
        raise BlockError(f"A grid has the axes 0, 1 and 2; got {axis}.")
    return sizes[axis] if axis < len(sizes) else missing


def _lanes(pointer: Pointer, mask: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets, and which of them take part: both of the shape of the block."""
    if not isinstance(pointer, Pointer):
        raise BlockError(
            f"Expected a pointer, such as x + at; got a {type(pointer).__name__}. Is it the values "
            "of a load, or the offsets alone?"
        )
    at = np.asarray(pointer.offset)
    if mask is None:
        return at, np.ones(at.shape, bool)
    try:
        return at, np.broadcast_to(np.asarray(mask, bool), at.shape)
    except ValueError as error:
        shape = np.shape(mask)
        text = f"The mask has shape {shape}, the block {at.shape}: give each lane one value."
        raise BlockError(text) from error


def _spread(pointer: Pointer, value: Block, at: np.ndarray) -> np.ndarray:
    """Return one value for each lane."""
    try:
        return np.broadcast_to(np.asarray(value), at.shape)
    except ValueError as error:
        raise BlockError(
            f"Values of shape {np.shape(value)} do not fit the block of offsets {at.shape} that "
            f"they are stored to in {pointer.memory.name}."
        ) from error


def _undefined(dtype: np.dtype) -> Any:
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).min if dtype.kind in "iu" else False
