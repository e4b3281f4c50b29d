"""Stock nbgrader and `check` give the same marks to every variant of every exercise."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
import torch  # noqa: F401  -- some variants import it where they are called, under a time limit
from nbgrader.api import Gradebook

from autograder.check import grade_function
from autograder.exercises import units
from tests.nbgrader.conftest import BIN, COMMAND_SECONDS, ROOT, SEED, CourseFolder, MakeCourse
from tests.nbgrader.pack import pack, test_cell_id
from tests.variants import Variant, load

CONFIG = "\nc.Execute.timeout = 15  # a variant may have no end\n"
STUDENT = "variants"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Marks:
    """What one variant got."""

    variant: Variant
    by_nbgrader: float | None
    by_check: float
    points: float

    def __str__(self) -> str:
        return f"{self.variant}: {self.by_nbgrader} by nbgrader, {self.by_check} by check"


class Marked:
    """Marks of all variants of a unit; each unit is marked once a session."""

    def __init__(self, make_course: MakeCourse) -> None:
        self.of = cache(lambda unit: mark(make_course(config=CONFIG), unit))


@pytest.fixture(scope="session")
def marked(make_course: MakeCourse) -> Marked:
    """Hand out the marks of a unit's variants."""
    return Marked(make_course)


def mark(course: CourseFolder, unit: str) -> list[Marks]:
    """Mark the variants of a unit with nbgrader's own commands, and with `check` meanwhile."""
    variants = load(unit)
    name = unit.partition("_")[2]
    notebook = pack(ROOT / "source" / unit / f"{name}.ipynb", variants)
    for folder in (course.root / "source" / unit, course.root / "submitted" / STUDENT / unit):
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    course.must_run("nbgrader", "generate_assignment", unit)
    log = course.home / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [BIN / "nbgrader", "autograde", unit],
            cwd=course.root,
            env=course.environment,
            stdout=stream,
            stderr=stream,
        )
        results = [
            grade_function(f"{unit.partition('_')[0]}.{v.exercise}", v.build(), SEED)
            for v in variants
        ]
        assert process.wait(COMMAND_SECONDS) == 0, log.read_text()
    scores = read_scores(course.root / "gradebook.db", unit)
    return [
        Marks(variant, scores[test_cell_id(number, variant)], result.score, result.max_score)
        for number, (variant, result) in enumerate(zip(variants, results, strict=True))
    ]


def read_scores(database: Path, unit: str) -> dict[str, float | None]:
    """Read what nbgrader wrote down, by test cell."""
    with Gradebook(f"sqlite:///{database}") as gradebook:
        notebooks = gradebook.find_submission(unit, STUDENT).notebooks
        return {grade.name: grade.auto_score for n in notebooks for grade in n.grades}


@pytest.mark.parametrize("unit", units())
def test_right_variants_get_full_points_from_nbgrader(marked: Marked, unit: str) -> None:
    """A right solution, however unusual, passes the asserts and the check of its test cell."""
    short = [str(m) for m in marked.of(unit) if m.variant.right and m.by_nbgrader != m.points]
    assert not short, "\n".join(short)


@pytest.mark.parametrize("unit", units())
def test_wrong_variants_lose_points_in_nbgrader(marked: Marked, unit: str) -> None:
    """No wrong solution gets full points."""
    full = [
        str(m)
        for m in marked.of(unit)
        if not m.variant.right and (m.by_nbgrader is None or m.by_nbgrader >= m.points)
    ]
    assert not full, "\n".join(full)


@pytest.mark.parametrize("unit", units())
def test_nbgrader_and_check_agree(marked: Marked, unit: str) -> None:
    """The asserts of a test cell take points only where the check does: all of them, by a gate."""
    different = [str(m) for m in marked.of(unit) if m.by_nbgrader != m.by_check]
    assert not different, "\n".join(different)
