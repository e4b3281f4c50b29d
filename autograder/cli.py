"""The command line: parse, call one function, turn errors into exit codes.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 finished but something could not be graded.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from tqdm import tqdm

from autograder.errors import AutograderError, UnknownExerciseError
from autograder.files import write_whole
from autograder.version import GRADER_VERSION

if TYPE_CHECKING:
    from autograder.pipeline.run import Outcome

FAILED, USAGE, INCOMPLETE = 1, 2, 3
NO_SANDBOX = (
    "autograder: WITHOUT A SANDBOX, as you asked: every submission can read, change and delete "
    "what you can, and use the network. Every result records that it was made this way."
)


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
@click.option("--workers", type=click.IntRange(1), help="Processes; by default one for each core.")
@click.option("--dask", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler.")
@click.option(
    "--sandbox",
    type=click.Choice(["bubblewrap", "none"]),
    default="bubblewrap",
    show_default=True,
    help="What holds the students' code. Without one it can do on this machine what you can.",
)
@click.option("--seed", type=int, help="Draw the hidden cases of the class from this seed.")
@click.option("--fresh-cases", is_flag=True, help="Draw the hidden cases anew.")
@click.option("--again", is_flag=True, help="Grade what is known already, too.")
@json_file
@course_dir
def grade(
    units: tuple[str, ...],
    workers: int | None,
    dask: str | None,
    sandbox: Literal["bubblewrap", "none"],
    seed: int | None,
    fresh_cases: bool,
    again: bool,
    json_path: Path | None,
    course_dir: Path,
) -> None:
    """Grade every submission to UNITS into nbgrader's gradebook."""
    from autograder import grade as grading
    from autograder.course import Course
    from autograder.pipeline.settings import Settings
    from autograder.rows import as_json

    if seed is not None and fresh_cases:
        raise click.UsageError("--seed names the cases, --fresh-cases draws others: choose one.")
    course = Course.at(course_dir)
    settings = Settings(sandbox=sandbox, dask=dask, again=again)
    if workers is not None:
        settings = replace(settings, workers=workers)
    if sandbox == "none":
        click.echo(NO_SANDBOX, err=True)
    total = sum(len(grading.students_of(course, unit)) for unit in units)
    with tqdm(total=total, unit="submission", mininterval=0.5) as bar:

        def report(unit: str, student: str) -> None:
            bar.set_postfix_str(f"{unit} {student}", refresh=False)
            bar.update()

        outcome = grading.grade(course, units, settings, seed, fresh_cases, report)
    if json_path is not None:
        write_whole(json_path, as_json(outcome.rows))
    _sum_up(outcome)


def _sum_up(outcome: Outcome) -> None:
    """Say what became of a run, and exit."""
    from autograder.vocabulary import Verdict

    if outcome.changes:
        click.echo("marks that are new:")
        for c in outcome.changes:
            click.echo(
                f"  {c.student} {c.unit} {c.exercise}: {_points(c.before)} {c.verdicts[0]} -> "
                f"{_points(c.after)} {c.verdicts[1]}"
            )
    lost = [row for row in outcome.rows if row.verdict == Verdict.NOT_GRADED]
    for row in lost:
        click.echo(
            f"not graded: {row.student_id} {row.exercise or row.unit}: {row.message}", err=True
        )
    submissions = len({(row.student_id, row.unit) for row in outcome.rows})
    known = f", {outcome.from_store} known already" if outcome.from_store else ""
    click.echo(
        f"{submissions} submissions{known}, {len(outcome.rows)} exercises, {len(lost)} not graded"
    )
    sys.exit(INCOMPLETE if lost else 0)


def _points(score: float | None) -> str:
    return "-" if score is None else f"{score:g}"


@main.command()
@click.argument("units", nargs=-1, required=True)
@course_dir
def feedback(units: tuple[str, ...], course_dir: Path) -> None:
    """Write feedback/STUDENT/UNIT as HTML for everything that is graded."""
    from autograder import records
    from autograder.course import Course

    course = Course.at(course_dir)
    for unit in units:
        course.require_unit(unit)
    waiting = {unit: records.graded_students(course, unit) for unit in units}
    for unit, students in waiting.items():
        with tqdm(total=len(students), desc=unit, unit="submission") as bar:
            folders = records.write_feedback(course, unit, lambda student, bar=bar: bar.update())  # type: ignore[misc]
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
    from autograder import records
    from autograder.course import Course
    from autograder.exercises import units
    from autograder.rows import as_csv, as_json

    course = Course.at(course_dir)
    rows = records.collect(course, units())
    graded = {(row.student_id, row.unit) for row in rows}
    for unit in units():
        if lost := [s for s in course.students(unit) if (s, unit) not in graded]:
            click.echo(f"not graded, so not in this table: {unit} of {', '.join(lost)}", err=True)
    text = as_csv(rows) if kind == "csv" else as_json(rows)
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
