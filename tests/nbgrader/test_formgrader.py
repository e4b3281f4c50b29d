"""Formgrader, nbgrader's page for instructors, works on the course over its HTTP interface."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from autograder.exercises import exercises_of, units
from tests.nbgrader import notebooks as nb
from tests.nbgrader.conftest import BIN, COMMAND_SECONDS, MakeCourse
from tests.nbgrader.notebooks import UNIT
from tests.nbgrader.test_submissions import NOISY

START_SECONDS = 90  # a cold server on two busy cores
TOKEN = "only-for-this-test"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A Jupyter server whose root is a course."""

    url: str

    def ask(self, path: str, method: str = "GET") -> Any:
        """Call formgrader's interface and read its JSON."""
        request = urllib.request.Request(
            f"{self.url}formgrader/api/{path}",
            method=method,
            headers={"Authorization": f"token {TOKEN}"},
            data=b"" if method == "POST" else None,
        )
        with urllib.request.urlopen(request, timeout=COMMAND_SECONDS) as reply:
            return json.load(reply)


@pytest.fixture(scope="module")
def server(make_course: MakeCourse) -> Iterator[Server]:
    """Start the server that JupyterLab runs on, in a course where two have handed in."""
    course = make_course(*units())
    course.hand_in("ana", UNIT, nb.SOURCE)
    course.hand_in("noisy", UNIT, nb.changed(center=NOISY))
    runtime = course.home / "runtime"
    command = [BIN / "jupyter-server", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    log = (course.home / "server.log").open("w")
    process = subprocess.Popen(
        [*command, f"--IdentityProvider.token={TOKEN}"],
        cwd=course.root,
        env=course.environment | {"JUPYTER_RUNTIME_DIR": str(runtime)},
        stdout=log,
        stderr=log,
    )
    try:
        yield Server(_wait_for_url(process, runtime))
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _wait_for_url(process: subprocess.Popen[bytes], runtime: Any) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for info in runtime.glob("jpserver-*.json"):
            try:
                return str(json.loads(info.read_text())["url"])
            except ValueError:  # not written to its end yet
                continue
        time.sleep(0.1)
    raise AssertionError("the Jupyter server did not start")


def test_formgrader_finds_the_course(server: Server) -> None:
    """The server's root is the course's root: formgrader has nothing to complain about."""
    assert server.ask("status") == {"status": True}


def test_formgrader_lists_every_unit(server: Server) -> None:
    """Each built unit is an assignment, and its submissions are counted."""
    listed = {entry["name"]: entry for entry in server.ask("assignments")}
    assert listed.keys() == set(units())
    assert listed[UNIT]["num_submissions"] == 2


def test_formgrader_buttons_release_and_grade(server: Server) -> None:
    """Its buttons give the marks that `autograder grade` gives, also to a noisy right answer."""
    points = float(sum(exercise.points for exercise in exercises_of(UNIT)))

    released = server.ask(f"assignment/{UNIT}/assign", "POST")
    graded = [server.ask(f"submission/{UNIT}/{s}/autograde", "POST") for s in ("ana", "noisy")]

    assert released["success"], released
    assert all(outcome["success"] for outcome in graded), graded
    marked = {entry["student"]: entry for entry in server.ask(f"submissions/{UNIT}")}
    assert {student: entry["score"] for student, entry in marked.items()} == {
        "ana": points,
        "noisy": points,
    }
    assert {entry["max_score"] for entry in marked.values()} == {points}
