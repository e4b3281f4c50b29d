"""Decide what an answer is worth: pure functions over answers, no student code, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from autograder.compare import SIDE_FAULT_SHARE, compare, identical
from autograder.oracle import Ask, dtype_of, expected_answer, tolerance_for
from autograder.recognise import recognise
from autograder.vocabulary import (
    NOT_RUN,
    Case,
    CaseResult,
    Exercise,
    Judgement,
    Misconception,
    Result,
    Verdict,
)
from autograder.worker.interpreter import Answer

SMALLEST_LOSS = 0.01  # what any failed case costs at least: rounding must not give full points
TIME_LIMIT = "TimeLimit"  # kind of the failure that a runner reports when its time is up
ENDINGS = {  # kinds after which nothing more is asked, and the verdict that each means
    TIME_LIMIT: Verdict.TIMEOUT,
    "MemoryLimit": Verdict.MEMORY,
    "OutputLimit": Verdict.OUTPUT_LIMIT,
    "Crash": Verdict.CRASHED,
    "Tampered": Verdict.TAMPERED,
}
SHORTCUT = "Shortcut"  # kind of the failure that a runner reports of a forbidden call
READY_MADE_FAULT = "ready-made"  # fault of a solution that uses what the exercise forbids
MOST_EVIDENCE = 3  # places that a message names
MEMORY_ERROR = "MemoryError"  # kind of a Python error, after which a process can go on
NOT_WRITTEN = ("NotImplementedError", "MissingName")  # kinds that mean: nothing here yet


def assess(exercise: Exercise, cases: Iterable[Case], ask: Ask) -> Result:
    """Ask for every case, judge the answers, and add up the points.

    Cases of one name are draws of one behaviour: it counts as much as its worst draw. After a time
    limit, or another ending of the process, nothing more is asked; nor after a forbidden call. That
    costs all points, and so does writing on the wire to the judge.
    """
    cases = list(cases)
    answers: list[Answer] = []
    for case in cases:
        answers.append(ask(case))
        failure = answers[-1].failure
        if failure is not None and failure.kind == SHORTCUT:
            return forbidden_result(exercise, [f"`{exercise.name}` calls {failure.message}."])
        if _kind(answers[-1]) in ENDINGS:
            break
    judgements = [judge_case(exercise, c, a) for c, a in zip(cases, answers, strict=False)]
    not_run = Judgement(0.0, "Not run: an earlier case did not finish.", NOT_RUN)
    judgements += [not_run] * (len(cases) - len(judgements))
    failing = [
        (c, a, j) for c, a, j in zip(cases, answers, judgements, strict=False) if j.share < 1.0
    ]
    wrong_idea = recognise(exercise, failing)
    if wrong_idea is None:
        judgements = [_with_help(c, j) for c, j in zip(cases, judgements, strict=True)]
    results = _by_behaviour(cases, judgements)
    return _add_up(exercise, cases, answers, results, wrong_idea)


def forbidden_result(exercise: Exercise, evidence: Sequence[str]) -> Result:
    """Return the result of a solution that uses what its exercise forbids.

    Parameters
    ----------
    exercise
        The exercise.
    evidence
        What was seen where, a sentence each. The message names the first few.
    """
    more = len(evidence) - MOST_EVIDENCE
    rest = f" (And {more} more.)" if more > 0 else ""
    return Result(
        exercise=exercise.id,
        score=0.0,
        max_score=float(exercise.points),
        verdict=Verdict.FORBIDDEN,
        misconception=READY_MADE_FAULT,
        message=f"{' '.join(evidence[:MOST_EVIDENCE])}{rest} Ready-made solutions earn nothing "
        "here: write it from the formula. Comparing with it in a cell of your own is welcome.",
    )


@np.errstate(all="ignore")  # an answer of 1e308 is no news to whoever runs a check
def judge_case(exercise: Exercise, case: Case, answer: Answer) -> Judgement:
    """Judge one answer: whether it ran, is what the oracle says, and left its arguments alone."""
    if answer.failure is not None:
        return Judgement(0.0, _failure_text(exercise, case, answer), _kind(answer))
    if exercise.judge is not None:
        return exercise.judge(case, answer)
    expected, dtype = expected_answer(exercise, case), dtype_of(case)
    tolerance = case.tolerance or tolerance_for(exercise, case)
    side_fault = None
    for label in case.report:
        judgement = compare(
            label, answer.values.get(label), expected.values[label], tolerance, dtype
        )
        if judgement.share == 0.0:
            return judgement
        if judgement.share < 1.0:
            side_fault = side_fault or judgement
    changed = [
        name for name in case.unchanged if not identical(case.inputs[name], answer.values[name])
    ]
    if changed:
        return Judgement(
            SIDE_FAULT_SHARE,
            f"Your function changed its argument `{changed[0]}` in place. Whoever called it still "
            "needs the original: work on a new array.",
            "modifies-argument",
        )
    return side_fault or Judgement(1.0)


def _kind(answer: Answer) -> str:
    return answer.failure.kind if answer.failure is not None else ""


def _failure_text(exercise: Exercise, case: Case, answer: Answer) -> str:
    failure = answer.failure
    assert failure is not None
    if failure.kind == "NotImplementedError":
        if case.script[failure.step].do == "method":
            name = f"{exercise.name}.{case.script[failure.step].member}"
            return f"`{name}` is not written yet: it raises `NotImplementedError`."
        return "Nothing written yet: replace `raise NotImplementedError()` with your code."
    if failure.kind == "MissingName":
        return f"There is no `{failure.message}` in the notebook: run the cell that defines it."
    if failure.kind == "NoItems":
        ask = " Did you forget the `return`?" if failure.message == "None" else ""
        return f"`{exercise.name}` must return several values; it returns {failure.message}.{ask}"
    if failure.kind == TIME_LIMIT:
        return f"`{exercise.name}` did not finish: {failure.message}. Is there a loop without end?"
    if failure.kind in ENDINGS:
        return f"`{exercise.name}` was stopped: {failure.message}."
    text = f": {failure.message.removesuffix('.')}" if failure.message else ""
    number, _, line = failure.line.partition(": ")
    code = f": `{line}`" if line else ""
    place = f" It happened at {number}{code}." if number else ""
    return f"Your code raised `{failure.kind}`{text}.{place}"


def _with_help(case: Case, judgement: Judgement) -> Judgement:
    """Add the case's own sentence to what was seen, if the numbers were wrong."""
    if not case.help or judgement.fault not in ("value", "not-finite"):
        return judgement
    return replace(judgement, message=f"{judgement.message} {case.help}")


