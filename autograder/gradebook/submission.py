"""One submission's rows: read as they are, and brought to what the marks say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import Comment, Grade, Student, SubmittedAssignment, SubmittedNotebook, new_uuid
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, Row, Table, Update, bindparam, func, select

from autograder.gradebook.marks import Marks, Wanted, wanted
from autograder.gradebook.unit import Unit, UnitCell, read_unit

STUDENT: Table = Student.__table__
SUBMISSION: Table = SubmittedAssignment.__table__
SUBMITTED: Table = SubmittedNotebook.__table__
GRADE: Table = Grade.__table__
COMMENT: Table = Comment.__table__

Penalty = Callable[[str, float, float], float | None]  # of student, score and seconds late

# Rows are read for update, where the database knows that: what is decided from them still holds
# when it is written. SQLite refuses the transaction if anything changed meanwhile.
_FIND_STUDENT = select(STUDENT.c.id).where(STUDENT.c.id == bindparam("student"))
_FIND_SUBMISSION = (
    select(SUBMISSION.c.id, SUBMISSION.c.timestamp, SUBMISSION.c.extension)
    .where(SUBMISSION.c.assignment_id == bindparam("unit"))
    .where(SUBMISSION.c.student_id == bindparam("student"))
    .with_for_update()
)
_FIND_NOTEBOOKS = (
    select(SUBMITTED.c.notebook_id, SUBMITTED.c.id, SUBMITTED.c.late_submission_penalty)
    .where(SUBMITTED.c.assignment_id == bindparam("submission"))
    .with_for_update()
)
_FIND_GRADES, _FIND_COMMENTS = (
    select(table)
    .join_from(table, SUBMITTED, SUBMITTED.c.id == table.c.notebook_id)
    .where(SUBMITTED.c.assignment_id == bindparam("submission"))
    .with_for_update(of=table)
    for table in (GRADE, COMMENT)
)
_SCORE = select(func.coalesce(func.sum(Grade.score), 0.0)).where(
    Grade.notebook_id == bindparam("notebook")
)


@dataclass(frozen=True)
class _Submitted:
    """A notebook of a submission."""

    id: str
    """Its key in the gradebook."""
    penalty: float | None
    """What handing in late has cost it so far."""


@dataclass(frozen=True)
class _Submission:
    """A submission that is in the gradebook, with all its notebooks."""

    id: str
    """Its key in the gradebook."""
    timestamp: datetime | None
    """When it was handed in, in UTC."""
    extension: timedelta | None
    """How much longer this student had."""
    notebooks: dict[str, _Submitted]
    """Its notebooks, by the key of the notebook that was handed out."""

    def seconds_late(self, unit: Unit) -> float:
        """Return how late it is; 0 if it is in time, or nothing says when it was due."""
        if self.timestamp is None or unit.duedate is None:
            return 0.0
        due = unit.duedate + (self.extension or timedelta())
        return max(0.0, (self.timestamp - due).total_seconds())


def write_submission(connection: Connection, marks: Marks, penalty: Penalty) -> None:
    """Write what differs from the marks, within the transaction of the connection.

    Raises
    ------
    GradingError
        If the marks do not fit the unit; nothing was written.
    """
    unit = read_unit(connection, marks.unit)
    want = wanted(marks, unit)
    assert unit is not None  # or `wanted` had raised
    submission = _bring_submission(connection, marks, unit)
    _bring_grades(connection, unit, submission, want)
    _bring_comments(connection, unit, submission, want)
    _bring_penalty(connection, unit, submission, marks, penalty)


def _bring_submission(connection: Connection, marks: Marks, unit: Unit) -> _Submission:
    """Return the submission; it, its notebooks and its student are made if they are missing."""
    where = {"unit": unit.id, "student": marks.student}
    timestamp = parse_utc(marks.timestamp)
    found = connection.execute(_FIND_SUBMISSION, where).one_or_none()
    if found is None:
        if connection.scalar(_FIND_STUDENT, {"student": marks.student}) is None:
            connection.execute(STUDENT.insert(), {"id": marks.student})
        key, extension = new_uuid(), None
        row = {"assignment_id": unit.id, "student_id": marks.student, "timestamp": timestamp}
        connection.execute(SUBMISSION.insert(), {"id": key, **row})
    else:
        key, before, extension = found
        timestamp = timestamp or before
        if timestamp != before:
            _update(connection, SUBMISSION, [{"key": key, "timestamp": timestamp}])
    rows = connection.execute(_FIND_NOTEBOOKS, {"submission": key})
    notebooks = {notebook: _Submitted(id_, cost) for notebook, id_, cost in rows}
    missing = {n: _Submitted(new_uuid(), None) for n in unit.notebooks.values()}
    missing = {n: submitted for n, submitted in missing.items() if n not in notebooks}
    _insert(
        connection,
        SUBMITTED,
        [{"id": s.id, "assignment_id": key, "notebook_id": n} for n, s in missing.items()],
    )
    return _Submission(key, timestamp, extension, notebooks | missing)


def _bring_grades(
    connection: Connection, unit: Unit, submission: _Submission, want: Wanted
) -> None:
    """Set automatic scores, and what waits for a person, as nbgrader's SaveAutoGrades does."""
    found = _rows(connection.execute(_FIND_GRADES, {"submission": submission.id}))
    new, changed = [], []
    for cell, place in _places(unit, submission, ("GradeCell", "TaskCell")):
        row = found.get((place["notebook_id"], cell.id))
        score = want.grades.get(cell.id)
        manual = row.manual_score if row is not None else None
        values = {"auto_score": score, "needs_manual_grade": manual is not None or score is None}
        if row is None:
            new.append({"id": new_uuid(), **place, **values})
        elif cell.id in want.grades and values != {name: getattr(row, name) for name in values}:
            changed.append({"key": row.id, **values})
    _insert(connection, GRADE, new)
    _update(connection, GRADE, changed)


