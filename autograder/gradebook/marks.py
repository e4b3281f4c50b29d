"""What is to be written for one submission, checked against the unit before anything is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.errors import GradingError
from autograder.gradebook.unit import Unit, UnitCell

NO_RESPONSE = "No response."  # nbgrader's own words for a cell as it was handed out


@dataclass(frozen=True)
class Marks:
    """The marks of one submission."""

    student: str
    """The student's id."""
    unit: str
    """Unit folder: `u02_forward`."""
    notebook: str
    """The notebook's name without `.ipynb`."""
    scores: Mapping[str, float | None]
    """Points by test cell (`test_f`), every one of the notebook. None: it could not be graded."""
    unanswered: frozenset[str] = frozenset()
    """Cells for an answer that are still as handed out: nbgrader comments on them "No response.",
    and one of them that a person would grade scores 0."""
    timestamp: datetime | None = None
    """When it was handed in, in UTC if it names no zone. None: keep what the gradebook has."""


@dataclass(frozen=True)
class Wanted:
    """What the gradebook shall say, by key of the cell."""

    grades: dict[str, float | None]
    """The score of each graded cell."""
    comments: dict[str, str | None]
    """The automatic comment on each cell for an answer."""


def wanted(marks: Marks, unit: Unit | None) -> Wanted:
    """Work out what shall be written.

    Raises
    ------
    GradingError
        If the gradebook does not know the unit, the notebook or a cell, if a test cell has no
        score, or if a score is not between 0 and what the cell is worth.
    """
    if unit is None or marks.notebook not in unit.notebooks:
        raise _unknown(marks, f"{marks.notebook}.ipynb")
    here = [c for c in unit.cells if c.notebook_id == unit.notebooks[marks.notebook]]
    graded = {cell.name: cell for cell in here if cell.kind == "GradeCell"}
    answers = {cell.name: cell for cell in here if cell.kind == "SolutionCell"}
    tasks = [cell for cell in here if cell.kind == "TaskCell"]
    if strange := sorted((marks.scores.keys() - graded) | (marks.unanswered - answers.keys())):
        raise _unknown(marks, ", ".join(strange))
    tests = {name for name, cell in graded.items() if cell.code and name not in answers}
    if lacking := sorted(tests - marks.scores.keys()):
        raise GradingError(
            f"{marks.student}'s {marks.unit} has no score for {', '.join(lacking)}: every test "
            "cell needs one, or None where it could not be graded. Nothing was written."
        )
    for name, score in marks.scores.items():
        _require_possible(marks, graded[name], score)
    grades = {
        cell.id: 0.0 if name in marks.unanswered else marks.scores.get(name)
        for name, cell in graded.items()
    }
    comments = {
        cell.id: NO_RESPONSE if name in marks.unanswered else None for name, cell in answers.items()
    }
    return Wanted(grades, comments | {cell.id: None for cell in tasks})


def _require_possible(marks: Marks, cell: UnitCell, score: float | None) -> None:
    if score is not None and not 0.0 <= score <= cell.points:  # nan is not, either
        raise GradingError(
            f"{marks.student}'s score for {cell.name} of {marks.unit} must be between 0 and "
            f"{cell.points:g}, or None; got {score}. This is a fault of the grader, not of the "
            "student: nothing was written, please report it. If the points of the exercise were "
            f"changed, run `autograder release {marks.unit}` and grade again."
        )


def _unknown(marks: Marks, what: str) -> GradingError:
    return GradingError(
        f"The gradebook does not know {what} of {marks.unit}: run `autograder release "
        f"{marks.unit}`, and grade again."
    )
