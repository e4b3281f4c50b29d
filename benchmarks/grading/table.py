"""What was measured, as text, and whether it is within what is promised."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

from benchmarks.grading.contest import COLD, FLOOR, NBGRADER, OTTER, WARM, Contest
from benchmarks.grading.courses import Marks
from benchmarks.grading.machine import mebibytes
from benchmarks.grading.warm import WORKERS

TIMES_NBGRADER = 50.0
TIMES_FLOOR = 1.5  # where the students' own cells leave no room for more
MEDIAN_SECONDS = 0.5


def contest_table(contest: Contest) -> Iterator[str]:
    """Yield the lines of the comparison."""
    yield f"{'grader':26} {'seconds':>8} {'subm./s':>8} {'PSS MiB':>8} {'RSS MiB':>8}"
    for name, seconds in contest.seconds.items():
        peak = contest.peak.get(name)
        sizes = (mebibytes(peak.pss), mebibytes(peak.rss)) if peak is not None else ("", "")
        rate = contest.number / seconds
        yield f"{name:26} {seconds:8.2f} {rate:8.2f} {sizes[0]:>8} {sizes[1]:>8}"
    yield f"one warm worker: {mebibytes(contest.worker.pss)} MiB PSS"
    times = sorted(contest.each)
    yield (
        f"one notebook alone on a warm pool: median {statistics.median(times):.3f} s, "
        f"p95 {statistics.quantiles(times, n=20)[-1]:.3f} s, longest {times[-1]:.3f} s"
    )
    yield ""
    yield f"{'times as fast as':26} {'cold':>8} {'warm':>8}"
    for name in (NBGRADER, OTTER, FLOOR):
        if name in contest.seconds:
            cold, warm = (contest.seconds[name] / contest.seconds[ours] for ours in (COLD, WARM))
            yield f"{name:26} {cold:8.2f} {warm:8.2f}"
    yield ""
    ratios = ", ".join(f"{ratio:.2f}" for ratio in contest.to_floor)
    yield f"ours, warm, by the floor in the same minute: {ratios}"
    yield ""
    for name in (NBGRADER, OTTER, FLOOR):
        if name in contest.marks:
            yield agreement(name, contest.marks[name], contest.marks[COLD])
    yield from contest.notes


def agreement(name: str, theirs: Marks, ours: Marks) -> str:
    """Say how many marks are the same."""
    same = sum(theirs.get(key) == mark for key, mark in ours.items())
    text = f"marks: {name}: {same} of {len(ours)} are ours"
    different = sorted(key for key, mark in ours.items() if theirs.get(key) != mark)
    shown = ", ".join(f"{s} {t} {theirs.get((s, t))} for {ours[s, t]}" for s, t in different[:4])
    return f"{text}; others: {shown}" if different else text


def promises(contest: Contest) -> dict[str, bool]:
    """Return what is promised, and whether it is so."""
    kept = {}
    median = statistics.median(contest.each)
    kept[f"one notebook, warm: median {median:.3f} s of {MEDIAN_SECONDS} s"] = (
        median <= MEDIAN_SECONDS
    )
    to_floor = statistics.median(contest.to_floor)
    near_floor = to_floor <= TIMES_FLOOR
    line = f"{to_floor:.2f} times the floor's time, warm, of {TIMES_FLOOR}"
    if NBGRADER in contest.seconds:
        ratio = contest.seconds[NBGRADER] / contest.seconds[WARM]
        cold = contest.seconds[NBGRADER] / contest.seconds[COLD]
        line = f"{ratio:.0f} (cold {cold:.0f}) times nbgrader's of {TIMES_NBGRADER:.0f}; or {line}"
        near_floor = near_floor or ratio >= TIMES_NBGRADER
        allowed = contest.peak[NBGRADER].pss + WORKERS * contest.worker.pss
        peak = contest.peak[COLD].pss
        kept[f"memory {mebibytes(peak)} MiB of {mebibytes(allowed)} MiB"] = peak <= allowed
        kept["the same marks as nbgrader"] = contest.marks[NBGRADER] == contest.marks[COLD]
    kept[f"throughput: {line}"] = near_floor
    return kept


def phases_table(phases: Mapping[str, float]) -> Iterator[str]:
    """Yield the lines of the profile."""
    total = sum(phases.values())
    yield f"{'phase, one lane, warm':34} {'ms':>8} {'share':>7}"
    for label, value in phases.items():
        yield f"{label:34} {value:8.2f} {value / total:7.1%}"
    yield f"{'one submission':34} {total:8.2f} {1:7.1%}"
