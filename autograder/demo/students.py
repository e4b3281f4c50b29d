"""Read the students of the sample class, and make their notebooks from the handed out ones.

A student's file opens with a sentence or two on why the student is in the class. Then, in
jupytext's percent style:

``# %% u02_forward``
    hands in this unit, starting from what was handed out; ``# %% u02_forward from source`` starts
    from the solutions. What follows, up to the next unit, are edits:
``# %% cell batch_mean``
    writes this into the cell;
``# %% add after batch_mean``
    adds a cell of the student's own;
``# %% delete test_batch_mean``, ``# %% repeat test_batch_mean``
    deletes a cell, or appends a copy of it, role and all, as notebook editors do;
``# %% file name.ipynb``
    hands in under another name;
``# %% broken``
    hands in this text where a notebook should be.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

FOLDER = Path(__file__).parent / "students"
HEADER = re.compile(r"^# %% (?P<words>.+)$", re.M)
UNIT = re.compile(r"(?P<unit>u\d\d_\w+)(?P<source> from source)?")
MARKERS = re.compile(
    r"^ *### (BEGIN SOLUTION|HAND OUT\n(.*\n)*?.*END SOLUTION|END SOLUTION)\n?", re.M
)
EDIT = re.compile(r"(?P<do>cell|add after|delete|repeat|file|broken)(?: (?P<target>\S.*))?")


@dataclass(frozen=True)
class Edit:
    """One thing a student does to a notebook."""

    do: str
    """``cell``, ``add after``, ``delete``, ``repeat``, ``file`` or ``broken``."""
    target: str
    """The cell's grade_id, or the file's name."""
    text: str
    """What is written."""


@dataclass(frozen=True)
class HandIn:
    """One notebook of one student."""

    unit: str
    """Unit folder."""
    stage: str
    """``release`` or ``source``: what the student starts from."""
    edits: tuple[Edit, ...]
    """What is done to it, in order."""

    def write(self, root: Path, folder: Path) -> None:
        """Write the notebook into `folder`, made from the course at `root`."""
        name = f"{self.unit.partition('_')[2]}.ipynb"
        notebook = nbformat.read(root / self.stage / self.unit / name, as_version=4)
        for cell in notebook.cells:
            cell.source = MARKERS.sub("", cell.source).rstrip("\n")
        text = None
        for edit in self.edits:
            if edit.do == "file":
                name = edit.target
            elif edit.do == "broken":
                text = edit.text
            else:
                _edit_cells(notebook.cells, edit)
        folder.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(notebook) if text is None else text
        (folder / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Student:
    """One student of the class."""

    name: str
    """Folder name under ``submitted/``."""
    why: str
    """Why the student is in the class."""
    hand_ins: tuple[HandIn, ...]
    """What is handed in."""


def load_class() -> list[Student]:
    """Read every student's file, sorted by name."""
    return [
        parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.txt"))
    ]


def parse(name: str, text: str) -> Student:
    """Read one student's file.

    Raises
    ------
    ValueError
        If a header is none of those above: an edit that is passed over in silence would make
        another student.
    """
    heads = list(HEADER.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    hand_ins: list[HandIn] = []
    for head, end in zip(heads, ends, strict=True):
        body = text[head.end() : end].strip("\n")
        if unit := UNIT.fullmatch(head["words"]):
            stage = "source" if unit["source"] else "release"
            hand_ins.append(HandIn(unit["unit"], stage, ()))
        elif (edit := EDIT.fullmatch(head["words"])) and hand_ins:
            last = hand_ins[-1]
            new = Edit(edit["do"], edit["target"] or "", body)
            hand_ins[-1] = HandIn(last.unit, last.stage, (*last.edits, new))
        else:
            raise ValueError(f"students/{name}.txt: cannot read the header {head.group()!r}")
    why = text[: heads[0].start()] if heads else text
    return Student(name, " ".join(why.split()), tuple(hand_ins))


def _edit_cells(cells: list[NotebookNode], edit: Edit) -> None:
    index = _find(cells, edit.target)
    if edit.do == "cell":
        cells[index].source = edit.text
    elif edit.do == "add after":
        cells.insert(index + 1, nbformat.v4.new_code_cell(edit.text))
    elif edit.do == "delete":
        del cells[index]
    else:
        again = copy.deepcopy(cells[index])
        again.id = nbformat.v4.new_code_cell().id
        cells.append(again)


def _find(cells: list[NotebookNode], grade_id: str) -> int:
    for index, cell in enumerate(cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return index
    raise ValueError(f"There is no cell {grade_id!r} in the notebook.")
