"""How long a function keeps the device busy: events, warm-up, a cold cache, the median."""

from collections.abc import Callable
from statistics import median
from typing import Protocol

import torch


class Clock(Protocol):
    """What times one call. Tests put in one of their own."""

    def cold(self) -> None:
        """Empty the cache, and let the launch of what follows hide behind it."""

    def time(self, fn: Callable[[], object]) -> float:
        """Return the milliseconds that the device worked on `fn`."""


class CudaClock:
    """CUDA events around a call that waits in the queue already when the device gets to it.

    Before each call the device writes a buffer larger than its L2 cache, and then sleeps for about
    a millisecond. Python launches the call in that time, so what is measured is the device's work
    and not the interpreter's.
    """

    def __init__(self, device: torch.device) -> None:
        cache = torch.cuda.get_device_properties(device).L2_cache_size
        self._flush = torch.empty(max(4 * cache, 1 << 28), dtype=torch.int8, device=device)
        self._cycles = 2_000_000  # about a millisecond at 1.5 to 2 GHz

    def cold(self) -> None:
        """Write over the cache, and sleep."""
        self._flush.zero_()
        torch.cuda._sleep(self._cycles)

    def time(self, fn: Callable[[], object]) -> float:
        """Return the time between two events around `fn`."""
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        fn()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end))


def median_ms(clock: Clock, fn: Callable[[], object], warmup: int = 5, repeats: int = 25) -> float:
    """Return the median milliseconds of `fn`, each time on a cold cache.

    Parameters
    ----------
    clock : Clock
        A `CudaClock`; in tests, any.
    fn : callable
        What is timed.
    warmup : int, default 5
        Calls before the first that counts: compilation, allocation.
    repeats : int, default 25
        Calls that count.
    """
    for _ in range(warmup):
        fn()
    times = []
    for _ in range(repeats):
        clock.cold()
        times.append(clock.time(fn))
    return median(times)


def copy_bandwidth(clock: Clock, device: torch.device, n_bytes: int = 1 << 30) -> float:
    """Return the GB/s (10⁹ bytes) of copying a tensor: each byte is read once and written once."""
    source = torch.zeros(n_bytes, dtype=torch.int8, device=device)
    target = torch.empty_like(source)
    ms = median_ms(clock, lambda: target.copy_(source))
    return 2 * n_bytes / ms / 1e6
