"""Grade all submissions of a unit: read, look up, run what is new, write; one writer for all."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.autograded import to_bytes
from autograder.errors import GradingError, SubmissionError
from autograder.files import write_whole
from autograder.gradebook import Marks, Writer
from autograder.pipeline.job import Graded, Job
from autograder.pipeline.pool import Engine
from autograder.pipeline.unit import Submission, UnitGrading
from autograder.rows import Row, not_graded, row_of
from autograder.vocabulary import Result, Verdict

Report = Callable[[str], None]  # called with the student's name after each submission


@dataclass(frozen=True)
class Change:
    """A mark that is another one than last time."""

    student: str
    """Whose."""
    unit: str
    """Unit folder."""
    exercise: str
    """Bare name."""
    before: float | None
    """Points last time."""
    after: float | None
    """Points now."""
    verdicts: tuple[str, str]
    """Verdict before and now."""


@dataclass
class Outcome:
    """What a run gave."""

    rows: list[Row] = field(default_factory=list)
    """One an exercise, in the order of students and exercises."""
    changes: list[Change] = field(default_factory=list)
    """Marks that differ from the last run's."""
    from_store: int = 0
    """Submissions that were known in full, and not run."""

    def add(self, other: Outcome) -> None:
        """Take in what another run gave."""
        self.rows += other.rows
        self.changes += other.changes
        self.from_store += other.from_store


@dataclass
class UnitRun:
    """Brings the submissions of one unit into the gradebook."""

    unit: UnitGrading
    """The unit."""
    writer: Writer
    """The gradebook."""
    report: Report = lambda student: None
    """Called with each student's name once the submission is done."""
    outcome: Outcome = field(default_factory=Outcome)
    """What became of it so far."""

    def __post_init__(self) -> None:
        self._waiting: dict[str, list[Submission]] = {}

    def grade(self, students: Iterable[str], engine: Engine) -> Outcome:
        """Grade the submissions of these students."""
        students = list(students)
        gc.freeze()  # what is imported by now stays: no collection need look at it again
        for key, graded in engine.run(self._jobs(students)):
            for submission in self._waiting.pop(str(key)):
                if isinstance(graded, Graded):
                    self.unit.keep(submission, graded)
                    self._finish(submission)
                else:
                    self._refuse(submission.student, str(graded))
        order = {student: place for place, student in enumerate(students)}
        self.outcome.rows.sort(key=lambda row: order[row.student_id])
        return self.outcome

    def _jobs(self, students: Iterable[str]) -> Iterator[tuple[str, Job]]:
        """Yield what has to be run; finish on the way what is known."""
        for student in students:
            try:
                submission = self.unit.read(student)
            except (SubmissionError, OSError) as error:
                # what was graded before is not this submission: nobody shall take it for that
                graded = self.unit.course.notebook("autograded", self.unit.unit, student).parent
                shutil.rmtree(graded, ignore_errors=True)
                self._refuse(student, str(error))
                continue
            if submission.key in self._waiting:  # the same work is running already
                self._waiting[submission.key].append(submission)
                continue
            wanted = self.unit.unknown(submission)
            if wanted:
                self._waiting[submission.key] = [submission]
                yield submission.key, self.unit.job(submission, wanted)
            else:
                self.outcome.from_store += 1
                self._finish(submission)

    def _finish(self, submission: Submission) -> None:
        """Write one submission's notebook and marks; nothing changes if they are there already."""
        results = self.unit.results(submission)
        try:
            self._write_autograded(submission, results)
            counting = self.writer.write(self._marks(submission, results))
        except (GradingError, OSError) as error:
            self._refuse(submission.student, str(error))
            return
        self._note(submission.student, results)
        for name, result in results.items():  # a person's points, where given
            row = row_of(submission.student, self.unit.unit, result)
            self.outcome.rows.append(replace(row, score=counting[f"test_{name}"]))
        self.report(submission.student)

    def _marks(self, submission: Submission, results: Mapping[str, Result]) -> Marks:
        """Return what the gradebook gets."""
        master, clean, course = self.unit.master, submission.clean, self.unit.course
        scores = {
            f"test_{name}": None if result.verdict is Verdict.NOT_GRADED else result.score
            for name, result in results.items()
        }
        unanswered = {
            cell.name
            for cell in clean.cells
            if cell.name in master.handed_out
            and cell.source.strip() == master.handed_out[cell.name].strip()
        }
        stamp = self._stamp(submission)
        when = parse_utc(stamp.read_text().strip()) if stamp.is_file() else None
        name = course.notebook("source", master.unit).stem
        return Marks(
            submission.student, master.unit, name, scores, frozenset(unanswered), timestamp=when
        )

    def _write_autograded(self, submission: Submission, results: Mapping[str, Result]) -> None:
        """Write ``autograded/<student>/<unit>``: the notebook, and the files beside it."""
        course, unit = self.unit.course, self.unit.unit
        target = course.notebook("autograded", unit, submission.student)
        _write_if_new(target, to_bytes(self.unit.notebook(submission, results)))
        for name, data in submission.clean.files.items():
            _write_if_new(target.parent / name, data)
        stamp = self._stamp(submission)
        if stamp.is_file():
            shutil.copyfile(stamp, target.with_name(stamp.name))

    def _stamp(self, submission: Submission) -> Path:
        notebook = self.unit.course.notebook("submitted", self.unit.unit, submission.student)
        return notebook.with_name("timestamp.txt")

    def _note(self, student: str, results: Mapping[str, Result]) -> None:
        """Remember the marks, and which of them are others than last time."""
        store, unit = self.unit.store, self.unit.unit
        before = store.marks(student, unit)
        for name, result in results.items():
            old = before.get(name)
            if old is not None and old != (result.score, str(result.verdict)):
                verdicts = (old[1], str(result.verdict))
                change = Change(student, unit, name, old[0], result.score, verdicts)
                self.outcome.changes.append(change)
        store.set_marks(student, unit, results)

    def _refuse(self, student: str, reason: str) -> None:
        self.outcome.rows.append(not_graded(student, self.unit.unit, reason))
        self.report(student)


def _write_if_new(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)
