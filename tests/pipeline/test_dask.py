"""The same jobs on a Dask cluster: the same marks, and a lost worker loses nothing."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.errors import GradingError
from autograder.grade import grade
from autograder.pipeline.pool import DaskCluster
from autograder.pipeline.settings import Settings
from tests.pipeline.conftest import HereEngine
from tests.pipeline.processes import require_gone
from tests.pipeline.work import LIMITS, SEED, UNIT, WRONG, Class, notebook

pytestmark = pytest.mark.slow

DASK = str(Path(sys.executable).with_name("dask"))
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its workers, each a process."""

    address: str
    """Where the scheduler listens."""
    workers: list[psutil.Process]
    """The workers' guardians; each starts its worker again when it is lost."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def start(folder: Path, name: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a part of the cluster; it writes into a log."""
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [DASK, *words, "--no-dashboard"], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start a scheduler and two workers of one thread on this machine."""
    folder = tmp_path_factory.mktemp("dask")
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    place = ("--host", "127.0.0.1")
    parts = [start(folder, "scheduler", "scheduler", *place, "--port", str(port))]
    for number in range(2):
        options = ("--nthreads", "1", "--local-directory", str(folder / f"worker{number}"))
        parts.append(start(folder, f"worker{number}", "worker", address, *place, *options))
    processes = [psutil.Process(part.pid) for part in parts]
    try:
        _wait_for_workers(address, folder)
        yield Cluster(address, processes[1:])
    finally:
        family = [child for p in processes for child in p.children(recursive=True)]
        for process in [*processes, *family]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for part in parts:
            part.wait()
        require_gone(family, 10.0)


def _wait_for_workers(address: str, folder: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(GradingError), DaskCluster(address) as engine:
            client: Any = engine._client
            if len(client.nthreads()) == 2:
                return
        time.sleep(0.2)
    raise AssertionError("\n".join(path.read_text() for path in folder.glob("*.log")))


def make_class(lesson: Class, count: int, nap: float = 0.0) -> None:
    """Hand in different work, every third piece of it wrong."""
    for number in range(count):
        sources = {"center": WRONG} if number % 3 == 0 else {}
        cell = f"import time; time.sleep({nap})\nprint({number})"
        lesson.hand_in(f"s{number:02}", notebook(cell, **sources))


def settings(cluster: Cluster) -> Settings:
    """Return the settings of a run on the cluster."""
    return Settings(limits=LIMITS, dask=cluster.address)


def undisturbed(lesson: Class, folder: Path, engine: HereEngine) -> Any:
    """Return what grading leaves behind without a cluster."""
    copy = lesson.copy(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.grade.open_engine", lambda *_: contextlib.nullcontext(engine))
        grade(copy.course, [UNIT], Settings(limits=LIMITS), SEED)
    return copy.state()


@pytest.fixture
def here(_here: None) -> HereEngine:
    """Return an engine that runs jobs in this process."""
    return HereEngine()


def test_a_cluster_gives_the_same_marks_and_notebooks(
    lesson: Class, cluster: Cluster, here: HereEngine, tmp_path: Path
) -> None:
    """Byte for byte."""
    make_class(lesson, 7)
    wanted = undisturbed(lesson, tmp_path / "here", here)
    outcome = grade(lesson.course, [UNIT], settings(cluster), SEED)
    assert len(outcome.rows) == 14
    assert lesson.state() == wanted


def test_a_worker_killed_at_work_loses_nothing(
    lesson: Class, cluster: Cluster, here: HereEngine, tmp_path: Path
) -> None:
    """The scheduler gives its jobs to the other one."""
    make_class(lesson, 12, 0.3)
    wanted = undisturbed(lesson, tmp_path / "here", here)
    killed: list[psutil.Process] = []

    def kill_one(_unit: str, _student: str) -> None:
        if not killed:
            at_work = [
                child
                for guardian in cluster.workers
                for child in guardian.children()
                if any(below.name() == "bwrap" for below in child.children(recursive=True))
            ]
            killed.append(at_work[0])
            killed[0].kill()

    outcome = grade(lesson.course, [UNIT], settings(cluster), SEED, report=kill_one)
    assert len(killed) == 1
    assert not [row for row in outcome.rows if row.verdict == "not_graded"]
    assert lesson.state() == wanted


def test_a_scheduler_that_does_not_answer_is_an_error_that_says_what_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both commands."""
    monkeypatch.setattr("autograder.pipeline.pool.ANSWER_SECONDS", 1.0)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(GradingError, match=r"No Dask.*answers.*dask scheduler.*dask worker"):
        DaskCluster(address)


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GradingError, match=r"pip install 'batchnorm-course\[dask\]'"):
        DaskCluster("tcp://127.0.0.1:1")
