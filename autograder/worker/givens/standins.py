"""Put a simulated card in the place of `torch.cuda`, and its clock in that of Python's.

For a block: whatever a name is bound to before, in torch, in `time` or in a student's notebook
(`from time import perf_counter`), is put back when it ends. Other threads see the real clocks.
"""

from __future__ import annotations

import time
import timeit
from _thread import RLock, get_ident  # that start no thread, which the judge must not
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import unwrap
from types import CellType
from typing import Any

from autograder.worker.givens.card import Card, Event, Memory, Stream, require_cuda

CLOCKS = ("perf_counter", "monotonic", "time", "process_time", "thread_time")
ABSENT = object()
ONE_AT_A_TIME = RLock()  # two blocks that overlap would put back each other's stand-ins


@contextmanager
def simulated(
    card: Card, memories: list[Memory], function: Callable[..., Any] | None = None
) -> Iterator[None]:
    """Have torch and time tell of a simulated computer.

    Parameters
    ----------
    card
        Its queue and clocks.
    memories
        The memory of each of its cards; none where there is no card.
    function
        The student's function that is going to be called: what its namespace, its defaults and its
        closure have taken from torch and time by name is exchanged there, too.
    """
    import torch

    names = _namespace(function)
    ONE_AT_A_TIME.acquire()
    exchanged: list[tuple[Any, str, Any]] = []
    twins: dict[int, Any] = {}

    def exchange(place: Any, name: str, new: Any) -> None:
        old = getattr(place, name, ABSENT)
        if old is ABSENT:  # an older torch, without it
            return
        exchanged.append((place, name, old))
        twins[id(old)] = new
        setattr(place, name, new)

    renamed: dict[str, Any] = {}
    try:
        for name, new in _cuda(card, memories).items():
            exchange(torch.cuda, name, new)
        for name, new in _counts(card, memories).items():
            exchange(torch.cuda.memory, name, new)
        for name, new in _accelerator(torch, card, memories).items():
            exchange(torch.accelerator, name, new)
        for name, new in _clocks(card).items():
            exchange(time, name, new)
        exchange(timeit, "default_timer", time.perf_counter)
        for name, value in list((names or {}).items()):
            if id(value) in twins:
                renamed[name] = value
                (names or {})[name] = twins[id(value)]
        with _bound_early(function, twins):
            yield
    finally:
        for name, value in renamed.items():
            (names or {})[name] = value
        for place, name, old in reversed(exchanged):
            setattr(place, name, old)
        ONE_AT_A_TIME.release()


def _namespace(function: Any) -> dict[str, Any] | None:
    """Return the namespace in which a function looks up its names."""
    names: dict[str, Any] | None = getattr(_plain(function), "__globals__", None)
    return names


def _plain(function: Any) -> Any:
    """Return the function behind wrappers, methods, and methods of the function itself."""
    owner = getattr(function, "__self__", function)
    candidate = owner if hasattr(owner, "__code__") else getattr(function, "__func__", owner)
    return unwrap(candidate) if callable(candidate) else candidate


@contextmanager
def _bound_early(function: Any, twins: Mapping[int, Any]) -> Iterator[None]:
    """Exchange what a function's defaults and closure hold."""
    function = _plain(function)
    defaults = getattr(function, "__defaults__", None)
    cells: list[tuple[CellType, Any]] = []
    try:
        if defaults:
            function.__defaults__ = tuple(twins.get(id(value), value) for value in defaults)
        for cell in getattr(function, "__closure__", None) or ():
            with suppress(ValueError):  # a cell that is still empty
                if id(cell.cell_contents) in twins:
                    cells.append((cell, cell.cell_contents))
                    cell.cell_contents = twins[id(cell.cell_contents)]
        yield
    finally:
        if defaults:
            function.__defaults__ = defaults
        for cell, value in cells:
            cell.cell_contents = value


