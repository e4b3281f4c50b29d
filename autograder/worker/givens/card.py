"""A GPU that is not there: a queue, two clocks and a memory, all of them counted and none real.

The host puts work into the card's queue and goes on; the card works it off in order. Who wants to
know how long it took has to wait for it, or to put marks into the same queue. `standins` puts a
card's functions in the place of `torch.cuda`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LAUNCH = 5e-6  # seconds the host needs to put one kernel into the queue
WAKE = 8e-6  # seconds until the host goes on after it has waited
PAGE = 2**21  # bytes that torch's allocator asks a card for at a time
NO_CARD = "Torch not compiled with CUDA enabled"


@dataclass(frozen=True)
class Work:
    """What one call of an operation does."""

    ms: float
    """Time it takes on the card, or on the host."""
    first_ms: float = 0.0
    """Time the host needs before, at this call only: to compile, to allocate."""


class Card:
    """A computer with a simulated card, or without one.

    Parameters
    ----------
    present
        Whether there is a card.
    works
        One for each call of the operation; the last one's time is that of all further calls.
    on_card
        Whether the operation runs on the card; else on the host.
    kernels
        Kernels that one call puts into the queue.
    set_back
        Seconds by which the wall clock is set back at each call of the operation.
    asleep
        Whether the host sleeps while the operation runs on it.
    """

    def __init__(
        self,
        present: bool = True,
        works: Sequence[Work] = (Work(1.0),),
        on_card: bool = True,
        kernels: int = 1,
        set_back: float = 0.0,
        asleep: bool = False,
    ) -> None:
        self.present, self._works, self._on_card = present, works, on_card
        self._kernels, self._set_back, self._asleep = kernels, set_back, asleep
        self.calls = 0
        self.host = 0.0  # seconds since the start, on the host's clock
        self.busy = 0.0  # of these, seconds in which the host did something
        self.wall = 0.0  # what the wall clock shows, since the start
        self._free = 0.0  # when the queue will be empty

    def operation(self) -> None:
        """Do the work that is to be timed."""
        work = self._works[min(self.calls, len(self._works) - 1)]
        self.calls += 1
        self.wall -= self._set_back
        self.pass_time(work.first_ms / 1e3)
        if not self._on_card:
            self.pass_time(work.ms / 1e3, busy=not self._asleep)
            return
        for _ in range(self._kernels):
            self.pass_time(LAUNCH)
            self._free = max(self.host, self._free) + work.ms / 1e3 / self._kernels

    def pass_time(self, seconds: float, busy: bool = True) -> None:
        """Let time go by on the host."""
        self.host += seconds
        self.wall += seconds
        self.busy += seconds if busy else 0.0

    def synchronize(self, device: Any = None) -> None:
        """Wait until the queue is empty."""
        self.require()
        require_cuda(device)
        self.wait_until(self._free)

    def wait_until(self, moment: float) -> None:
        """Wait for the card to come so far; at least the time to ask goes by."""
        self.pass_time(max(moment - self.host, 0.0), busy=False)
        self.pass_time(WAKE)

    def end_of_queue(self) -> float:
        """Return when all will be done that is in the queue now."""
        return max(self.host, self._free)

    def require(self) -> None:
        """Say what torch says where there is no card."""
        if not self.present:
            raise AssertionError(NO_CARD)


def require_cuda(device: Any) -> None:
    """Say what torch says when it is asked about the CPU as if that were a card."""
    if str(device).startswith("cpu"):
        raise ValueError(f"Expected a cuda device, but got: {device}")


class Event:
    """A mark in the queue, as `torch.cuda.Event`."""

    def __init__(self, card: Card, enable_timing: bool = False, *_: Any, **__: Any) -> None:
        card.require()
        self._card, self._timing = card, enable_timing
        self._moment: float | None = None

    def record(self, stream: Any = None) -> None:
        """Put the mark at the end of the queue."""
        self._moment = self._card.end_of_queue()

    def query(self) -> bool:
        """Say whether the card has come past the mark."""
        return self._moment is None or self._card.host >= self._moment

    def synchronize(self) -> None:
        """Wait until the card has come past the mark."""
        self._card.wait_until(self._moment or 0.0)

    def wait(self, stream: Any = None) -> None:
        """Have a stream wait: there is only one, which works in order."""

    def elapsed_time(self, end_event: Event) -> float:
        """Return the milliseconds from this mark to another; errors as CUDA gives them."""
        if not (self._timing and end_event._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._moment is None or end_event._moment is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return (end_event._moment - self._moment) * 1e3


class Stream:
    """The card's queue, as `torch.cuda.Stream`: every stream is the same one."""

    def __init__(self, card: Card, *_: Any, **__: Any) -> None:
        card.require()
        self._card = card

    def synchronize(self) -> None:
        """Wait until the queue is empty."""
        self._card.synchronize()

    def query(self) -> bool:
        """Say whether the queue is empty."""
        return self._card.host >= self._card.end_of_queue()

    def record_event(self, event: Event | None = None) -> Event:
        """Put a mark at the end of the queue."""
        mark = Event(self._card) if event is None else event
        mark.record()
        return mark

    def wait_event(self, event: Event) -> None:
        """Wait for a mark: the queue works in order anyway."""

    def wait_stream(self, stream: Stream) -> None:
        """Wait for another stream: there is none."""

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the stream."""


class Memory:
    """The memory of one card, as torch's allocator counts it.

    Parameters
    ----------
    held
        Bytes that tensors hold from the start.
    highest
        Most that they ever held before.
    """

    def __init__(self, held: int = 0, highest: int = 0) -> None:
        self.allocated, self.peak = held, max(held, highest)
        self.reserved = self.reserved_peak = _pages(self.peak)

    def change(self, n_bytes: int) -> None:
        """Allocate bytes, or with a negative number free them."""
        self.allocated += n_bytes
        self.peak = max(self.peak, self.allocated)
        self.reserved = max(self.reserved, _pages(self.allocated))
        self.reserved_peak = max(self.reserved_peak, self.reserved)

    def reset_peak(self) -> None:
        """Forget what was before."""
        self.peak, self.reserved_peak = self.allocated, self.reserved


def _pages(n_bytes: int) -> int:
    return -(-n_bytes // PAGE) * PAGE
