"""The command line: parse, call one function, turn errors into exit codes.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 finished but something could not be graded.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from autograder.errors import AutograderError, UnknownExerciseError
from autograder.files import write_whole
from autograder.version import GRADER_VERSION

FAILED, USAGE, INCOMPLETE = 1, 2, 3


class _Group(click.Group):
    """A group whose commands end in one sentence and an exit code, never in a traceback of ours."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(
                "autograder: interrupted. What was finished is kept; run the command again.",
                err=True,
            )
            ctx.exit(FAILED)
        except UnknownExerciseError as error:
            click.echo(f"autograder: {error}", err=True)
            ctx.exit(USAGE)
        except AutograderError as error:
            click.echo(f"autograder: {error}", err=True)
            ctx.exit(FAILED)


course_dir = click.option(
    "--course-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=".",
    help="The course's folder, or one inside it.  [default: here]",
)
json_file = click.option(
    "--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write rows here."
)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    GRADER_VERSION, prog_name="autograder", message="%(prog)s, scoring %(version)s"
)
def main() -> None:
    """Build, release and grade the batch normalization course."""


@main.command()
@click.argument("units", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; fail if a notebook is stale.")
@click.option("--overwrite", is_flag=True, help="Drop edits made by hand in built notebooks.")
@course_dir
def build(units: tuple[str, ...], check: bool, overwrite: bool, course_dir: Path) -> None:
    """Build the notebooks of UNITS (default: all) from their text."""
    from autograder import build as chain
    from autograder.course import Course

    root = Course.at(course_dir).root
    if check:
        stale = chain.find_stale(root, units)
        for path in stale:
            click.echo(f"stale: {path}")
        if stale:
            click.echo("autograder: run `autograder build` and commit what it writes.", err=True)
            sys.exit(FAILED)
        click.echo("All notebooks match their text.")
        return
    outcome = chain.build(root, units, overwrite=overwrite)
    for path in outcome.written:
        click.echo(f"wrote {path}")
    click.echo(f"{len(outcome.written)} written, {len(outcome.unchanged)} unchanged")


@main.command()
@click.argument("unit")
@course_dir
def pull(unit: str, course_dir: Path) -> None:
    """Bring what was edited in source/UNIT or its lecture back into the text in course/UNIT."""
    from autograder import build as chain
    from autograder.course import Course

    course = Course.at(course_dir)
    course.require_unit(unit)
    changed = chain.pull(course.root, unit)
    for path in changed:
        click.echo(f"updated {path}")
    click.echo(f"{len(changed)} texts updated, notebooks rebuilt")


@main.command()
@click.argument("units", nargs=-1, required=True)
@course_dir
def release(units: tuple[str, ...], course_dir: Path) -> None:
    """Write release/UNIT without solutions and enter its cells in the gradebook."""
    from autograder import grade as grading
    from autograder.course import Course

    course = Course.at(course_dir)
    for unit in units:
        course.require_unit(unit)
    for unit in units:
        grading.release(course, unit)
        click.echo(f"released {unit}")


@main.command()
@click.argument("units", nargs=-1, required=True)
@click.option("--seed", type=int, help="Draw the cases of the whole class from this seed.")
@json_file
@course_dir
def grade(
    units: tuple[str, ...], seed: int | None, json_path: Path | None, course_dir: Path
) -> None:
    """Grade every submission to UNITS into nbgrader's gradebook."""
    from autograder import grade as grading
    from autograder.course import Course
    from autograder.vocabulary import Verdict

    course = Course.at(course_dir)
    seed = secrets.randbelow(10**9) if seed is None else seed
    rows = []
    waiting = {unit: grading.students_of(course, unit) for unit in units}  # all, before the first
    for unit, students in waiting.items():
        with tqdm(total=len(students), desc=unit, unit="submission") as bar:

            def report(student: str, bar: Any = bar, students: list[str] = students) -> None:
                bar.set_postfix_str(student)
                bar.update(students.index(student) - bar.n)

            rows += grading.grade(course, unit, seed, report)
            bar.update(len(students) - bar.n)
    if json_path is not None:
        write_whole(json_path, grading.as_json(rows))
    lost = [row for row in rows if row.verdict == Verdict.NOT_GRADED]
    for row in lost:
        click.echo(
            f"not graded: {row.student_id} {row.exercise or row.unit}: {row.message}", err=True
        )
    submissions = len({(row.student_id, row.unit) for row in rows})
    click.echo(f"{submissions} submissions, {len(rows)} exercises, {len(lost)} not graded")
    click.echo(f"cases drawn from seed {seed}: to grade again with the same ones, --seed {seed}")
    sys.exit(INCOMPLETE if lost else 0)


@main.command()
@click.argument("units", nargs=-1, required=True)
@course_dir
def feedback(units: tuple[str, ...], course_dir: Path) -> None:
    """Write feedback/STUDENT/UNIT as HTML for everything that is graded."""
    from autograder import grade as grading
    from autograder.course import Course

    course = Course.at(course_dir)
    for unit in units:
        course.require_unit(unit)
    waiting = {unit: grading.graded_students(course, unit) for unit in units}
    for unit, students in waiting.items():
        with tqdm(total=len(students), desc=unit, unit="submission") as bar:
            folders = grading.write_feedback(course, unit, lambda student, bar=bar: bar.update())  # type: ignore[misc]
        click.echo(f"wrote feedback of {len(folders)} students on {unit}")


@main.command()
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Instead of stdout."
)
@course_dir
def export(kind: str, output: Path | None, course_dir: Path) -> None:
    """Print every score in the gradebook, one line per student and exercise."""
    from autograder import grade as grading
    from autograder.course import Course
    from autograder.exercises import units

    course = Course.at(course_dir)
    rows = grading.collect(course, units())
    graded = {(row.student_id, row.unit) for row in rows}
    for unit in units():
        if lost := [s for s in course.students(unit) if (s, unit) not in graded]:
            click.echo(f"not graded, so not in this table: {unit} of {', '.join(lost)}", err=True)
    text = grading.as_csv(rows) if kind == "csv" else grading.as_json(rows)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text)
        click.echo(f"wrote {len(rows)} rows to {output}", err=True)


@main.command()
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the course here."
)
def demo(keep: Path | None) -> None:
    """Play the instructor's day on the sample class and compare with the expected scores."""
    from autograder.demo import play

    sys.exit(0 if play(keep) else FAILED)


@main.command()
def doctor() -> None:
    """Say what this machine can do: versions, sandbox, GPU."""
    from autograder.doctor import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok ' if finding.ok else 'no '} {finding.subject}: {finding.text}")
    sys.exit(0 if all(f.ok or not f.needed for f in findings) else FAILED)
