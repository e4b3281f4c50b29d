"""A class of a thousand: what a submission costs, and whether the grader grows with the class."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tqdm import tqdm

from autograder import grade as grading
from autograder.course import CONFIG, Course
from autograder.gradebook import dump
from benchmarks.grading.contest import WARM_UP
from benchmarks.grading.courses import make_course
from benchmarks.grading.machine import mebibytes
from benchmarks.grading.students import KINDS, UNIT, hand_in
from benchmarks.grading.warm import SETTINGS, WarmGrader
from tests.gradebook.server import running_server

SMALL = len(KINDS)
SMALL_GROUPS = 3  # before the class, and again after it
ALLOWED = 1.10  # times the small group's seconds
GROWTH = 32 * 2**20  # bytes between the first mark and the last: caches fill, nothing piles up


@dataclass
class Large:
    """What was measured."""

    number: int
    """Submissions."""
    small: list[float] = field(default_factory=list)
    """Seconds a submission in groups of 24, before and after."""
    seconds: float = 0.0
    """Seconds a submission of the class."""
    parts: list[float] = field(default_factory=list)
    """The same of each tenth."""
    memory: dict[int, int] = field(default_factory=dict)
    """Bytes of the main process's own memory (USS) after so many submissions."""
    postgresql: float = 0.0
    """Seconds to write the whole class into PostgreSQL, from the store."""
    equal: bool = False
    """Whether the two gradebooks hold the same."""
    rows: int = 0
    """Rows in each."""


def measure(folder: Path, number: int) -> Large:
    """Grade a class of `number` in `folder`, and once more into PostgreSQL."""
    large = Large(number)
    course, warm_up = make_course(folder, WARM_UP)
    groups = [hand_in(course.root, 24 * 1000 * n, SMALL) for n in range(1, 2 * SMALL_GROUPS + 1)]
    students = hand_in(course.root, 24 * 100, number)
    with WarmGrader(course) as grader:
        grader.grade(warm_up)
        for group in groups[:SMALL_GROUPS]:
            large.small.append(grader.grade(group) / SMALL)
        _grade_class(large, grader, students)
        for group in groups[SMALL_GROUPS:]:
            large.small.append(grader.grade(group) / SMALL)
    _into_postgresql(large, course)
    return large


def _grade_class(large: Large, grader: WarmGrader, students: list[str]) -> None:
    me, marks = psutil.Process(), {10, 100, 500, len(students)}
    start = last = time.perf_counter()
    done = 0
    with tqdm(total=len(students), unit="submission", file=sys.stderr, mininterval=5) as bar:

        def report(_student: str) -> None:
            nonlocal done, last
            done += 1
            bar.update()
            if done in marks:
                large.memory[done] = me.memory_full_info().uss
            if done % max(len(students) // 10, 1) == 0:
                now = time.perf_counter()
                large.parts.append((now - last) / max(len(students) // 10, 1))
                last = now

        grader.grade(students, report)
    large.seconds = (time.perf_counter() - start) / len(students)


def _into_postgresql(large: Large, course: Course) -> None:
    config = course.root / CONFIG
    text = config.read_text(encoding="utf-8")
    ours = dump(f"sqlite:///{course.root / 'gradebook.db'}")
    with running_server() as server:
        server.do("CREATE DATABASE course")
        url = server.url("course")
        config.write_text(f"{text}\nc.CourseDirectory.db_url = {url!r}\n", encoding="utf-8")
        try:
            start = time.perf_counter()
            outcome = grading.grade(course, [UNIT], SETTINGS)
            large.postgresql = time.perf_counter() - start
            if outcome.from_store != len(course.students(UNIT)):
                raise RuntimeError(f"only {outcome.from_store} were known already")
            theirs = dump(url)
        finally:
            config.write_text(text, encoding="utf-8")
    large.equal, large.rows = ours == theirs, sum(map(len, ours.values()))


def large_table(large: Large) -> Iterator[str]:
    """Yield what was measured, as lines."""
    small = ", ".join(f"{1e3 * value:.0f}" for value in large.small)
    yield f"ms a submission in groups of {SMALL}, half before and half after: {small}"
    yield f"ms a submission in the class of {large.number}: {1e3 * large.seconds:.0f}"
    parts = ", ".join(f"{1e3 * value:.0f}" for value in large.parts)
    yield f"ms a submission in each tenth of the class: {parts}"
    memory = ", ".join(f"{mebibytes(size)} after {n}" for n, size in large.memory.items())
    yield f"MiB of the main process (USS): {memory}"
    yield (
        f"all {large.number + WARM_UP + SMALL * len(large.small)} into PostgreSQL, from the store: "
        f"{large.postgresql:.1f} s; {large.rows} rows"
    )


def large_promises(large: Large) -> dict[str, bool]:
    """Return what is promised, and whether it is so."""
    ratio = large.seconds / (sum(large.small) / len(large.small))
    grown = large.memory[large.number] - min(large.memory.values())
    return {
        f"{ratio:.2f} times the groups' time a submission, of {ALLOWED}": ratio <= ALLOWED,
        f"the main process grew by {mebibytes(grown)} MiB of {mebibytes(GROWTH)}": grown <= GROWTH,
        "SQLite and PostgreSQL hold the same": large.equal,
    }
