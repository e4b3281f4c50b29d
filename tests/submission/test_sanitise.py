"""What students do to their notebooks: the work is kept, the locked cells are put right."""

from __future__ import annotations

import copy

import pytest
from nbformat import NotebookNode

from autograder.errors import SubmissionError
from autograder.submission import Clean
from tests.submission import notebooks as nb
from tests.submission.notebooks import FORWARD, WORK, clean, find, kinds, named

HELPER = "def helper(x):\n    return x.mean(axis=0)"
SCALE = "def column_scale(x):\n    return x.std(axis=0)"


def texts(made: Clean) -> list[str]:
    """Return the texts of all cells in order."""
    return [cell.source for cell in made.cells]


def move(notebook: NotebookNode, name: str, to: int) -> None:
    """Move the cell of this name to a place."""
    cell = notebook.cells.pop(nb.place(notebook, name))
    notebook.cells.insert(to, cell)


@pytest.mark.parametrize("unit", [nb.START, FORWARD])
def test_honest_work_passes_as_it_is(unit: str) -> None:
    """Nothing is changed in a notebook that only has answers in it, and nothing is said."""
    notebook = nb.solved(unit)
    made = clean(notebook, unit)
    assert texts(made) == [cell.source for cell in notebook.cells]
    assert [cell.id for cell in made.cells] == [cell.id for cell in notebook.cells]
    assert made.findings == ()
    assert made.unit == unit


def test_an_untouched_notebook_is_a_submission() -> None:
    """Handed in as it was handed out, it is graded: with nothing in it."""
    made = clean(nb.released())
    assert {c.name: c.source for c in made.cells if c.role == "solution"} == nb.master().handed_out
    assert made.findings == ()


def test_own_cells_stay_where_they_are() -> None:
    """Helper cells and notes of the student's run in their place."""
    notebook = nb.solved()
    at = nb.place(notebook, "center")
    notebook.cells.insert(at, nb.code(HELPER))
    made = clean(notebook)
    assert (made.cells[at].role, made.cells[at].source) == ("own", HELPER)
    assert made.findings == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("test_center", "test-cell-restored"), ("given_imports", "given-cell-restored")],
)
def test_edited_locked_cell_is_the_masters_again(name: str, kind: str) -> None:
    """What was written into it is gone, and the finding names the cell."""
    notebook = nb.solved()
    find(notebook, name).source = "1.0"
    made = clean(notebook)
    assert named(made, name) == named(clean(nb.solved()), name)
    assert [(f.kind, f.cell) for f in made.findings] == [(kind, name)]


def test_white_space_in_a_locked_cell_is_not_worth_a_word() -> None:
    """Some editors end every cell with a line feed."""
    notebook = nb.solved()
    find(notebook, "test_center").source += "\n"
    assert clean(notebook) == clean(nb.solved())


@pytest.mark.parametrize(
    ("gone", "kind"),
    [("test_center", "test-cell-put-back"), ("given_imports", "given-cell-put-back")],
)
def test_deleted_locked_cell_is_put_back_in_its_place(gone: str, kind: str) -> None:
    """It stands after the cell that it followed."""
    notebook = nb.solved()
    notebook.cells.remove(find(notebook, gone))
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert kinds(made) == [kind]


def test_all_locked_cells_deleted_are_put_back_in_order() -> None:
    """Each follows the one before it, put back or not."""
    notebook = nb.solved(FORWARD)
    kept = {cell.name for cell in nb.master(FORWARD).cells if cell.role == "solution"} | {""}
    notebook.cells = [cell for cell in notebook.cells if nb.grade_id(cell) in kept]
    assert clean(notebook, FORWARD).cells == clean(nb.solved(FORWARD), FORWARD).cells


