"""Our grader with its pool kept running between two groups of students."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable

from autograder import stock
from autograder.course import Course
from autograder.gradebook import Writer, late_plugin
from autograder.pipeline.pool import Engine, LocalPool
from autograder.pipeline.run import Report, UnitRun
from autograder.pipeline.settings import Settings
from autograder.pipeline.store import Store
from autograder.pipeline.unit import UnitGrading
from benchmarks.grading.commands import SEED
from benchmarks.grading.students import UNIT

WORKERS = 2
SETTINGS = Settings(workers=WORKERS)


class WarmGrader(contextlib.ExitStack):
    """What `autograder grade` opens, held open; a context manager.

    Parameters
    ----------
    course
        The course.
    engine
        What runs the jobs; by default two lanes, each in a process of its own.
    """

    def __init__(self, course: Course, engine: Engine | None = None) -> None:
        super().__init__()
        api = stock.open_api(course)
        self.store = self.enter_context(Store(course.root))
        self.store.set_seed(UNIT, SEED)
        url, name, late = api.coursedir.db_url, api.coursedir.course_id, late_plugin(api.config)
        self.writer = self.enter_context(Writer(url, name, late))
        self.engine = engine or self.enter_context(LocalPool(WORKERS))
        self.unit = UnitGrading(course, UNIT, SETTINGS, self.store)

    def grade(self, students: Iterable[str], report: Report = lambda student: None) -> float:
        """Grade some students; return the seconds from the first job to the last mark written."""
        start = time.perf_counter()
        outcome = UnitRun(self.unit, self.writer, report).grade(students, self.engine)
        seconds = time.perf_counter() - start
        lost = [row.message for row in outcome.rows if row.verdict == "not_graded"]
        if lost or outcome.from_store:
            raise RuntimeError(f"{outcome.from_store} were known already; not graded: {lost[:3]}")
        return seconds

    def grade_one_by_one(self, students: Iterable[str]) -> list[float]:
        """Grade one after the other; return the seconds of each."""
        return [self.grade([student]) for student in students]


def median_of(times: Callable[[], float], rounds: int) -> float:
    """Return the median of some measurements."""
    return sorted(times() for _ in range(rounds))[rounds // 2]
