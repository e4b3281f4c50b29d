"""What the gradebook knows of a unit: its notebooks and its cells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nbgrader.api import Assignment, BaseCell, GradeCell, Notebook, TaskCell
from sqlalchemy import Connection, Table, bindparam, func, select

ASSIGNMENT: Table = Assignment.__table__
NOTEBOOK: Table = Notebook.__table__
BASE_CELL: Table = BaseCell.__table__
GRADE_CELL: Table = GradeCell.__table__
TASK_CELL: Table = TaskCell.__table__

_NOTEBOOKS = (
    select(ASSIGNMENT.c.id, ASSIGNMENT.c.duedate, NOTEBOOK.c.id, NOTEBOOK.c.name)
    .join_from(ASSIGNMENT, NOTEBOOK, NOTEBOOK.c.assignment_id == ASSIGNMENT.c.id)
    .where(ASSIGNMENT.c.name == bindparam("unit"))
)
_CELLS = (
    select(
        BASE_CELL.c.id,
        BASE_CELL.c.name,
        BASE_CELL.c.type,
        BASE_CELL.c.notebook_id,
        func.coalesce(GRADE_CELL.c.max_score, TASK_CELL.c.max_score, 0.0),
        GRADE_CELL.c.cell_type == "code",
    )
    .join_from(BASE_CELL, NOTEBOOK, NOTEBOOK.c.id == BASE_CELL.c.notebook_id)
    .outerjoin(GRADE_CELL, GRADE_CELL.c.id == BASE_CELL.c.id)
    .outerjoin(TASK_CELL, TASK_CELL.c.id == BASE_CELL.c.id)
    .where(NOTEBOOK.c.assignment_id == bindparam("assignment"))
    .order_by(BASE_CELL.c.name)
)


@dataclass(frozen=True)
class UnitCell:
    """A cell that gets a grade, a comment, or both."""

    id: str
    """Its key in the gradebook."""
    name: str
    """The grade_id."""
    kind: Literal["GradeCell", "SolutionCell", "TaskCell"]
    """nbgrader's class. A cell graded by a person is there twice: once as each of the first two."""
    notebook_id: str
    """Key of the notebook it is in."""
    points: float
    """The most it can score; 0 for a solution cell."""
    code: bool
    """Whether it is a code cell that is graded."""


@dataclass(frozen=True)
class Unit:
    """A released unit."""

    id: str
    """Its key in the gradebook."""
    duedate: datetime | None
    """When it is due, in UTC."""
    notebooks: dict[str, str]
    """Keys of the notebooks by name."""
    cells: tuple[UnitCell, ...]
    """The cells of all notebooks."""


def read_unit(connection: Connection, unit: str) -> Unit | None:
    """Return a unit; None if it has no notebook in the gradebook, so that it is not released."""
    notebooks = connection.execute(_NOTEBOOKS, {"unit": unit}).all()
    if not notebooks:
        return None
    key, duedate = notebooks[0][:2]
    cells = connection.execute(_CELLS, {"assignment": key}).all()
    return Unit(
        id=key,
        duedate=duedate,
        notebooks={name: notebook for _, _, notebook, name in notebooks},
        cells=tuple(
            UnitCell(cell, name, kind, notebook, float(points), bool(code))
            for cell, name, kind, notebook, points, code in cells
        ),
    )
