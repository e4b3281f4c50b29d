"""The unit of work: one clean submission and what is asked of it, as data in and data out."""

from __future__ import annotations

import gc
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.clean import Clean
from autograder.execution import Execution, execute
from autograder.marking import mark
from autograder.paper import set_paper
from autograder.sandbox import Limits, SandboxError, WarmWorker
from autograder.sandbox.warm import Kind
from autograder.shown import Output, clean_outputs
from autograder.vocabulary import Result

TRIES = 3  # of a job whose worker fails: each with a new worker


@dataclass(frozen=True)
class Job:
    """One submission to be graded."""

    clean: Clean
    """The submission."""
    seed: int
    """The class's secret seed."""
    names: tuple[str, ...]
    """Exercises whose results are wanted."""
    sandbox: Kind = "bubblewrap"
    """What holds the student's code."""
    limits: Limits = field(default_factory=Limits)
    """What the submission may use."""


@dataclass(frozen=True)
class Graded:
    """What became of a job."""

    results: Mapping[str, Result]
    """By the exercise's name."""
    outputs: Mapping[int, list[Output]]
    """What cells showed, by index in the clean submission."""


_here = threading.local()  # a warm worker of each thread's own


def grade(job: Job) -> Graded:
    """Run a submission in this process's warm worker, and judge it.

    Raises
    ------
    SandboxError
        If no worker can be had: a fault of the machine, never of the student.
    """
    paper = set_paper(job.clean.unit, job.seed, job.limits.case_seconds)
    questions = {name: paper.questions[name] for name in job.names}
    for left in reversed(range(TRIES)):
        try:
            worker = warm_worker(job.sandbox)
            execution = execute(worker, job.clean, questions, job.limits)
            return _graded(job, execution, mark(job.clean, execution, questions, job.sandbox))
        except SandboxError:
            close_worker()
            if left == 0:
                raise
    raise AssertionError


def close_worker() -> None:
    """End this thread's warm worker, if there is one; the next job starts another."""
    worker = getattr(_here, "worker", None)
    _here.worker = None
    if worker is not None:
        worker.close()


def warm_worker(sandbox: Kind) -> WarmWorker:
    """Return this thread's warm worker; start it if there is none of this kind."""
    worker: WarmWorker | None = getattr(_here, "worker", None)
    if worker is not None and worker.kind != sandbox:
        close_worker()
        worker = None
    if worker is None:
        worker = _here.worker = WarmWorker(sandbox)
        gc.freeze()  # what a lane has imported by now stays: no collection need look at it again
    return worker


def _graded(job: Job, execution: Execution, results: Mapping[str, Result]) -> Graded:
    outputs = {index: clean_outputs(ran.outputs) for index, ran in execution.ran.items()}
    return Graded(results, outputs)
