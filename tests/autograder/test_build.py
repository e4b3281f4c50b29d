"""The build chain: text -> source -> release and back, deterministic, leak-free, loss-free."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from autograder.build import build, find_stale, pull
from autograder.build.leaks import find_leaks
from autograder.build.release import to_release
from autograder.build.text import split_blocks, to_block, to_notebook
from autograder.errors import BuildError, UnknownExerciseError
from autograder.exercises import exercises_of

ROOT = Path(__file__).parents[2]
UNIT = "u00_start"
MASTERS = sorted(
    p
    for p in (ROOT / "course").rglob("*.py")
    if p.name in ("home.py", "lecture.py", "assignment.py")
)

ASSIGNMENT = '''# %% [markdown]
# # Start
#
# Text with $x$ and `code`.

# %% given="imports"
import numpy as np

from autograder import check

# %% exercise="center"
def center(x):
    """Subtract each column's mean."""
    ### BEGIN SOLUTION
    return x - x.mean(axis=0)
    ### END SOLUTION


# %% test="center"
assert center(np.zeros((2, 1))).shape == (2, 1), "same shape"
check("u00.center", center)

# %% exercise="column_scale"
def column_scale(x):
    """Scale of each column."""
    ### BEGIN SOLUTION
    return x.std(axis=0, ddof=0)
    ### HAND OUT
    # if x.size:
    #     return x.std(axis=1)
    ### END SOLUTION


