"""One row per student and exercise: the machine-readable outcome of grading."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.exercises import exercises_of
from autograder.panel import RESULT_MIME
from autograder.vocabulary import Exercise, Result, Verdict

TIMEOUTS = ("CellTimeoutError", "KeyboardInterrupt")


@dataclass(frozen=True)
class Row:
    """What became of one exercise of one student; `exercise` is None for a whole submission."""

    student_id: str
    """Folder name under ``submitted/``."""
    unit: str
    """Unit folder."""
    exercise: str | None
    """Bare name of the exercise; None if nothing of the submission could be graded."""
    score: float | None
    """Points; None if not graded."""
    max_score: float
    """Points to be had."""
    verdict: str
    """One of `Verdict`."""
    misconception: str = ""
    """Wrong idea or fault that was recognised."""
    message: str = ""
    """In one or two sentences."""
    seconds: float = 0.0
    """Time the student's code took in the check."""

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON data."""
        return asdict(self)


def not_graded(student: str, unit: str, reason: str) -> Row:
    """Return the single row of a submission that could not be graded at all."""
    points = float(sum(e.points for e in exercises_of(unit)))
    return Row(student, unit, None, None, points, Verdict.NOT_GRADED, message=reason)


def row_of(student: str, unit: str, result: Result) -> Row:
    """Return the row of one result."""
    return Row(
        student_id=student,
        unit=unit,
        exercise=result.exercise.partition(".")[2],
        score=None if result.verdict is Verdict.NOT_GRADED else result.score,
        max_score=result.max_score,
        verdict=str(result.verdict),
        misconception=result.misconception,
        message=result.message,
        seconds=result.seconds,
    )


def as_json(rows: Iterable[Row]) -> str:
    """Return rows as a JSON list."""
    return json.dumps([row.as_dict() for row in rows], indent=1) + "\n"


def as_csv(rows: Iterable[Row]) -> str:
    """Return rows as CSV with a header."""
    text = io.StringIO()
    names = list(Row.__dataclass_fields__)
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.as_dict() for row in rows)
    return text.getvalue()


def read_rows(
    student: str, unit: str, notebook: Path, scores: dict[str, float | None]
) -> list[Row]:
    """Read the rows of one autograded notebook.

    Parameters
    ----------
    student, unit
        Whose, and which.
    notebook
        The autograded notebook: its test cells hold what `check` recorded.
    scores
        Points by test cell, from the gradebook: they count, the notebook only explains.
    """
    cells = {
        cell.metadata.get("nbgrader", {}).get("grade_id"): cell
        for cell in nbformat.read(notebook, as_version=4).cells
    }
    return [
        _row(student, unit, exercise, cells.get(f"test_{exercise.name}"), scores)
        for exercise in exercises_of(unit)
    ]


def _row(
    student: str,
    unit: str,
    exercise: Exercise,
    cell: NotebookNode | None,
    scores: dict[str, float | None],
) -> Row:
    score = scores.get(f"test_{exercise.name}")
    told = _recorded(cell) or _inferred(cell)
    if score is None and told["verdict"] != Verdict.NOT_GRADED:
        told = {"verdict": Verdict.NOT_GRADED, "message": "The gradebook holds no score."}
    elif score == 0.0 and told["verdict"] in (Verdict.PASSED, Verdict.PARTIAL):
        told["verdict"] = Verdict.WRONG  # nbgrader saw an error after the check
    return Row(
        student_id=student,
        unit=unit,
        exercise=exercise.name,
        score=score,
        max_score=float(exercise.points),
        verdict=str(told["verdict"]),
        misconception=str(told.get("misconception", "")),
        message=str(told.get("message", "")),
        seconds=float(told.get("seconds", 0.0)),
    )


def _recorded(cell: NotebookNode | None) -> dict[str, Any] | None:
    """Return what `check` recorded in a test cell, if it got that far."""
    for output in cell.outputs if cell is not None else ():
        record = output.get("data", {}).get(RESULT_MIME)
        if record is not None:
            return dict(record)
    return None


def _inferred(cell: NotebookNode | None) -> dict[str, Any]:
    """Read a verdict off a test cell that stopped before its check."""
    if cell is None:
        return {"verdict": Verdict.NOT_GRADED, "message": "The test cell is missing."}
    error = next((o for o in cell.outputs if o.output_type == "error"), None)
    if error is None:
        return {"verdict": Verdict.NOT_GRADED, "message": "The test cell gave no result."}
    if error.ename == "NotImplementedError":
        return {"verdict": Verdict.NOT_ATTEMPTED, "message": "Nothing written yet."}
    if error.ename in TIMEOUTS:
        return {"verdict": Verdict.TIMEOUT, "message": "The test cell did not finish in time."}
    if error.ename == "AssertionError":
        return {"verdict": Verdict.WRONG, "message": error.evalue or "A plain assert failed."}
    return {"verdict": Verdict.ERROR, "message": f"{error.ename}: {error.evalue}"}