def test_deleted_answer_leaves_its_test() -> None:
    """The exercise is not there, which the judge sees at the place of the test."""
    notebook = nb.solved()
    notebook.cells.remove(find(notebook, "center"))
    made = clean(notebook)
    assert nb.names(made) == ["given_imports", "test_center", "column_scale", "test_column_scale"]
    assert [(f.kind, f.cell) for f in made.findings] == [("solution-missing", "center")]


def test_answer_in_another_cell_gets_the_role() -> None:
    """Whoever deletes the cell and defines the function in one of their own has answered."""
    notebook = nb.solved()
    at = nb.place(notebook, "center")
    notebook.cells[at] = nb.code(f"{HELPER}\n\n\n{WORK}")
    made = clean(notebook)
    assert made.cells[at].role == "solution"
    assert named(made, "center").source == f"{HELPER}\n\n\n{WORK}"
    assert kinds(made) == ["cell-recognised"]


def test_answer_by_assignment_gets_the_role() -> None:
    """A lambda is a function, too."""
    notebook = nb.solved()
    work = "center = lambda x: x - x.mean(axis=0)"
    notebook.cells[nb.place(notebook, "center")] = nb.code(work)
    assert named(clean(notebook), "center").source == work


def test_answer_beside_an_untouched_cell_counts() -> None:
    """The cell as handed out must not undo the work in another."""
    notebook = nb.released()
    notebook.cells.insert(nb.place(notebook, "center"), nb.code(WORK))
    made = clean(notebook)
    assert named(made, "center").source == WORK
    assert nb.master().handed_out["center"] not in nb.own_code(made)
    assert kinds(made)[0] == "untouched-copy"


def test_of_two_answers_the_last_one_counts_and_both_run() -> None:
    """As nbgrader does it; the other is a cell of the student's own."""
    notebook = nb.solved()
    again = copy.deepcopy(find(notebook, "center"))
    again.source, again.id = f"# better\n{WORK}", "again"
    notebook.cells.insert(nb.place(notebook, "center") + 1, again)
    made = clean(notebook)
    assert named(made, "center").source == again.source
    assert find(notebook, "center").source in nb.own_code(made)
    assert kinds(made) == ["cell-repeated"]


@pytest.mark.parametrize("last", [None, "", "\n"])
def test_of_two_answers_work_counts_before_what_was_handed_out(last: str | None) -> None:
    """An untouched or empty copy at the end takes nothing away."""
    notebook = nb.solved()
    work = find(notebook, "center").source
    again = copy.deepcopy(find(nb.released(), "center"))
    again.id = "again"
    if last is not None:
        again.source = last
    notebook.cells.append(again)
    made = clean(notebook)
    assert named(made, "center").source == work
    assert not any("NotImplementedError" in text for text in nb.own_code(made))
    assert nb.names(made) == nb.names(clean(nb.solved()))


def test_of_two_worked_on_cells_the_one_that_defines_it_counts() -> None:
    """A copy that was turned into a scratch cell is not the answer."""
    notebook = nb.solved()
    again = copy.deepcopy(find(notebook, "center"))
    again.source, again.id = "center(np.ones((2, 2)))", "again"
    notebook.cells.append(again)
    made = clean(notebook)
    assert named(made, "center").source == find(notebook, "center").source
    assert nb.own_code(made)[-1] == again.source


def test_answer_at_the_end_takes_its_test_along() -> None:
    """A repeated cell that stands last is tested after it is defined."""
    notebook = nb.solved()
    again = copy.deepcopy(find(notebook, "center"))
    again.source, again.id = f"# better\n{WORK}", "again"
    notebook.cells.append(again)
    made = clean(notebook)
    assert nb.names(made)[-2:] == ["center", "test_center"]
    assert "test-cell-moved" in kinds(made)


def test_repeated_locked_cell_is_there_once() -> None:
    """A copy is a cell of the student's own."""
    notebook = nb.solved()
    again = copy.deepcopy(find(notebook, "test_center"))
    again.id = "again"
    notebook.cells.append(again)
    made = clean(notebook)
    assert nb.names(made).count("test_center") == 1
    assert kinds(made) == ["cell-repeated"]


