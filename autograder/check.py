"""`check` in the notebook: run an exercise's cases in process, show the panel, return the score."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.errors import UsageError
from autograder.exercises import find
from autograder.judge import SHORTCUT, TIME_LIMIT, assess, forbidden_result
from autograder.needs import require_installed
from autograder.oracle import ask_of
from autograder.panel import Panel
from autograder.progress import record
from autograder.shortcuts import find_shortcuts
from autograder.time_limit import TimeLimitError, time_limit
from autograder.vocabulary import Case, Exercise, Result
from autograder.worker.interpreter import Answer, Failure
from autograder.worker.shortcuts import ShortcutError, Watch, helpers_not_given

CASE_SECONDS = 5.0  # an honest case takes milliseconds; a loop over a 64-row batch far below 1 s
WATCH = Watch()
SEED_VARIABLE = "AUTOGRADER_SEED"  # a grader sets it, so that a whole class gets the same cases


class Score(float):
    """Points earned, as a float that remembers the `Result` behind it.

    It prints as a bare number, which is what nbgrader reads as partial credit.
    """

    result: Result

    def __new__(cls, result: Result) -> Score:
        """Make the score of a result."""
        self = super().__new__(cls, result.score)
        self.result = result
        return self

    def __repr__(self) -> str:
        return repr(float(self))


def check(exercise_id: str, answer: object = None, *, seed: int | None = None) -> Score:
    """Check one exercise: show what passes and what is wrong, and return the points.

    Parameters
    ----------
    exercise_id
        Unit and name: ``"u02.batch_mean"``.
    answer
        Your function or class itself, not a call of it: ``batch_mean``, not ``batch_mean(x)``.
    seed
        Draw the cases from this seed, to see the same ones again; the panel names the seed of
        every run. By default each run draws fresh ones.

    Returns
    -------
    Score
        The points as a float between 0 and the exercise's maximum.

    Raises
    ------
    UnknownExerciseError
        If no exercise has this name.
    UsageError
        If `answer` is not something that can be called.
    NotInstalledError
        If the exercise needs a package that is not installed here.
    """
    from IPython.display import display

    exercise = find(exercise_id)
    require_installed(exercise)
    _require_callable(exercise, answer)
    fixed = os.environ.get(SEED_VARIABLE) if seed is None else None
    drawn = secrets.randbelow(10**6) if seed is None else seed
    evidence = find_shortcuts(_cells_so_far(exercise, answer), exercise.name, exercise.forbidden)
    if evidence:
        result = forbidden_result(exercise, [str(item) for item in evidence])
    else:
        result = grade_function(exercise_id, answer, int(fixed) if fixed else drawn)
    if fixed:
        result = replace(result, seed=None)  # a grader's seed stays with the grader
    record(result)
    display(Panel(result))
    return Score(result)


def grade_function(exercise_id: str, answer: Any, seed: int) -> Result:
    """Judge one function in this process, without showing or recording anything.

    Parameters
    ----------
    exercise_id
        Unit and name: ``"u02.batch_mean"``.
    answer
        The function or class to judge.
    seed
        Seed of the generator the cases are drawn from.
    """
    exercise = find(exercise_id)
    cases = exercise.cases(np.random.default_rng(seed))
    result = assess(exercise, cases, _watched(ask_of({exercise.name: answer}), exercise))
    return replace(result, seed=seed)


def _require_callable(exercise: Exercise, answer: object) -> None:
    example = f'check("{exercise.id}", {exercise.name})'
    if answer is None:
        raise UsageError(
            f"check needs your function as its second argument: {example}. If `{exercise.name}` "
            "is None, run the cell that defines it first."
        )
    if not callable(answer):
        raise UsageError(
            f"check needs the function itself, without calling it: {example}; "
            f"got a `{type(answer).__name__}`."
        )


def _cells_so_far(exercise: Exercise, answer: object) -> list[tuple[str, str]]:
    """Return what has been run in the notebook, if that is where the answer comes from."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or shell.user_ns.get(exercise.name) is not answer:
        return []
    sources = enumerate(shell.history_manager.input_hist_raw)
    return [(f"In [{number}]", source) for number, source in sources if source.strip()]


def _watched(ask: Callable[[Case], Answer], exercise: Exercise) -> Callable[[Case], Answer]:
    """Give every case a time limit, see what it calls, and keep what it prints off the stderr."""

    def ask_in_time(case: Case) -> Answer:
        seen: list[str] = []
        try:
            with (  # the watch outermost: no alarm rings while it is taken down
                WATCH(exercise.forbidden, helpers_not_given(case.inputs)) as seen,
                time_limit(CASE_SECONDS),
                warnings.catch_warnings(),
                contextlib.redirect_stderr(io.StringIO()),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                warnings.simplefilter("ignore")
                answer = ask(case)
        except TimeLimitError:
            text = f"it was stopped after {CASE_SECONDS:g} seconds"
            answer = Answer({}, Failure(TIME_LIMIT, text, -1), CASE_SECONDS)
        except ShortcutError:
            answer = Answer({}, None, 0.0)
        if seen:  # even if the student's code went on after the call
            return Answer({}, Failure(SHORTCUT, ", ".join(seen), -1), answer.seconds)
        return answer

    return ask_in_time
