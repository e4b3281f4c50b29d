"""From a clean submission and what running it gave, to one result an exercise: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from autograder.clean import Cell, Clean
from autograder.errors import GradingError
from autograder.execution import STOPS, Execution
from autograder.judge import ENDINGS, MEMORY_ERROR, assess, forbidden_result
from autograder.needs import require_installed
from autograder.paper import Question
from autograder.shortcuts import find_shortcuts
from autograder.vocabulary import Case, Result, Verdict
from autograder.worker.interpreter import Answer, Failure

STOPPED = {**ENDINGS, MEMORY_ERROR: Verdict.MEMORY}
# without one of these words no code gets at a module that is forbidden, or at its text
MEANS = re.compile(
    r"bnlib|torch|autograder|import\w|\bmodules\b|__|exec|eval|compile|getattr|attrgetter"
    r"|globals|locals|vars|runpy|pkgutil|inspect|ctypes|gc\b|load|^\s*[%!]|=\s*[%!]\s*\w",
    re.M,
)
NO_ANSWER = "So there was nothing to judge."


def mark(
    clean: Clean, execution: Execution, questions: Mapping[str, Question], sandbox: str
) -> dict[str, Result]:
    """Judge the answers of one submission.

    Parameters
    ----------
    clean
        The submission.
    execution
        What running it gave.
    questions
        What was asked, by the exercise's name.
    sandbox
        What held the student's code; recorded in every result.

    Returns
    -------
    dict
        The results by the exercise's name.
    """
    results = {}
    could_reach = _could_reach(clean)
    for name, question in questions.items():
        try:
            require_installed(question.exercise)
            forbidden = _forbidden(clean, question) if could_reach else None
            result = forbidden or _judged(clean, execution, question)
        except GradingError as error:  # of the exercise's own reference: never the student's fault
            result = not_graded(question, str(error))
        results[name] = replace(result, sandbox=sandbox)
    return results


def not_graded(question: Question, reason: str) -> Result:
    """Return the result of an exercise on which the grader itself failed."""
    points = float(question.exercise.points)
    return Result(question.exercise.id, 0.0, points, Verdict.NOT_GRADED, "", reason)


def _forbidden(clean: Clean, question: Question) -> Result | None:
    """Return the result if the code itself shows a ready-made solution."""
    exercise = question.exercise
    code = _code_before(clean, exercise.name)
    evidence = find_shortcuts(code, exercise.name, exercise.forbidden)
    return forbidden_result(exercise, [str(item) for item in evidence]) if evidence else None


def _judged(clean: Clean, execution: Execution, question: Question) -> Result:
    exercise = question.exercise
    answers = iter(execution.answers.get(exercise.name, ()))

    def ask(_case: Case) -> Answer:
        missing = Answer({}, Failure("Crash", STOPS["Crash"], -1), 0.0)
        return next(answers, missing)

    result = assess(exercise, question.cases, ask)
    return _with_stop(clean, execution, result, exercise.name)


def _could_reach(clean: Clean) -> bool:
    """Say whether the student's code names anything that a shortcut needs; nearly none does."""
    return any(
        MEANS.search(cell.source)
        for cell in clean.cells
        if cell.kind == "code" and cell.role not in ("test", "given")
    )


def _code_before(clean: Clean, name: str) -> list[tuple[str, str]]:
    """Return the code that runs before an exercise is judged, by cell."""
    code = []
    for cell in clean.cells:
        if cell.role == "test" and cell.name == f"test_{name}":
            break
        if cell.kind == "code" and cell.role != "test":
            code.append((cell.name, cell.source))
    return code


def _with_stop(clean: Clean, execution: Execution, result: Result, name: str) -> Result:
    """Say why a function is missing whose own cell was stopped, or raised, before it was there."""
    answers = execution.answers.get(name, ())
    if not any(a.failure is not None and a.failure.kind == "MissingName" for a in answers):
        return result
    for index, cell in enumerate(clean.cells):
        ran = execution.ran.get(index)
        if ran is None or not _is_solution(cell, name):
            continue
        if ran.stopped:
            text = f"The cell of `{name}` was stopped: {STOPS[ran.stopped]}."
            return replace(result, verdict=STOPPED[ran.stopped], message=f"{text} {NO_ANSWER}")
        if ran.error:
            text = f"The cell of `{name}` raised `{ran.error}`."
            return replace(result, verdict=Verdict.ERROR, message=f"{text} {NO_ANSWER}")
    return result


def _is_solution(cell: Cell, name: str) -> bool:
    return cell.role == "solution" and cell.name == name
