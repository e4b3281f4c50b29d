"""Stock nbgrader, `check` and our grader give the same marks to every variant of every exercise."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
import torch  # noqa: F401  -- some variants import it where they are called, under a time limit
from nbgrader.api import Gradebook

from autograder.check import grade_function
from autograder.exercises import units
from autograder.pipeline.job import Graded, Job
from autograder.pipeline.pool import LocalPool
from autograder.submission import Clean, ingest, read_master, sanitise
from autograder.vocabulary import Result
from tests.nbgrader.conftest import (
    BIN,
    COMMAND_SECONDS,
    ROOT,
    SEED,
    STOCK,
    CourseFolder,
    MakeCourse,
)
from tests.nbgrader.pack import MARKERS, pack, test_cell_id
from tests.variants import Variant, load

STUDENT = "variants"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Marks:
    """What one variant got."""

    variant: Variant
    by_nbgrader: float | None
    by_check: float
    by_grader: Result
    points: float

    def __str__(self) -> str:
        return (
            f"{self.variant}: {self.by_nbgrader} by nbgrader, {self.by_check} by check, "
            f"{self.by_grader.score} by our grader ({self.by_grader.verdict})"
        )


class Marked:
    """Marks of all variants of a unit; each unit is marked once a session."""

    def __init__(self, make_course: MakeCourse) -> None:
        self.of = cache(lambda unit: mark(make_course(config=STOCK), unit))


@pytest.fixture(scope="session")
def marked(make_course: MakeCourse) -> Marked:
    """Hand out the marks of a unit's variants."""
    return Marked(make_course)


def mark(course: CourseFolder, unit: str) -> list[Marks]:
    """Mark the variants of a unit with nbgrader's own commands, and by ourselves meanwhile."""
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
        graded = grade_all(unit, variants)
        assert process.wait(COMMAND_SECONDS) == 0, log.read_text()
    scores = read_scores(course.root / "gradebook.db", unit)
    return [
        Marks(v, scores[test_cell_id(number, v)], result.score, graded[number], result.max_score)
        for number, (v, result) in enumerate(zip(variants, results, strict=True))
    ]


def grade_all(unit: str, variants: list[Variant]) -> dict[int, Result]:
    """Grade a notebook for each variant in the sandbox: the solutions, and the variant in place."""
    source = ROOT / "source" / unit / f"{unit.partition('_')[2]}.ipynb"
    master = read_master(unit, source.read_bytes())
    found: dict[int, Result] = {}

    def jobs() -> Iterator[tuple[int, Job]]:
        for number, variant in enumerate(variants):
            notebook = nbformat.read(source, as_version=4)
            for cell in notebook.cells:
                cell.source = MARKERS.sub("", cell.source)
                if cell.metadata.get("nbgrader", {}).get("grade_id") == variant.exercise:
                    cell.source = variant.source
            clean: Clean = sanitise(master, ingest(nbformat.writes(notebook).encode())[0])
            yield number, Job(clean, SEED, (variant.exercise,))

    with LocalPool(2) as pool:
        for number, graded in pool.run(jobs()):
            assert isinstance(graded, Graded), graded
            (found[number],) = graded.results.values()
    return found


def read_scores(database: Path, unit: str) -> dict[str, float | None]:
    """Read what nbgrader wrote down, by test cell."""
    with Gradebook(f"sqlite:///{database}") as gradebook:
        notebooks = gradebook.find_submission(unit, STUDENT).notebooks
        return {grade.name: grade.auto_score for n in notebooks for grade in n.grades}


@pytest.mark.parametrize("unit", units())
def test_right_variants_get_full_points_from_every_grader(marked: Marked, unit: str) -> None:
    """A right solution, however unusual, passes the asserts, the check, and the sandboxed judge."""
    short = [
        str(m)
        for m in marked.of(unit)
        if m.variant.right and {m.by_nbgrader, m.by_check, m.by_grader.score} != {m.points}
    ]
    assert not short, "\n".join(short)


@pytest.mark.parametrize("unit", units())
def test_wrong_variants_lose_points_with_every_grader(marked: Marked, unit: str) -> None:
    """No wrong solution gets full points."""
    full = [
        str(m)
        for m in marked.of(unit)
        if not m.variant.right and {None, m.points} & {m.by_nbgrader, m.by_check, m.by_grader.score}
    ]
    assert not full, "\n".join(full)


@pytest.mark.parametrize("unit", units())
def test_all_graders_agree(marked: Marked, unit: str) -> None:
    """The asserts of a test cell take points only where the check does: all of them, by a gate."""
    different = [
        str(m) for m in marked.of(unit) if not (m.by_nbgrader == m.by_check == m.by_grader.score)
    ]
    assert not different, "\n".join(different)
