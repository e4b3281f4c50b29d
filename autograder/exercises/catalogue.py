"""Find units and exercises by name; a unit's module is imported when it is first asked for."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from functools import cache

import autograder.exercises
from autograder.errors import UnknownExerciseError
from autograder.vocabulary import Exercise

UNIT_NAME = re.compile(r"u\d\d_\w+")


@cache
def units() -> tuple[str, ...]:
    """Return the names of the units that have exercises: ``("u00_start", "u02_forward", ...)``."""
    modules = pkgutil.iter_modules(autograder.exercises.__path__)
    return tuple(sorted(m.name for m in modules if UNIT_NAME.fullmatch(m.name)))


def require_unit(unit: str) -> None:
    """Raise `UnknownExerciseError` unless there is such a unit, saying which there are."""
    if unit not in units():
        raise UnknownExerciseError(
            f"There is no unit {unit!r}. The units are: {', '.join(units())}."
        )


@cache
def exercises_of(unit: str) -> tuple[Exercise, ...]:
    """Return the exercises of a unit, in the order of its notebook.

    Raises
    ------
    UnknownExerciseError
        If there is no such unit; the message names the ones there are.
    """
    require_unit(unit)
    module = importlib.import_module(f"autograder.exercises.{unit}")
    return tuple(module.EXERCISES)


def all_exercises() -> tuple[Exercise, ...]:
    """Return every exercise of the course."""
    return tuple(exercise for unit in units() for exercise in exercises_of(unit))


def find(exercise_id: object) -> Exercise:
    """Return the exercise with the id ``u02.batch_mean``.

    Raises
    ------
    UnknownExerciseError
        If there is none; the message offers the nearest name.
    """
    if not isinstance(exercise_id, str):
        raise UnknownExerciseError(
            f"An exercise is named by a string such as 'u02.batch_mean'; got {exercise_id!r}. "
            "Restore the last line of the test cell."
        )
    number, _, name = exercise_id.partition(".")
    unit = next((u for u in units() if u.partition("_")[0] == number), None)
    if unit is None:
        raise UnknownExerciseError(
            f"There is no exercise {exercise_id!r}: no unit is called {number!r}. "
            f"The units are: {', '.join(units())}."
        )
    names = [exercise.name for exercise in exercises_of(unit)]
    if name in names:
        return exercises_of(unit)[names.index(name)]
    near = difflib.get_close_matches(name, names, n=1)
    guess = f" Did you mean '{number}.{near[0]}'?" if near else ""
    raise UnknownExerciseError(
        f"There is no exercise {exercise_id!r}.{guess} Unit {unit} has: {', '.join(names)}."
    )
