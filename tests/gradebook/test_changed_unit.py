"""A unit that gets another exercise after the first submissions were graded."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.course import Course
from autograder.errors import GradingError
from autograder.grade import release
from autograder.gradebook import Marks, Writer

ROOT = Path(__file__).parents[2]
UNIT, NOTEBOOK = "u00_start", "start"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Release a unit, and enter one submission of it."""
    shutil.copytree(ROOT / "source" / UNIT, tmp_path / "source" / UNIT)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    course = Course.at(tmp_path)
    release(course, UNIT)
    with Writer(f"sqlite:///{tmp_path / 'gradebook.db'}", "course") as writer:
        points = writer.grade_cells(UNIT)
        writer.write(Marks("ann", UNIT, NOTEBOOK, dict(points), frozenset()))
    return course


def test_releasing_it_again_says_what_to_do(course: Course) -> None:
    """There nbgrader refuses with a traceback; whoever reads ours knows the two ways on."""
    path = course.root / "source" / UNIT / f"{NOTEBOOK}.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells = [c for c in book.cells if c.metadata.get("nbgrader", {}).get("points") is None]
    nbformat.write(book, path)

    with pytest.raises(GradingError, match="nbgrader db assignment remove u00_start --force"):
        release(course, UNIT)
