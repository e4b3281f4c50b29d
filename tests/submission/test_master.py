"""What the sanitiser holds a submission against."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from autograder.clean import Clean
from autograder.errors import GradingError
from autograder.submission import read_master, render
from tests.submission import notebooks as nb

UNITS = sorted(path.name for path in (nb.ROOT / "release").iterdir())


@pytest.mark.parametrize("unit", UNITS)
def test_it_is_what_students_got(unit: str) -> None:
    """Rendered as a submission, the master is the release notebook: text, ids, metadata, points."""
    made = render(Clean(unit, nb.master(unit).cells), master=nb.master(unit))
    assert made.cells == nb.released(unit).cells


@pytest.mark.parametrize("unit", UNITS)
def test_every_exercise_is_a_function_with_a_test(unit: str) -> None:
    """Solution cells define the name that they bear, and each has its test cell."""
    found = nb.master(unit)
    assert found.exercises
    for name in found.exercises:
        assert re.search(rf"^(def|class) {name}\b", found.handed_out[name], re.M)
        assert found.test_of(name) == f"test_{name}"
    assert found.test_of("given_imports") is None


def test_no_solution_is_in_it() -> None:
    """The released text is what is kept, not the source's."""
    assert all("SOLUTION" not in cell.source for cell in nb.master().cells)


def test_the_same_bytes_are_read_once() -> None:
    """The second call costs a look-up, for bytes that are equal but another object."""
    data = Path(nb.ROOT, "source", nb.START, "start.ipynb").read_bytes()
    assert read_master(nb.START, data) is read_master(nb.START, bytes(bytearray(data)))


def test_manual_cells_and_tasks() -> None:
    """What a person grades is `manual`; a task's text is locked, an answer's is not."""
    source = nbformat.v4.new_notebook()
    flags = {"schema_version": 3, "locked": False, "points": 2}
    answer = flags | {"grade_id": "why", "grade": True, "solution": True, "task": False}
    task = flags | {"grade_id": "plot", "grade": False, "solution": False, "task": True}
    source.cells = [
        nbformat.v4.new_markdown_cell("Why?", metadata={"nbgrader": answer}),
        nbformat.v4.new_markdown_cell("Plot it.", metadata={"nbgrader": task | {"locked": True}}),
    ]
    found = read_master("u00_start", json.dumps(source).encode())
    assert [(c.role, c.name, c.points) for c in found.cells] == [
        ("manual", "why", 2.0),
        ("manual", "plot", 2.0),
    ]
    assert list(found.handed_out) == ["why"]
    assert [found.is_locked(cell) for cell in found.cells] == [False, True]


def test_a_broken_source_is_the_instructors_error() -> None:
    """It is no fault of the submission, and says what to run."""
    with pytest.raises(GradingError, match="autograder build"):
        read_master("u00_start", b'{"cells": [')