def test_test_moved_before_its_solution_is_moved_behind_it() -> None:
    """It stands right after the cell that it tests."""
    notebook = nb.solved()
    move(notebook, "test_center", 0)
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert [(f.kind, f.cell) for f in made.findings] == [("test-cell-moved", "test_center")]


def test_test_moved_to_the_end_stays_there() -> None:
    """After its solution any place is the student's choice."""
    notebook = nb.solved()
    move(notebook, "test_center", len(notebook.cells))
    made = clean(notebook)
    assert made.cells[-1].name == "test_center"
    assert made.findings == ()


@pytest.mark.parametrize(
    "role",
    [
        {"grade": False},
        {"locked": False},
        {"solution": True},
        {"task": True},
        {"points": 100},
        {"points": float("nan")},
        {"grade": False, "locked": False, "solution": True, "points": -1},
    ],
)
def test_flags_and_points_are_the_masters(role: dict[str, object]) -> None:
    """No one gives themselves a point, or unlocks a cell."""
    notebook = nb.solved()
    find(notebook, "test_center").metadata.nbgrader.update(role)
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert "flags-restored" in kinds(made) or "json-constant" in kinds(made)


def test_solution_with_forged_flags_stays_the_students() -> None:
    """A locked flag on an answer does not bring the handed-out text back."""
    notebook = nb.solved()
    find(notebook, "center").metadata.nbgrader.update(grade=True, locked=True, points=5)
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert kinds(made) == ["flags-restored"]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_answer_turned_into_text_is_code_again(kind: str) -> None:
    """A key pressed by mistake in the command mode costs nothing."""
    notebook = nb.solved()
    find(notebook, "center").cell_type = kind
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert kinds(made) == ["cell-type-restored"]


def test_text_in_the_place_of_an_answer_is_no_answer() -> None:
    """Prose stays prose; it is kept, and the exercise is not there."""
    notebook = nb.solved()
    cell = find(notebook, "center")
    cell.cell_type, cell.source = "markdown", f"I tried\n\n```python\n{WORK}\n```"
    made = clean(notebook)
    assert "center" not in nb.names(made)
    assert cell.source in texts(made)
    assert set(kinds(made)) == {"solution-not-code", "solution-missing"}


def test_locked_cell_turned_into_text_is_code_again() -> None:
    """A test cell as markdown would not be a place to judge."""
    notebook = nb.solved()
    find(notebook, "test_center").cell_type = "raw"
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert kinds(made) == ["cell-type-restored"]


def test_swapped_names_are_told_by_what_is_defined() -> None:
    """Two answers that carry each other's grade id are each its own."""
    notebook = nb.solved()
    one, two = find(notebook, "center"), find(notebook, "column_scale")
    one.metadata, two.metadata = two.metadata, one.metadata
    made = clean(notebook)
    assert texts(made) == texts(clean(nb.solved()))
    assert nb.names(made) == nb.names(clean(nb.solved()))
    assert kinds(made) == ["grade-id-corrected"] * 2


def test_work_in_another_exercises_cell_counts() -> None:
    """Whoever writes one answer into the other's cell has answered the one."""
    notebook = nb.released()
    find(notebook, "column_scale").source = WORK
    made = clean(notebook)
    assert named(made, "center").source == WORK
    assert "column_scale" not in nb.names(made)


def test_untouched_text_in_another_exercises_cell_is_no_work() -> None:
    """Pasting what was handed out into the wrong cell renames nothing."""
    notebook = nb.released()
    find(notebook, "column_scale").source = nb.master().handed_out["center"]
    assert nb.names(clean(notebook)) == nb.names(clean(nb.released()))


