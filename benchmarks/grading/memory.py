"""Memory of a process and all its descendants, sampled while it runs.

PSS counts a page that n processes share as 1/n in each, so the sum is what the family really
takes. RSS counts such a page n times.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Taken:
    """Memory of a family of processes, in bytes."""

    pss: int
    """Shared pages counted once; RSS for processes that may not be looked into."""
    rss: int
    """Shared pages counted in each process."""


def taken(pids: Iterable[int]) -> Taken:
    """Return what processes and their descendants take now."""
    pss = rss = 0
    family: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):  # has just ended
            family += [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        try:
            resident = process.memory_info().rss
        except psutil.Error:
            continue
        try:
            share = process.memory_full_info().pss
        except psutil.AccessDenied:
            share = resident
        except psutil.Error:
            continue
        pss, rss = pss + share, rss + resident
    return Taken(pss, rss)


class Watcher(threading.Thread):
    """Samples families until told to stop; then `peak` holds the largest of what was seen.

    Parameters
    ----------
    pids
        Tells the eldest of each.
    seconds
        Between two samples.
    """

    def __init__(self, pids: Callable[[], Iterable[int]], seconds: float) -> None:
        super().__init__(daemon=True)
        self.peak = Taken(0, 0)
        self.busy = 0.0  # seconds of processor time that watching took
        self._pids, self._seconds, self._end = pids, seconds, threading.Event()

    def run(self) -> None:
        """Sample."""
        while not self._end.wait(self._seconds):
            now = taken(self._pids())
            self.peak = Taken(max(self.peak.pss, now.pss), max(self.peak.rss, now.rss))
        self.busy = time.thread_time()

    def stop(self) -> None:
        """End, and wait for it."""
        self._end.set()
        self.join()
