"""Lanes of processes run jobs, and losing one loses no job."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from autograder.errors import GradingError
from autograder.pipeline import pool as pools
from autograder.pipeline.job import Graded, Job
from autograder.pipeline.pool import LOSSES, LocalPool, open_engine
from tests.pipeline.processes import lanes, require_gone, workers_of
from tests.pipeline.work import LIMITS, SEED, WRONG, submission

pytestmark = pytest.mark.slow  # a pool takes seconds to start

NAMES = ("center", "column_scale")
RIGHT, HALF = (1.0, 1.0), (0.0, 1.0)


def job(*own: str, sandbox: str = "bubblewrap", **sources: str) -> Job:
    """Return the job of a submission."""
    return Job(submission(*own, **sources), SEED, NAMES, sandbox, LIMITS)  # type: ignore[arg-type]


def scores(done: Iterator[pools.Done]) -> dict[str, tuple[float, ...]]:
    """Return the scores by the job's name."""
    found = {}
    for name, outcome in done:
        assert isinstance(outcome, Graded), outcome
        assert name not in found
        found[name] = tuple(outcome.results[exercise].score for exercise in NAMES)
    return found


@pytest.fixture
def pool() -> Iterator[LocalPool]:
    """Return a pool of two lanes."""
    with LocalPool(2) as made:
        yield made


def test_every_job_comes_back_once_under_its_name(pool: LocalPool) -> None:
    """More jobs than lanes, right ones and wrong ones."""
    jobs = [(f"s{i}", job(center=WRONG) if i % 3 == 0 else job()) for i in range(9)]
    assert scores(pool.run(jobs)) == {f"s{i}": HALF if i % 3 == 0 else RIGHT for i in range(9)}


def test_jobs_are_taken_as_they_are_needed(pool: LocalPool) -> None:
    """A class of ten thousand is never in memory at once."""
    taken = 0

    def many() -> Iterator[tuple[str, Job]]:
        nonlocal taken
        for i in range(12):
            taken += 1
            yield f"s{i}", job()

    for done, _ in enumerate(pool.run(many())):
        assert taken <= done + pools.AHEAD * 2 + 2


def test_closing_ends_the_lanes_and_their_workers() -> None:
    """Nothing is left behind."""
    with LocalPool(2) as made:
        scores(made.run([("a", job()), ("b", job())]))
        family = lanes()
        family += workers_of(family)
        assert len(family) > 4
    require_gone(family)


def test_a_lane_killed_at_work_loses_no_job(pool: LocalPool) -> None:
    """A new pool does what was in hand, and the old lane's worker is gone."""
    running = pool.run((f"s{i}", job("import time; time.sleep(0.3)")) for i in range(8))
    found = scores(iter([next(running)]))
    family = lanes()
    below = workers_of(family)
    family[0].kill()
    found |= scores(running)
    assert found == dict.fromkeys((f"s{i}" for i in range(8)), RIGHT)
    require_gone([*family, *below])


@pytest.mark.parametrize("count", [1, 2])
def test_a_lane_killed_between_two_units_is_replaced(pool: LocalPool, count: int) -> None:
    """The pool is broken before the next unit's first job is handed to it."""
    assert scores(pool.run([("a", job()), ("b", job())])) == {"a": RIGHT, "b": RIGHT}
    for lane in lanes()[:count]:
        lane.kill()
    time.sleep(0.5)
    assert scores(pool.run([("c", job()), ("d", job())])) == {"c": RIGHT, "d": RIGHT}


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_a_worker_killed_at_work_loses_no_job(pool: LocalPool, depth: int) -> None:
    """Bubblewrap, the warm parent, a submission: each is replaced, and the work done again."""
    running = pool.run((f"s{i}", job("import time; time.sleep(0.4)")) for i in range(8))
    found = scores(iter([next(running)]))
    below = sorted(workers_of(lanes()[:1]), key=lambda process: process.create_time())
    below[min(depth, len(below) - 1)].kill()
    found |= scores(running)
    assert found == dict.fromkeys((f"s{i}" for i in range(8)), RIGHT)


def _die(_job: Job) -> Graded:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _fail(_job: Job) -> Graded:
    raise ZeroDivisionError("ours")


def test_a_job_that_kills_its_lane_each_time_is_given_up(
    pool: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few tries it is a fault of ours, and the run goes on."""
    monkeypatch.setattr(pools, "_in_lane", _die)
    ((name, outcome),) = pool.run([("a", job())])
    assert name == "a"
    assert isinstance(outcome, GradingError)
    assert "was lost" in str(outcome)
    assert LOSSES > 1


def test_a_fault_of_the_grader_is_told_and_no_traceback(
    pool: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other jobs are not concerned."""
    monkeypatch.setattr(pools, "_in_lane", _fail)
    ((_, outcome),) = pool.run([("a", job())])
    assert isinstance(outcome, GradingError)
    assert "ZeroDivisionError: ours" in str(outcome)


def test_lanes_end_when_the_main_process_is_killed() -> None:
    """So do the workers below them: nobody has to clean up."""
    read, write = os.pipe()
    main = os.fork()
    if main == 0:
        try:
            engine = LocalPool(2)
            next(engine.run((f"s{i}", job("import time; time.sleep(0.5)")) for i in range(8)))
            os.write(write, b"x")
            time.sleep(60)
        finally:
            os._exit(1)
    os.close(write)
    assert os.read(read, 1) == b"x"
    os.close(read)
    below = psutil.Process(main).children(recursive=True)
    os.kill(main, signal.SIGKILL)
    os.waitpid(main, 0)
    assert len(below) > 4
    require_gone(below)


def test_without_an_address_the_jobs_run_here() -> None:
    """And a scheduler that does not answer is an error that says what to start."""
    with open_engine(3, None) as engine:
        assert isinstance(engine, LocalPool)
