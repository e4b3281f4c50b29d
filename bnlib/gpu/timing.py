"""Measure on a device that works while the host goes on: times, and the peak of its memory."""

import time
from collections.abc import Callable

import torch

from bnlib.errors import ParameterError


def time_op(
    fn: Callable[[], object], device: torch.device, warmup: int, repeats: int
) -> list[float]:
    """Return how long each of `repeats` calls takes, in milliseconds, after `warmup` calls.

    On a card the time is that between two events in its queue, read when all is done; on the CPU
    that of a clock which is never set.

    Parameters
    ----------
    fn : callable
        The work; its result is thrown away.
    device : torch.device
        Where it works.
    warmup : int
        Calls before, which compile, allocate, and raise clocks; at least 0.
    repeats : int
        Calls that are measured; at least 1.

    Returns
    -------
    list of float
        One entry a call, in order.

    Raises
    ------
    ParameterError
        If a number of calls is too small.

    Examples
    --------
    >>> times = time_op(lambda: time.sleep(0.002), torch.device("cpu"), warmup=1, repeats=3)
    >>> len(times), all(time > 1 for time in times)
    (3, True)
    """
    if warmup < 0 or repeats < 1:
        raise ParameterError(
            f"warmup must be at least 0 and repeats at least 1; got {warmup} and {repeats}."
        )
    for _ in range(warmup):
        fn()
    if device.type == "cuda":
        return _between_events(fn, device, repeats)
    return [_by_the_clock(fn) for _ in range(repeats)]


def _between_events(fn: Callable[[], object], device: torch.device, repeats: int) -> list[float]:
    """Time calls by marks in the card's queue: what was in it before does not count."""
    pairs = []
    with torch.cuda.device(device):
        for _ in range(repeats):
            start = torch.cuda.Event(enable_timing=True)
            end = torch.cuda.Event(enable_timing=True)
            start.record()
            fn()
            end.record()
            pairs.append((start, end))
        torch.cuda.synchronize()
    return [start.elapsed_time(end) for start, end in pairs]


def _by_the_clock(fn: Callable[[], object]) -> float:
    start = time.perf_counter()
    fn()
    return (time.perf_counter() - start) * 1e3


def peak_memory(fn: Callable[[], object], device: torch.device) -> int | None:
    """Return how many bytes a call needs at its worst moment, beyond what is allocated before.

    Parameters
    ----------
    fn : callable
        The work, called once.
    device : torch.device
        Where it allocates.

    Returns
    -------
    int or None
        Bytes that tensors hold, which is less than what torch has reserved. None on a CPU: torch
        counts nothing there.

    Examples
    --------
    >>> peak_memory(lambda: torch.ones(3), torch.device("cpu")) is None
    True
    """
    if device.type != "cuda":
        fn()
        return None
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    fn()
    return torch.cuda.max_memory_allocated(device) - before
