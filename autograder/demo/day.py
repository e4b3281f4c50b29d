"""The instructor's day on the sample class: release, collect, grade, feedback, scores."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tqdm import tqdm

from autograder import grade as grading
from autograder import records
from autograder.course import CONFIG, Course
from autograder.demo.expected import differences, load_expected
from autograder.demo.students import Student, load_class
from autograder.errors import GradingError
from autograder.files import write_whole
from autograder.pipeline.settings import Settings
from autograder.rows import Row, as_csv
from autograder.sandbox import Limits, find_fault
from autograder.sandbox.warm import Kind
from autograder.vocabulary import Verdict

SEED = 2015  # fixed, so that the class gets the same cases every time
LIMITS = Limits(cell_seconds=12.0)  # an honest cell takes one; the class also has endless ones
MISTAKES_SHOWN = 6  # of the class, the most frequent first


def play(keep: Path | None) -> bool:
    """Play the day, show the marks, and compare them with those the class must get.

    Parameters
    ----------
    keep
        Folder for the course; a temporary one, removed at the end, if None.

    Returns
    -------
    bool
        Whether every score and verdict is as expected.

    Raises
    ------
    GradingError
        If `keep` holds something already, or there is no course to copy.
    """
    students = load_class()
    with _folder(keep) as folder:
        course = lay_out(folder, sorted({h.unit for s in students for h in s.hand_ins}))
        rows = run(course, students)
        click.echo(table(rows))
        click.echo(remarks(rows))
        wrong = differences(rows, load_expected())
        for line in wrong:
            click.echo(f"differs: {line}")
        click.echo(_closing(course, keep, rows, wrong))
    return not wrong


def lay_out(folder: Path, units: list[str]) -> Course:
    """Make a course in `folder` with the given units of the course we are installed from."""
    home = _home()
    for unit in units:
        home.require_unit(unit)
        shutil.copytree(home.root / "source" / unit, folder / "source" / unit)
    text = (home.root / CONFIG).read_text(encoding="utf-8")
    (folder / CONFIG).write_text(text, encoding="utf-8")
    return Course(folder.resolve())


def run(course: Course, students: list[Student]) -> list[Row]:
    """Release every unit, let the students hand in, grade, write feedback and ``scores.csv``."""
    units = sorted({h.unit for s in students for h in s.hand_ins})
    number = sum(len(s.hand_ins) for s in students)
    with tqdm(total=len(units) + 2 * number, unit="step", leave=False) as bar:

        def step(what: str) -> None:
            bar.set_postfix_str(what)
            bar.update()

        for unit in units:
            step(f"release {unit}")
            grading.release(course, unit)
        _hand_in(course, students)
        graded_now = grading.grade(
            course,
            units,
            Settings(limits=LIMITS),
            SEED,
            report=lambda u, s: step(f"graded {u} {s}"),
        )
        rows = graded_now.rows
        graded = {(row.student_id, row.unit) for row in rows if row.exercise is not None}
        bar.total = bar.n + len(graded)  # what could not be graded gets no feedback
        for unit in units:
            records.write_feedback(course, unit, lambda s, u=unit: step(f"feedback {u} {s}"))  # type: ignore[misc]
    write_whole(course.root / "scores.csv", as_csv(rows))
    return rows


def _sandbox() -> Kind:
    """Return the sandbox if there is one: the sample class is ours, and would do without."""
    fault = find_fault()
    if fault:
        click.echo(f"No sandbox here, so the sample class runs without: {fault}.", err=True)
    return "none" if fault else "bubblewrap"


def table(rows: list[Row]) -> str:
    """Return a table of points by student and unit."""
    units = sorted({row.unit for row in rows})
    width = max(len(row.student_id) for row in rows)
    lines = [" " * width + "".join(f"{unit.partition('_')[0]:>12}" for unit in units)]
    for student in sorted({row.student_id for row in rows}):
        own = [row for row in rows if row.student_id == student]
        cells = "".join(f"{_points([r for r in own if r.unit == unit]):>12}" for unit in units)
        lines.append(f"{student:<{width}}{cells}")
    return "\n".join(lines)


def remarks(rows: list[Row]) -> str:
    """Return how often each verdict and mistake was seen, and what could not be graded, and why."""
    verdicts = Counter(row.verdict for row in rows)
    mistakes = Counter(row.misconception for row in rows if row.misconception)
    lost = [row for row in rows if row.verdict == Verdict.NOT_GRADED]
    return "\n".join(
        [
            "",
            f"verdicts: {_counted(verdicts.most_common())}",
            f"mistakes: {_counted(mistakes.most_common(MISTAKES_SHOWN))}, ...",
            *(f"not graded: {row.student_id} {row.unit}: {row.message}" for row in lost),
            "",
        ]
    )


def _counted(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts)


def _points(rows: list[Row]) -> str:
    """Points of one student on one unit: ``5.5 / 9``, a dash if nothing was handed in."""
    if not rows:
        return "–"
    if any(row.exercise is None for row in rows):
        return "not graded"
    return f"{sum(r.score or 0.0 for r in rows):g} / {sum(r.max_score for r in rows):g}"


def _hand_in(course: Course, students: list[Student]) -> None:
    for student in students:
        for hand_in in student.hand_ins:
            hand_in.write(course.root, course.root / "submitted" / student.name / hand_in.unit)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield an empty folder, removed at the end unless it is to be kept."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="batchnorm-demo-") as name:
            yield Path(name)
        return
    if keep.exists() and any(keep.iterdir()):
        raise GradingError(f"{keep} is not empty: name a new folder, so that nothing is lost.")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def _home() -> Course:
    """Return the course this package lies in, or else the one of the current folder."""
    checkout = Path(__file__).resolve().parents[2]
    return Course.at(checkout if (checkout / CONFIG).is_file() else Path.cwd())


def _closing(course: Course, keep: Path | None, rows: list[Row], wrong: list[str]) -> str:
    students = len({row.student_id for row in rows})
    verdict = (
        f"{len(wrong)} of the sample class's marks are not what they must be."
        if wrong
        else f"All {len(rows)} marks of the {students} students are exactly what they must be."
    )
    if keep is None:
        return (
            f"{verdict}\nTo look at the notebooks and the feedback: autograder demo --keep FOLDER"
        )
    page = next(iter(sorted((course.root / "feedback").glob("*/*/*.html"))), course.root)
    return (
        f"{verdict}\nMarks:       {course.root / 'scores.csv'}\nFeedback:    {page}\n"
        f"Formgrader:  jupyter lab --notebook-dir {course.root}, then Nbgrader > Formgrader"
    )
