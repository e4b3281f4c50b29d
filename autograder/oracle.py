"""Ask the reference, and any other implementation, what it answers to a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograder.errors import GradingError
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer, run_script
from autograder.worker.script import Given

Ask = Callable[[Case], Answer]


def ask_of(namespace: Mapping[str, Any]) -> Ask:
    """Make the function that runs a case's script against `namespace` in this process."""

    def ask(case: Case) -> Answer:
        report = tuple(dict.fromkeys((*case.report, *case.unchanged)))
        return run_script(case.script, case.inputs, report, namespace)

    return ask


_known: WeakKeyDictionary[Case, dict[object, Answer]] = WeakKeyDictionary()


def expected_answer(exercise: Exercise, case: Case) -> Answer:
    """Run the case against the oracle, on inputs in float64; once for each case."""
    known = _known.setdefault(case, {})
    if exercise.oracle not in known:
        known[exercise.oracle] = _ask_oracle(exercise, case)
    return known[exercise.oracle]


def imagined_answer(exercise: Exercise, idea: Misconception, case: Case) -> Answer:
    """Return what a wrong idea with a variant would answer to a case; it is asked once."""
    known = _known.setdefault(case, {})
    if idea not in known:
        known[idea] = ask_of({**exercise.namespace, exercise.name: idea.variant})(case)
    return known[idea]


def _ask_oracle(exercise: Exercise, case: Case) -> Answer:
    namespace = {**exercise.namespace, exercise.name: exercise.oracle}
    in_double = Case(case.name, upcast(case.inputs), case.script, case.report)
    answer = ask_of(namespace)(in_double)
    if answer.failure is not None:
        raise GradingError(
            f"The reference of {exercise.id} failed on the case {case.name!r} "
            f"({answer.failure.kind}: {answer.failure.message}). This is our fault, not yours: "
            "please report it to your instructor; nothing was marked."
        )
    return answer


def upcast(value: Any) -> Any:
    """Copy inputs with every floating array in float64, so that the oracle is not rounded."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    if isinstance(value, Mapping):
        return {key: upcast(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(upcast(item) for item in value)
    if isinstance(value, Given):
        return Given(value.name, upcast(value.parameters))
    return value


def tolerance_for(exercise: Exercise, case: Case) -> Tolerance:
    """Return the exercise's tolerance for the dtype of the case."""
    dtype = dtype_of(case)
    return exercise.tolerances[dtype.name if dtype is not None else "float64"]


def dtype_of(case: Case) -> np.dtype | None:
    """Return the floating dtype that the case's answers must have, or None for any."""
    return _floating_dtype(case.inputs.get(case.dtype_of)) if case.dtype_of else None


def _floating_dtype(value: Any) -> np.dtype | None:
    if isinstance(value, np.ndarray):
        return value.dtype if value.dtype.kind == "f" else None
    if isinstance(value, Given):
        return _floating_dtype(list(value.parameters.values()))
    if isinstance(value, list | tuple):
        return next((d for d in map(_floating_dtype, value) if d is not None), None)
    return None
