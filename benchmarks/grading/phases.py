"""Where our time goes: one lane in this process, with a stopwatch around each phase."""

from __future__ import annotations

import contextlib
import functools
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from unittest import mock

from autograder import execution, marking
from autograder.course import Course
from autograder.gradebook import Writer
from autograder.pipeline import job as jobs
from autograder.pipeline import run as runs
from autograder.pipeline.store import Store
from autograder.pipeline.unit import UnitGrading
from autograder.sandbox import WarmWorker
from benchmarks.grading.warm import WarmGrader

Label = str | Callable[..., str]


class Stopwatch:
    """Adds up the time of phases; what an inner phase takes does not count for the outer one."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inner: list[float] = []

    @contextlib.contextmanager
    def phase(self, label: str) -> Iterator[None]:
        """Count what is done in this context."""
        self._inner.append(0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - start
            self.seconds[label] += took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    def around(self, owner: object, name: str, label: Label) -> Any:
        """Return a patch that counts every call of a function."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def counted(*args: Any, **options: Any) -> Any:
            with self.phase(label if isinstance(label, str) else label(*args)):
                return original(*args, **options)

        return mock.patch.object(owner, name, counted)


def _step(_execution: object, _channel: object, step: int | str) -> str:
    return "wait: the student's cells" if isinstance(step, int) else "wait: the judge's questions"


PHASES: tuple[tuple[object, str, Label], ...] = (
    (UnitGrading, "read", "read and sanitise"),
    (WarmWorker, "open", "fork, namespaces, limits"),
    (WarmWorker, "end", "end of the fork"),
    (execution._Execution, "_take", _step),
    (jobs, "mark", "judge"),
    (marking, "find_shortcuts", "look for ready-made solutions"),
    (jobs, "clean_outputs", "make outputs safe"),
    (Store, "keep", "store: write"),
    (Store, "set_marks", "store: write"),
    (Store, "results", "store: read"),
    (Store, "outputs", "store: read"),
    (Store, "marks", "store: read"),
    (UnitGrading, "notebook", "autograded notebook: make"),
    (runs, "to_bytes", "autograded notebook: make"),
    (runs, "_write_if_new", "autograded notebook: write"),
    (Writer, "write", "gradebook"),
)


class OneLane:
    """Runs jobs in this process, with the copies that go to a lane and back."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch

    def run(self, waiting: Iterable[tuple[Any, jobs.Job]]) -> Iterator[tuple[Any, jobs.Graded]]:
        """Run named jobs one after the other."""
        for name, job in waiting:
            with self._watch.phase("to the lane and back"):
                there = pickle.loads(pickle.dumps(job))
            graded = jobs.grade(there)
            with self._watch.phase("to the lane and back"):
                back = pickle.loads(pickle.dumps(graded))
            yield name, back


def measure(course: Course, warm_up: list[str], students: list[str]) -> dict[str, float]:
    """Return milliseconds a submission by phase; ``rest`` is what no stopwatch saw."""
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        stack.callback(jobs.close_worker)
        grader = stack.enter_context(WarmGrader(course, OneLane(watch)))
        grader.grade(warm_up)
        for owner, name, label in PHASES:
            stack.enter_context(watch.around(owner, name, label))
        watch.seconds.clear()
        total = grader.grade(students)
    each = {label: 1e3 * value / len(students) for label, value in watch.seconds.items()}
    each = dict(sorted(each.items(), key=lambda entry: -entry[1]))
    return each | {"rest": 1e3 * total / len(students) - sum(each.values())}
