"""Run a program once for each place of a grid."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from bnlib.blocks.errors import BlockError
from bnlib.blocks.language import running
from bnlib.blocks.memory import Memory, Pointer
from bnlib.blocks.report import Report

Schedule = Literal["in order", "backwards", "together"]


def launch(
    program: Callable[..., None],
    grid: tuple[int, ...],
    *args: Any,
    schedule: Schedule = "in order",
    **kwargs: Any,
) -> Report:
    """Run `program` for every place of `grid`, and report what it did to memory.

    Parameters
    ----------
    program
        A function of pointers and numbers, written with the words of `bnlib.blocks`. It returns
        nothing: results are stored.
    grid
        How many programs there are along up to three axes: ``(4,)``, ``(4, 2)``.
    *args, **kwargs
        The program's arguments. An array becomes a `Pointer` to its first entry, and what is
        stored is in the array afterwards; it must be C-contiguous. Numbers stay numbers.
    schedule
        A GPU promises no order. ``"in order"`` runs one program after the other, ``"backwards"``
        the last one first; ``"together"`` lets every program see memory as it was at the launch,
        with its own stores alone, as if all ran at the same moment. Without races all agree.

    Returns
    -------
    Report
        Loads, stores and sectors of each array, and the races.

    Raises
    ------
    BlockError
        If the grid is no tuple of one to three positive numbers, an array is not contiguous, or
        the program misuses a block.
    OutOfBoundsError
        If a program loads or stores outside of an array.
    """
    _check_grid(grid)
    bound = inspect.signature(program).bind(*args, **kwargs)
    memories = {
        name: Memory(name, _contiguous(name, value), schedule == "together")
        for name, value in bound.arguments.items()
        if isinstance(value, np.ndarray)
    }
    for name, memory in memories.items():
        bound.arguments[name] = Pointer(memory)
    places = list(enumerate(np.ndindex(*grid)))
    for number, place in reversed(places) if schedule == "backwards" else places:
        for memory in memories.values():
            memory.begin()
        with running(number, place, grid):
            program(*bound.args, **bound.kwargs)
    for memory in memories.values():
        memory.end()
    races = tuple(race for memory in memories.values() for race in memory.races())
    traffic = {name: memory.traffic() for name, memory in memories.items()}
    return Report(len(places), traffic, races)


def _check_grid(grid: Any) -> None:
    fits = isinstance(grid, tuple) and 1 <= len(grid) <= 3
    if not fits or not all(isinstance(n, int | np.integer) and n > 0 for n in grid):
        raise BlockError(
            f"grid must be a tuple of one to three positive whole numbers, such as (4,); got "
            f"{grid!r}."
        )


def _contiguous(name: str, array: np.ndarray) -> np.ndarray:
    if not array.flags.c_contiguous:
        raise BlockError(
            f"{name} is not contiguous: its entries do not lie one after the other, and a pointer "
            f"knows nothing of its strides. Copy it first: np.ascontiguousarray({name})."
        )
    return array
