"""The one writer: it brings submissions to what their marks say, a transaction each."""

from __future__ import annotations

from types import TracebackType

from nbgrader.api import Grade
from sqlalchemy import Connection, bindparam, select

from autograder.gradebook.database import PATIENCE_SECONDS, Database, prepare
from autograder.gradebook.late import LatePlugin, penalty
from autograder.gradebook.marks import Marks
from autograder.gradebook.submission import GRADE, SUBMISSION, SUBMITTED, write_submission
from autograder.gradebook.unit import ASSIGNMENT, BASE_CELL, Unit, read_unit

_SCORES = (
    select(BASE_CELL.c.name, GRADE.c.needs_manual_grade, GRADE.c.manual_score, Grade.score)
    .join_from(GRADE, BASE_CELL, BASE_CELL.c.id == GRADE.c.cell_id)
    .join(SUBMITTED, SUBMITTED.c.id == GRADE.c.notebook_id)
    .join(SUBMISSION, SUBMISSION.c.id == SUBMITTED.c.assignment_id)
    .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
    .where(ASSIGNMENT.c.name == bindparam("unit"))
    .where(SUBMISSION.c.student_id == bindparam("student"))
    .order_by(BASE_CELL.c.name)
)


class Writer:
    """The gradebook, open for a whole run; a context manager.

    Parameters
    ----------
    db_url
        As nbgrader's ``c.CourseDirectory.db_url``.
    course_id
        As nbgrader's ``c.CourseDirectory.course_id``.
    late_penalty
        What handing in late costs (`late_plugin`); None: nothing, as in nbgrader by default.
    patience
        Seconds to wait for a database that another program holds.

    Raises
    ------
    GradingError
        If the database cannot be opened, is an older nbgrader's, or stays locked.
    """

    def __init__(
        self,
        db_url: str,
        course_id: str,
        late_penalty: LatePlugin | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._late_penalty = late_penalty
        self._database = Database(db_url, patience)
        try:
            self._database.write(lambda connection: prepare(connection, course_id))
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the gradebook."""
        self._database.close()

    def write(self, marks: Marks) -> dict[str, float | None]:
        """Bring the rows of one submission to what the marks say; write only what differs.

        What a person gave (score, comment, extra credit) is never changed. Returns what `scores`
        does, afterwards.

        Raises
        ------
        GradingError
            If the marks do not fit the unit, or the gradebook cannot be written; then nothing of
            this submission is.
        """

        def work(connection: Connection) -> dict[str, float | None]:
            write_submission(connection, marks, self._penalty)
            return _scores(connection, marks.unit, marks.student)

        return self._database.write(work)

    def scores(self, unit: str, student: str) -> dict[str, float | None]:
        """Return the points by cell, with extra credit, manual ones where given.

        None: it waits for a person. Empty: nothing of this student's is in the gradebook.
        """
        return self._database.read(lambda connection: _scores(connection, unit, student))

    def is_released(self, unit: str) -> bool:
        """Whether the gradebook knows the unit's notebook."""
        return self._unit(unit) is not None

    def grade_cells(self, unit: str) -> dict[str, float]:
        """Return the most points by graded cell; empty if the unit is not released."""
        found = self._unit(unit)
        cells = found.cells if found is not None else ()
        return {cell.name: cell.points for cell in cells if cell.kind == "GradeCell"}

    def _unit(self, unit: str) -> Unit | None:
        return self._database.read(lambda connection: read_unit(connection, unit))

    def _penalty(self, student: str, score: float, seconds: float) -> float | None:
        if self._late_penalty is None:
            return None
        return penalty(self._late_penalty, student, score, seconds)


def _scores(connection: Connection, unit: str, student: str) -> dict[str, float | None]:
    rows = connection.execute(_SCORES, {"unit": unit, "student": student})
    return {
        name: None if waits and manual is None else score for name, waits, manual, score in rows
    }
