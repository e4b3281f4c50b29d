"""A whole term through nbgrader's own commands: release, right and untouched work, feedback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from autograder.exercises import exercises_of, units
from tests.nbgrader.conftest import ROOT, CourseFolder, MakeCourse

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Term:
    """A course in which every unit was released, handed in twice, graded, and commented on."""

    course: CourseFolder
    rows: list[dict[str, Any]]

    def scores(self, student: str, unit: str) -> dict[str, float]:
        """Points of one student on one unit, by exercise."""
        own = [r for r in self.rows if (r["student_id"], r["unit"]) == (student, unit)]
        return {row["exercise"]: row["score"] for row in own}


@pytest.fixture(scope="session")
def term(make_course: MakeCourse) -> Term:
    """Play the term: `solved` hands in the source notebooks, `untouched` the released ones."""
    course = make_course(*units())
    for unit in units():
        course.must_run("nbgrader", "generate_assignment", unit)
        course.hand_in("solved", unit, course.notebook("source", unit))
        course.hand_in("untouched", unit, course.notebook("release", unit))
        course.must_run("nbgrader", "autograde", unit)
    course.must_run("autograder", "feedback", *units())
    rows = json.loads(course.must_run("autograder", "export", "--format", "json"))
    return Term(course, rows)


@pytest.mark.parametrize("unit", units())
def test_generate_assignment_gives_the_committed_release(term: Term, unit: str) -> None:
    """What nbgrader releases is byte for byte what lies in ``release/``."""
    name = f"{unit.partition('_')[2]}.ipynb"
    released = term.course.notebook("release", unit).read_bytes()
    assert released == (ROOT / "release" / unit / name).read_bytes()


@pytest.mark.parametrize("unit", units())
def test_solutions_get_every_point(term: Term, unit: str) -> None:
    """The source notebook scores 100 % in `nbgrader autograde`."""
    full = {exercise.name: exercise.points for exercise in exercises_of(unit)}
    assert term.scores("solved", unit) == full


@pytest.mark.parametrize("unit", units())
def test_what_is_handed_out_gets_no_point(term: Term, unit: str) -> None:
    """The released notebook scores 0 in every exercise, planted bugs included."""
    nothing = {exercise.name: 0.0 for exercise in exercises_of(unit)}
    assert term.scores("untouched", unit) == nothing


def test_verdicts_of_right_and_untouched_work(term: Term) -> None:
    """Right work has passed; untouched work is not attempted, or wrong where a bug is planted."""
    verdicts = {
        student: {r["verdict"] for r in term.rows if r["student_id"] == student}
        for student in ("solved", "untouched")
    }
    assert verdicts == {"solved": {"passed"}, "untouched": {"not_attempted", "wrong"}}


@pytest.mark.parametrize("unit", units())
def test_feedback_shows_the_panels(term: Term, unit: str) -> None:
    """The feedback page holds each exercise's panel as HTML, with the points."""
    folder = term.course.root / "feedback" / "solved" / unit
    page = (folder / f"{unit.partition('_')[2]}.html").read_text(encoding="utf-8")
    for exercise in exercises_of(unit):
        assert f'aria-label="Check of {exercise.id}"' in page
    assert f"Score: {float(sum(e.points for e in exercises_of(unit)))}" in page


def test_export_as_csv_has_a_line_for_every_mark(term: Term) -> None:
    """The CSV holds the same rows as the JSON, with a header."""
    lines = term.course.must_run("autograder", "export").splitlines()
    assert lines[0] == (
        "student_id,unit,exercise,score,max_score,verdict,misconception,message,seconds"
    )
    assert len([line for line in lines if line.startswith(("solved,", "untouched,"))]) == len(
        term.rows
    )


def test_nbgrader_export_reads_the_same_gradebook(term: Term) -> None:
    """`nbgrader export`, which our rows do not go through, reports the same totals."""
    term.course.must_run("nbgrader", "export")
    table = (term.course.root / "grades.csv").read_text(encoding="utf-8").splitlines()
    header = table[0].split(",")
    for line in table[1:]:
        record = dict(zip(header, line.split(","), strict=True))
        ours = sum(term.scores(record["student_id"], record["assignment"]).values())
        assert float(record["score"]) == pytest.approx(ours)


def test_validate_passes_on_every_solution(term: Term) -> None:
    """`nbgrader validate`, the button a student has, is content with every source notebook."""
    paths = [str(term.course.notebook("source", unit)) for unit in units()]
    told = term.course.must_run("nbgrader", "validate", *paths)
    assert told.count("Success! Your notebook passes all the tests.") == len(paths)
    assert "FAILED" not in told


def test_validate_fails_on_every_handed_out_notebook(term: Term) -> None:
    """`nbgrader validate` counts each exercise that is not written yet."""
    paths = [str(term.course.notebook("release", unit)) for unit in units()]
    told = term.course.run("nbgrader", "validate", *paths).stdout
    for unit in units():
        assert f"VALIDATION FAILED ON {len(exercises_of(unit))} CELL(S)!" in told
    assert "Success" not in told
