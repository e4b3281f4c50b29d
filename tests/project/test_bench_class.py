"""The class that the grader is measured with is what it is said to be."""

import shutil

import pytest

from autograder.course import CONFIG, Course
from autograder.pipeline.settings import Settings
from autograder.pipeline.store import Store
from autograder.pipeline.unit import UnitGrading
from benchmarks.grading.students import KINDS, NAMES, UNIT, hand_in
from tests.project.places import ROOT


@pytest.fixture
def course(tmp_path):
    """Return a course folder with the unit as it was handed out."""
    for stage in ("source", "release"):
        shutil.copytree(ROOT / stage / UNIT, tmp_path / stage / UNIT)
    shutil.copy(ROOT / CONFIG, tmp_path)
    return Course(tmp_path)


def read(course, students):
    """Return the clean submissions as the grader reads them."""
    with Store(course.root) as store:
        unit = UnitGrading(course, UNIT, Settings(), store)
        return [unit.read(student) for student in students]


def test_no_two_submissions_are_the_same_work(course):
    """Otherwise the second one would come from the store, and cost nothing."""
    students = hand_in(course.root, 0, len(KINDS)) + hand_in(course.root, 2400, len(KINDS))
    keys = {submission.key for submission in read(course, students)}
    assert len(keys) == len(students) == 2 * len(KINDS)


def test_a_kind_is_the_same_work_but_for_its_number(course):
    """So a large class costs what the small one does, submission by submission."""
    students = hand_in(course.root, 0, 3) + hand_in(course.root, 24, 3)
    found = [
        [
            cell.source.replace(f"attempt {n}", "").replace(f"attempt = {n}", "")
            for cell in submission.clean.cells
        ]
        for n, submission in zip((0, 1, 2, 24, 25, 26), read(course, students), strict=True)
    ]
    assert found[:3] == found[3:]
    assert found[0] != found[1]


def test_nothing_needs_repair(course):
    """The class is honest, and its notebooks are as Jupyter saves them."""
    students = hand_in(course.root, 0, len(KINDS))
    assert [s.clean.findings for s in read(course, students)] == [()] * len(KINDS)


def test_the_class_is_mixed():
    """A third is right throughout; there are mistakes, gaps, plots, prints and errors."""
    right = [kind for kind in KINDS if not (kind.wrong or kind.missing or kind.broken)]
    assert len(KINDS) == 24
    assert 8 <= len(right) <= 10
    assert {name for kind in KINDS for name in kind.wrong} == set(NAMES)
    assert {name for kind in KINDS for name in kind.missing} == set(NAMES)
    assert any(kind.broken for kind in KINDS)
