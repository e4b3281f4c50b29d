"""The same notebooks through `otter run`: Otter's grading without Docker.

Otter gets what suits it: the notebooks without their test cells, which it would only run for
nothing, and the same tests as its own test files, one case an exercise.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat

from autograder.course import Course
from autograder.exercises import exercises_of
from benchmarks.grading.commands import Ran, environment, run
from benchmarks.grading.courses import Marks
from benchmarks.grading.students import UNIT

VERSION = "7.0.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "batchnorm-bench-otter"
TEST_FILE = """\
from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = None

@test_case(points={points}, hidden=False)
def test_{name}(env):
    np, check, {name} = env["np"], env["check"], env["{name}"]
{body}
"""


def install(folder: Path = CACHE) -> Path:
    """Return a virtual environment with Otter, which also sees our own environment's packages.

    Raises
    ------
    RuntimeError
        If it cannot be installed, because there is no network, say.
    """
    program = folder / "bin" / "otter"
    if not program.is_file():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [
            folder / "bin" / "pip",
            "install",
            "--quiet",
            f"otter-grader=={VERSION}",
            "ipykernel",
        ]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"otter-grader cannot be installed: {done.stderr.strip()[-300:]}")
    packages = next((folder / "lib").glob("python*/site-packages"))
    ours = sysconfig.get_paths()["purelib"]
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    return folder


def grade(course: Course, students: list[str], otter: Path, look: float) -> tuple[Ran, Marks]:
    """Grade everyone, two at a time, and return what it took, and the marks."""
    program = otter / "bin" / "otter"
    folder = course.root
    zipped = _make_tests(course, program)
    commands = []
    for student in students:
        place = folder / "otter" / student
        place.mkdir(parents=True)
        notebook = place / "forward.ipynb"
        _write_without_tests(course.notebook("submitted", UNIT, student), notebook)
        commands.append([program, "run", "--no-logo", "-a", zipped, "-o", place, notebook])
    ran = run(commands, folder, look, at_once=2)
    marks: Marks = {}
    for student in students:
        found = json.loads((folder / "otter" / student / "results.json").read_text())["tests"]
        for test in found:
            name = str(test["name"]).split()[0]
            if "score" in test and name in [e.name for e in exercises_of(UNIT)]:
                marks[student, f"test_{name}"] = float(test["score"])
    return ran, marks


def _make_tests(course: Course, program: Path) -> Path:
    """Write a test file for each exercise, of its own test cell, and zip them."""
    tests = course.root / "otter-tests"
    tests.mkdir()
    master = nbformat.read(course.notebook("source", UNIT), as_version=4)
    cells = {c.metadata.get("nbgrader", {}).get("grade_id"): c for c in master.cells}
    for exercise in exercises_of(UNIT):
        *lines, last = cells[f"test_{exercise.name}"].source.splitlines()
        body = "\n".join(f"    {line}" for line in [*lines, f"assert {last} == {exercise.points}"])
        text = TEST_FILE.format(name=exercise.name, points=exercise.points, body=body)
        (tests / f"{exercise.name}.py").write_text(text, encoding="utf-8")
    zipped = course.root / "autograder.zip"
    options = ["--no-environment", "--no-requirements", "--no-config"]
    subprocess.run(
        [program, "generate", "-t", tests, "-o", zipped, *options],
        cwd=course.root, env=environment(course.root), check=True, capture_output=True,
    )  # fmt: skip
    return zipped


def _write_without_tests(submitted: Path, target: Path) -> None:
    notebook = nbformat.read(submitted, as_version=4)
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]
    nbformat.write(notebook, target)
