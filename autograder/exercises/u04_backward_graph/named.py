"""Judge a tuple of gradients by the names they have in the exercise: `dgamma`, not `answer[1]`."""

from __future__ import annotations

from autograder.compare import SIDE_FAULT_SHARE, compare, identical
from autograder.oracle import dtype_of, expected_answer, tolerance_for
from autograder.vocabulary import Case, Exercise, Judgement
from autograder.worker.interpreter import Answer


def judge_gradients(exercise: Exercise, case: Case, answer: Answer) -> Judgement:
    """Compare the first reported value, a tuple, with the oracle's, and see what was changed.

    The value's own label, ``(dx, dgamma, dbeta)``, says what its entries are called. A list of
    the right arrays is as good as a tuple.
    """
    label = case.report[0]
    expected = expected_answer(exercise, case).values[label]
    tolerance = case.tolerance or tolerance_for(exercise, case)
    names = label.strip("()").split(", ")
    got = answer.values.get(label)
    assert isinstance(expected, tuple)
    if not isinstance(got, tuple | list) or len(got) != len(names):
        return compare(label, got, expected, tolerance, dtype_of(case))
    parts = [
        compare(name, theirs, ours, tolerance, dtype_of(case))
        for name, theirs, ours in zip(names, got, expected, strict=True)
    ]
    judgement = min(parts, key=lambda part: part.share)
    if judgement.share == 0.0:
        return judgement
    changed = [
        name for name in case.unchanged if not identical(case.inputs[name], answer.values[name])
    ]
    return modified(changed[0]) if changed else judgement


def modified(name: str) -> Judgement:
    """Say that an argument was changed, in the judge's words for every exercise."""
    return Judgement(
        SIDE_FAULT_SHARE,
        f"Your function changed its argument `{name}` in place. Whoever called it still needs the "
        "original: work on a new array.",
        "modifies-argument",
    )
