"""What a launch did to memory: entries loaded and stored, sectors moved, races."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Traffic:
    """What all programs together did to one array."""

    entries: int
    """Entries the array has."""
    itemsize: int
    """Bytes of one entry."""
    loads: int
    """Entries loaded; a lane that is masked out loads none."""
    stores: int
    """Entries stored."""
    atomics: int
    """Entries added to atomically; each is read and written."""
    sectors: int
    """Sectors of 32 bytes touched, counted anew by each load and store: what a GPU moves at least.
    Neighbours share a sector; entries far apart move one each."""

    @property
    def bytes(self) -> int:
        """Bytes the programs asked for: an atomic addition is a load and a store."""
        return (self.loads + self.stores + 2 * self.atomics) * self.itemsize


@dataclass(frozen=True)
class Race:
    """Two programs that meet at one entry, at least one of them writing."""

    array: str
    """Name of the array, as the program's parameter."""
    entry: int
    """Index into the array, taken as flat."""
    between: str
    """What meets there: ``store and store``, ``load and store``, ``lanes of one store``, ..."""
    programs: tuple[int, int]
    """The first and the last of the programs that meet, numbered along the grid."""

    def __str__(self) -> str:
        who = f"program {self.programs[0]}"
        if self.programs[0] != self.programs[1]:
            who = "programs {} and {}".format(*self.programs)
        return f"{self.array}[{self.entry}]: {self.between}, {who}"


@dataclass(frozen=True)
class Report:
    """What `launch` saw."""

    programs: int
    """How many programs ran."""
    traffic: Mapping[str, Traffic] = field(repr=False)
    """By the name of the array, as the program's parameter."""
    races: tuple[Race, ...] = field(repr=False)
    """Every entry at which programs race. The numbers may still look right: it is luck."""

    def __getitem__(self, array: str) -> Traffic:
        return self.traffic[array]

    @property
    def bytes(self) -> int:
        """Bytes that all programs asked for."""
        return sum(traffic.bytes for traffic in self.traffic.values())

    @property
    def sectors(self) -> int:
        """Sectors of 32 bytes that all programs touched."""
        return sum(traffic.sectors for traffic in self.traffic.values())

    def __str__(self) -> str:
        lines = [f"{self.programs} programs, {self.bytes} bytes", _HEAD]
        for name, t in self.traffic.items():
            counts = f"{t.entries:9}{t.loads:9}{t.stores:9}{t.atomics:9}{t.sectors:9}"
            lines.append(f"{name:12}{counts}")
        return "\n".join([*lines, *_told(self.races)])


_HEAD = f"{'array':12}{'entries':>9}{'loads':>9}{'stores':>9}{'atomics':>9}{'sectors':>9}"
_SHOWN = 3  # races that a printed report names


def _told(races: tuple[Race, ...]) -> list[str]:
    lines = [f"race at {race}" for race in races[:_SHOWN]]
    more = len(races) - _SHOWN
    return [*lines, f"and {more} more races"] if more > 0 else lines or ["no race"]
