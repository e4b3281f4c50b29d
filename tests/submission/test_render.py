"""A clean submission as a notebook: valid for Jupyter, and autograded in nbgrader's eyes."""

from __future__ import annotations

import nbformat
import pytest
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator

from autograder.submission import Cell, Clean, Master, render
from tests.submission import notebooks as nb

UNITS = [nb.START, nb.FORWARD]
MANUAL = Cell("manual", "why", "markdown", "Because.", "why", 2.0)
TASK = Cell("manual", "plot", "markdown", "Plot it.", "plot", 3.0)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("with_master", [True, False])
def test_it_is_valid(unit: str, with_master: bool) -> None:
    """For nbformat and for nbgrader's own validator."""
    made = render(nb.clean(nb.solved(unit), unit), master=nb.master(unit) if with_master else None)
    nbformat.validate(made)
    MetadataValidator().validate_nb(made)


def test_checksums_are_of_what_was_handed_out() -> None:
    """So nbgrader sees which answers are untouched, and that no locked cell was changed."""
    notebook = nb.released()
    nb.find(notebook, "center").source = nb.WORK
    made = render(nb.clean(notebook), master=nb.master())
    same = {
        nb.grade_id(cell): cell.metadata.nbgrader.checksum == utils.compute_checksum(cell)
        for cell in made.cells
        if nb.grade_id(cell)
    }
    assert same.pop("center") is False
    assert set(same.values()) == {True}


def test_without_the_master_answers_have_no_checksum() -> None:
    """A checksum of the answer itself would say that nothing was written."""
    made = render(nb.clean(nb.solved()))
    assert "checksum" not in nb.find(made, "center").metadata.nbgrader
    assert "checksum" in nb.find(made, "test_center").metadata.nbgrader


def test_outputs_stand_in_their_cells() -> None:
    """By index; with the count that an execute result carries."""
    clean = nb.clean(nb.solved())
    at = [cell.name for cell in clean.cells].index("test_center")
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "hello"},
        {"output_type": "execute_result", "data": {"text/plain": "1.0"}, "metadata": {}}
        | {"execution_count": 4},
    ]
    made = render(clean, {at: outputs})
    nbformat.validate(made)
    assert made.cells[at].outputs == outputs
    assert made.cells[at].execution_count == 4
    assert utils.determine_grade(made.cells[at]) == (1.0, 1.0)
    others = [c for i, c in enumerate(made.cells) if i != at and c.cell_type == "code"]
    assert all(c.outputs == [] and c.execution_count is None for c in others)


def test_same_input_same_bytes() -> None:
    """No time, no version, no order of a dict gets in."""
    one, two = (nbformat.writes(render(nb.clean(nb.solved()))) for _ in range(2))
    assert one == two


def test_manual_answers_and_tasks_have_nbgraders_flags() -> None:
    """An answer is graded and the student's; a task is locked; both have points."""
    master = Master("u00_start", (MANUAL, TASK), {"why": ""})
    made = render(Clean("u00_start", (MANUAL, TASK)), master=master)
    MetadataValidator().validate_nb(made)
    flags = [(utils.is_grade(c), utils.is_solution(c), utils.is_task(c)) for c in made.cells]
    assert flags == [(True, True, False), (False, False, True)]
    assert [c.metadata.nbgrader.locked for c in made.cells] == [False, True]
    assert [c.metadata.nbgrader.points for c in made.cells] == [2.0, 3.0]
