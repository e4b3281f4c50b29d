"""``kill -9`` in the middle of a class, and the same run again."""

import random
import subprocess
import sys
import time

import pytest

from autograder.gradebook import Writer, dump
from tests.gradebook.books import COURSE, marks

CLASS = 50
PROGRAM = """
import sys
from autograder.gradebook import Writer
from tests.gradebook.books import COURSE
from tests.gradebook.test_kill import class_marks
with Writer(sys.argv[1], COURSE) as writer:
    for number, one in enumerate(class_marks(), 1):
        writer.write(one)
        print(number, flush=True)
"""
KILLS = 4  # the last run of each test is left alone


def class_marks():
    """Return the marks of a class, all different."""
    return [
        marks(student=f"s{i:02}", scores={"test_mean": i / CLASS, "test_var": 2 - i / CLASS})
        for i in range(CLASS)
    ]


def killed_run(url, written, pause):
    """Start a run, and kill it a moment after it has written so many submissions."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url], stdout=subprocess.PIPE, text=True
    )
    with process:
        for _ in range(written):
            assert process.stdout.readline(), "the run ended by itself"
        time.sleep(pause)
        process.kill()
        rest = process.stdout.read()
    assert process.returncode < 0
    assert f"{CLASS}\n" not in rest, "it was through before it was killed"


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_killed_run_started_again_leaves_the_same_gradebook(request, sqlite_copy, database):
    """Killed at random points, in and between transactions; the last one runs through."""
    url = request.getfixturevalue(database)
    with Writer(sqlite_copy, COURSE) as writer:
        for one in class_marks():
            writer.write(one)
    chance = random.Random(8)
    for _ in range(KILLS):
        killed_run(url, chance.randrange(1, CLASS - 10), chance.uniform(0, 0.004))
        _require_whole(dump(url))
    with Writer(url, COURSE) as writer:
        for one in class_marks():
            writer.write(one)
    assert dump(url) == dump(sqlite_copy)


def _require_whole(content):
    """Require that every submission that is there is there with all of its rows."""
    count = len(content["submitted_assignment"])
    assert 0 < count < CLASS
    assert len(content["submitted_notebook"]) == 2 * count
    assert len(content["grade"]) == 5 * count
    assert len(content["comment"]) == 4 * count
