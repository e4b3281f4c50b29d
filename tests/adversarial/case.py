"""A submission with a name, a reason to exist, and what it must get."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
MARKERS = re.compile(
    r"^ *### (BEGIN SOLUTION|HAND OUT\n(.*\n)*?.*END SOLUTION|END SOLUTION)\n?", re.M
)
IMPORTS = "given_imports"  # grade_id of the first code cell of every unit
IDLE = "def center(x):\n    return x\n"  # wrong, and no work at all
FULL, NOTHING = "full", "nothing"


@dataclass(frozen=True)
class Case:
    """One submission: the solved notebook of a unit, and what is done to it.

    In all texts ``@OUTSIDE@`` is a folder of the host that anyone may read and write, ``@COURSE@``
    the course's folder, ``@PORT@`` a port of 127.0.0.1 on which the host listens, ``@ABSTRACT@`` an
    abstract socket, and ``@TOKEN@`` a word by which its processes are found.
    """

    name: str
    """What it is called in the tests and in the table."""
    why: str
    """What it tries, in a few words."""
    gets: Mapping[str, str] = field(default_factory=dict)
    """Score and verdict by exercise: ``nothing wrong``, ``0.5 partial``. Every other exercise must
    get ``full passed``. The exercise ``""`` stands for a submission that cannot be graded."""
    first: str = ""
    """A cell of the student's own before all exercises."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Source of cells by grade id."""
    after: Mapping[str, str] = field(default_factory=dict)
    """Cells of the student's own, by the grade id of the cell before."""
    last: str = ""
    """A cell of the student's own at the end."""
    edit: Callable[[NotebookNode], None] | None = None
    """Any other change to the notebook."""
    raw: Callable[[bytes], bytes] | None = None
    """A change to the bytes of the file."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files beside the notebook."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links beside it, or in its place: where they point, by name."""
    shows: tuple[str, ...] = ()
    """What the autograded notebook must hold: that the deed was tried, and what came of it."""
    hides: tuple[str, ...] = ()
    """What it must not hold."""
    unit: str = "u00_start"
    """The unit's folder."""

    def write(self, course: Path, words: Mapping[str, str]) -> None:
        """Hand it in at a course, under its own name, with the host's `words` filled in."""
        folder = course / "submitted" / self.name / self.unit
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(_fill(content.decode("latin-1"), words).encode("latin-1"))
        for name, target in self.links.items():
            (folder / name).symlink_to(_fill(target, words))
        path = folder / file_name(self.unit)
        if path.name not in self.links:
            text = _fill(nbformat.writes(self.notebook()), words).encode()
            path.write_bytes(self.raw(text) if self.raw else text)

    def notebook(self) -> NotebookNode:
        """Return what is handed in."""
        notebook = copy.deepcopy(_solved(self.unit))
        for grade_id, source in self.answers.items():
            find(notebook, grade_id).source = source
        own = {IMPORTS: self.first, **self.after}
        for grade_id, source in own.items():
            if source:
                place = notebook.cells.index(find(notebook, grade_id)) + 1
                notebook.cells.insert(place, _code(source))
        if self.last:
            notebook.cells.append(_code(self.last))
        for number, cell in enumerate(notebook.cells):
            cell.setdefault("id", f"new-{number}")
        if self.edit is not None:
            self.edit(notebook)
        return notebook


def file_name(unit: str) -> str:
    """Return the file name of a unit's notebook."""
    return f"{unit.partition('_')[2]}.ipynb"


def find(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell of this name."""
    return next(
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def names(cases: tuple[Case, ...]) -> list[str]:
    """Return the names of cases."""
    return [case.name for case in cases]


@cache
def _solved(unit: str) -> NotebookNode:
    notebook = nbformat.read(ROOT / "source" / unit / file_name(unit), as_version=4)
    for cell in notebook.cells:
        cell.source = MARKERS.sub("", cell.source).rstrip("\n")
    return notebook


def _code(source: str) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source.strip("\n"))
    del cell["id"]  # random
    return cell


def _fill(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
