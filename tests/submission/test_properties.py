"""What holds for every clean submission, whatever was done to the notebook."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import nbformat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from autograder.errors import SubmissionError
from autograder.submission import Clean, code_digest, render, sanitise
from tests.submission import notebooks as nb
from tests.submission.notebooks import WORK

NAMES = [cell.name for cell in nb.master().cells if cell.name]
EXERCISES = nb.master().exercises
LOCKED = {c.name: c for c in nb.master().cells if c.role in ("test", "given")}
OTHER = WORK.replace("center", "column_scale")
TEXTS = [
    *(cell.source for cell in nb.master().cells if cell.name),
    *("", "x = 1", "I tried", "center = 5", WORK, f"# again\n{WORK}", f"if True:\n    {WORK[:12]}"),
    *(OTHER, f"{WORK}\n\n{OTHER}"),
]  # fmt: skip
Edit = Callable[[NotebookNode], None]
PLACES = st.integers(0, 30)


def edits() -> st.SearchStrategy[Edit]:
    """Draw one thing that a student, an editor, or a cheat does to a notebook."""
    return st.one_of(
        st.builds(_delete, PLACES),
        st.builds(_move, PLACES, PLACES),
        st.builds(_copy, PLACES, PLACES),
        st.builds(_add, PLACES, st.sampled_from(TEXTS), st.sampled_from([*NAMES, "mine", "own-1"])),
        st.builds(_set, PLACES, st.just("source"), st.sampled_from(TEXTS)),
        st.builds(_set, PLACES, st.just("cell_type"), st.sampled_from(["code", "markdown", "raw"])),
        st.builds(_set, PLACES, st.just("id"), st.sampled_from([*NAMES, "mine", ""])),
        st.builds(_name, PLACES, st.sampled_from([*NAMES, "mine", None])),
        st.builds(_flag, PLACES, st.sampled_from(["grade", "locked", "solution", "points"])),
    )


def _delete(at: int) -> Edit:
    return lambda notebook: notebook.cells.__delitem__(slice(at, at + 1))


def _move(at: int, to: int) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        moved = notebook.cells[at : at + 1]
        del notebook.cells[at : at + 1]
        notebook.cells[to:to] = moved

    return edit


def _copy(at: int, to: int) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        notebook.cells[to:to] = copy.deepcopy(notebook.cells[at : at + 1])

    return edit


def _add(at: int, source: str, cell_id: str) -> Edit:
    return lambda notebook: notebook.cells.insert(at, nb.code(source, cell_id))


def _set(at: int, key: str, value: str) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells[at : at + 1]:
            cell[key] = value

    return edit


def _name(at: int, name: str | None) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells[at : at + 1]:
            cell.metadata.pop("nbgrader", None)
            if name is not None:
                cell.metadata["nbgrader"] = NotebookNode(grade_id=name, solution=True)

    return edit


def _flag(at: int, key: str) -> Edit:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells[at : at + 1]:
            role = cell.metadata.get("nbgrader", {})
            role[key] = 100 if key == "points" else not role.get(key)

    return edit


submissions = st.tuples(st.sampled_from([nb.solved, nb.released]), st.lists(edits(), max_size=8))
many = settings(max_examples=300, deadline=None)


def made_of(submission: tuple[Callable[[], NotebookNode], list[Edit]]) -> Clean | None:
    """Make the notebook, edit it, and sanitise it; None if it is refused."""
    start, changes = submission
    notebook = start()
    for change in changes:
        change(notebook)
    try:
        return nb.clean(notebook)
    except SubmissionError:
        return None


@given(submissions)
@many
def test_locked_cells_are_the_masters_each_exactly_once(submission) -> None:
    """No edit of text, type, points or id of a locked cell survives, and none is missing."""
    if (made := made_of(submission)) is not None:
        assert {c.name: c for c in made.cells if c.role in ("test", "given")} == LOCKED
        assert sum(c.role in ("test", "given") for c in made.cells) == len(LOCKED)


@given(submissions)
@many
def test_every_test_stands_after_its_solution(submission) -> None:
    """And no solution is there twice."""
    if (made := made_of(submission)) is not None:
        names = nb.names(made)
        assert len(set(names)) == len(names)
        for exercise in set(EXERCISES) & set(names):
            assert names.index(f"test_{exercise}") > names.index(exercise)


@given(submissions)
@many
def test_sanitising_again_changes_nothing(submission) -> None:
    """What was rendered and comes back, bytes and all, has equal cells."""
    if (made := made_of(submission)) is not None:
        rendered = render(made, master=nb.master())
        assert nb.clean(rendered).cells == made.cells
        assert sanitise(nb.master(), rendered).cells == made.cells


@given(submissions)
@many
def test_no_work_is_lost(submission) -> None:
    """Each text in a cell of an exercise's is there afterwards, but for what was handed out."""
    start, changes = submission
    notebook = start()
    for change in changes:
        change(notebook)
    free = {c.source for c in notebook.cells if nb.grade_id(c) in EXERCISES}
    if (made := made_of(submission)) is not None:
        assert free - set(TEXTS[: len(NAMES)]) <= {c.source for c in made.cells}


@given(submissions)
@settings(max_examples=60, deadline=None)
def test_rendering_is_valid_for_jupyter_and_nbgrader(submission) -> None:
    """Format 4.5 with unique ids, and metadata that nbgrader's own validator takes."""
    if (made := made_of(submission)) is not None:
        rendered = render(made, master=nb.master())
        nbformat.validate(rendered)
        MetadataValidator().validate_nb(rendered)
        assert json.dumps(rendered) == json.dumps(render(made, master=nb.master()))


@given(submissions)
@example((nb.solved, []))
@settings(max_examples=60, deadline=None)
def test_digest_is_of_the_code_alone(submission) -> None:
    """A rendered and sanitised submission has the same one, whatever was found about it."""
    if (made := made_of(submission)) is not None:
        assert code_digest(nb.clean(render(made))) == code_digest(made)
