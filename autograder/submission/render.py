"""Write a clean submission as a notebook that nbgrader takes for autograded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils

from autograder.clean import Cell, Clean
from autograder.submission.master import Master

SCHEMA_VERSION = 3  # of nbgrader's cell metadata
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {  # without the version, which is the grader's and no part of the submission
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
NONE: Mapping[int, Sequence[Mapping[str, Any]]] = MappingProxyType({})


def render(
    clean: Clean,
    outputs: Mapping[int, Sequence[Mapping[str, Any]]] = NONE,
    master: Master | None = None,
) -> NotebookNode:
    """Return a valid notebook of format 4.5 with nbgrader's metadata; the same for the same input.

    Parameters
    ----------
    clean
        The submission.
    outputs
        Outputs as nbformat has them, by the index of their cell in `clean.cells`; of code cells.
    master
        What was handed out. With it, answers carry the checksum of their handed-out text, by which
        nbgrader tells that nothing was written, and nbgrader's task cells are marked as such.
    """
    return NotebookNode(
        cells=[_node(cell, outputs.get(i, ()), master) for i, cell in enumerate(clean.cells)],
        metadata=NotebookNode(
            kernelspec=NotebookNode(KERNELSPEC), language_info=NotebookNode(LANGUAGE_INFO)
        ),
        nbformat=4,
        nbformat_minor=5,
    )


def _node(cell: Cell, outputs: Sequence[Mapping[str, Any]], master: Master | None) -> NotebookNode:
    node = NotebookNode(
        id=cell.id, cell_type=cell.kind, source=cell.source, metadata=NotebookNode()
    )
    if cell.kind == "code":
        node["outputs"] = [nbformat.from_dict(dict(output)) for output in outputs]
        counts = (output.get("execution_count") for output in outputs)
        node["execution_count"] = next((count for count in counts if count is not None), None)
    if cell.role != "own":
        node.metadata["deletable"] = False
        node.metadata["nbgrader"] = _role(cell, master)
        checksum = _checksum(node, cell, master)
        if checksum is not None:
            node.metadata["nbgrader"]["checksum"] = checksum
        if node.metadata["nbgrader"]["locked"]:
            node.metadata["editable"] = False
    return node


def _role(cell: Cell, master: Master | None) -> NotebookNode:
    task = cell.role == "manual" and master is not None and master.is_locked(cell)
    role = NotebookNode(
        cell_type=cell.kind,
        grade=cell.role == "test" or (cell.role == "manual" and not task),
        grade_id=cell.name,
        locked=task or cell.role in ("test", "given"),
        schema_version=SCHEMA_VERSION,
        solution=cell.role == "solution" or (cell.role == "manual" and not task),
        task=task,
    )
    if cell.role in ("test", "manual"):
        role["points"] = cell.points
    return role


def _checksum(node: NotebookNode, cell: Cell, master: Master | None) -> str | None:
    """Return nbgrader's checksum of the cell as handed out, if that is known here."""
    role = node.metadata["nbgrader"]
    if role["locked"]:
        return str(utils.compute_checksum(node))
    if master is None or cell.name not in master.handed_out:
        return None
    handed_out = NotebookNode(node, source=master.handed_out[cell.name])
    return str(utils.compute_checksum(handed_out))
