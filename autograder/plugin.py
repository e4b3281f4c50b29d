"""The same judge inside nbgrader: what `nbgrader autograde` and formgrader's button run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    NbGraderPreprocessor,
    SaveAutoGrades,
)

from autograder.autograded import autograded
from autograder.course import Course
from autograder.errors import GradingError
from autograder.grade import require_sandbox
from autograder.pipeline.job import grade
from autograder.pipeline.settings import Settings
from autograder.pipeline.store import Store
from autograder.pipeline.unit import Submission, UnitGrading
from autograder.safe_html import sanitise_pages
from autograder.vocabulary import Verdict


class Sanitise(NbGraderPreprocessor):  # type: ignore[misc]
    """Bring a submission to what was handed out: the student's code stays, nothing locked does."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Sanitise one notebook, and say in a cell of its own what was repaired."""
        course = _course(resources)
        with Store(course.root) as store:
            unit = UnitGrading(course, _unit(resources), Settings(), store)
            submission = _submission(unit, nb, resources)
            return autograded(submission.clean, unit.master, {}, {}), resources


class Judge(NbGraderPreprocessor):  # type: ignore[misc]
    """Run the notebook in the sandbox, and put every exercise's mark into its test cell."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Judge one notebook.

        Raises
        ------
        GradingError
            If it cannot be judged: nbgrader then counts the submission as failed, and writes no
            mark.
        """
        settings = Settings()
        require_sandbox(settings)
        course = _course(resources)
        with Store(course.root) as store:
            unit = UnitGrading(course, _unit(resources), settings, store)
            submission = _submission(unit, nb, resources)
            if wanted := unit.unknown(submission):
                unit.keep(submission, grade(unit.job(submission, wanted)))
            results = unit.results(submission)
            for result in results.values():
                if result.verdict is Verdict.NOT_GRADED:
                    raise GradingError(result.message)
            store.set_marks(submission.student, unit.unit, results)
            return unit.notebook(submission, results), resources


def _submission(unit: UnitGrading, nb: NotebookNode, resources: Any) -> Submission:
    folder = Path(resources["metadata"]["path"])
    return unit.clean(
        str(resources["nbgrader"]["student"]), nbformat.writes(nb).encode(), folder.resolve()
    )


def _unit(resources: Any) -> str:
    return str(resources["nbgrader"]["assignment"])


def _course(resources: Any) -> Course:
    return Course.at(Path(resources["metadata"]["path"]))


def plug_in(config: Any) -> None:
    """Set up nbgrader's autograding: our judge in the place of its own execution."""
    config.Autograde.sanitize_preprocessors = [Sanitise]
    config.Autograde.autograde_preprocessors = [
        Judge,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    sanitise_pages(config)