def _cuda(card: Card, memories: list[Memory]) -> dict[str, Callable[..., Any]]:
    """Return what takes the place of the functions and classes of `torch.cuda`."""
    counts = _counts(card, memories)
    return {
        "is_available": lambda: card.present,
        "device_count": lambda: len(memories) if card.present else 0,
        "current_device": lambda: _index(card, memories, None),
        "get_device_name": lambda device=None: "simulated card",
        "init": card.require,
        "set_device": lambda device: None,
        "empty_cache": lambda: None,
        "device": lambda device: _Inside(card, memories, device),
        "synchronize": card.synchronize,
        "Event": lambda *args, **kwargs: Event(card, *args, **kwargs),
        "Stream": lambda *args, **kwargs: Stream(card, *args, **kwargs),
        "current_stream": lambda device=None: Stream(card),
        "default_stream": lambda device=None: Stream(card),
        "stream": lambda stream: stream,
        **counts,
    }


def _accelerator(torch: Any, card: Card, memories: list[Memory]) -> dict[str, Callable[..., Any]]:
    """Return what takes the place of `torch.accelerator`, where torch has it."""
    if not hasattr(torch, "accelerator"):
        return {}

    def current(check_available: bool = False) -> Any:
        return torch.device("cuda") if card.present else None

    return {
        "is_available": lambda: card.present,
        "device_count": lambda: len(memories) if card.present else 0,
        "current_accelerator": current,
        "synchronize": card.synchronize,
        **_counts(card, memories),
    }


def _counts(card: Card, memories: list[Memory]) -> dict[str, Callable[..., Any]]:
    """Return the functions that tell of memory: each takes a device, or None for the current."""

    def of(read: Callable[[Memory], Any]) -> Callable[..., Any]:
        return lambda device=None: read(memories[_index(card, memories, device)])

    def stats(memory: Memory) -> dict[str, int]:
        return {
            "allocated_bytes.all.current": memory.allocated,
            "allocated_bytes.all.peak": memory.peak,
            "reserved_bytes.all.current": memory.reserved,
            "reserved_bytes.all.peak": memory.reserved_peak,
        }

    return {
        "memory_allocated": of(lambda memory: memory.allocated),
        "max_memory_allocated": of(lambda memory: memory.peak),
        "memory_reserved": of(lambda memory: memory.reserved),
        "max_memory_reserved": of(lambda memory: memory.reserved_peak),
        "reset_peak_memory_stats": of(Memory.reset_peak),
        "reset_max_memory_allocated": of(Memory.reset_peak),
        "memory_stats": of(stats),
    }


def _index(card: Card, memories: list[Memory], device: Any) -> int:
    """Return the number of a card; the current one is 0, or that of the block one is in."""
    card.require()
    require_cuda(device)
    if isinstance(device, str):
        device = int(device.partition(":")[2] or _Inside.current)
    index = getattr(device, "index", device) if not isinstance(device, int) else device
    return _Inside.current if index is None else int(index)


class _Inside:
    """A block in which another card is the current one, as `torch.cuda.device`."""

    current = 0

    def __init__(self, card: Card, memories: list[Memory], device: Any) -> None:
        self._index = _index(card, memories, device)

    def __enter__(self) -> None:
        self._before, _Inside.current = _Inside.current, self._index

    def __exit__(self, *_: object) -> None:
        _Inside.current = self._before


def _clocks(card: Card) -> dict[str, Callable[..., Any]]:
    """Return what takes the place of Python's clocks, and of sleep."""
    thread = get_ident()
    real: Mapping[str, Callable[[], float]] = {name: getattr(time, name) for name in CLOCKS}
    start = {name: clock() for name, clock in real.items()}
    sleep = time.sleep

    def shown(name: str) -> float:
        passed = {"time": card.wall, "process_time": card.busy, "thread_time": card.busy}
        return start[name] + passed.get(name, card.host)

    def clock(name: str) -> Callable[[], float]:
        return lambda: shown(name) if get_ident() == thread else real[name]()

    def in_ns(name: str) -> Callable[[], int]:
        return lambda: round(clock(name)() * 1e9)

    def stand_in_for_sleep(seconds: float) -> None:
        if get_ident() == thread:
            card.pass_time(seconds, busy=False)
        else:
            sleep(seconds)

    found: dict[str, Callable[..., Any]] = {name: clock(name) for name in CLOCKS}
    return {**found, **{f"{name}_ns": in_ns(name) for name in CLOCKS}, "sleep": stand_in_for_sleep}
