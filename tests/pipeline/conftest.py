"""Warm workers, and courses in temporary folders with one unit released."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autograder import grade as grading
from autograder.course import Course
from autograder.pipeline import job as jobs
from autograder.pipeline.job import Job
from autograder.pipeline.pool import Done
from autograder.sandbox import WarmWorker
from tests.pipeline.work import UNIT, Class
from tests.submission.notebooks import ROOT


@pytest.fixture(scope="session")
def worker() -> Iterator[WarmWorker]:
    """Start one warm worker for the tests that leave it alive."""
    made = WarmWorker("bubblewrap")
    yield made
    made.close()


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Release u00 in a course of its own, once."""
    root = tmp_path_factory.mktemp("released")
    shutil.copytree(ROOT / "source" / UNIT, root / "source" / UNIT)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    course = Course(root)
    grading.release(course, UNIT)
    return Class(course)


@pytest.fixture
def lesson(released: Class, tmp_path: Path) -> Class:
    """Return a course with u00 released, and nothing handed in."""
    return released.copy(tmp_path / "course")


class HereEngine:
    """Runs jobs in this process, one by one, and remembers them."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def run(self, jobs_: Iterable[tuple[Any, Job]]) -> Iterator[Done]:
        """Run named jobs, once all are known: as many as a large pool has waiting."""
        for name, job in list(jobs_):
            self.jobs.append(job)
            yield name, jobs.grade(job)


@pytest.fixture(scope="session")
def _here() -> Iterator[None]:
    yield
    jobs.close_worker()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, _here: None) -> HereEngine:
    """Let `grade` run its jobs in this process, whose warm worker all tests share."""
    made = HereEngine()

    @contextmanager
    def opened(_workers: int, _address: str | None) -> Iterator[HereEngine]:
        yield made

    monkeypatch.setattr(grading, "open_engine", opened)
    return made
