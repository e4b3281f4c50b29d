"""Submissions to u00, and courses that they are handed in to."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder import stock
from autograder.course import Course
from autograder.gradebook import dump
from autograder.sandbox import Limits
from autograder.submission import Clean
from tests.submission import notebooks as nb

UNIT = "u00_start"
SEED = 4  # of the cases
MEBIBYTE = 2**20
LIMITS = Limits(
    cell_seconds=2.0,
    case_seconds=1.0,
    question_seconds=5.0,
    submission_seconds=60.0,
    memory_bytes=512 * MEBIBYTE,
)
WRONG = "def center(x):\n    return x - x.mean()"
SCALE = "def column_scale(x):\n    return x.std(axis=0)"


def notebook(*own: str, after: str = "test_center", **sources: str) -> NotebookNode:
    """Return the solved notebook with other texts in some cells, and cells of the student's own."""
    made = nb.solved()
    for name, source in sources.items():
        nb.find(made, name).source = source
    at = nb.place(made, after) + 1
    made.cells[at:at] = [nb.code(source, f"own-{i}") for i, source in enumerate(own)]
    return made


def submission(*own: str, after: str = "test_center", **sources: str) -> Clean:
    """Return the same as the grader runs it."""
    return nb.clean(notebook(*own, after=after, **sources))


def own_index(clean: Clean) -> int:
    """Return the index of the first cell that `submission` added."""
    return next(i for i, cell in enumerate(clean.cells) if cell.id == "own-0")


@dataclass(frozen=True)
class Class:
    """A course folder of a test's own."""

    course: Course
    """The course."""

    @property
    def root(self) -> Path:
        """Folder of the course."""
        return self.course.root

    def hand_in(self, student: str, work: NotebookNode | bytes) -> Path:
        """Put a notebook where nbgrader collects it."""
        path = self.course.notebook("submitted", UNIT, student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(work if isinstance(work, bytes) else json.dumps(work).encode())
        return path

    def gradebook(self) -> dict[str, list[dict[str, object]]]:
        """Return the gradebook's content."""
        return dump(stock.open_api(self.course).coursedir.db_url)

    def autograded(self) -> dict[str, bytes]:
        """Return every file under ``autograded/`` but halves that a killed run left, by name."""
        folder = self.root / "autograded"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix != ".new"  # nbgrader passes over them, too
        }

    def state(self) -> tuple[object, object]:
        """Return all that grading leaves for people to see."""
        return self.gradebook(), self.autograded()

    def copy(self, folder: Path) -> Class:
        """Return the same course in another folder."""
        shutil.copytree(self.root, folder)
        return Class(Course(folder))
