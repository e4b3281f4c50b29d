"""The way back: bring what was edited in a built notebook into its text."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.build.chain import build, render
from autograder.build.text import split_blocks, to_block, to_notebook
from autograder.errors import BuildError
from autograder.exercises import exercises_of
from autograder.files import write_whole


def pull(root: Path, unit: str) -> list[str]:
    """Bring edits of a unit's source notebook and lecture into ``course/<unit>/*.py``, and rebuild.

    Cells that were not edited keep their text byte for byte; outputs are dropped.

    Returns
    -------
    list of str
        The texts that changed, relative to the root.

    Raises
    ------
    BuildError
        If a notebook is missing or is no valid notebook; nothing is written then.
    """
    name = unit.partition("_")[2]
    pairs = {
        f"course/{unit}/assignment.py": f"source/{unit}/{name}.ipynb",
        f"course/{unit}/lecture.py": f"course/{unit}/lecture.ipynb",
    }
    points = {e.name: e.points for e in exercises_of(unit)}
    before = {
        master: (root / master).read_text(encoding="utf-8")
        for master in pairs
        if (root / master).exists()
    }
    edited = {master: _read(root, pairs[master]) for master in before}
    for master, notebook in edited.items():
        _refuse_changed_points(unit, pairs[master], notebook, points)
    after = {m: merge(text, edited[m], points) for m, text in before.items()}
    changed = {master: text for master, text in after.items() if text != before[master]}
    render(root, [unit], changed)  # an edit that cannot be built again must not reach the text
    for master, text in changed.items():
        write_whole(root / master, text)
    build(root, [unit], overwrite=True)
    return sorted(changed)


def _read(root: Path, path: str) -> NotebookNode:
    try:
        return nbformat.read(root / path, as_version=4)
    except FileNotFoundError as error:
        raise BuildError(f"{path} does not exist: run `autograder build` first.") from error
    except Exception as error:
        raise BuildError(
            f"{path} is not a valid notebook ({error}). Undo the edit in your editor, or restore "
            f"the file with `git restore {path}`. Nothing was written."
        ) from error


def _refuse_changed_points(
    unit: str, path: str, edited: NotebookNode, points: dict[str, int]
) -> None:
    """Points live in the exercise's spec: a number typed into the notebook would be lost."""
    for cell in edited.cells:
        role = cell.metadata.get("nbgrader", {})
        name = str(role.get("grade_id", "")).removeprefix("test_")
        if role.get("grade") and name in points and role.get("points") != points[name]:
            raise BuildError(
                f"{path} gives {role.get('points'):g} points for {name}, and its exercise "
                f"{points[name]}. Points are set in autograder/exercises/{unit}: change them "
                "there, and set them back in the notebook. Nothing was written."
            )


def merge(text: str, edited: NotebookNode, points: dict[str, int]) -> str:
    """Return the text with the cells of `edited`, re-using the block of every unchanged cell."""
    blocks = split_blocks(text)
    old = to_notebook(text, dict(points)).cells
    if len(blocks) != len(old):
        raise BuildError(
            "The text cannot be split into its cells: is a line '# %%' inside a string?"
        )
    known: dict[tuple[str, str, object], list[str]] = {}
    for cell, block in zip(old, blocks, strict=True):
        known.setdefault(_identity(cell), []).append(block)
    merged = []
    for cell in edited.cells:
        same = known.get(_identity(cell))
        merged.append(same.pop(0) if same else to_block(cell) + _gap(cell))
    return "".join(merged).rstrip("\n") + "\n"


def _gap(cell: NotebookNode) -> str:
    """Blank lines after a cell: two below a function or class, as the formatter wants them."""
    lines = cell.source.splitlines()
    return "\n\n" if cell.cell_type == "code" and lines and lines[-1].startswith(" ") else "\n"


def _identity(cell: NotebookNode) -> tuple[str, str, object]:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    tags = tuple(cell.metadata.get("tags", ()))
    return (cell.cell_type, cell.source, (grade_id, tags))
