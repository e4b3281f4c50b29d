"""A run of the grader: what is asked again, what is kept, and what it leaves."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder import grade as grading
from autograder import paper, stock
from autograder.cli import INCOMPLETE, main
from autograder.errors import GradingError
from autograder.exercises import exercises_of
from autograder.grade import grade
from autograder.pipeline import job as jobs
from autograder.pipeline.run import Outcome
from autograder.pipeline.settings import Settings
from autograder.sandbox import SandboxError
from autograder.vocabulary import Exercise
from tests.pipeline.conftest import HereEngine
from tests.pipeline.work import LIMITS, SCALE, SEED, UNIT, WRONG, Class, notebook
from tests.submission import notebooks as nb

SETTINGS = Settings(limits=LIMITS, workers=1)
NAMES = {"center", "column_scale"}
ROW_KEYS = [
    *("student_id", "unit", "exercise", "score", "max_score", "verdict", "misconception"),
    *("message", "seconds"),
]


def run(lesson: Class, seed: int | None = SEED, **changes: Any) -> Outcome:
    """Grade the unit."""
    return grade(lesson.course, [UNIT], replace(SETTINGS, **changes), seed)


def table(outcome: Outcome) -> dict[tuple[str, str | None], tuple[float | None, str]]:
    """Return score and verdict by student and exercise."""
    return {(r.student_id, r.exercise): (r.score, r.verdict) for r in outcome.rows}


@pytest.fixture
def three(lesson: Class) -> Class:
    """Hand in three different notebooks: right, half right, not begun."""
    lesson.hand_in("ada", notebook("print('hello')"))
    lesson.hand_in("bob", notebook(center=WRONG))
    lesson.hand_in("cyd", nb.released(UNIT))
    return lesson


MARKS = {
    ("ada", "center"): (1.0, "passed"),
    ("ada", "column_scale"): (1.0, "passed"),
    ("bob", "center"): (0.0, "wrong"),
    ("bob", "column_scale"): (1.0, "passed"),
    ("cyd", "center"): (0.0, "not_attempted"),
    ("cyd", "column_scale"): (0.0, "wrong"),  # it is handed out with a mistake to be found
}


def test_marks_are_in_rows_gradebook_and_notebooks(three: Class, engine: HereEngine) -> None:
    """The same in all three."""
    outcome = run(three)
    assert table(outcome) == MARKS
    grades = {
        (row["notebook_id"][0][1], row["cell_id"][-1]): row["auto_score"]  # type: ignore[index]
        for row in three.gradebook()["grade"]
    }
    assert {(s, f"test_{e}"): score for (s, e), (score, _) in MARKS.items()} == {
        key: score for key, score in grades.items() if key[1].startswith("test_")
    }
    for student in ("ada", "bob", "cyd"):
        path = three.course.notebook("autograded", UNIT, student)
        assert json.loads(path.read_text())["cells"]


# --- known already --------------------------------------------------------------------------------


def test_what_is_known_is_not_run_again(three: Class, engine: HereEngine) -> None:
    """The second run runs nothing, and leaves everything as it was."""
    run(three)
    before = three.state()
    assert len(engine.jobs) == 3
    outcome = run(three)
    assert len(engine.jobs) == 3
    assert (outcome.from_store, outcome.changes) == (3, [])
    assert table(outcome) == MARKS
    assert three.state() == before


def test_again_runs_everything(three: Class, engine: HereEngine) -> None:
    """And comes to the same."""
    run(three)
    before = three.state()
    assert run(three, again=True).changes == []
    assert len(engine.jobs) == 6
    assert three.state() == before


def test_identical_work_is_run_once(lesson: Class, engine: HereEngine) -> None:
    """Two hundred students who hand in the unchanged notebook are one job, each with a mark."""
    for i in range(6):
        lesson.hand_in(f"s{i}", nb.released(UNIT))
    lesson.hand_in("t", notebook())
    outcome = run(lesson)
    assert len(engine.jobs) == 2
    assert len(outcome.rows) == 14
    assert len({row["student_id"] for row in lesson.gradebook()["submitted_assignment"]}) == 7


def test_prose_and_outputs_do_not_make_other_work(lesson: Class, engine: HereEngine) -> None:
    """What is run counts, and not what stands around it."""
    lesson.hand_in("ada", notebook("x = 1"))
    run(lesson)
    changed = notebook("x = 1")
    nb.find(changed, "test_center").outputs = []
    changed.metadata["mine"] = 3
    lesson.hand_in("ada", changed)
    run(lesson)
    assert len(engine.jobs) == 1
    lesson.hand_in("ada", notebook("x = 2"))
    run(lesson)
    assert len(engine.jobs) == 2


def test_other_limits_or_another_sandbox_are_another_question(
    three: Class, engine: HereEngine
) -> None:
    """A mark given without a sandbox is never taken for one given in it."""
    run(three)
    run(three, sandbox="none")
    assert len(engine.jobs) == 6
    run(three, limits=replace(LIMITS, case_seconds=2.0))
    assert len(engine.jobs) == 9


def test_each_result_records_its_sandbox(lesson: Class, engine: HereEngine) -> None:
    """In the notebook that everyone sees."""
    lesson.hand_in("ada", notebook())
    for kind in ("none", "bubblewrap"):
        run(lesson, sandbox=kind)
        cells = json.loads(lesson.course.notebook("autograded", UNIT, "ada").read_text())["cells"]
        held = [
            value["sandbox"]
            for cell in cells
            for output in cell.get("outputs", ())
            for mime, value in output.get("data", {}).items()
            if mime.endswith("result+json")
        ]
        assert held == [kind] * 2


# --- a changed exercise ---------------------------------------------------------------------------


def _changed(exercise: Exercise, **changes: Any) -> tuple[Exercise, ...]:
    return tuple(
        replace(e, **changes) if e.name == exercise.name else e for e in exercises_of(UNIT)
    )


@pytest.fixture
def respecify(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Change the first exercise of the unit for this test."""

    def change(**changes: Any) -> None:
        made = _changed(exercises_of(UNIT)[0], **changes)
        paper.set_paper.cache_clear()
        monkeypatch.setattr(paper, "exercises_of", lambda _unit: made)

    yield change
    paper.set_paper.cache_clear()


