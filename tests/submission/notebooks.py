"""A unit's notebook as an honest student hands it in, and the way from there to `Clean`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.submission import Cell, Clean, Master, ingest, read_master, sanitise
from tests.nbgrader.pack import MARKERS

ROOT = Path(__file__).parents[2]
START, FORWARD = "u00_start", "u02_forward"
WORK = "def center(x):\n    return x - x.mean(axis=0)"


@cache
def master(unit: str = START) -> Master:
    """Return what was handed out."""
    return read_master(unit, _path("source", unit).read_bytes())


def solved(unit: str = START) -> NotebookNode:
    """Return the released notebook with the solutions written in."""
    notebook = released(unit)
    source = nbformat.read(_path("source", unit), as_version=4)
    for cell in source.cells:
        name = grade_id(cell)
        if name in master(unit).exercises:
            find(notebook, name).source = MARKERS.sub("", cell.source).strip()
    return notebook


def released(unit: str = START) -> NotebookNode:
    """Return the notebook as students get it."""
    return nbformat.read(_path("release", unit), as_version=4)


def _path(stage: str, unit: str) -> Path:
    return ROOT / stage / unit / f"{unit.partition('_')[2]}.ipynb"


def grade_id(cell: NotebookNode) -> str:
    """Return the name of a cell in nbgrader's metadata."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def find(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the cell of this name."""
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def place(notebook: NotebookNode, name: str) -> int:
    """Return where the cell of this name stands."""
    return next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == name)


def code(source: str, cell_id: str = "mine") -> NotebookNode:
    """Return a cell of the student's own."""
    return nbformat.v4.new_code_cell(source, id=cell_id)


def without_metadata(notebook: NotebookNode) -> NotebookNode:
    """Save a notebook as other editors do: no nbgrader metadata, cell ids of their own."""
    for number, cell in enumerate(notebook.cells):
        cell.metadata = NotebookNode()
        cell.id = f"other-{number}"
    return notebook


def clean(notebook: NotebookNode, unit: str = START) -> Clean:
    """Take a notebook all the way, through bytes."""
    read, findings = ingest(json.dumps(notebook).encode())
    return sanitise(master(unit), read, findings)


def kinds(made: Clean) -> list[str]:
    """Return the kinds of a submission's findings."""
    return [finding.kind for finding in made.findings]


def named(made: Clean, name: str) -> Cell:
    """Return the clean cell of this name."""
    (cell,) = [cell for cell in made.cells if cell.name == name]
    return cell


def names(made: Clean) -> list[str]:
    """Return the names in the order in which the cells run."""
    return [cell.name for cell in made.cells if cell.name]


def own_code(made: Clean) -> list[str]:
    """Return the texts of the student's own code cells."""
    return [cell.source for cell in made.cells if cell.role == "own" and cell.kind == "code"]
