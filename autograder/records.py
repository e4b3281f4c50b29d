"""What the gradebook and the autograded notebooks hold after grading."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry

from autograder import stock
from autograder.course import Course
from autograder.errors import GradingError
from autograder.rows import Row, read_rows

Report = Callable[[str], None]  # called with the student's name before each submission


def cell_scores(api: Any, unit: str, student: str) -> dict[str, float | None]:
    """Return the points by test cell as the gradebook holds them: manual ones where given."""
    with stock.open_gradebook(api) as gradebook:
        try:
            submission = gradebook.find_submission(unit, student)
        except MissingEntry:
            return {}
        return {
            grade.name: None
            if grade.needs_manual_grade and grade.manual_score is None
            else grade.score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def graded_students(course: Course, unit: str) -> list[str]:
    """Return whose submission of a unit is graded, sorted; it is an error if there is none."""
    course.require_unit(unit)
    students = sorted(stock.open_api(course).get_autograded_students(unit))
    if not students:
        raise GradingError(f"Nothing of {unit} is graded yet: run `autograder grade {unit}` first.")
    return students


def write_feedback(course: Course, unit: str, report: Report = lambda student: None) -> list[Path]:
    """Write the HTML feedback of every graded submission of a unit, and return the folders."""
    students = graded_students(course, unit)
    api = stock.open_api(course)
    for student in students:
        report(student)
        stock.generate_feedback(api, unit, student)
    return [course.root / "feedback" / student / unit for student in students]


def collect(course: Course, units: Iterable[str]) -> list[Row]:
    """Return the rows of everything that is graded so far, from gradebook and notebooks."""
    api = stock.open_api(course)
    rows: list[Row] = []
    for unit in units:
        for student in sorted(api.get_autograded_students(unit)):
            graded = course.notebook("autograded", unit, student)
            if graded.is_file():
                rows += read_rows(student, unit, graded, cell_scores(api, unit, student))
    return rows
