"""``kill -9`` at random points: the run itself, or the same again, ends as an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from autograder import grade as grading
from autograder.cli import main
from autograder.grade import grade
from autograder.pipeline import job as jobs
from autograder.pipeline.pool import open_engine
from autograder.pipeline.settings import Settings
from tests.pipeline.conftest import HereEngine
from tests.pipeline.processes import lanes, require_gone, workers_of
from tests.pipeline.work import SEED, UNIT, WRONG, Class, notebook

pytestmark = pytest.mark.slow

CLASS = 12
KILLS = 20  # of the grader, each in a run of its own; and of workers
KILLS_A_RUN, MOST_RUNS = 10, 5  # of workers: runs until there were `KILLS`
APART = 2  # submissions: many kills of one in a row would be its own doing
LANE_KILLS = (3, 7)  # which kills hit a lane itself
NAP = "import time; time.sleep({seconds})\nprint({number})"


def make_class(lesson: Class, count: int, seconds: float) -> Class:
    """Hand in different work, every third piece of it wrong, that takes a while to run."""
    for number in range(count):
        sources = {"center": WRONG} if number % 3 == 0 else {}
        work = notebook(NAP.format(seconds=seconds, number=number), **sources)
        lesson.hand_in(f"s{number:02}", work)
    return lesson


# --- the grader -----------------------------------------------------------------------------------


def start(lesson: Class) -> int:
    """Run the command in a process of its own, which has imported everything; return its id."""
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            grading.open_engine = open_engine  # the fixture's is for the run that follows
            words = ["--seed", str(SEED), "--workers", "2", "--course-dir", str(lesson.root)]
            main.main(["grade", UNIT, *words], standalone_mode=False)
        except SystemExit as end:
            os._exit(int(end.code or 0))
        finally:
            os._exit(1)
    return process


def wait_for_notebooks(lesson: Class, number: int) -> None:
    """Wait until a run has opened its store, and then until it has written so many notebooks."""
    end = time.monotonic() + 60.0
    while not (lesson.root / ".autograder" / "results.db").is_file():
        assert time.monotonic() < end
        time.sleep(0.002)
    while sum(1 for _ in (lesson.root / "autograded").rglob("*.ipynb")) < number:
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_killed_grader_started_again_ends_as_if_undisturbed(
    lesson: Class, engine: HereEngine, tmp_path: Path
) -> None:
    """Gradebook and notebooks byte for byte, and nothing of the killed run goes on running."""
    make_class(lesson, CLASS, 0.05)
    undisturbed = lesson.copy(tmp_path / "undisturbed")
    process = start(undisturbed)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    wanted = undisturbed.state()
    chance = random.Random(20)
    written: Counter[int] = Counter()
    for number in range(KILLS):
        killed = lesson.copy(tmp_path / f"killed-{number}")
        process = start(killed)
        wait_for_notebooks(killed, number % (CLASS + 1))
        time.sleep(chance.uniform(0.0, 0.03))  # anywhere in the work on the next ones
        below = psutil.Process(process).children(recursive=True)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        require_gone(below)
        written[len(killed.gradebook()["submitted_assignment"])] += 1
        grade(killed.course, [UNIT], Settings(), SEED)
        assert killed.state() == wanted
    assert len(written) > 3, f"the kills did not fall into the run: {written}"


# --- its workers ----------------------------------------------------------------------------------


class Killer(threading.Thread):
    """Kills processes below this one while a run goes on: lanes, bubblewrap, submissions."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance, self.done = random.Random(seed), threading.Event()
        self.killed: list[str] = []
        self.finished = 0

    def count(self, _unit: str, _student: str) -> None:
        """Take note that one more submission is finished."""
        self.finished += 1

    def run(self) -> None:
        """Kill now in the one lane and now in the other, with some submissions in between."""
        while len(self.killed) < KILLS_A_RUN and not self.done.wait(0.02):
            if self.finished < APART * len(self.killed) + 1:
                continue
            time.sleep(self.chance.uniform(0.0, 0.4))
            at_work = [lane for lane in lanes() if len(workers_of([lane])) >= 4]
            if len(at_work) == 2:
                self._kill_in(at_work[len(self.killed) % 2])

    def _kill_in(self, lane: psutil.Process) -> None:
        below = workers_of([lane])
        is_lane = len(self.killed) in LANE_KILLS
        victim = lane if is_lane or not below else self.chance.choice(below)
        try:
            name = f"lane {victim.pid}" if victim is lane else f"{victim.name()} {victim.pid}"
            victim.kill()
        except psutil.Error:
            return
        self.killed.append(name)


def test_a_run_whose_workers_are_killed_ends_as_if_undisturbed(
    lesson: Class, tmp_path: Path
) -> None:
    """Lanes, bubblewrap, warm parents and submissions: none costs anybody a point."""
    jobs.close_worker()
    make_class(lesson, 28, 0.4)
    settings = Settings(workers=2)
    undisturbed = lesson.copy(tmp_path / "undisturbed")
    grade(undisturbed.course, [UNIT], settings, SEED)
    wanted = undisturbed.state()
    killed: list[str] = []
    for number in range(MOST_RUNS):
        if len(killed) >= KILLS:
            break
        disturbed = lesson.copy(tmp_path / f"disturbed-{number}")
        killer = Killer(number)
        killer.start()
        try:
            outcome = grade(disturbed.course, [UNIT], settings, SEED, report=killer.count)
        finally:
            killer.done.set()
            killer.join()
        assert not [row for row in outcome.rows if row.verdict == "not_graded"], killer.killed
        assert disturbed.state() == wanted, killer.killed
        killed += killer.killed
    assert len(killed) >= KILLS, killed
    assert not lanes()