def _bring_comments(
    connection: Connection, unit: Unit, submission: _Submission, want: Wanted
) -> None:
    """Set automatic comments, as nbgrader's SaveAutoGrades does."""
    found = _rows(connection.execute(_FIND_COMMENTS, {"submission": submission.id}))
    new, changed = [], []
    for cell, place in _places(unit, submission, ("SolutionCell", "TaskCell")):
        row = found.get((place["notebook_id"], cell.id))
        comment = want.comments.get(cell.id)
        if row is None:
            new.append({"id": new_uuid(), **place, "auto_comment": comment})
        elif cell.id in want.comments and comment != row.auto_comment:
            changed.append({"key": row.id, "auto_comment": comment})
    _insert(connection, COMMENT, new)
    _update(connection, COMMENT, changed)


def _bring_penalty(
    connection: Connection, unit: Unit, submission: _Submission, marks: Marks, penalty: Penalty
) -> None:
    """Set what handing in late costs, as nbgrader's AssignLatePenalties does."""
    notebook = submission.notebooks[unit.notebooks[marks.notebook]]
    late, cost = submission.seconds_late(unit), None
    if late > 0.0:
        score = connection.execute(_SCORE, {"notebook": notebook.id}).scalar_one()
        cost = penalty(marks.student, score, late)
    if cost != notebook.penalty:
        change = {"key": notebook.id, "late_submission_penalty": cost}
        _update(connection, SUBMITTED, [change])


def _rows(found: Iterable[Row[Any]]) -> dict[tuple[str, str], Row[Any]]:
    """Return grades or comments by their places: submitted notebook and cell."""
    return {(row.notebook_id, row.cell_id): row for row in found}


def _places(
    unit: Unit, submission: _Submission, kinds: tuple[str, ...]
) -> list[tuple[UnitCell, dict[str, str]]]:
    """Return the cells of some kinds, each with the place of its row in this submission."""
    return [
        (cell, {"notebook_id": submission.notebooks[cell.notebook_id].id, "cell_id": cell.id})
        for cell in unit.cells
        if cell.kind in kinds
    ]


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _update(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Change the rows whose ids are under ``key``."""
    if rows:
        statement: Update = table.update().where(table.c.id == bindparam("key"))
        connection.execute(statement, rows)
