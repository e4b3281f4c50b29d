"""Read what was handed in as a notebook: cells with text and role, nothing else survives."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from autograder.clean import Finding
from autograder.errors import SubmissionError
from autograder.submission.decode import decode
from autograder.submission.repairs import Repairs

CELLS_LIMIT = 5000  # a long notebook has 200 cells; checking more than this is no longer quick
CELL_TYPES = ("code", "markdown", "raw")
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # as in the schema of nbformat 4.5
MINORS = range(6)  # of nbformat 4 so far
FLAGS = ("grade", "locked", "solution", "task")
HEADING_LEVELS = range(1, 7)

Fields = dict[str, object]


def ingest(data: bytes) -> tuple[NotebookNode, tuple[Finding, ...]]:
    """Read a notebook, repaired where it has to be; outputs and foreign metadata are left out.

    Parameters
    ----------
    data
        The file as it was handed in.

    Returns
    -------
    NotebookNode
        A valid notebook of format 4.5. A cell's metadata holds `nbgrader` (names, flags, points)
        and `tags`, where it had them; the notebook's holds the names of kernel and language.
    tuple of Finding
        What had to be repaired, one of a kind.

    Raises
    ------
    SubmissionError
        If there is no notebook in these bytes; no other error leaves this function.
    """
    repairs = Repairs()
    found = decode(data, repairs)
    metadata = _notebook_metadata(found.get("metadata"), repairs)
    cells = _cells(found, repairs)
    notebook = NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)
    return notebook, repairs.findings()


def _cells(found: Fields, repairs: Repairs) -> list[NotebookNode]:
    listed = _listed(found, repairs)
    if len(listed) > CELLS_LIMIT:
        raise SubmissionError(
            f"The notebook may have at most {CELLS_LIMIT} cells; it has {len(listed)}. "
            "Delete what is not needed, save it, and hand it in again."
        )
    taken: set[str] = set()
    cells: list[NotebookNode] = []
    for cell in listed:
        if isinstance(cell, dict):
            cells.append(_cell(cell, len(cells), taken, repairs))
        else:
            repairs.note("cell-dropped")
    return cells


def _listed(found: Fields, repairs: Repairs) -> list[object]:
    """Return the cells as they stand in a notebook of format 4, or of format 2 or 3."""
    major, minor = found.get("nbformat"), found.get("nbformat_minor")
    if isinstance(listed := found.get("cells"), list):
        if type(major) is not int or major != 4 or type(minor) is not int or minor not in MINORS:
            repairs.note("format-number")
        return listed
    if isinstance(sheets := found.get("worksheets"), list):
        repairs.note("old-format", str(major) if type(major) is int and 0 < major < 4 else "3")
        return [
            cell
            for sheet in sheets
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    raise SubmissionError(
        "The file is valid JSON, but no notebook: it has no list of cells. Hand in the .ipynb "
        "file that you worked in."
    )


def _cell(cell: Fields, place: int, taken: set[str], repairs: Repairs) -> NotebookNode:
    kind, source = _kind(cell, repairs), _source(cell, repairs)
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        depth = level if isinstance(level, int) and level in HEADING_LEVELS else 1
        source = f"{'#' * depth} {' '.join(source.splitlines())}"
    made = NotebookNode(
        id=_id(cell.get("id"), place, taken, repairs),
        cell_type=kind,
        source=source,
        metadata=_cell_metadata(cell.get("metadata", {}), repairs),
    )
    if kind == "code":
        made["outputs"], made["execution_count"] = [], None
    return made


def _kind(cell: Fields, repairs: Repairs) -> str:
    kind = cell.get("cell_type")
    if isinstance(kind, str) and kind in CELL_TYPES:
        return kind
    if kind in ("heading", "html"):  # format 3
        return "markdown"
    repairs.note("cell-type")
    return "code" if {"outputs", "execution_count", "input"} & cell.keys() else "raw"


def _source(cell: Fields, repairs: Repairs) -> str:
    text = cell.get("source", cell.get("input"))  # `input` is format 3
    lines = text if isinstance(text, list) else [text]
    kept = [line for line in lines if isinstance(line, str)]
    if len(kept) != len(lines):
        repairs.note("cell-source")
    return _plain("".join(kept), repairs)


def _plain(text: str, repairs: Repairs) -> str:
    """Make a text that is UTF-8, without NUL, with lines that end in a line feed."""
    if "\0" in text:
        repairs.note("nul-bytes")
        text = text.replace("\0", "")
    if "\r" in text:
        repairs.note("line-ends")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        text.encode()
    except UnicodeEncodeError:
        repairs.note("lone-surrogates")
        # halves that belong together become the character they stand for
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _id(found: object, place: int, taken: set[str], repairs: Repairs) -> str:
    made = found
    if not isinstance(made, str) or not CELL_ID.fullmatch(made) or made in taken:
        repairs.note("cell-ids")
        made = f"cell-{place}"
        while made in taken:
            made += "-again"
    taken.add(made)
    return made


def _cell_metadata(found: object, repairs: Repairs) -> NotebookNode:
    """Keep what decides a cell's role, in the types that nbgrader and Jupyter write."""
    if not isinstance(found, dict):
        repairs.note("cell-metadata")
        return NotebookNode()
    kept = NotebookNode()
    role, tags = found.get("nbgrader", {}), found.get("tags", [])
    if not isinstance(role, dict) or not isinstance(tags, list):
        repairs.note("cell-metadata")
    if isinstance(role, dict) and isinstance(name := role.get("grade_id"), str):
        kept["nbgrader"] = NotebookNode(grade_id=_plain(name, repairs))
        flags = {key: role[key] for key in FLAGS if isinstance(role.get(key), bool)}
        kept["nbgrader"].update(flags)
        if isinstance(points := role.get("points"), int | float):
            kept["nbgrader"]["points"] = points
    if isinstance(tags, list) and (named := [tag for tag in tags if isinstance(tag, str)]):
        kept["tags"] = [_plain(tag, repairs) for tag in named]
    return kept


def _notebook_metadata(found: object, repairs: Repairs) -> NotebookNode:
    kept = NotebookNode()
    if not isinstance(found, dict):
        repairs.note("notebook-metadata")
        return kept
    kernel, language = found.get("kernelspec", {}), found.get("language_info", {})
    if not isinstance(kernel, dict) or not isinstance(language, dict):
        repairs.note("notebook-metadata")
    if isinstance(kernel, dict) and isinstance(name := kernel.get("name"), str):
        name = _plain(name, repairs)
        kept["kernelspec"] = NotebookNode(name=name, display_name=name)
    if isinstance(language, dict) and isinstance(name := language.get("name"), str):
        kept["language_info"] = NotebookNode(name=_plain(name, repairs))
    return kept
