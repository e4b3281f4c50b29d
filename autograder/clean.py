"""The words for what is handed in: Cell, Finding, and the Clean submission that is graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["solution", "test", "given", "manual", "own"]


@dataclass(frozen=True)
class Finding:
    """One thing about a submission that had to be repaired, or that the instructor should know."""

    kind: str
    """Short slug, the same for the same thing: `test-cell-restored`."""
    text: str
    """One sentence that student and instructor may both read."""
    cell: str = ""
    """The cell's grade_id, if it has one."""


@dataclass(frozen=True)
class Cell:
    """One cell of a clean notebook."""

    role: Role
    """`solution`: the student's answer to an exercise. `test`: a locked cell whose place is where
    the exercise is judged. `given`: a locked cell that is run. `manual`: graded by a person.
    `own`: anything else, text among it."""
    name: str
    """The grade_id; empty for the role `own`."""
    kind: Literal["code", "markdown", "raw"]
    """Type of the cell as in nbformat."""
    source: str
    """Its text: the student's for `solution`, `manual` and `own`; the master's for the others."""
    id: str
    """Cell id, unique in the notebook: the master's, or the student's where it is a valid one."""
    points: float = 0.0
    """Points to be had, for `test` and `manual`."""


@dataclass(frozen=True)
class Clean:
    """A submission after sanitising: the student's code, and everything locked from the master."""

    unit: str
    """Unit folder: `u02_forward`."""
    cells: tuple[Cell, ...]
    """In the order in which they run."""
    findings: tuple[Finding, ...] = ()
    """What was repaired, in the order of the cells."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What may lie beside the notebook while it runs, by relative path with `/`."""