def _by_behaviour(cases: list[Case], judgements: list[Judgement]) -> tuple[CaseResult, ...]:
    """Merge draws of one behaviour: the worst one counts, and is the one shown."""
    worst: dict[str, CaseResult] = {}
    for case, judgement in zip(cases, judgements, strict=True):
        seen = worst.get(case.name)
        if seen is None or judgement.share < seen.share:
            worst[case.name] = CaseResult(case.name, judgement.share, case.weight, judgement)
    return tuple(worst.values())


def _add_up(
    exercise: Exercise,
    cases: list[Case],
    answers: list[Answer],
    results: tuple[CaseResult, ...],
    wrong_idea: Misconception | None,
) -> Result:
    gates = {case.name for case in cases if case.gate}
    shut = any(r.share == 0.0 for r in results if r.name in gates)
    earned = sum(r.share * r.weight for r in results) / sum(r.weight for r in results)
    # right on what stands in the notebook, and on nothing else: a table of the visible examples
    idle = {case.name for case in cases if case.idle}
    telling = [r for r in results if r.name not in gates | idle]
    shut = shut or (bool(telling) and all(r.share == 0.0 for r in telling))
    score = 0.0 if shut else round(exercise.points * earned, 2)
    if not all(r.passed for r in results):
        score = min(score, exercise.points - SMALLEST_LOSS)
    heading = _telling(results, gates)
    if wrong_idea is not None:
        name, message = wrong_idea.name, wrong_idea.help
    else:
        name, message = heading.fault, heading.message
    return Result(
        exercise=exercise.id,
        score=score,
        max_score=float(exercise.points),
        verdict=_verdict(answers, results, score),
        misconception=name,
        message=message,
        cases=results,
        seconds=round(sum(a.seconds for a in answers), 4),
    )


def _telling(results: tuple[CaseResult, ...], gates: set[str]) -> Judgement:
    """Choose the judgement to head the panel: a shut gate, else the most frequent fault."""
    failing = [r for r in results if not r.passed]
    if not failing:
        return Judgement(1.0)
    faults = [r.judgement.fault for r in failing]
    frequent = max(failing, key=lambda r: faults.count(r.judgement.fault))
    shut = (r for r in failing if r.share == 0.0 and r.name in gates)
    return next(shut, frequent).judgement


def _verdict(answers: list[Answer], results: tuple[CaseResult, ...], score: float) -> Verdict:
    kinds = [_kind(answer) for answer in answers]
    if ending := next((ENDINGS[kind] for kind in kinds if kind in ENDINGS), None):
        return ending
    if MEMORY_ERROR in kinds and score == 0.0:
        return Verdict.MEMORY
    if all(r.passed for r in results):
        return Verdict.PASSED
    if all(kind in NOT_WRITTEN for kind in kinds):
        return Verdict.NOT_ATTEMPTED
    if score > 0.0:
        return Verdict.PARTIAL
    return Verdict.ERROR if all(kinds) else Verdict.WRONG
