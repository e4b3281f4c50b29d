"""Make a clean submission: the student's text, and everything locked from the master."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nbformat import NotebookNode

from autograder.clean import Cell, Clean, Finding
from autograder.errors import SubmissionError
from autograder.submission.claims import Draft, find_names
from autograder.submission.master import Master
from autograder.submission.order import put_back, tests_after_solutions

KERNEL, LANGUAGE = "python3", "python"
SHOWN = 40  # characters of a name that a stranger chose, in a sentence of ours
FLAGS = {  # by role; nbgrader's `locked` of a manual cell depends on its kind and is not looked at
    "solution": {"grade": False, "locked": False, "solution": True, "task": False},
    "test": {"grade": True, "locked": True, "solution": False, "task": False},
    "given": {"grade": False, "locked": True, "solution": False, "task": False},
    "manual": {},
}


def sanitise(master: Master, notebook: NotebookNode, findings: Sequence[Finding] = ()) -> Clean:
    """Return the clean form of a submission.

    Student code is kept and still runs. Locked cells have the master's text, type and points, and
    are all there; every test stands after its solution. Outputs, tags and metadata are gone.

    Parameters
    ----------
    master
        What was handed out.
    notebook
        What came back, as `ingest` returns it.
    findings
        What was repaired so far.

    Raises
    ------
    SubmissionError
        If the notebook holds no exercise of the unit.
    """
    drafts = [_draft(cell) for cell in notebook.cells]
    kept = find_names(master, drafts)
    if {draft.name for draft in kept}.isdisjoint(master.exercises):
        raise SubmissionError(
            f"The notebook holds no exercise of {master.unit}: none of its cells is or defines "
            f"{' or '.join(master.exercises)}. Is it the notebook of another unit?"
        )
    cells = _cells(master, kept)
    cells, restored = put_back(master, cells)
    cells, moved = tests_after_solutions(master, cells)
    found = [*(f for draft in drafts for f in draft.findings), *restored, *moved]
    ordered = [*findings, *_about_kernel(notebook.metadata), *_in_order(cells, found)]
    return Clean(master.unit, tuple(cells), tuple(dict.fromkeys(ordered)))


def _draft(cell: NotebookNode) -> Draft:
    metadata = cell.metadata
    draft = Draft(
        cell.cell_type, str(cell.source), str(cell.id), metadata.get("nbgrader", NotebookNode())
    )
    if tags := metadata.get("tags"):
        named = ", ".join(_shown(tag) for tag in tags[:3])
        draft.note(
            "tags-dropped", f"A cell's tags ({named}) were left out: they change how it runs."
        )
    return draft


def _about_kernel(metadata: NotebookNode) -> list[Finding]:
    kernel = metadata.get("kernelspec", {}).get("name", KERNEL)
    language = metadata.get("language_info", {}).get("name", LANGUAGE)
    if (kernel, language) == (KERNEL, LANGUAGE):
        return []
    named = f"{_shown(kernel)} for {_shown(language)}"
    text = f"The notebook names the kernel {named}; it is graded with Python 3."
    return [Finding("kernel-replaced", text)]


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def _cells(master: Master, drafts: list[Draft]) -> list[Cell]:
    named = {cell.name: cell for cell in master.cells if cell.role != "own"}
    taken = {cell.id for cell in named.values()}
    reserved = taken | {draft.id for draft in drafts}
    cells = []
    for draft in drafts:
        if draft.name:
            cells.append(_named_cell(master, named[draft.name], draft))
            continue
        cell_id, number = draft.id, 0
        while cell_id in taken:
            number += 1
            cell_id = f"own-{number}" if f"own-{number}" not in reserved else cell_id
        taken.add(cell_id)
        reserved.add(cell_id)
        cells.append(Cell("own", "", draft.kind, draft.source, cell_id))  # type: ignore[arg-type]
    return cells


def _named_cell(master: Master, cell: Cell, draft: Draft) -> Cell:
    """Take the master's cell, and the student's text where it is the student's to write."""
    if cell.kind != draft.kind:
        draft.note(
            "cell-type-restored",
            f"The cell `{cell.name}` was turned from {cell.kind} to {draft.kind}; it is "
            f"{cell.kind} again.",
            cell.name,
        )
    _compare_role(cell, draft)
    if not master.is_locked(cell):
        return replace(cell, source=draft.source)
    if draft.source.strip() != cell.source.strip():
        draft.note(
            f"{cell.role}-cell-restored",
            f"The locked cell `{cell.name}` was edited; it counts as it was handed out.",
            cell.name,
        )
    return cell


def _compare_role(cell: Cell, draft: Draft) -> None:
    role = draft.role
    flags = any(role.get(key, flag) is not flag for key, flag in FLAGS[cell.role].items())
    if flags or ("points" in role and cell.points and role["points"] != cell.points):
        draft.note(
            "flags-restored",
            f"The grading metadata of the cell `{cell.name}` were changed; they are as handed out.",
            cell.name,
        )


def _in_order(cells: Iterable[Cell], found: Iterable[Finding]) -> list[Finding]:
    """Sort findings by the cells that they name; those that name none stay in front."""
    places = {cell.name: place for place, cell in enumerate(cells) if cell.name}
    return sorted(found, key=lambda f: places.get(f.cell, len(places)) if f.cell else -1)
