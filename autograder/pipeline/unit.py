"""One unit being graded: what is asked of a submission, and what is known of it already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.autograded import autograded
from autograder.course import Course
from autograder.errors import SubmissionError
from autograder.marking import not_graded
from autograder.paper import Paper, set_paper
from autograder.pipeline.job import Graded, Job
from autograder.pipeline.settings import Settings
from autograder.pipeline.store import Store, key_of
from autograder.pipeline.surroundings import surroundings
from autograder.submission import (
    Clean,
    Master,
    code_digest,
    ingest,
    keep_files,
    read_beside,
    read_master,
    sanitise,
)
from autograder.vocabulary import Result, Verdict


@dataclass(frozen=True)
class Submission:
    """One student's clean submission, and under which keys its parts are kept."""

    student: str
    """Folder name under ``submitted/``."""
    clean: Clean
    """The submission."""
    key: str
    """Key of its run: what its cells show."""
    keys: Mapping[str, str]
    """Keys of its results, by exercise."""


class UnitGrading:
    """A unit with its master, its paper, and the store of what is known.

    Parameters
    ----------
    course
        The course.
    unit
        Unit folder.
    settings
        How submissions are run.
    store
        What is known already, and the unit's seed.
    """

    def __init__(self, course: Course, unit: str, settings: Settings, store: Store) -> None:
        self.course, self.unit, self.settings, self.store = course, unit, settings, store
        source = course.notebook("source", unit).read_bytes()
        self.master: Master = read_master(unit, source)
        self.paper: Paper = set_paper(unit, store.seed(unit), settings.limits.case_seconds)

    def read(self, student: str) -> Submission:
        """Read and sanitise what a student handed in.

        Raises
        ------
        SubmissionError
            If there is nothing that can be graded; the message says why.
        """
        notebook = self.course.notebook("submitted", self.unit, student)
        if notebook.is_symlink() or not notebook.is_file():
            raise SubmissionError(_missing(notebook))
        return self.clean(student, notebook.read_bytes(), notebook.parent)

    def clean(self, student: str, notebook: bytes, folder: Path) -> Submission:
        """Sanitise a notebook that lies in `folder`, and work out its keys."""
        name = self.course.notebook("source", self.unit).name
        files, about_files = keep_files(read_beside(folder, name))
        parsed, findings = ingest(notebook)
        made = sanitise(self.master, parsed, (*about_files, *findings))
        clean = Clean(made.unit, made.cells, made.findings, files)
        key = key_of("run", code_digest(clean), surroundings(), self.settings.decisive())
        questions = self.paper.questions
        keys = {name: key_of("result", key, q.digest) for name, q in questions.items()}
        return Submission(student, clean, key, keys)

    def unknown(self, submission: Submission) -> tuple[str, ...]:
        """Return the exercises that have to be asked."""
        if self.settings.again or self.store.outputs(submission.key) is None:
            return tuple(submission.keys)
        known = self.store.results(submission.keys)
        return tuple(name for name in submission.keys if name not in known)

    def job(self, submission: Submission, names: tuple[str, ...]) -> Job:
        """Return the job that asks for some exercises of a submission."""
        settings = self.settings
        return Job(submission.clean, self.paper.seed, names, settings.sandbox, settings.limits)

    def keep(self, submission: Submission, graded: Graded) -> None:
        """Keep what a job gave; what could not be graded is asked again next time."""
        good = [
            (submission.keys[name], result)
            for name, result in graded.results.items()
            if result.verdict is not Verdict.NOT_GRADED
        ]
        known = self.store.outputs(submission.key)
        self.store.keep(good, submission.key, graded.outputs if known is None else None)

    def results(self, submission: Submission) -> dict[str, Result]:
        """Return every exercise's result, `not_graded` where the grader itself failed."""
        known = self.store.results(submission.keys)
        return {name: known.get(name) or self._lost(name) for name in submission.keys}

    def notebook(self, submission: Submission, results: Mapping[str, Result]) -> NotebookNode:
        """Return the autograded notebook."""
        outputs = self.store.outputs(submission.key) or {}
        return autograded(submission.clean, self.master, results, outputs)

    def _lost(self, name: str) -> Result:
        text = "The grader itself failed on this exercise; nothing was marked. Grade it again."
        return not_graded(self.paper.questions[name], text)


def _missing(notebook: Path) -> str:
    """Say that a submission lacks its notebook, and which file may be meant instead."""
    others = sorted(path.name for path in notebook.parent.glob("*.ipynb"))
    if not others:
        return f"{notebook.name} is missing from the submission."
    return (
        f"{notebook.name} is missing from the submission, which holds {', '.join(others)}: give "
        f"the right one the name {notebook.name}, and grade again."
    )
