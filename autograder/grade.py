"""Grade a unit's submissions with stock nbgrader underneath, and say what became of each."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry

from autograder import stock
from autograder.build import find_stale
from autograder.check import SEED_VARIABLE
from autograder.course import Course
from autograder.errors import GradingError, StaleError
from autograder.rows import Row, not_graded, read_rows

Report = Callable[[str], None]  # called with the student's name before each submission


def release(course: Course, unit: str) -> None:
    """Write ``release/<unit>`` and enter its cells in the gradebook.

    Raises
    ------
    StaleError
        If a notebook of the unit does not match its text; nothing is written.
    """
    course.require_unit(unit)
    if (course.root / "course" / unit).is_dir() and (stale := find_stale(course.root, [unit])):
        raise StaleError(
            f"{', '.join(stale)} does not match the text in course/{unit}: run `autograder build` "
            "first, or `autograder pull` if you edited the notebook on purpose."
        )
    stock.generate_assignment(stock.open_api(course), unit)


def grade(
    course: Course, unit: str, seed: int | None = None, report: Report = lambda student: None
) -> list[Row]:
    """Grade every submission of a unit, one after the other.

    Parameters
    ----------
    course
        The course.
    unit
        Unit folder.
    seed
        Draws the cases of all submissions, so that the class gets the same ones.
    report
        Called with each student's name before the submission is run.

    Returns
    -------
    list of Row
        In the order of students and exercises. A submission that nbgrader cannot process gives
        one row with ``exercise=None``; the others are graded all the same.
    """
    students = students_of(course, unit)
    api = stock.open_api(course)
    if not stock.is_released(api, unit):
        release(course, unit)
    rows: list[Row] = []
    with _fixed_seed(seed):
        for student in students:
            report(student)
            rows += _grade_one(course, api, unit, student)
    return rows


def students_of(course: Course, unit: str) -> list[str]:
    """Return who has handed in a unit, sorted.

    Raises
    ------
    UnknownExerciseError
        If the course has no such unit.
    GradingError
        If the unit is not built, or nobody has handed it in.
    """
    course.require_unit(unit)
    students = course.students(unit)
    if not students:
        raise GradingError(
            f"Nobody has handed in {unit}: there is no submitted/<student>/{unit} in {course.root}."
        )
    return students


@contextmanager
def _fixed_seed(seed: int | None) -> Iterator[None]:
    """Set the seed that checks draw their cases from, for kernels started meanwhile."""
    before = os.environ.get(SEED_VARIABLE)
    if seed is not None:
        os.environ[SEED_VARIABLE] = str(seed)
    try:
        yield
    finally:
        os.environ.pop(SEED_VARIABLE, None)
        if before is not None:
            os.environ[SEED_VARIABLE] = before


def _grade_one(course: Course, api: Any, unit: str, student: str) -> list[Row]:
    notebook = course.notebook("submitted", unit, student)
    if not notebook.is_file():
        return [not_graded(student, unit, _missing(notebook))]
    try:
        stock.autograde(api, unit, student)
    except GradingError as error:
        return [not_graded(student, unit, str(error))]
    graded = course.notebook("autograded", unit, student)
    return read_rows(student, unit, graded, cell_scores(api, unit, student))


def _missing(notebook: Path) -> str:
    """Say that a submission lacks its notebook, and which file may be meant instead."""
    others = sorted(path.name for path in notebook.parent.glob("*.ipynb"))
    if not others:
        return f"{notebook.name} is missing from the submission."
    return (
        f"{notebook.name} is missing from the submission, which holds {', '.join(others)}: give "
        f"the right one the name {notebook.name}, and grade again."
    )


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


def as_json(rows: Iterable[Row]) -> str:
    """Return rows as a JSON list."""
    return json.dumps([row.as_dict() for row in rows], indent=1) + "\n"


def as_csv(rows: Iterable[Row]) -> str:
    """Return rows as CSV with a header."""
    text = io.StringIO()
    names = list(Row.__dataclass_fields__)
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.as_dict() for row in rows)
    return text.getvalue()
