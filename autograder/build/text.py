"""Read a text master as a notebook, and write a notebook's cell as text.

The master is jupytext's percent format without a header. Three options of our own stand in a
cell's marker: ``exercise="f"`` (the student's solution cell), ``test="f"`` (its locked test cell)
and ``given="name"`` (a locked cell handed to the student).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import jupytext
import nbformat
from nbformat import NotebookNode

FORMAT = {"extension": ".py", "format_name": "percent"}
ROLES = ("exercise", "test", "given")
PREFIX = {"exercise": "", "test": "test_", "given": "given_"}
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
ID_LENGTH = 12  # hex digits of a text cell's id: 48 bits are unique within a notebook


def to_notebook(text: str, points: Mapping[str, float]) -> NotebookNode:
    """Build a notebook from its text: no outputs, stable cell ids, nbgrader metadata.

    Parameters
    ----------
    text
        The master.
    points
        Points of each exercise by name, for the test cells.

    Raises
    ------
    KeyError
        If a test cell names an exercise without points.
    """
    parsed = jupytext.reads(text, fmt=FORMAT)
    notebook = nbformat.v4.new_notebook(metadata=NOTEBOOK_METADATA)
    taken: set[str] = set()
    for cell in parsed.cells:
        metadata = _metadata(cell.metadata, points)
        make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
        built = make.get(cell.cell_type, nbformat.v4.new_raw_cell)(cell.source, metadata=metadata)
        built.id = _cell_id(built, taken)
        taken.add(built.id)
        notebook.cells.append(built)
    return notebook


def _metadata(options: Mapping[str, object], points: Mapping[str, float]) -> dict[str, object]:
    kept = {
        key: value
        for key, value in options.items()
        if key not in (*ROLES, "lines_to_next_cell", "title", "cell_marker")
    }
    for role in ROLES:
        if role in options:
            kept["nbgrader"] = _nbgrader_metadata(role, str(options[role]), points)
    return kept


def _nbgrader_metadata(role: str, name: str, points: Mapping[str, float]) -> dict[str, object]:
    metadata: dict[str, object] = {
        "grade": role == "test",
        "grade_id": PREFIX[role] + name,
        "locked": role != "exercise",
        "schema_version": 3,
        "solution": role == "exercise",
        "task": False,
    }
    if role == "test":
        metadata["points"] = points[name]
    return metadata


def _cell_id(cell: NotebookNode, taken: set[str]) -> str:
    """Name a cell by its role, or by its content; repeated content is counted."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    if grade_id is not None:
        return str(grade_id)
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:ID_LENGTH]
    candidate, count = digest, 1
    while candidate in taken:
        count += 1
        candidate = f"{digest}-{count}"
    return candidate


def to_block(cell: NotebookNode) -> str:
    """Write one cell of a built or edited notebook as a block of the text master."""
    plain = nbformat.v4.new_notebook(
        metadata={"jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": "all"}}
    )
    options = {
        k: v
        for k, v in cell.metadata.items()
        if k not in ("nbgrader", "trusted", "collapsed", "editable", "deletable", "execution")
    }
    options |= _role(cell.metadata.get("nbgrader"))
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    copy = make.get(cell.cell_type, nbformat.v4.new_raw_cell)(cell.source, metadata=options)
    plain.cells.append(copy)
    written = jupytext.writes(plain, fmt=FORMAT)
    return str(written[written.index("# %%") :].rstrip("\n")) + "\n"


def _role(metadata: Mapping[str, object] | None) -> dict[str, object]:
    """Write nbgrader's metadata as our short option, or whole where it is none of ours."""
    if metadata is None:
        return {}
    grade_id = str(metadata["grade_id"])
    for role in ("test", "given", "exercise"):
        name = grade_id.removeprefix(PREFIX[role])
        ours = _nbgrader_metadata(role, name, {name: 0})
        if all(metadata.get(k) == v for k, v in ours.items() if k != "points"):
            return {role: name}
    return {"nbgrader": dict(metadata)}


def split_blocks(text: str) -> list[str]:
    """Split a master into the blocks of its cells; what stands before the first is kept with it."""
    starts = [m.start() for m in re.finditer(r"^# %%", text, re.M)]
    ends = [*starts[1:], len(text)]
    return [text[s:e] for s, e in zip([0, *starts[1:]], ends, strict=True)] if starts else []


def to_bytes(notebook: NotebookNode) -> bytes:
    """Serialise a notebook: the same cells give the same bytes."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, version=4, indent=1, sort_keys=True)
    return (text.rstrip() + "\n").encode()