def test_a_changed_exercise_is_asked_again_and_no_other(
    three: Class, engine: HereEngine, respecify: Any
) -> None:
    """And the marks that change are listed, before and after."""
    run(three)
    respecify(oracle=lambda x: x - x.mean())
    engine.jobs.clear()
    outcome = run(three)
    assert [job.names for job in engine.jobs] == [("center",)] * 3
    changes = {(c.student, c.exercise): (c.before, c.after, *c.verdicts) for c in outcome.changes}
    assert changes == {
        ("ada", "center"): (1.0, 0.0, "passed", "wrong"),
        ("bob", "center"): (0.0, 1.0, "wrong", "passed"),
    }
    assert table(outcome)["bob", "center"] == (1.0, "passed")
    assert table(outcome)["bob", "column_scale"] == (1.0, "passed")


def test_a_new_sentence_for_a_wrong_idea_is_asked_again(
    three: Class, engine: HereEngine, respecify: Any
) -> None:
    """Students read it, so it must come to all of them."""
    run(three)
    ideas = exercises_of(UNIT)[0].misconceptions
    respecify(misconceptions=tuple(replace(idea, help="One mean of all.") for idea in ideas))
    outcome = run(three)
    assert [job.names for job in engine.jobs[3:]] == [("center",)] * 3
    bob = next(r for r in outcome.rows if (r.student_id, r.exercise) == ("bob", "center"))
    assert bob.message == "One mean of all."
    assert outcome.changes == []


