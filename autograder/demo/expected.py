"""What the sample class must get, and where what it got differs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from autograder.exercises import find
from autograder.needs import installed
from autograder.rows import Row
from autograder.vocabulary import Verdict

FILE = Path(__file__).parent / "expected.json"

Key = tuple[str, str, str | None]  # student, unit, exercise (None: the whole submission)
Outcome = tuple[float | None, str]  # score, verdict


def load_expected() -> dict[Key, Outcome]:
    """Read the marks the class must get.

    The file holds, by student, unit and exercise, the score and the verdict; in the place of the
    exercises stands ``"not_graded"`` where a whole submission cannot be graded. Where an exercise
    earns a part of its points, a third entry says why: the cases that are not earned in full, and
    the share that is. The tests work the score out from these and the cases' weights. What needs a
    package that is not installed here cannot be graded here.
    """
    expected: dict[Key, Outcome] = {}
    for student, units in json.loads(FILE.read_text(encoding="utf-8")).items():
        for unit, exercises in units.items():
            if exercises == Verdict.NOT_GRADED:
                expected[student, unit, None] = (None, exercises)
            else:
                for exercise, (score, verdict, *_) in exercises.items():
                    expected[student, unit, exercise] = (score, verdict)
                    if not all(map(installed, find(f"{unit[:3]}.{exercise}").needs)):
                        expected[student, unit, exercise] = (None, Verdict.NOT_GRADED)
    return expected


def differences(rows: Iterable[Row], expected: dict[Key, Outcome]) -> list[str]:
    """Say in words where rows are not what they must be; empty if they are, each and every one."""
    got = {(row.student_id, row.unit, row.exercise): row for row in rows}
    lines = []
    for key in sorted(got.keys() | expected.keys(), key=str):
        name = "/".join(part for part in key if part is not None)
        row, want = got.get(key), expected.get(key)
        if row is None:
            lines.append(f"{name}: no row, expected {_words(want)}")
        elif want is None:
            lines.append(f"{name}: {_words((row.score, row.verdict))}, where no row was expected")
        elif (row.score, row.verdict) != want:
            got_words = _words((row.score, row.verdict))
            lines.append(f"{name}: {got_words}, expected {_words(want)}. {row.message}")
    return lines


def _words(outcome: Outcome | None) -> str:
    if outcome is None:
        return "nothing"
    score, verdict = outcome
    return verdict if score is None else f"{score:g} points, {verdict}"
