"""The instructor's two commands: hand a unit out, and grade what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograder import stock
from autograder.build import find_stale
from autograder.course import Course
from autograder.errors import GradingError, StaleError
from autograder.gradebook import Writer, late_plugin
from autograder.pipeline.pool import open_engine
from autograder.pipeline.run import Outcome, UnitRun
from autograder.pipeline.settings import Settings
from autograder.pipeline.store import Store
from autograder.pipeline.unit import UnitGrading
from autograder.sandbox import SandboxError, find_fault
from autograder.submission import read_master

Report = Callable[[str, str], None]  # called with unit and student after each submission


def release(course: Course, unit: str) -> None:
    """Write ``release/<unit>`` and enter its cells in the gradebook.

    Raises
    ------
    StaleError
        If a notebook of the unit does not match its text; nothing is written.
    """
    course.require_unit(unit)
    if (course.root / "course" / unit).is_dir() and (stale := find_stale(course.root, [unit])):
        raise StaleError(
            f"{', '.join(stale)} does not match the text in course/{unit}: run `autograder build` "
            "first, or `autograder pull` if you edited the notebook on purpose."
        )
    stock.generate_assignment(stock.open_api(course), unit)


def grade(
    course: Course,
    units: Sequence[str],
    settings: Settings | None = None,
    seed: int | None = None,
    fresh: bool = False,
    report: Report = lambda unit, student: None,
) -> Outcome:
    """Grade every submission of some units, in sandboxed workers side by side.

    Parameters
    ----------
    course
        The course.
    units
        Unit folders.
    settings
        How submissions are run; by default in the sandbox, on all cores.
    seed
        Draw the hidden cases of all submissions from this seed. By default the one that was drawn
        when the unit was graded first: so a second run marks everyone on the same cases.
    fresh
        Draw a fresh seed instead.
    report
        Called with unit and student after each submission.

    Returns
    -------
    Outcome
        Rows in the order of units, students and exercises. A submission that cannot be graded gives
        one row with ``exercise=None``; the others are graded all the same.

    Raises
    ------
    SandboxError
        If there is no sandbox on this machine; nothing is written.
    GradingError
        If a unit is not built, nobody has handed it in, or the gradebook cannot be opened.
    """
    settings = settings or Settings()
    waiting = {unit: students_of(course, unit) for unit in units}  # all, before the first is run
    require_sandbox(settings)
    api = stock.open_api(course)
    outcome = Outcome()
    late = late_plugin(api.config)
    with Writer(api.coursedir.db_url, api.coursedir.course_id, late) as writer:
        for unit in units:
            require_released(course, writer, unit)
        with (
            Store(course.root) as store,
            open_engine(settings.workers, settings.dask) as engine,
        ):
            for unit, students in waiting.items():
                _choose_cases(store, unit, seed, fresh)
                graded = UnitRun(
                    UnitGrading(course, unit, settings, store),
                    writer,
                    lambda student, unit=unit: report(unit, student),  # type: ignore[misc]
                ).grade(students, engine)
                outcome.add(graded)
    return outcome


def _choose_cases(store: Store, unit: str, seed: int | None, fresh: bool) -> None:
    if seed is not None:
        store.set_seed(unit, seed)
    elif fresh:
        store.seed(unit, fresh=True)


def require_sandbox(settings: Settings) -> None:
    """Raise `SandboxError` unless students' code can be held as the settings say."""
    if settings.sandbox == "bubblewrap" and settings.dask is None and (fault := find_fault()):
        raise SandboxError(
            f"There is no sandbox to run students' code in: {fault}. Without one a submission can "
            "read and change what you can; if you know what is in them, ask for it with "
            "`--sandbox none`."
        )


def require_released(course: Course, writer: Writer, unit: str) -> None:
    """Release a unit unless the gradebook knows its cells as they are now."""
    master = read_master(unit, course.notebook("source", unit).read_bytes())
    points = {
        cell.name: cell.points
        for cell in master.cells
        if cell.role == "test" or (cell.role == "manual" and not master.is_locked(cell))
    }
    if writer.grade_cells(unit) != points:
        release(course, unit)


def students_of(course: Course, unit: str) -> list[str]:
    """Return who has handed in a unit, sorted.

    Raises
    ------
    UnknownExerciseError
        If the course has no such unit.
    GradingError
        If the unit is not built, or nobody has handed it in.
    """
    course.require_unit(unit)
    students = course.students(unit)
    if not students:
        raise GradingError(
            f"Nobody has handed in {unit}: there is no submitted/<student>/{unit} in {course.root}."
        )
    return students