def test_hints_and_minutes_decide_nothing(three: Class, engine: HereEngine, respecify: Any) -> None:
    """To edit them costs no run."""
    run(three)
    respecify(hints=("another",), minutes=99)
    assert run(three).from_store == 3


def test_fresh_cases_ask_everything_again(three: Class, engine: HereEngine) -> None:
    """And honest marks stay what they were."""
    run(three)
    outcome = grade(three.course, [UNIT], SETTINGS, fresh=True)
    assert [set(job.names) for job in engine.jobs[3:]] == [NAMES] * 3
    assert engine.jobs[0].seed == SEED != engine.jobs[3].seed
    assert outcome.changes == []


# --- stopped and taken up -------------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on_where_it_was(
    three: Class, engine: HereEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was finished is kept; the end is that of an undisturbed run."""
    undisturbed = three.copy(tmp_path / "undisturbed")
    run(undisturbed)
    engine.jobs.clear()

    def stop(_unit: str, student: str) -> None:
        if student == "bob":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(three.course, [UNIT], SETTINGS, SEED, report=stop)
    assert len(three.gradebook()["submitted_assignment"]) == 2
    outcome = run(three)
    assert len(engine.jobs) == 3
    assert outcome.from_store == 2
    assert three.state() == undisturbed.state()


def test_equal_inputs_give_equal_bytes(three: Class, engine: HereEngine, tmp_path: Path) -> None:
    """In two folders, graded on two occasions in another order, notebooks and gradebook alike."""
    other = three.copy(tmp_path / "other")
    run(three)
    jobs.close_worker()
    run(other)
    assert len(engine.jobs) == 6
    assert three.autograded().keys() == {f"{s}/{UNIT}/start.ipynb" for s in ("ada", "bob", "cyd")}
    assert three.state() == other.state()


def test_a_sandbox_that_fails_leaves_no_mark(
    three: Class, engine: HereEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is no zero: the submission is not graded, and graded the next time."""
    failing = SandboxError("There is no worker.")
    monkeypatch.setattr(engine, "run", lambda pairs: ((name, failing) for name, _ in pairs))
    outcome = run(three)
    assert {(r.exercise, r.score, r.verdict, r.message) for r in outcome.rows} == {
        (None, None, "not_graded", "There is no worker.")
    }
    assert three.gradebook()["submitted_assignment"] == []
    monkeypatch.undo()


# --- people's own marks ---------------------------------------------------------------------------


def test_scores_given_by_hand_are_kept(three: Class, engine: HereEngine) -> None:
    """Another run changes what the grader found, and nothing that a person wrote."""
    run(three)
    with stock.open_gradebook(stock.open_api(three.course)) as gradebook:
        grade_ = gradebook.find_grade("test_center", "start", UNIT, "bob")
        grade_.manual_score, grade_.extra_credit = 0.5, 0.25
        gradebook.db.commit()
    run(three, again=True)
    three.hand_in("bob", notebook(column_scale=SCALE.replace("std", "var")))
    assert table(run(three))["bob", "column_scale"] == (0.0, "wrong")
    with stock.open_gradebook(stock.open_api(three.course)) as gradebook:
        grade_ = gradebook.find_grade("test_center", "start", UNIT, "bob")
        assert (grade_.auto_score, grade_.manual_score, grade_.extra_credit) == (1.0, 0.5, 0.25)


# --- what cannot be graded ------------------------------------------------------------------------