# %% test="column_scale"
check("u00.column_scale", column_scale)
'''


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Make a course of one unit."""
    (tmp_path / "course" / UNIT).mkdir(parents=True)
    (tmp_path / "course" / UNIT / "assignment.py").write_text(ASSIGNMENT)
    (tmp_path / "course" / UNIT / "lecture.py").write_text("# %% [markdown]\n# # Lecture\n")
    (tmp_path / "nbgrader_config.py").write_text("")
    return tmp_path


def snapshot(course: Path) -> dict[str, bytes]:
    """Return every file of a course."""
    return {str(p.relative_to(course)): p.read_bytes() for p in course.rglob("*") if p.is_file()}


def notebook(course: Path, stage: str) -> nbformat.NotebookNode:
    """Read the unit's notebook."""
    return nbformat.read(course / stage / UNIT / "start.ipynb", as_version=4)


def edit(course: Path, old: str, new: str) -> None:
    """Change the text of the assignment."""
    path = course / "course" / UNIT / "assignment.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_second_build_changes_no_byte(course: Path) -> None:
    """The same text gives the same bytes, and nothing is written again."""
    first = build(course)
    before = snapshot(course)
    second = build(course)
    assert len(first.written) == 3
    assert second.written == ()
    assert snapshot(course) == before


def test_the_committed_notebooks_match_their_text() -> None:
    """What lies in course/, source/ and release/ is what `autograder build` writes."""
    assert find_stale(ROOT) == []


def test_solution_cells_are_cleared_and_hand_outs_handed_out(course: Path) -> None:
    """The release has a stub, or the planted bug, and keeps docstrings and test cells."""
    build(course)
    cells = {cell.id: cell.source for cell in notebook(course, "release").cells}
    assert "raise NotImplementedError()" in cells["center"]
    assert '"""Subtract each column' in cells["center"]
    assert cells["column_scale"].endswith("    if x.size:\n        return x.std(axis=1)")
    assert cells["test_center"].endswith('check("u00.center", center)')


def test_a_plain_cell_may_end_in_a_blank_line(course: Path) -> None:
    """A cell typed in JupyterLab is released as it is."""
    source = to_notebook(ASSIGNMENT, {"center": 1, "column_scale": 1})
    source.cells.append(nbformat.v4.new_code_cell("center(np.eye(3))\n"))
    assert to_release(source).cells[-1].source == "center(np.eye(3))\n"


def test_cells_have_stable_ids_and_points_from_the_spec(course: Path) -> None:
    """Graded cells are named by their exercise; another cell's change moves no id."""
    build(course)
    before = [cell.id for cell in notebook(course, "source").cells]
    edit(course, "Text with", "Other text with")
    build(course)
    after = [cell.id for cell in notebook(course, "source").cells]
    assert (
        after[1:]
        == before[1:]
        == ["given_imports", "center", "test_center", "column_scale", "test_column_scale"]
    )
    points = {e.name: e.points for e in exercises_of(UNIT)}
    graded = [
        c for c in notebook(course, "source").cells if c.metadata.get("nbgrader", {}).get("grade")
    ]
    assert [c.metadata.nbgrader.points for c in graded] == [
        points["center"],
        points["column_scale"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "# Text with $x$",
            "# Write `return x - x.mean(axis=0)`\n#\n#     return x - x.mean(axis=0)\n#\n#",
            "solution line",
        ),
        (
            'check("u00.center", center)',
            'check("u00.center", column_scale)',
            "must end in the line",
        ),
        ('# %% test="center"', "# %%", "exactly one cell 'test_center'"),
        ('# %% test="center"', '# %% test="centre"', "no exercise of the unit"),
        ('    ### END SOLUTION\n\n\n# %% test="center"', '\n\n# %% test="center"', "end solution"),
    ],
)
def test_a_wrong_text_is_refused_and_nothing_is_written(
    course: Path, old: str, new: str, words: str
) -> None:
    """A leak, a wrong check, a missing cell: a sentence, and every file as it was."""
    build(course)
    edit(course, old, new)
    before = snapshot(course)
    with pytest.raises(BuildError, match=words):
        build(course)
    assert snapshot(course) == before


def test_traces_of_the_build_are_leaks(course: Path) -> None:
    """Markers, outputs and jupytext metadata in a release are found."""
    source = to_notebook(ASSIGNMENT, {"center": 1, "column_scale": 1})
    release = to_release(source)
    assert find_leaks(source, release) == []
    release.metadata["jupytext"] = {}
    release.cells[1].outputs = [nbformat.v4.new_output("stream", text="x")]
    release.cells[2].source += "\n### BEGIN SOLUTION"
    assert len(find_leaks(source, release)) == 3


def test_an_edit_by_hand_is_not_overwritten(course: Path) -> None:
    """Building would lose the instructor's edit: it is refused until pulled or dropped."""
    build(course)
    edited = notebook(course, "source")
    edited.cells[0].source = "# Another title"
    nbformat.write(edited, course / "source" / UNIT / "start.ipynb")
    with pytest.raises(BuildError, match="edited by hand"):
        build(course)
    assert notebook(course, "source").cells[0].source == "# Another title"
    build(course, overwrite=True)
    assert notebook(course, "source").cells[0].source.startswith("# Start")


def test_outputs_and_kernel_metadata_are_no_edit(course: Path) -> None:
    """Running a built notebook in JupyterLab and saving it does not stop the next build."""
    build(course)
    run = notebook(course, "source")
    run.cells[1].outputs = [nbformat.v4.new_output("stream", text="x")]
    run.cells[1].execution_count = 3
    run.metadata["language_info"] = {"name": "python", "version": "3.12"}
    nbformat.write(run, course / "source" / UNIT / "start.ipynb")
    assert find_stale(course) == [f"source/{UNIT}/start.ipynb"]
    assert build(course).written == (f"source/{UNIT}/start.ipynb",)


def test_an_edit_comes_back_into_the_text(course: Path) -> None:
    """Changed, added and moved cells reach the text; every other line stays as it was."""
    build(course)
    edited = notebook(course, "source")
    edited.cells[2].source = edited.cells[2].source.replace("axis=0)", "axis=0, keepdims=True)")
    edited.cells.insert(1, nbformat.v4.new_markdown_cell("A *new* cell."))
    edited.cells[2].outputs = [nbformat.v4.new_output("stream", text="x")]
    nbformat.write(edited, course / "source" / UNIT / "start.ipynb")
    assert pull(course, UNIT) == [f"course/{UNIT}/assignment.py"]
    text = (course / "course" / UNIT / "assignment.py").read_text()
    expected = ASSIGNMENT.replace(
        "axis=0)\n    ### END", "axis=0, keepdims=True)\n    ### END"
    ).replace("# %% given", "# %% [markdown]\n# A *new* cell.\n\n# %% given")
    assert text == expected
    assert find_stale(course) == []
    assert "keepdims" not in (course / "release" / UNIT / "start.ipynb").read_text()


def test_a_pull_without_an_edit_changes_nothing(course: Path) -> None:
    """Text -> notebook -> text is the identity."""
    build(course)
    before = snapshot(course)
    assert pull(course, UNIT) == []
    assert snapshot(course) == before


def test_an_edit_that_cannot_be_built_does_not_reach_the_text(course: Path) -> None:
    """A deleted test cell is said, and text and notebook stay."""
    build(course)
    edited = notebook(course, "source")
    del edited.cells[3]
    nbformat.write(edited, course / "source" / UNIT / "start.ipynb")
    before = snapshot(course)
    with pytest.raises(BuildError, match="exactly one cell 'test_center'"):
        pull(course, UNIT)
    assert snapshot(course) == before


def test_points_changed_in_a_notebook_are_not_dropped_in_silence(course: Path) -> None:
    """They live in the spec: the message says so, and everything stays."""
    build(course)
    edited = notebook(course, "source")
    edited.cells[3].metadata.nbgrader.points = 7
    nbformat.write(edited, course / "source" / UNIT / "start.ipynb")
    before = snapshot(course)
    with pytest.raises(BuildError, match=r"7 points for center.*exercises/u00_start"):
        pull(course, UNIT)
    assert snapshot(course) == before


@pytest.mark.parametrize("content", ["", "{", '{"cells": 3}', "\x00"])
def test_an_invalid_notebook_is_a_sentence(course: Path, content: str) -> None:
    """A notebook edited into something else is neither read nor overwritten."""
    build(course)
    path = course / "source" / UNIT / "start.ipynb"
    path.write_text(content)
    with pytest.raises(BuildError, match="not a valid notebook"):
        pull(course, UNIT)
    with pytest.raises(BuildError, match="edited by hand"):
        build(course)
    assert path.read_text() == content


def test_an_unknown_unit_is_a_sentence(course: Path) -> None:
    """It names the units there are."""
    with pytest.raises(UnknownExerciseError, match="The units are: u00_start"):
        build(course, ["u42_nope"])


@pytest.mark.parametrize("master", MASTERS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_master_survives_the_round_trip(master: Path) -> None:
    """Each cell of the course, written back as text and read again, is the same cell."""
    text = master.read_text()
    unit = master.parent.name
    points = (
        {e.name: e.points for e in exercises_of(unit)} if master.name == "assignment.py" else {}
    )
    cells = to_notebook(text, points).cells
    assert len(split_blocks(text)) == len(cells)
    for cell in cells:
        again = to_notebook(to_block(cell), points).cells
        assert [(c.cell_type, c.source, c.metadata) for c in again] == [
            (cell.cell_type, cell.source, cell.metadata)
        ]


def test_released_notebooks_hold_nothing_but_cells() -> None:
    """No output, no count, no jupytext metadata and no marker in any released file."""
    released = sorted((ROOT / "release").rglob("*.ipynb"))
    assert released
    for path in released:
        data = json.loads(path.read_text())
        assert set(data["metadata"]) == {"kernelspec", "language_info"}
        assert "SOLUTION" not in path.read_text()
        code = [c for c in data["cells"] if c["cell_type"] == "code"]
        assert all(c["outputs"] == [] and c["execution_count"] is None for c in code)
