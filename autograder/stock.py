"""nbgrader's own commands, called as a library on a course of ours."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import CONFIG, Course
from autograder.environment import put_programs_on_path
from autograder.errors import GradingError

OTHER_CELLS = "Cannot add or remove cells"  # what nbgrader says once there are submissions
REASONS = {  # exceptions that a student's file or code can cause
    "NotJSONError": "its file is not valid JSON; perhaps it was cut off on its way.",
    "ValidationError": "its file is JSON, but no notebook.",
    "GradingError": "it holds no exercise of this unit: ask for the notebook that was handed out.",
    "DeadKernelError": "the kernel died while it ran: an exit, a crash, or out of memory.",
}


def open_api(course: Course) -> NbGraderAPI:
    """Return nbgrader's API, configured by the course's own ``nbgrader_config.py``."""
    put_programs_on_path()
    config = PyFileConfigLoader(CONFIG, path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    return NbGraderAPI(config=config)


@contextlib.contextmanager
def open_gradebook(api: NbGraderAPI) -> Iterator[Gradebook]:
    """Open the gradebook of the course for reading and writing."""
    with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as gradebook:
        yield gradebook


def generate_assignment(api: NbGraderAPI, unit: str) -> None:
    """Write ``release/<unit>`` and enter the unit's cells in the gradebook."""
    outcome = _quietly(api.generate_assignment, unit)
    if OTHER_CELLS in f"{outcome.get('error', '')}{outcome.get('log', '')}":
        raise GradingError(
            f"{unit} could not be released: the gradebook holds submissions of it as it was before "
            "exercises were added or taken out. Grade those with the source/ they were made from. "
            f"To start again with the new one, `nbgrader db assignment remove {unit} --force`, "
            "which deletes its marks, the manual ones too; submitted/ stays."
        )
    _require(outcome, f"{unit} could not be released")


def generate_feedback(api: NbGraderAPI, unit: str, student: str) -> None:
    """Write ``feedback/<student>/<unit>/*.html``."""
    outcome = _quietly(api.generate_feedback, unit, student)
    _require(outcome, f"feedback for {student} on {unit} could not be written")


def _quietly(command: Any, *args: str) -> dict[str, Any]:
    """Call an API function that logs to stderr; its log is in what it returns.

    nbgrader catches Ctrl-C, too, and would make a failed submission of it: it is raised again.
    """
    with contextlib.redirect_stderr(io.StringIO()):
        outcome: dict[str, Any] = command(*args)
    if str(outcome.get("error", "")).rstrip().endswith("\nKeyboardInterrupt"):
        raise KeyboardInterrupt
    return outcome


def _require(outcome: dict[str, Any], what: str) -> None:
    if not outcome["success"]:
        raise GradingError(f"{what}: {_reason(outcome)}")


def _reason(outcome: dict[str, Any]) -> str:
    """Say in one line what an nbgrader log and traceback say in fifty."""
    text = f"{outcome.get('error', '')}\n{outcome.get('log', '')}"
    for name, words in REASONS.items():
        if re.search(rf"\b{name}\b", text):
            return words
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "Error: " in line]
    return telling[-1] if telling else (lines[-1] if lines else "nbgrader gave no reason")