UNREADABLE = {
    "no json": b"PK\x03\x04",
    "nothing": b"",
    "another notebook": json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode(),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_one_row_and_no_mark(
    lesson: Class, engine: HereEngine, content: bytes
) -> None:
    """The others are graded all the same."""
    lesson.hand_in("ada", notebook())
    lesson.hand_in("bob", content)
    outcome = run(lesson)
    (row,) = [row for row in outcome.rows if row.student_id == "bob"]
    assert (row.exercise, row.score, row.max_score, row.verdict) == (None, None, 2.0, "not_graded")
    assert row.message
    assert [r["student_id"] for r in lesson.gradebook()["submitted_assignment"]] == ["ada"]


def test_a_link_to_another_file_is_not_read(lesson: Class, engine: HereEngine) -> None:
    """A submission could otherwise have the grader copy the solutions."""
    path = lesson.hand_in("ada", b"")
    path.unlink()
    path.symlink_to(lesson.course.notebook("source", UNIT))
    assert table(run(lesson)) == {("ada", None): (None, "not_graded")}


def test_a_damaged_store_stops_the_run_with_its_sentence(three: Class, engine: HereEngine) -> None:
    """Nothing is written over."""
    run(three)
    path = three.root / ".autograder" / "results.db"
    path.write_bytes(b"damaged" * 1000)
    with pytest.raises(GradingError, match="move it away"):
        run(three)


def test_a_store_that_was_moved_away_is_made_anew(three: Class, engine: HereEngine) -> None:
    """Everything is graded again, to the same marks."""
    run(three)
    (three.root / ".autograder" / "results.db").unlink()
    assert table(run(three, seed=None)) == MARKS
    assert len(engine.jobs) == 6


def test_without_a_sandbox_nothing_is_written(
    three: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what is missing, what it would mean, and how to ask for it."""
    monkeypatch.setattr(grading, "find_fault", lambda: "bubblewrap is not installed: install it")
    with pytest.raises(SandboxError, match=r"is not installed: install it.*--sandbox none"):
        run(three)
    assert not (three.root / ".autograder").exists()


# --- the command ----------------------------------------------------------------------------------


def test_the_rows_as_json_have_the_keys_that_are_promised(three: Class, engine: HereEngine) -> None:
    """In this order; a submission that cannot be graded has the exercise `null`, and code 3."""
    three.hand_in("dan", b"no notebook")
    path = three.root / "rows.json"
    words = ["grade", UNIT, "--course-dir", str(three.root), "--seed", "4", "--json", str(path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == INCOMPLETE == 3
    rows = json.loads(path.read_text())
    assert [list(row) for row in rows] == [ROW_KEYS] * 7
    assert [row["exercise"] for row in rows if row["student_id"] == "dan"] == [None]
    assert "not graded: dan u00_start" in done.stderr
    assert "4 submissions, 7 exercises, 1 not graded" in done.stdout


def test_a_run_that_grades_all_ends_with_0(three: Class, engine: HereEngine) -> None:
    """Wrong answers are no failure of the run."""
    done = CliRunner().invoke(main, ["grade", UNIT, "--course-dir", str(three.root)])
    assert done.exit_code == 0, done.output


def test_without_a_sandbox_the_command_says_so_loudly(three: Class, engine: HereEngine) -> None:
    """On stderr, at every run."""
    words = ["grade", UNIT, "--course-dir", str(three.root), "--sandbox", "none"]
    done = CliRunner().invoke(main, words)
    assert "WITHOUT A SANDBOX" in done.stderr
    assert {job.sandbox for job in engine.jobs} == {"none"}


def test_marks_that_changed_are_printed(three: Class, engine: HereEngine) -> None:
    """Before and after."""
    words = ["grade", UNIT, "--course-dir", str(three.root)]
    CliRunner().invoke(main, words)
    three.hand_in("bob", notebook())
    done = CliRunner().invoke(main, words)
    assert "bob u00_start center: 0 wrong -> 1 passed" in done.stdout


def test_the_store_keeps_what_it_was_told(three: Class, engine: HereEngine) -> None:
    """One seed, one run for each submission, a mark for each exercise."""
    run(three)
    with sqlite3.connect(three.root / ".autograder" / "results.db") as file:
        counts = {
            name: file.execute(f"select count(*) from {name}").fetchone()[0]
            for name in ("seeds", "outputs", "results", "marks")
        }
    file.close()
    assert counts == {"seeds": 1, "outputs": 3, "results": 6, "marks": 6}
