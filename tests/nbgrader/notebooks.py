"""Small changes to the notebook of u00, as students make them."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.nbgrader.conftest import ROOT

UNIT = "u00_start"
SOURCE = ROOT / "source" / UNIT / "start.ipynb"
RIGHT = "def center(x):\n    return x - x.mean(axis=0)\n"
WRONG = "def center(x):\n    return x - x.mean()\n"


def solved() -> NotebookNode:
    """Return the notebook with its solutions."""
    return nbformat.read(SOURCE, as_version=4)


def changed(**sources: str) -> str:
    """Return the solved notebook with another text in some cells: ``changed(center=...)``."""
    notebook = solved()
    for grade_id, source in sources.items():
        find(notebook, grade_id).source = source
    return nbformat.writes(notebook)


def with_cell_after(grade_id: str, source: str) -> str:
    """Return the solved notebook with a cell of the student's own."""
    notebook = solved()
    place = notebook.cells.index(find(notebook, grade_id)) + 1
    notebook.cells.insert(place, nbformat.v4.new_code_cell(source))
    return nbformat.writes(notebook)


def without(*grade_ids: str) -> str:
    """Return the solved notebook without some cells."""
    notebook = solved()
    for grade_id in grade_ids:
        notebook.cells.remove(find(notebook, grade_id))
    return nbformat.writes(notebook)


def with_repeated(*grade_ids: str) -> str:
    """Return the solved notebook with copies of some cells at its end."""
    notebook = solved()
    for number, grade_id in enumerate(grade_ids):
        again = copy.deepcopy(find(notebook, grade_id))
        again.id = f"again-{number}"
        notebook.cells.append(again)
    return nbformat.writes(notebook)


def find(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell of this name."""
    return next(
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)
