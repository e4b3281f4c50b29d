"""The same rows as nbgrader's own autograding leaves, compared field by field."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from traitlets.config.loader import PyFileConfigLoader

from autograder.gradebook import Marks, Writer, dump, late_plugin
from tests.gradebook.books import COURSE, DUE, NOTEBOOK, UNIT, by_person

HANDED_IN = "2030-01-10 15:30:00 CET"
CONFIG = f"""
from nbgrader.plugins import LateSubmissionPlugin

class Tenth(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 10 * total_seconds_late / 3600

c = get_config()
c.CourseDirectory.course_id = {COURSE!r}
c.AssignLatePenalties.plugin_class = Tenth
"""
SOLUTION = "def {0}():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
MARKS = Marks(
    student="ann",
    unit=UNIT,
    notebook=NOTEBOOK,
    scores={"test_mean": 1.0, "test_var": 0.0, "test_scale": 1.25},
    unanswered=frozenset({"var", "why"}),  # nbgrader compares the code that is tested, too
    timestamp=parse_utc(HANDED_IN),
)


def cell(make, name, text, **role):
    """Return a cell with nbgrader's metadata."""
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    return make(
        text, metadata={"nbgrader": {"grade_id": name, "schema_version": 3, **plain, **role}}
    )


def source():
    """Return a notebook with every kind of cell."""
    answer, test = {"solution": True}, {"grade": True, "locked": True, "points": 2}
    text = {"grade": True, "solution": True, "points": 3}
    return new_notebook(
        cells=[
            cell(new_code_cell, "mean", SOLUTION.format("mean"), **answer),
            cell(new_code_cell, "test_mean", "assert mean() == 1", **{**test, "points": 1}),
            cell(new_code_cell, "var", SOLUTION.format("var"), **answer),
            cell(new_code_cell, "test_var", "assert var() == 1", **test),
            cell(new_code_cell, "scale", SOLUTION.format("scale"), **answer),
            cell(new_code_cell, "test_scale", "scale()", **test),
            cell(new_markdown_cell, "explain", "Explain it.", **text),
            cell(new_markdown_cell, "why", "Why?", **text),
            cell(new_markdown_cell, "plot", "Draw it.", task=True, locked=True, points=4),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}
        },
    )


def nbgrader(root, *command):
    """Run stock nbgrader in a course."""
    programs = Path(sys.executable).parent
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER_", "NBGRADER_"))}
    outcome = subprocess.run(
        [programs / "nbgrader", *command],
        cwd=root,
        env=kept | {"HOME": str(root), "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stderr


def hand_in(root):
    """Answer two of the tested cells and one of the texts, late."""
    notebook = nbformat.read(root / "release" / UNIT / f"{NOTEBOOK}.ipynb", as_version=4)
    answers = {
        "mean": "def mean():\n    return 1",
        "scale": "def scale():\n    return 1.25",
        "explain": "Because of it.",
    }
    for one in notebook.cells:
        name = one.metadata.nbgrader.grade_id
        one.source = answers.get(name, one.source)
    folder = root / "submitted" / "ann" / UNIT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
    (folder / "timestamp.txt").write_text(HANDED_IN)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Release a unit in a course with a bare configuration, hand it in, and keep the gradebook."""
    root = tmp_path_factory.mktemp("course")
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "source" / UNIT).mkdir(parents=True)
    nbformat.write(source(), root / "source" / UNIT / f"{NOTEBOOK}.ipynb")
    nbgrader(root, "generate_assignment", UNIT)
    with Gradebook(f"sqlite:///{root}/gradebook.db", COURSE) as book:
        book.update_or_create_assignment(UNIT, duedate=DUE)
    hand_in(root)
    shutil.copy(root / "gradebook.db", root / "ours.db")
    return root


@pytest.mark.slow
def test_the_gradebook_is_the_one_that_nbgrader_leaves(course):
    """After a first grading, and after a second one once a person has graded, too."""
    stock, ours = f"sqlite:///{course}/gradebook.db", f"sqlite:///{course}/ours.db"
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()

    nbgrader(course, "autograde", UNIT)
    with Writer(ours, COURSE, late_plugin(config)) as writer:
        writer.write(MARKS)
    first = dump(stock)
    assert first["submitted_notebook"][0]["late_submission_penalty"] > 0
    assert dump(ours) == first

    for url in (stock, ours):
        by_person(url, "test_mean", manual_score=0.5, needs_manual_grade=False)
        by_person(url, "test_scale", extra_credit=0.25)
        by_person(url, "explain", manual_score=2.0, needs_manual_grade=False)
        by_person(url, "explain", manual_comment="Well said.")
        by_person(url, "plot", manual_score=3.0, needs_manual_grade=False)
    nbgrader(course, "autograde", "--force", UNIT)
    with Writer(ours, COURSE, late_plugin(config)) as writer:
        writer.write(MARKS)
    assert dump(stock) != first
    assert dump(ours) == dump(stock)
