"""What the commands say and leave behind when something is wrong, or stops half-way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from nbformat import NotebookNode

from autograder.cli import main
from autograder.pipeline.run import UnitRun

ROOT = Path(__file__).parents[2]
UNIT, NAME = "u00_start", "start.ipynb"
LIKE_NBGRADER = pytest.mark.filterwarnings("ignore")  # its gradebook warns at every submission


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Make a course with the first unit, built and with its text."""
    shutil.copytree(ROOT / "source" / UNIT, tmp_path / "source" / UNIT)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return tmp_path


def call(course: Path, *command: str) -> Result:
    """Run a command of autograder on the course."""
    outcome = CliRunner().invoke(main, [*command, "--course-dir", str(course)])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    return outcome


def solved() -> NotebookNode:
    """Return the notebook with its solutions."""
    return nbformat.read(ROOT / "source" / UNIT / NAME, as_version=4)


def without_roles(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook as an editor saves it that drops metadata it does not know."""
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
    return notebook


def hand_in(course: Path, student: str, notebook: NotebookNode, name: str = NAME) -> None:
    """Put a notebook where nbgrader collects it."""
    folder = course / "submitted" / student / UNIT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / name)


def rows(course: Path, *students: str) -> list[tuple[str, str | None, float | None, str]]:
    """Grade everybody and return the rows of some."""
    path = course / "rows.json"
    call(course, "grade", UNIT, "--seed", "1", "--json", str(path))
    return [
        (row["student_id"], row["exercise"], row["score"], row["message"])
        for row in json.loads(path.read_text(encoding="utf-8"))
        if row["student_id"] in students
    ]


@LIKE_NBGRADER
@pytest.mark.slow
def test_answers_count_in_a_notebook_without_metadata(course: Path) -> None:
    """An editor dropped nbgrader's metadata: right answers get their points, wrong ones do not."""
    hand_in(course, "ana", without_roles(solved()))
    wrong = solved()
    for cell in wrong.cells:  # and one test cell was edited, so that its text is another one
        cell.source = cell.source.replace("x - x.mean(axis=0)", "x - x.mean()")
        if 'check("u00.column_scale"' in cell.source:
            cell.source = "1.0"
    hand_in(course, "bo", without_roles(wrong))

    assert [row[:3] for row in rows(course, "ana", "bo")] == [
        ("ana", "center", 1.0),
        ("ana", "column_scale", 1.0),
        ("bo", "center", 0.0),
        ("bo", "column_scale", 1.0),
    ]


@LIKE_NBGRADER
@pytest.mark.slow
def test_notebook_without_any_exercise_is_not_graded(course: Path) -> None:
    """The notebook of another unit under this one's name is reported, never marked with 0."""
    other = nbformat.read(ROOT / "source" / "u02_forward" / "forward.ipynb", as_version=4)
    hand_in(course, "ana", other)
    hand_in(course, "bo", solved(), "start (1).ipynb")

    (ana, bo) = rows(course, "ana", "bo")

    assert ana[:3] == ("ana", None, None)
    assert ana[3].startswith("The notebook holds no exercise of u00_start: none of its cells is or")
    assert bo[:3] == ("bo", None, None)
    assert bo[3] == (
        "start.ipynb is missing from the submission, which holds start (1).ipynb: give the right "
        "one the name start.ipynb, and grade again."
    )
    told = call(course, "export").stderr
    assert told == f"not graded, so not in this table: {UNIT} of ana, bo\n"


@LIKE_NBGRADER
@pytest.mark.slow
def test_interrupt_stops_the_run(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the run with a sentence and exit code 1; what was finished stays."""
    for student in ("ana", "bo"):
        hand_in(course, student, solved())
    seen = []

    def interrupted(self: UnitRun, student: str, results: object) -> None:
        seen.append(student)
        raise KeyboardInterrupt

    monkeypatch.setattr(UnitRun, "_note", interrupted)
    outcome = call(course, "grade", UNIT, "--json", str(course / "rows.json"))

    assert (outcome.exit_code, len(seen)) == (1, 1)
    assert len(list((course / "autograded").glob("*/*/*.ipynb"))) == 1
    assert outcome.stderr.endswith(
        "autograder: interrupted. What was finished is kept; run the command again.\n"
    )
    assert not (course / "rows.json").exists()


def test_unknown_unit_is_a_usage_error_of_build(course: Path) -> None:
    """As for every other command: exit code 2, and the units there are."""
    outcome = call(course, "build", "u99_unknown")

    assert outcome.exit_code == 2
    assert "There is no unit 'u99_unknown' in course/. The units are: u00_start" in outcome.stderr


def test_feedback_without_marks_shows_no_progress_bar(course: Path) -> None:
    """One sentence on stderr, and nothing before it."""
    outcome = call(course, "feedback", UNIT)

    assert outcome.exit_code == 1
    assert outcome.stderr == (
        f"autograder: Nothing of {UNIT} is graded yet: run `autograder grade {UNIT}` first.\n"
    )


def test_gradebook_is_made_without_an_activated_environment(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nbgrader looks for its helper program on the PATH: it is found all the same."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    outcome = call(course, "export")

    assert outcome.exit_code == 0
    assert (course / "gradebook.db").is_file()
