"""The sample class is read, expected and compared as it should be, and gets the marks it must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder.demo.day import SEED, play
from autograder.demo.expected import FILE, differences, load_expected
from autograder.demo.students import load_class, parse
from autograder.errors import GradingError
from autograder.exercises import exercises_of, find, units
from autograder.rows import Row
from autograder.vocabulary import Verdict

CLASS = load_class()
PLAY_SECONDS = 600  # on two cores that are busy with other things


def stated() -> list[tuple[str, str, list[object]]]:
    """Every expected mark: student, exercise id, and the entry as it stands in the file."""
    return [
        (student, f"{unit.partition('_')[0]}.{exercise}", entry)
        for student, handed_in in json.loads(FILE.read_text(encoding="utf-8")).items()
        for unit, marks in handed_in.items()
        if marks != Verdict.NOT_GRADED
        for exercise, entry in marks.items()
    ]


def row(score: float | None = 1.0, verdict: str = "passed", exercise: str | None = "center") -> Row:
    """Make a row of one student."""
    return Row("ana", "u00_start", exercise, score, 1.0, verdict)


def test_class_is_large_enough_and_everybody_has_a_reason() -> None:
    """At least twelve students hand in over all units, and each file opens with its reason."""
    assert len(CLASS) >= 12
    assert all(len(student.why) > 40 for student in CLASS)
    assert {h.unit for s in CLASS for h in s.hand_ins} == set(units())
    assert not all(len(s.hand_ins) == len(units()) for s in CLASS)


def test_every_exercise_of_every_hand_in_has_an_expected_mark() -> None:
    """Neither a mark nor a hand-in is without its counterpart."""
    expected = load_expected()
    handed_in = {(s.name, h.unit) for s in CLASS for h in s.hand_ins}
    assert {(student, unit) for student, unit, _ in expected} == handed_in
    for student, unit in handed_in:
        names = [e for s, u, e in expected if (s, u) == (student, unit)]
        assert names in ([None], [e.name for e in exercises_of(unit)])


def test_every_verdict_but_tampering_occurs() -> None:
    """The class shows all that can become of an exercise."""
    verdicts = {verdict for _, verdict in load_expected().values()}
    assert verdicts == {
        "passed", "partial", "wrong", "error", "not_attempted", "timeout", "memory",
        "output_limit", "crashed", "forbidden", "not_graded",
    }  # fmt: skip


@pytest.mark.parametrize(("student", "exercise_id", "entry"), stated())
def test_expected_score_follows_from_the_weights(
    student: str, exercise_id: str, entry: list[object]
) -> None:
    """A score is the points times the share of the weights: nothing is written down from a run."""
    exercise = find(exercise_id)
    score, verdict, *rest = entry
    weights = {case.name: case.weight for case in exercise.cases(np.random.default_rng(SEED))}
    if not rest:
        assert score == (exercise.points if verdict == Verdict.PASSED else 0.0)
        return
    shares: dict[str, float] = dict(rest[0])  # type: ignore[call-overload]
    assert shares.keys() <= weights.keys()
    earned = sum(weight * shares.get(name, 1.0) for name, weight in weights.items())
    assert score == round(exercise.points * earned / sum(weights.values()), 2)
    assert verdict in (Verdict.PARTIAL, Verdict.TIMEOUT)


def test_same_rows_have_no_differences() -> None:
    """Rows that are as expected give no line."""
    rows = [row(), row(None, "not_graded", None)]
    expected = {(r.student_id, r.unit, r.exercise): (r.score, r.verdict) for r in rows}
    assert differences(rows, expected) == []


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ([row(0.5)], "0.5 points, passed, expected 1 points, passed"),
        ([row(1.0, "partial")], "1 points, partial, expected 1 points, passed"),
        ([], "no row, expected 1 points, passed"),
        ([row(), row(exercise="extra")], "u00_start/extra: 1 points, passed, where no row was"),
        ([row(None, "not_graded")], "not_graded, expected 1 points, passed"),
    ],
)
def test_every_difference_is_told(got: list[Row], words: str) -> None:
    """Another score, another verdict, a row too few or too many: each is one line."""
    lines = differences(got, {("ana", "u00_start", "center"): (1.0, "passed")})
    assert len(lines) == 1
    assert words in lines[0]


def test_header_that_cannot_be_read_is_an_error() -> None:
    """A misspelt edit does not silently make another student."""
    with pytest.raises(ValueError, match=r"students/x\.txt: cannot read the header '# %% cel a'"):
        parse("x", "Why.\n# %% u00_start\n# %% cel a\npass\n")


def test_edit_before_any_unit_is_an_error() -> None:
    """An edit belongs to a unit."""
    with pytest.raises(ValueError, match="cannot read the header"):
        parse("x", "Why.\n# %% cell center\npass\n")


def test_demo_writes_into_no_folder_that_holds_something(tmp_path: Path) -> None:
    """`--keep` never mixes with what is there."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(GradingError, match="is not empty"):
        play(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_demo_gives_the_class_the_marks_it_must_get(tmp_path: Path) -> None:
    """`autograder demo` plays the day with nbgrader itself, and every mark is as expected."""
    folder = tmp_path / "course"
    command = [Path(sys.executable).parent / "autograder", "demo", "--keep", str(folder)]
    outcome = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PLAY_SECONDS,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"All {len(load_expected())} marks of the {len(CLASS)} students" in outcome.stdout
    marks = (folder / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert len(marks) == 1 + len(load_expected())
    assert (folder / "feedback" / "ada" / "u02_forward" / "forward.html").is_file()
