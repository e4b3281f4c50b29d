"""Host and card as two lanes: when work is launched, when it runs, and what a clock sees of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

LAUNCH = 0.05  # ms that the host needs for a launch: ten times the real one, to be seen
CALLS = 3
WARMUP = 2
WAYS = (
    "clock, no waiting",
    "clock, waits before the end",
    "clock, waits before both",
    "events",
)


@dataclass(frozen=True)
class Timeline:
    """What happened when, in milliseconds."""

    launches: tuple[tuple[float, float], ...]
    """Start and end of each launch on the host."""
    kernels: tuple[tuple[float, float], ...]
    """Start and end of each call on the card."""
    waits: tuple[tuple[float, float], ...]
    """Start and end of each wait on the host."""
    readings: tuple[tuple[float, float], ...]
    """The two moments between which each measured call was timed."""

    @property
    def times(self) -> tuple[float, ...]:
        """The times that were reported."""
        return tuple(end - start for start, end in self.readings)


def timeline(ms: float, way: str, cold: float = 0.0, warmup: int = WARMUP) -> Timeline:
    """Work out what a way of timing three calls sees.

    Parameters
    ----------
    ms : float
        Time of a call on the card.
    way : one of `WAYS`
        How it is timed.
    cold : float, default 0
        Time that the very first call loses on the host, compiling.
    warmup : int, default 2
        Calls before, unmeasured.

    Examples
    --------
    >>> [round(t, 2) for t in timeline(2.0, "events").times]
    [2.0, 2.0, 2.0]
    >>> [round(t, 2) for t in timeline(2.0, "clock, no waiting").times]
    [0.05, 0.05, 0.05]
    """
    host = free = 0.0
    launches, kernels, waits, readings = [], [], [], []

    def wait() -> None:
        nonlocal host
        if free > host:
            waits.append((host, free))
            host = free

    for call in range(-warmup, CALLS):
        measured = call >= 0
        if measured and way == WAYS[2]:
            wait()
        start = max(host, free) if way == WAYS[3] else host
        before, host = host, host + LAUNCH + (cold if call == -warmup else 0.0)
        launches.append((before, host))
        begin = max(host, free)
        free = begin + ms
        kernels.append((begin, free))
        if not measured:
            continue
        if way in WAYS[1:3]:
            wait()
        readings.append((start, free if way == WAYS[3] else host))
    return Timeline(tuple(launches), tuple(kernels), tuple(waits), tuple(readings))


def draw_timeline(
    ms: float = 1.0, way: str = WAYS[0], cold: float = 2.0, warmup: int = WARMUP
) -> Figure:
    """Draw the two lanes, and the reported times beside the true one.

    Parameters
    ----------
    ms : float, default 1
        Time of a call on the card.
    way : one of `WAYS`, default "clock, no waiting"
        How it is timed.
    cold : float, default 2
        Time that the very first call loses on the host.
    warmup : int, default 2
        Calls before, unmeasured.
    """
    found = timeline(ms, way, cold, warmup)
    right = all(abs(t - ms) < 2 * LAUNCH for t in found.times)
    shown = ", ".join(f"{t:.2f}" for t in found.times)
    fig = figure(
        1,
        2,
        size=(9.6, 3.4),
        xlabel=["time (ms)", "measured call"],
        ylabel=["", "reported time (ms)"],
        title=[way, f"{'right' if right else 'wrong'}: {shown} ms"],
    )
    lanes, bars = fig.axes
    _lane(lanes, 1.0, found.waits, "#DDDDDD")
    _lane(lanes, 1.0, found.launches, COLORS["blue"])
    _lane(lanes, 0.0, found.kernels[:warmup], COLORS["grey"])
    _lane(lanes, 0.0, found.kernels[warmup:], COLORS["orange"])
    for number, (start, end) in enumerate(found.readings):
        height = 0.36 + 0.1 * number
        lanes.plot([start, end], [height, height], "|-", color=COLORS["vermillion"], linewidth=2)
    lanes.set(ylim=(-0.5, 1.5), yticks=[0, 0.46, 1], xlim=(0, max(found.kernels[-1][1], 1.0)))
    lanes.set_yticklabels(["card", "timed", "host"])
    bars.bar(range(1, CALLS + 1), found.times, color=COLORS["vermillion"], width=0.6)
    bars.axhline(ms, color=COLORS["black"], linewidth=1.5, linestyle="--")
    bars.set(xlim=(0.4, CALLS + 0.6), ylim=(0, 1.25 * max(*found.times, ms)), xticks=[1, 2, 3])
    return fig


def _lane(ax: object, place: float, spans: Sequence[tuple[float, float]], color: str) -> None:
    """Draw spans of time as bars on one lane."""
    pieces = [(start, max(end - start, 1e-9)) for start, end in spans]
    ax.broken_barh(pieces, (place - 0.14, 0.28), facecolor=color, edgecolor="white")  # type: ignore[attr-defined]