@pytest.mark.parametrize("name", ["mine", "", "test_center"])
def test_renamed_answer_is_recognised(name: str) -> None:
    """A grade id of the student's own choice does not lose the answer."""
    notebook = nb.solved()
    find(notebook, "center").metadata.nbgrader.grade_id = name
    made = clean(notebook)
    assert nb.names(made) == nb.names(clean(nb.solved()))
    assert named(made, "center").source == find(nb.solved(), "center").source


@pytest.mark.parametrize("unit", [nb.START, FORWARD])
def test_notebook_without_metadata_is_recognised(unit: str) -> None:
    """Other editors drop nbgrader's metadata and ids: what cells define and say is enough."""
    made = clean(nb.without_metadata(nb.solved(unit)), unit)
    honest = clean(nb.solved(unit), unit)
    assert nb.names(made) == nb.names(honest)
    assert texts(made) == texts(honest)
    assert set(kinds(made)) == {"cell-recognised"}


def test_of_nameless_answers_work_counts_before_what_was_handed_out() -> None:
    """A copy of the cell as it came, kept for later, takes nothing away."""
    notebook = nb.without_metadata(nb.solved())
    notebook.cells.append(nb.code(nb.master().handed_out["center"]))
    made = clean(notebook)
    assert named(made, "center").source == find(nb.solved(), "center").source
    assert nb.names(made) == nb.names(clean(nb.solved()))


def test_broken_answer_is_recognised_by_its_cell_id() -> None:
    """Where the metadata is gone and nothing is defined, the id tells."""
    notebook = nb.solved()
    cell = find(notebook, "center")
    cell.source, cell.metadata = "return x - x.mean()", NotebookNode()
    made = clean(notebook)
    assert named(made, "center").source == "return x - x.mean()"
    assert kinds(made) == ["cell-recognised"]


def test_tags_are_dropped_and_told() -> None:
    """Skip-execution and its like decide nothing here."""
    notebook = nb.solved()
    find(notebook, "test_center").metadata.tags = ["skip-execution"]
    made = clean(notebook)
    assert made.cells == clean(nb.solved()).cells
    assert [f.kind for f in made.findings] == ["tags-dropped"]
    assert "'skip-execution'" in made.findings[0].text


def test_foreign_kernel_is_told() -> None:
    """It is graded with Python 3, whatever the notebook asks for; a long name is cut."""
    notebook = nb.solved()
    notebook.metadata.kernelspec.name = "ir" * 100
    made = clean(notebook)
    assert kinds(made) == ["kernel-replaced"]
    assert len(made.findings[0].text) < 150


def test_own_ids_never_take_a_masters() -> None:
    """A cell of the student's own with the id of a locked cell gets another."""
    notebook = nb.solved()
    find(notebook, "test_center").id = "moved"
    notebook.cells.append(nb.code("x = 1", "test_center"))
    ids = [cell.id for cell in clean(notebook).cells]
    assert len(set(ids)) == len(ids)
    assert ids[nb.place(notebook, "test_center")] == "test_center"


def test_findings_come_in_the_order_of_the_cells() -> None:
    """What concerns the whole notebook stands in front."""
    notebook = nb.solved()
    notebook.cells.remove(find(notebook, "test_center"))
    find(notebook, "given_imports").source = ""
    find(notebook, "test_column_scale").source = ""
    notebook.metadata.kernelspec.name = "ir"
    assert [f.cell for f in clean(notebook).findings] == [
        *("", "given_imports", "test_center", "test_column_scale")
    ]


def test_notebook_of_another_unit_is_refused() -> None:
    """Nothing in it is or defines an exercise: the error names the unit and what it looked for."""
    with pytest.raises(SubmissionError, match=r"no exercise of u00_start.*center or column_scale"):
        clean(nb.solved(FORWARD))


def test_one_definition_makes_a_submission() -> None:
    """A notebook with a single cell that defines one exercise is graded for that."""
    notebook = nb.solved()
    notebook.cells = [nb.code(SCALE)]
    made = clean(notebook)
    assert nb.names(made) == ["given_imports", "test_center", "column_scale", "test_column_scale"]
