"""Arrays as programs see them: flat memory behind a pointer, with a log of who touched what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bnlib.blocks.errors import BlockError, OutOfBoundsError
from bnlib.blocks.report import Race, Traffic

SECTOR = 32  # bytes that a GPU's memory moves at least (NVIDIA, CUDA C++ Best Practices Guide)
Kind = Literal["load", "store", "atomic"]
KINDS: tuple[Kind, ...] = ("load", "store", "atomic")


class Memory:
    """One array of a launch.

    Parameters
    ----------
    name
        The program's parameter.
    array
        The array, C-contiguous; what is stored ends up in it.
    together
        Whether every program sees the array as it was at the launch, and its own stores.
    """

    def __init__(self, name: str, array: np.ndarray, together: bool) -> None:
        self.name, self._flat = name, array.reshape(-1)
        self._start = self._flat.copy() if together else None
        self._seen = self._flat
        self._late: list[tuple[np.ndarray, np.ndarray]] = []
        self._counts = dict.fromkeys(KINDS, 0)
        self._sectors = 0
        size = len(self._flat)
        self._first = {kind: np.full(size, np.iinfo(np.int64).max) for kind in KINDS}
        self._last = {kind: np.full(size, -1) for kind in KINDS}
        self._lanes: dict[int, int] = {}  # entry that two lanes of one store write, and by whom

    @property
    def dtype(self) -> np.dtype:
        """Type of the entries."""
        return self._flat.dtype

    def begin(self) -> None:
        """Let the next program see the memory."""
        if self._start is not None:
            self._seen = self._start.copy()

    def end(self) -> None:
        """Let late stores arrive: all programs have run."""
        for at, values in self._late:
            self._flat[at] = values

    def load(self, at: np.ndarray, program: int) -> np.ndarray:
        """Return entries."""
        self._log("load", at, program)
        values: np.ndarray = self._seen[at]
        return values

    def store(self, at: np.ndarray, values: np.ndarray, program: int) -> None:
        """Write entries."""
        self._log("store", at, program)
        entries, counts = np.unique(at, return_counts=True)
        for entry in entries[counts > 1]:
            self._lanes.setdefault(int(entry), program)
        self._seen[at] = values
        if self._start is not None:
            self._late.append((at, values.astype(self.dtype)))

    def atomic_add(self, at: np.ndarray, values: np.ndarray, program: int) -> np.ndarray:
        """Add to entries one after the other, and return what each held before."""
        self._log("atomic", at, program)
        before = np.empty(len(at), self.dtype)
        for lane, entry in enumerate(at):
            before[lane] = self._flat[entry]
            self._flat[entry] += values[lane]
            if self._start is not None:
                self._seen[entry] = self._flat[entry]
        return before

    def _log(self, kind: Kind, at: np.ndarray, program: int) -> None:
        size = len(self._flat)
        outside = at[(at < 0) | (at >= size)]
        if len(outside):
            raise OutOfBoundsError(
                f"Program {program} wants to {_VERB[kind]} {self.name}[{outside[0]}], and "
                f"{self.name} has {size} entries, 0 to {size - 1}. Leave lanes out that lie "
                "outside: mask=..., and look at how the offsets are made."
            )
        self._counts[kind] += len(at)
        self._sectors += len(np.unique(at * self.dtype.itemsize // SECTOR))
        np.minimum.at(self._first[kind], at, program)
        np.maximum.at(self._last[kind], at, program)

    def traffic(self) -> Traffic:
        """Return what was counted."""
        loads, stores, atomics = (self._counts[kind] for kind in KINDS)
        size = self.dtype.itemsize
        return Traffic(len(self._flat), size, loads, stores, atomics, self._sectors)

    def races(self) -> list[Race]:
        """Return the entries that several programs touch, one of them in a way that decides."""
        first = np.min([self._first[kind] for kind in KINDS], axis=0)
        last = np.max([self._last[kind] for kind in KINDS], axis=0)
        touched = {kind: self._last[kind] >= 0 for kind in KINDS}
        mixed = touched["atomic"] & touched["load"]
        racing = (first < last) & (touched["store"] | mixed)
        found = [
            Race(self.name, entry, self._between(entry), (int(first[entry]), int(last[entry])))
            for entry in map(int, np.flatnonzero(racing))
        ]
        return found + [
            Race(self.name, entry, "lanes of one store", (program, program))
            for entry, program in sorted(self._lanes.items())
        ]

    def _between(self, entry: int) -> str:
        kinds: list[str] = [kind for kind in KINDS if self._last[kind][entry] >= 0]
        if self._first["store"][entry] < self._last["store"][entry]:
            kinds = ["store", *kinds] if kinds == ["store"] else kinds
        return " and ".join(kinds)


_VERB = {"load": "load", "store": "store to", "atomic": "add to"}


@dataclass(frozen=True, eq=False)
class Pointer:
    """Where an array begins, or, with offsets added, one place for each lane of a block."""

    memory: Memory
    """The array."""
    offset: int | np.ndarray = 0
    """Distance from the array's first entry, counted in entries."""

    __array_ufunc__ = None  # `offsets + pointer` is this class's business, not NumPy's

    def __add__(self, offset: int | np.ndarray) -> Pointer:
        if not np.issubdtype(np.asarray(offset).dtype, np.integer):
            raise BlockError(
                f"{self.memory.name} + offset: offsets are whole numbers, counted in entries; got "
                f"{np.asarray(offset).dtype}. Divide with // where you make them."
            )
        return Pointer(self.memory, self.offset + np.asarray(offset))

    __radd__ = __add__

    def __sub__(self, offset: int | np.ndarray) -> Pointer:
        return self + -np.asarray(offset)

    def __getitem__(self, _key: object) -> object:
        name = self.memory.name
        raise BlockError(f"{name} is a pointer: read it with load({name} + offsets).")

    def __setitem__(self, _key: object, _value: object) -> None:
        name = self.memory.name
        raise BlockError(f"{name} is a pointer: write to it with store({name} + offsets, values).")
