"""What our nbgrader does differently from a bare one: cells are restored, stderr costs nothing."""

from __future__ import annotations

import re
from typing import Any

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    Execute,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from autograder.errors import GradingError

SCHEMA_VERSION = 3  # of nbgrader's cell metadata


class RestoreCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Put back locked cells that a student deleted, and free repeated cells of their role.

    Some editors save a notebook without nbgrader's metadata: then the locked cells are known by
    their text. A notebook that holds no exercise of the unit at all is refused.

    nbgrader's `DeduplicateIds` leaves empty metadata behind, which its own validation then refuses,
    and `OverwriteCells.add_missing_cells` fails when the cell before the missing one is missing,
    too: in both cases the whole submission is lost.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Restore one notebook; of a repeated cell the last one keeps the role, as in nbgrader."""
        known = resources["nbgrader"]
        with Gradebook(known["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(known["notebook"], known["assignment"])
            points = {cell.name: cell.max_score for cell in notebook.grade_cells}
            masters = [
                _locked_cell(cell, points.get(cell.name)) if cell.locked else cell.name
                for cell in notebook.source_cells
            ]
        _free_repeated(nb.cells)
        _require_exercises(nb.cells, masters)
        _add_missing(nb.cells, masters)
        return nb, resources


def _locked_cell(master: Any, points: float | None) -> NotebookNode:
    """Make a test cell or a given cell from what the gradebook knows of it."""
    role = {
        "cell_type": master.cell_type,
        "checksum": master.checksum,
        "grade": points is not None,
        "grade_id": master.name,
        "locked": True,
        "schema_version": SCHEMA_VERSION,
        "solution": False,
        "task": False,
    }
    if points is not None:
        role["points"] = points
    make = (
        nbformat.v4.new_code_cell if master.cell_type == "code" else nbformat.v4.new_markdown_cell
    )
    return make(master.source, metadata={"nbgrader": role, "deletable": False, "editable": False})


def _require_exercises(cells: list[NotebookNode], masters: list[NotebookNode | str]) -> None:
    """Raise `GradingError` unless an exercise is there, by its name or by its test cell's text."""
    names = {
        master if isinstance(master, str) else str(_name(master))
        for master in masters
        if isinstance(master, str) or master.metadata["nbgrader"]["grade"]
    }
    if names.isdisjoint(map(_name, cells)):
        _recognise(cells, masters)
    if names.isdisjoint(map(_name, cells)):
        raise GradingError("The notebook holds no exercise of this unit.")


def _recognise(cells: list[NotebookNode], masters: list[NotebookNode | str]) -> None:
    """Give cells that lost their role the role back: locked ones by their text, answers by name."""
    for master in masters:
        known = (c for c in reversed(cells) if _name(c) is None and _is_same(c, master))
        if (cell := next(known, None)) is not None:
            cell.metadata.update(_answer(master) if isinstance(master, str) else master.metadata)


def _is_same(cell: NotebookNode, master: NotebookNode | str) -> bool:
    if isinstance(master, str):
        pattern = rf"^(def|class) {re.escape(master)}\b"
        return cell.cell_type == "code" and re.search(pattern, cell.source, re.M) is not None
    return (cell.cell_type, cell.source.strip()) == (master.cell_type, master.source.strip())


def _answer(name: str) -> dict[str, Any]:
    """Return the metadata of a cell that holds a student's answer."""
    role = {"grade": False, "grade_id": name, "locked": False, "solution": True, "task": False}
    return {"nbgrader": {**role, "schema_version": SCHEMA_VERSION}}


def _free_repeated(cells: list[NotebookNode]) -> None:
    seen = set()
    for cell in reversed(cells):
        name = _name(cell)
        if name in seen:
            del cell.metadata["nbgrader"]
        elif name is not None:
            seen.add(name)


def _add_missing(cells: list[NotebookNode], masters: list[NotebookNode | str]) -> None:
    """Insert each missing locked cell right after the cell it followed when it was handed out."""
    place = 0
    for master in masters:
        name = master if isinstance(master, str) else _name(master)
        found = next((i for i, cell in enumerate(cells) if _name(cell) == name), None)
        if found is not None:
            place = found + 1
        elif not isinstance(master, str):
            cells.insert(place, master)
            place += 1


def _name(cell: NotebookNode) -> str | None:
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    return str(name) if name is not None else None


class StderrIsOutput(NbGraderPreprocessor):  # type: ignore[misc]
    """Keep what a test cell wrote to stderr as ordinary output: nbgrader gives such a cell 0.

    A warning, a log line or a progress bar of the student's says nothing about the answer.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        """Turn the stderr stream of a graded cell into stdout."""
        if utils.is_grade(cell):
            for output in cell.get("outputs", ()):
                if output.output_type == "stream" and output.name == "stderr":
                    output.name = "stdout"
        return cell, resources


def harden(config: Any) -> None:
    """Set up nbgrader's autograding: its own lists, with the two preprocessors above."""
    config.Autograde.sanitize_preprocessors = [
        ClearOutput,
        RestoreCells,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    config.Autograde.autograde_preprocessors = [
        Execute,
        IgnorePattern,
        StderrIsOutput,
        ClearMetadataPreprocessor,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    # ipykernel tells every run on stderr that its local TCP ports are not encrypted
    config.Execute.extra_arguments = ["--IPKernelApp.log_level=40"]
