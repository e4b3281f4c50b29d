"""What submissions may not do to the machine, and that the watch over it would see them do it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.adversarial.case import Case
from tests.adversarial.cheats import FAMILIES
from tests.adversarial.conftest import RunOf
from tests.adversarial.grading import MIB, run_cases

SURVIVAL_SECONDS = 60.0
MOST_MIB = 600  # of a trusted process: NumPy, nbgrader's parts, and a few answers
MOST_SECONDS = 240.0  # of a family on two busy cores
EVERY = pytest.mark.parametrize("family", FAMILIES)

WRITES = """
open("@OUTSIDE@/canary.txt", "a").write("x")
open("@COURSE@/bystander/new.txt", "w").close()
"""
READS = 'print(open("@HOME@/canary.txt").read())'
KNOCKS = """
import socket
socket.create_connection(("127.0.0.1", @PORT@), 1).sendall(b"tcp")
door = socket.socket(socket.AF_UNIX)
door.connect("\\0@ABSTRACT@")
door.sendall(b"abstract")
"""
STAYS = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "@TOKEN@"],
                 start_new_session=True)
"""


@EVERY
def test_no_file_of_the_host_is_changed(family: str, run_of: RunOf) -> None:
    """The canaries, the master, other students' work: all as before."""
    assert run_of(family).changed == []


@EVERY
def test_nobody_is_called(family: str, run_of: RunOf) -> None:
    """No connection arrives on the host."""
    assert run_of(family).heard == []


@EVERY
def test_no_process_is_left(family: str, run_of: RunOf) -> None:
    """When the grader has ended, so has everything that submissions had started."""
    assert run_of(family).survivors == []


@EVERY
def test_time_and_memory_are_bounded(family: str, run_of: RunOf) -> None:
    """The grader's own processes stay small, and the family comes to an end."""
    run = run_of(family)
    assert run.seconds < MOST_SECONDS
    assert 0 < run.peak < MOST_MIB * MIB


@pytest.mark.slow
def test_nothing_comes_back_within_a_minute(tmp_path: Path) -> None:
    """Daemons that were started are gone after 60 seconds, too: there is nothing to wake them."""
    cases = [case for case in FAMILIES["process"] if "daemon" in case.name]
    run = run_cases(cases, tmp_path)
    assert run.users or os.geteuid(), "nobody was seen whose processes could be left"

    time.sleep(SURVIVAL_SECONDS)

    assert run.host.survivors() == []


@pytest.mark.parametrize(
    ("deed", "field"),
    [
        pytest.param(WRITES, "changed", id="writes"),
        pytest.param(KNOCKS, "heard", id="knocks"),
        pytest.param(STAYS, "survivors", id="stays"),
    ],
)
def test_the_watch_sees_what_is_done_without_a_sandbox(
    deed: str, field: str, tmp_path: Path
) -> None:
    """The same deeds without a wall turn each of the tests above red."""
    case = Case("without-a-wall", "does what it likes", first=deed)
    run = run_cases([case], tmp_path, sandbox="none")
    assert len(getattr(run, field)) == {"changed": 2, "heard": 2, "survivors": 1}[field]


def test_the_watch_sees_what_is_read_without_a_sandbox(tmp_path: Path) -> None:
    """The secret in a canary shows up in the notebook of whoever can read it."""
    case = Case("without-a-wall", "reads what it likes", first=READS)
    run = run_cases([case], tmp_path, sandbox="none")
    assert run.secret in run.autograded(case)
