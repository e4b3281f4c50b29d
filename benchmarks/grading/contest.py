"""The same submissions through every grader, in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import Course
from autograder.sandbox import Limits, WarmWorker
from benchmarks.grading import otter
from benchmarks.grading.commands import BIN, SEED, Ran, run
from benchmarks.grading.courses import Marks, make_course, read_marks
from benchmarks.grading.floor import Floor
from benchmarks.grading.memory import Taken, taken
from benchmarks.grading.students import UNIT, hand_in
from benchmarks.grading.warm import WORKERS, WarmGrader

WARM_UP = 24  # submissions before the clock starts: both lanes then have what they need
LOOK_SLOW, LOOK_FAST = 0.5, 0.1  # seconds between two looks at the memory


@dataclass
class Contest:
    """What was measured; a grader that could not be run is not in it."""

    number: int
    """Submissions."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By grader: for all submissions."""
    peak: dict[str, Taken] = field(default_factory=dict)
    """By grader."""
    marks: dict[str, Marks] = field(default_factory=dict)
    """By grader."""
    each: list[float] = field(default_factory=list)
    """Seconds of one notebook alone on our warm pool."""
    to_floor: list[float] = field(default_factory=list)
    """Our time, warm, by the floor's, of each round."""
    worker: Taken = field(default_factory=lambda: Taken(0, 0))
    """What one warm worker takes."""
    notes: list[str] = field(default_factory=list)
    """What a reader has to know."""


NBGRADER, OTTER, FLOOR = "nbgrader autograde", "otter run, 2 at once", "floor, 1 process"
COLD, WARM = f"ours, {WORKERS} workers, cold", f"ours, {WORKERS} workers, warm"


def hold(folder: Path, number: int, rounds: int, rivals: bool) -> Contest:
    """Measure; folders for courses are made under `folder`."""
    contest = Contest(number)
    if rivals:
        _say("nbgrader")
        course, _ = make_course(folder / "nbgrader", number, stock=True)
        _enter(contest, NBGRADER, _nbgrader(course))
        contest.marks[NBGRADER] = read_marks(course)
        _say("Otter")
        _otter(contest, folder / "otter")
    _say("ours, cold")
    contest.seconds[COLD] = statistics.median(
        _ours(make_course(folder / f"cold{n}", number)[0], None).seconds for n in range(rounds)
    )
    contest.marks[COLD] = read_marks(Course(folder / "cold0"))
    _say("ours, memory")
    watched = _ours(make_course(folder / "memory", number)[0], LOOK_FAST)
    contest.peak[COLD] = watched.peak
    _say("ours, warm, and the floor")
    _warm(contest, folder / "warm", Course(folder / "cold0"), rounds)
    contest.worker = _one_worker()
    return contest


def _enter(contest: Contest, name: str, ran: Ran) -> None:
    contest.seconds[name], contest.peak[name] = ran.seconds, ran.peak
    contest.notes.append(
        f"{name}: looking at its memory every {LOOK_SLOW} s took {ran.watching:.1%} of one core."
    )


def _nbgrader(course: Course) -> Ran:
    return run([[BIN / "nbgrader", "autograde", UNIT]], course.root, LOOK_SLOW)


def _otter(contest: Contest, folder: Path) -> None:
    try:
        environment = otter.install()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        contest.notes.append(f"Otter: not run: {error}")
        return
    course, students = make_course(folder, contest.number)
    ran, contest.marks[OTTER] = otter.grade(course, students, environment, LOOK_SLOW)
    _enter(contest, OTTER, ran)


def _ours(course: Course, look: float | None) -> Ran:
    options = ["--workers", str(WORKERS), "--seed", str(SEED)]
    return run([[BIN / "autograder", "grade", UNIT, *options]], course.root, look)


def _warm(contest: Contest, folder: Path, course: Course, rounds: int) -> None:
    """Measure ours and the floor in turn: a machine that slows down slows down both."""
    warm, warm_up = make_course(folder, WARM_UP)
    ours, floors = [], []
    with WarmGrader(warm) as grader, Floor(course) as floor:
        grader.grade(warm_up)
        for n in range(1, rounds + 1):
            group = hand_in(warm.root, 24 * 100 * n, contest.number)  # the same kinds of work
            ours.append(grader.grade(group))
            floors.append(floor.grade())
        alone = hand_in(warm.root, 24 * 100 * (rounds + 1), contest.number)
        contest.each = grader.grade_one_by_one(alone)
        contest.peak[FLOOR], contest.marks[FLOOR] = floor.memory(), floor.marks
    contest.seconds[WARM], contest.seconds[FLOOR] = map(statistics.median, (ours, floors))
    contest.to_floor = [mine / bare for mine, bare in zip(ours, floors, strict=True)]


def _one_worker() -> Taken:
    worker = WarmWorker()
    try:
        worker.open(Limits(), ("torch",)).close()
        worker.end()
        return taken([worker.pid])
    finally:
        worker.close()


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr)
