"""Recognise a wrong idea by what it would have answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.compare import compare
from autograder.differences import within
from autograder.oracle import expected_answer, imagined_answer, tolerance_for
from autograder.vocabulary import Case, Exercise, Judgement, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.values import Plain

Signs = Callable[[Case, Answer, Answer], bool]
SIDE_FAULTS = ("dtype", "modifies-argument")  # faults with a name of their own: no idea is behind


@np.errstate(all="ignore")  # of variants that divide by 0, and of answers of 1e308
def recognise(
    exercise: Exercise, failing: list[tuple[Case, Answer, Judgement]]
) -> Misconception | None:
    """Find the wrong idea that explains most of the failing cases, and at least half of them."""
    candidates = [
        (case, answer)
        for case, answer, judgement in failing
        if answer.failure is None and judgement.fault not in SIDE_FAULTS
    ]
    best, most = None, 0
    for idea in exercise.misconceptions:
        count = sum(_looks_like(exercise, idea, case, answer) for case, answer in candidates)
        if count > most:
            best, most = idea, count
    return best if 2 * most >= len(candidates) else None


def _looks_like(exercise: Exercise, idea: Misconception, case: Case, answer: Answer) -> bool:
    if idea.signs is not None and _shows_signs(exercise, idea.signs, case, answer):
        return True
    if idea.variant is None:
        return False
    theirs = imagined_answer(exercise, idea, case)
    if theirs.failure is not None:
        return False
    tolerance = case.tolerance or tolerance_for(exercise, case)
    return all(_same(answer.values[k], theirs.values[k], tolerance) for k in theirs.values)


def _shows_signs(exercise: Exercise, signs: Signs, case: Case, answer: Answer) -> bool:
    """Ask for the signs; an answer of a form that they are not made for shows none."""
    expected = expected_answer(exercise, case)
    try:
        return signs(case, answer, expected)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, ArithmeticError):
        return False


def _same(a: Plain, b: Plain, tolerance: Tolerance) -> bool:
    """Whether two answers agree, dtypes aside; nan agrees with nan."""
    if isinstance(a, tuple | list) and isinstance(b, tuple | list) and len(a) == len(b):
        return all(_same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape:
        lost = ~np.isfinite(a) & ~np.isfinite(b)
        return bool((within(a, b, tolerance.rtol, tolerance.atol) | lost).all())
    return compare("", a, b, tolerance, None).share > 0.0
