"""Every lecture, the home notebook and every solved assignment runs from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.exercises import exercises_of, units
from autograder.panel import RESULT_MIME

ROOT = Path(__file__).parents[2]
LECTURES = sorted(p for p in (ROOT / "course").rglob("*.ipynb") if "checkpoint" not in str(p))
CELL_SECONDS = 120  # a lecture has two minutes in all
MAX_CELL_LINES = 15  # of code a student reads in one go
LINK = re.compile(r"\]\((?P<target>[^)#]+?)(?:#[^)]*)?\)")


def run(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> NotebookNode:
    """Execute a notebook in its own folder, with a progress file of its own."""
    monkeypatch.setenv("BATCHNORM_COURSE_PROGRESS", str(tmp_path / "progress.json"))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    return notebook


def stderr_of(notebook: NotebookNode) -> str:
    """Return everything a notebook wrote to stderr."""
    return "".join(
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", LECTURES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_lecture_runs_without_a_word_on_stderr(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No cell raises, none warns."""
    assert stderr_of(run(path, monkeypatch, tmp_path)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("unit", units())
def test_a_solved_assignment_has_full_points(
    unit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Our own solutions pass every assert and every check, without a word on stderr."""
    notebook = run(ROOT / "source" / unit / f"{unit[4:]}.ipynb", monkeypatch, tmp_path)
    records = [
        output.data[RESULT_MIME]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if RESULT_MIME in output.get("data", {})
    ]
    assert {r["exercise"].partition(".")[2]: r["score"] for r in records} == {
        e.name: float(e.points) for e in exercises_of(unit)
    }
    assert stderr_of(notebook) == ""


@pytest.mark.parametrize("path", LECTURES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_cells_of_a_lecture_can_be_read_in_one_go(path: Path) -> None:
    """At most 15 lines of code a cell."""
    cells = nbformat.read(path, as_version=4).cells
    long = {
        c.id: c.source for c in cells if c.cell_type == "code" and lines(c.source) > MAX_CELL_LINES
    }
    assert not long


def lines(source: str) -> int:
    """Count lines that hold something."""
    return sum(bool(line.strip()) for line in source.splitlines())


@pytest.mark.parametrize(
    "path",
    [*LECTURES, *sorted((ROOT / "release").rglob("*.ipynb"))],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_links_lead_somewhere(path: Path) -> None:
    """Every link to a file of the course finds one."""
    cells = nbformat.read(path, as_version=4).cells
    targets = [
        m["target"] for c in cells if c.cell_type == "markdown" for m in LINK.finditer(c.source)
    ]
    local = [t for t in targets if "://" not in t and not t.startswith("mailto:")]
    assert [t for t in local if not (path.parent / t).exists()] == []


@pytest.mark.parametrize("unit", units())
def test_every_exercise_says_its_effort_and_points(unit: str) -> None:
    """The label in the notebook says the minutes and points of the exercise's spec."""
    text = "\n".join(
        c.source
        for c in nbformat.read(ROOT / "release" / unit / f"{unit[4:]}.ipynb", as_version=4).cells
        if c.cell_type == "markdown"
    )
    for exercise in exercises_of(unit):
        section = text.partition(f"`{exercise.name}`")[2].partition("## ")[0]
        assert f"{exercise.minutes} minutes" in section, exercise.name
        points = f"{exercise.points} point" + ("s" if exercise.points != 1 else "")
        assert points in section, exercise.name
