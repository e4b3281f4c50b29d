"""What an instructor does in a course, and what they are told when it cannot be done."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder.cli import main
from tests.nbgrader import notebooks as nb
from tests.nbgrader.conftest import ROOT, CourseFolder, MakeCourse
from tests.nbgrader.notebooks import RIGHT, UNIT, WRONG

pytestmark = pytest.mark.slow


@pytest.fixture
def course(make_course: MakeCourse) -> CourseFolder:
    """Make a course with the first unit."""
    return make_course(UNIT)


def gradebook(course: CourseFolder) -> Gradebook:
    """Open the gradebook that nbgrader wrote."""
    return Gradebook(f"sqlite:///{course.root / 'gradebook.db'}")


def marks(course: CourseFolder) -> list[tuple[object, ...]]:
    """Everything the gradebook holds on marks, submission by submission."""
    with gradebook(course) as book:
        return sorted(
            (s.student.id, g.name, g.auto_score, g.manual_score, g.score)
            for s in book.assignment_submissions(UNIT)
            for n in s.notebooks
            for g in n.grades
        )


def told(course: CourseFolder, *command: str) -> tuple[int, str]:
    """Run a command of autograder that fails; return its exit code and the sentence on stderr."""
    outcome = CliRunner().invoke(main, [*command, "--course-dir", str(course.root)])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    assert outcome.stdout == ""
    return outcome.exit_code, outcome.stderr


def files(root: Path) -> set[str]:
    """Every file below a folder."""
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


@dataclass(frozen=True)
class Run:
    """What one run of `autograder grade` left behind."""

    code: int
    stderr: str
    rows: list[dict[str, Any]]
    marks: list[tuple[object, ...]]

    def scores(self, student: str) -> list[float | None]:
        """Points of one student, in the order of the rows."""
        return [row["score"] for row in self.rows if row["student_id"] == student]


def grade(course: CourseFolder) -> Run:
    """Grade; the rows come without what depends on the clock."""
    outcome = course.run("autograder", "grade", UNIT, "--seed", "1", "--json", "rows.json")
    rows = json.loads((course.root / "rows.json").read_text(encoding="utf-8"))
    rows = [{**row, "seconds": 0.0} for row in rows]
    return Run(outcome.returncode, outcome.stderr, rows, marks(course))


@pytest.fixture(scope="module")
def runs(make_course: MakeCourse) -> dict[str, Any]:
    """Grade once, once more, and after a score by hand and three new submissions."""
    course = make_course(UNIT)
    for student, source in {"ana": RIGHT, "bo": WRONG, "cy": WRONG, "dee": RIGHT}.items():
        course.hand_in(student, UNIT, nb.changed(center=source))
    found: dict[str, Any] = {"first": grade(course), "again": grade(course)}
    with gradebook(course) as book:
        mark = book.find_grade("test_center", "start", UNIT, "bo")
        mark.manual_score = 0.75
        mark.needs_manual_grade = False
        book.db.commit()
    course.hand_in("cy", UNIT, nb.changed(center=RIGHT))
    course.hand_in("dee", UNIT, '{"cells": [')
    found["later"] = grade(course)
    found["export"] = json.loads(course.must_run("autograder", "export", "--format", "json"))
    return found


def test_grading_twice_gives_the_same_gradebook(runs: dict[str, Any]) -> None:
    """The second run changes no mark, adds no submission, and says the same."""
    first, again = runs["first"], runs["again"]
    assert (first.rows, first.marks) == (again.rows, again.marks)
    assert runs["first"].code == 0
    assert len(runs["first"].marks) == 8
    assert runs["first"].scores("bo") == [0.0, 1.0]


def test_new_submission_replaces_the_old_marks(runs: dict[str, Any]) -> None:
    """Who hands in again is marked again, for what is there now."""
    assert runs["first"].scores("cy") == [0.0, 1.0]
    assert runs["later"].scores("cy") == [1.0, 1.0]


def test_manual_score_survives_grading_again(runs: dict[str, Any]) -> None:
    """A score given by hand is what counts and what is reported, also after the next run."""
    exported = [row["score"] for row in runs["export"] if row["student_id"] == "bo"]
    assert runs["later"].scores("bo") == exported == [0.75, 1.0]
    assert ("bo", "test_center", 0.0, 0.75, 0.75) in runs["later"].marks


def test_broken_second_hand_in_is_not_exported_with_the_old_marks(runs: dict[str, Any]) -> None:
    """A file that cannot be graded is reported, exit code 3, and never shown as graded."""
    assert runs["first"].scores("dee") == [1.0, 1.0]
    assert runs["later"].code == 3
    assert "not graded: dee u00_start: " in runs["later"].stderr
    assert runs["later"].scores("dee") == [None]
    assert {row["student_id"] for row in runs["export"]} == {"ana", "bo", "cy"}


@pytest.mark.parametrize("command", ["release", "grade", "feedback"])
def test_unknown_unit_is_a_usage_error(course: CourseFolder, command: str) -> None:
    """Exit code 2; the sentence names the units there are, and the other unit is left alone."""
    course.hand_in("ana", UNIT, nb.SOURCE)
    before = files(course.root)

    code, text = told(course, command, UNIT, "u99_unknown")

    assert code == 2
    assert "There is no unit 'u99_unknown'. The units are: u00_start" in text
    assert files(course.root) == before


def test_unit_that_is_not_built_is_refused(course: CourseFolder) -> None:
    """Exit code 1, and what to do first."""
    shutil.rmtree(course.root / "source")
    before = files(course.root)

    code, text = told(course, "grade", UNIT, "--json", str(course.root / "rows.json"))

    assert (code, text) == (
        1,
        "autograder: source/u00_start is not built yet: run `autograder build` first.\n",
    )
    assert files(course.root) == before


def test_stale_notebook_is_not_released(course: CourseFolder) -> None:
    """Where a notebook does not match its text nothing is released, and nothing graded."""
    shutil.copytree(ROOT / "course" / UNIT, course.root / "course" / UNIT)
    text = course.root / "course" / UNIT / "assignment.py"
    text.write_text(text.read_text(encoding="utf-8") + "\n# %% [markdown]\n# A late idea.\n")
    course.hand_in("ana", UNIT, nb.SOURCE)
    before = files(course.root)

    outcomes = [told(course, command, UNIT) for command in ("release", "grade")]

    for code, told_text in outcomes:
        assert code == 1
        assert "source/u00_start/start.ipynb" in told_text
        assert "does not match the text in course/u00_start: run `autograder build`" in told_text
    assert files(course.root) - before <= {"gradebook.db"}
    assert not (course.root / "release").exists()


def test_no_submissions_is_an_error(course: CourseFolder) -> None:
    """Exit code 1: an empty table would look like a finished job."""
    code, text = told(course, "grade", UNIT, "--json", str(course.root / "rows.json"))

    assert code == 1
    assert "Nobody has handed in u00_start: there is no submitted/<student>/u00_start" in text
    assert not (course.root / "rows.json").exists()


def test_feedback_before_grading_is_an_error(course: CourseFolder) -> None:
    """Exit code 1, and what to run first."""
    course.hand_in("ana", UNIT, nb.SOURCE)

    code, text = told(course, "feedback", UNIT)

    assert code == 1
    assert "run `autograder grade u00_start` first" in text


def test_outside_of_a_course_is_an_error(course: CourseFolder, tmp_path: Path) -> None:
    """Exit code 1; the sentence says what is looked for, and how to name it."""
    code, text = told(CourseFolder(tmp_path, course.home), "grade", UNIT)

    assert code == 1
    assert "no nbgrader_config.py there or above" in text
    assert "--course-dir" in text


def test_missing_argument_is_a_usage_error(course: CourseFolder) -> None:
    """Exit code 2, from click."""
    code, text = told(course, "grade")

    assert code == 2
    assert "Missing argument 'UNITS...'" in text


def test_export_of_an_empty_gradebook_is_a_header(course: CourseFolder) -> None:
    """Nothing graded is no error for an export."""
    outcome = CliRunner().invoke(main, ["export", "--course-dir", str(course.root)])

    assert outcome.stdout.splitlines() == [
        "student_id,unit,exercise,score,max_score,verdict,misconception,message,seconds"
    ]


def test_validate_says_what_is_wrong_in_our_words(course: CourseFolder) -> None:
    """The student's Validate button shows the assert's message, and partial credit as such."""
    wrong, partial = course.root / "wrong.ipynb", course.root / "partial.ipynb"
    wrong.write_text(nb.changed(center=WRONG), encoding="utf-8")
    in_place = "def center(x):\n    x -= x.mean(axis=0)\n    return x"
    partial.write_text(nb.changed(center=in_place), encoding="utf-8")

    text = course.must_run("nbgrader", "validate", "wrong.ipynb", "partial.ipynb")

    assert text.count("VALIDATION FAILED ON 1 CELL(S)!") == 2
    assert "Take 3 out of column 0 and 40 out of column 1" in text
    assert "Partial credit; passed some but not all of the tests" in text
