"""What was handed out: the cells of a unit's notebook as students got them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from autograder.build.release import to_release
from autograder.clean import Cell, Role
from autograder.errors import BuildError, GradingError

TEST_PREFIX = "test_"
MASTERS_KEPT = 64  # more units than a course has


@dataclass(frozen=True)
class Master:
    """A unit's notebook as it was handed out."""

    unit: str
    """Unit folder: `u02_forward`."""
    cells: tuple[Cell, ...]
    """All cells with the text that students got, text cells (role `own`) among them."""
    handed_out: Mapping[str, str]
    """Text to be changed by the student, by name: of the roles `solution` and `manual`, where a
    task of nbgrader's, which is locked, is not among them."""

    @property
    def exercises(self) -> tuple[str, ...]:
        """Names of the solution cells, which are the names of the functions they shall define."""
        return tuple(cell.name for cell in self.cells if cell.role == "solution")

    def test_of(self, exercise: str) -> str | None:
        """Return the name of the test cell of an exercise, if it has one."""
        name = TEST_PREFIX + exercise
        return name if any(c.role == "test" and c.name == name for c in self.cells) else None

    def is_locked(self, cell: Cell) -> bool:
        """Say whether a cell of this master has a text that is not the student's to change."""
        return cell.role != "own" and cell.name not in self.handed_out


@lru_cache(MASTERS_KEPT)
def read_master(unit: str, source: bytes) -> Master:
    """Read a unit's source notebook as students get it; the same bytes are read once.

    Parameters
    ----------
    unit
        Unit folder: ``u02_forward``.
    source
        Content of ``source/<unit>/<name>.ipynb``.

    Raises
    ------
    GradingError
        If the bytes are no notebook that can be released.
    """
    try:
        released = to_release(nbformat.reads(source.decode(), as_version=4))
    except (BuildError, ValueError) as error:
        raise GradingError(
            f"source/{unit} is no notebook that can be released: {error}. Run `autograder build`."
        ) from error
    cells = tuple(_cell(cell) for cell in released.cells)
    handed_out = {
        cell.name: cell.source
        for cell, node in zip(cells, released.cells, strict=True)
        if cell.role in ("solution", "manual") and not utils.is_task(node)
    }
    return Master(unit, cells, MappingProxyType(handed_out))


def _cell(node: NotebookNode) -> Cell:
    role = _role(node)
    named = node.metadata["nbgrader"] if role != "own" else {}
    return Cell(
        role,
        str(named.get("grade_id", "")),
        node.cell_type,
        str(node.source),
        str(node.id),
        float(named.get("points", 0)) if role in ("test", "manual") else 0.0,
    )


def _role(node: NotebookNode) -> Role:
    if utils.is_task(node) or (utils.is_grade(node) and utils.is_solution(node)):
        return "manual"
    if utils.is_solution(node):
        return "solution"
    if utils.is_grade(node):
        return "test"
    return "given" if utils.is_locked(node) else "own"
