"""What students do to their notebooks costs them what it should, and never more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.rows import Row
from tests.nbgrader import notebooks as nb
from tests.nbgrader.conftest import MakeCourse
from tests.nbgrader.notebooks import RIGHT, UNIT, WRONG

pytestmark = pytest.mark.slow

Rows = dict[tuple[str, str | None], dict[str, Any]]
NOISY = f"""\
import logging
import sys
import warnings


{RIGHT.splitlines()[0]}
    warnings.warn("is this right?")
    logging.warning("subtracting")
    print("shape", x.shape, file=sys.stderr)
{RIGHT.splitlines()[1]}
"""
SLOW_IN_FLOAT32 = """\
def center(x):
    while x.dtype == np.float32:
        pass
    return x - x.mean(axis=0)
"""
FLOAT64 = "def center(x):\n    return x - x.mean(axis=0, dtype='float64')\n"
CLASS = {
    "broken": '{"cells": [',
    "empty": "",
    "no-notebook": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "kernel-killer": nb.with_cell_after("given_imports", "import os\nos._exit(1)"),
    "kills-in-answer": nb.changed(center="import os\n\ndef center(x):\n    os._exit(1)"),
    "deleted": nb.without("test_center"),
    "deleted-all": nb.without("given_imports", "center", "test_center"),
    "repeated": nb.with_repeated("center", "test_center", "given_imports"),
    "edited-test": nb.changed(test_column_scale="2.0"),
    "edited-test-and-wrong": nb.changed(center=WRONG, test_center="1.0"),
    "noisy": nb.changed(center=NOISY),
    "raises": nb.with_cell_after("given_imports", "raise RuntimeError('left over')"),
    "syntax": nb.changed(center="def center(x)\n    return x"),
    "endless-function": nb.changed(center=SLOW_IN_FLOAT32),
    "endless-cell": nb.with_cell_after("test_center", "while True:\n    pass"),
    "float64": nb.changed(center=FLOAT64),
    "wrong": nb.changed(center=WRONG),
}


@pytest.fixture(scope="session")
def graded(make_course: MakeCourse) -> tuple[Rows, list[dict[str, Any]], int, str]:
    """Grade everybody with one command; return rows by student and exercise, and how it ended."""
    course = make_course(UNIT)
    for student, text in CLASS.items():
        course.hand_in(student, UNIT, text)
    course.hand_in("misnamed", UNIT, nb.SOURCE).rename(
        course.notebook("submitted", UNIT, "misnamed").with_name("start (1).ipynb")
    )
    outcome = course.run("autograder", "grade", UNIT, "--seed", "1", "--json", "rows.json")
    rows = json.loads((course.root / "rows.json").read_text(encoding="utf-8"))
    by_key = {(row["student_id"], row["exercise"]): row for row in rows}
    assert len(by_key) == len(rows)
    return by_key, rows, outcome.returncode, outcome.stderr


@pytest.fixture(scope="session")
def rows(graded: tuple[Rows, list[dict[str, Any]], int, str]) -> Rows:
    """Rows by student and exercise."""
    return graded[0]


@pytest.mark.parametrize(
    ("student", "reason"),
    [
        ("broken", "cut off"),
        ("empty", "empty"),
        ("no-notebook", "no notebook"),
        ("misnamed", "start.ipynb is missing"),
    ],
)
def test_lost_submission_has_one_row_that_says_why(rows: Rows, student: str, reason: str) -> None:
    """What cannot be graded at all is one row without a score: never 0 points."""
    row = rows[student, None]
    assert (row["score"], row["verdict"], row["max_score"]) == (None, "not_graded", 2.0)
    assert reason in row["message"]
    assert (student, "center") not in rows


def test_lost_submissions_are_named_and_the_rest_is_graded(
    graded: tuple[Rows, list[dict[str, Any]], int, str],
) -> None:
    """Exit code 3: finished, but something could not be graded; stderr has a line for each."""
    rows, _, code, told = graded
    lost = {student for student, exercise in rows if exercise is None}
    assert code == 3
    assert lost == {"broken", "empty", "no-notebook", "misnamed"}
    assert all(f"not graded: {student} {UNIT}: " in told for student in lost)
    assert {student for student, _ in rows} == CLASS.keys() | {"misnamed"}


@pytest.mark.parametrize(
    "student", ["deleted", "repeated", "edited-test", "noisy", "raises", "kernel-killer"]
)
def test_right_answers_keep_their_points(rows: Rows, student: str) -> None:
    """Deleted, copied, edited cells, noise, an error or a crash elsewhere cost nothing."""
    for exercise in ("center", "column_scale"):
        row = rows[student, exercise]
        assert (row["score"], row["verdict"]) == (1.0, "passed"), row


def test_answer_that_ends_the_process_costs_its_own_points_only(rows: Rows) -> None:
    """A crash is named, and the next exercise is marked."""
    row = rows["kills-in-answer", "center"]
    assert (row["score"], row["verdict"]) == (0.0, "crashed")
    assert rows["kills-in-answer", "column_scale"]["score"] == 1.0


def test_deleted_answer_is_not_attempted_and_costs_its_own_points_only(rows: Rows) -> None:
    """Without the cell that defines it there is no answer; given cells and tests are put back."""
    assert (rows["deleted-all", "center"]["score"]) == 0.0
    assert (rows["deleted-all", "center"]["verdict"]) == "not_attempted"
    assert "center" in rows["deleted-all", "center"]["message"]
    assert rows["deleted-all", "column_scale"]["score"] == 1.0


def test_rewritten_test_cell_is_put_back(rows: Rows) -> None:
    """A test cell that hands out the points by itself does not mark a wrong function."""
    row = rows["edited-test-and-wrong", "center"]
    assert (row["score"], row["verdict"]) == (0.0, "wrong")


def test_cell_that_is_no_python_costs_its_own_exercise(rows: Rows) -> None:
    """A syntax error leaves its function undefined, and the next exercise as it is."""
    row = rows["syntax", "center"]
    assert (row["score"], row["verdict"]) == (0.0, "error")
    assert "SyntaxError" in row["message"]
    assert rows["syntax", "column_scale"]["score"] == 1.0


def test_endless_function_is_stopped_and_named(rows: Rows) -> None:
    """A loop without end inside a check is a time-out of that exercise alone."""
    row = rows["endless-function", "center"]
    assert row["verdict"] == "timeout"
    assert row["score"] < row["max_score"]
    assert rows["endless-function", "column_scale"]["score"] == 1.0


def test_endless_cell_does_not_stop_the_notebook(rows: Rows) -> None:
    """A cell without end is stopped; what comes after is marked."""
    assert rows["endless-cell", "column_scale"]["score"] == 1.0


def test_wrong_dtype_is_partial(rows: Rows) -> None:
    """float64 for a float32 input loses half of the two float32 cases, of 11 in all."""
    row = rows["float64", "center"]
    assert (row["verdict"], row["misconception"]) == ("partial", "dtype")
    assert 0.5 < row["score"] < 1.0


def test_wrong_answer_names_the_misconception(rows: Rows) -> None:
    """An answer that fails the plain asserts is still recognised."""
    row = rows["wrong", "center"]
    assert (row["score"], row["verdict"]) == (0.0, "wrong")
    assert row["misconception"] == "mean-over-all-axes"


def test_rows_have_the_documented_keys(
    graded: tuple[Rows, list[dict[str, Any]], int, str],
) -> None:
    """Every row has exactly the keys that are promised, in their order, and plain values."""
    promised = ["student_id", "unit", "exercise", "score", "max_score"]
    promised += ["verdict", "misconception", "message", "seconds"]
    assert list(Row.__dataclass_fields__) == promised
    for row in graded[1]:
        assert list(row) == promised
        assert isinstance(row["seconds"], float)
        assert row["score"] is None or 0.0 <= row["score"] <= row["max_score"]
