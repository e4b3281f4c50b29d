"""Course folders with the unit in them: with our configuration, or with nbgrader's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from nbgrader.api import Gradebook

from autograder import grade as grading
from autograder.course import CONFIG, Course
from benchmarks.grading.commands import BIN, run
from benchmarks.grading.students import UNIT, hand_in

ROOT = Path(__file__).parents[2]
STOCK = """\
c = get_config()
c.CourseDirectory.course_id = "batchnorm"
c.Exchange.root = "exchange"
"""

Marks = dict[tuple[str, str], float | None]  # by student and test cell


def make_course(folder: Path, number: int, stock: bool = False) -> tuple[Course, list[str]]:
    """Make a released course and let `number` students hand in; return it and their names."""
    shutil.copytree(ROOT / "source" / UNIT, folder / "source" / UNIT)
    if stock:
        (folder / CONFIG).write_text(STOCK, encoding="utf-8")
        run([[BIN / "nbgrader", "generate_assignment", UNIT]], folder, look=None)
    else:
        shutil.copy(ROOT / CONFIG, folder)
        grading.release(Course(folder), UNIT)
    return Course(folder), hand_in(folder, 0, number)


def read_marks(course: Course) -> Marks:
    """Return the automatic marks in the gradebook."""
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "batchnorm") as gradebook:
        return {
            (submission.student_id, grade.name): grade.auto_score
            for submission in gradebook.assignment_submissions(UNIT)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
