"""Marks are a pure function of a submission and what running it gave."""

from __future__ import annotations

import numpy as np
import pytest

from autograder import oracle
from autograder.errors import GradingError
from autograder.execution import Execution, Ran
from autograder.marking import mark, not_graded
from autograder.oracle import ask_of
from autograder.paper import Question, set_paper
from autograder.vocabulary import Verdict
from autograder.worker.interpreter import Answer, Failure
from tests.pipeline.work import SEED, UNIT, submission

QUESTIONS = set_paper(UNIT, SEED, 5.0).questions


def answers(question: Question, count: int | None = None) -> list[Answer]:
    """Return the reference's answers to the first few cases."""
    ask = ask_of({question.exercise.name: question.exercise.oracle})
    return [ask(case) for case in question.cases[:count]]


def all_right() -> Execution:
    """Return an execution that answers everything."""
    return Execution({}, {name: answers(question) for name, question in QUESTIONS.items()})


@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_every_result_records_what_held_the_code(sandbox: str) -> None:
    """A mark without a sandbox is a mark to be doubted."""
    results = mark(submission(), all_right(), QUESTIONS, sandbox)
    assert [result.sandbox for result in results.values()] == [sandbox] * 2
    assert all(result.verdict is Verdict.PASSED for result in results.values())


def test_nothing_answered_is_no_points() -> None:
    """What was not run is not taken for right."""
    results = mark(submission(), Execution(), QUESTIONS, "bubblewrap")
    assert {(r.score, r.verdict) for r in results.values()} == {(0.0, Verdict.CRASHED)}


def test_answers_that_stop_half_way_are_no_full_points() -> None:
    """A process that ends after the first cases earns those at most, and is called what it is."""
    execution = all_right()
    execution.answers["center"] = answers(QUESTIONS["center"], 4)
    result = mark(submission(), execution, QUESTIONS, "bubblewrap")["center"]
    assert result.verdict is Verdict.CRASHED
    assert result.score < result.max_score


def test_a_fault_of_the_reference_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exercise is not graded, never 0 and never full; the other one is marked."""
    true = oracle.expected_answer

    def broken(exercise: object, case: object) -> Answer:
        if getattr(exercise, "name", "") == "center":
            raise GradingError("The reference failed.")
        return true(exercise, case)  # type: ignore[arg-type]

    monkeypatch.setattr("autograder.judge.expected_answer", broken)
    results = mark(submission(), all_right(), QUESTIONS, "bubblewrap")
    assert results["center"].verdict is Verdict.NOT_GRADED
    assert results["center"].message == "The reference failed."
    assert results["column_scale"].verdict is Verdict.PASSED


def test_ready_made_solutions_earn_nothing() -> None:
    """Whatever they answer: the source is looked at, and what the worker saw."""
    source = "import bnlib\ndef center(x):\n    return bnlib.center(x)"
    assert mark(submission(center=source), all_right(), QUESTIONS, "none")["center"].score == 0.0
    execution = all_right()
    execution.answers["center"][2] = Answer({}, Failure("Shortcut", "bnlib.center", -1), 0.0)
    result = mark(submission(), execution, QUESTIONS, "none")["center"]
    assert (result.score, result.verdict) == (0.0, Verdict.FORBIDDEN)


def test_a_function_whose_cell_was_stopped_is_not_called_unwritten() -> None:
    """The verdict says what stopped the cell."""
    clean = submission()
    at = next(i for i, cell in enumerate(clean.cells) if cell.name == "center")
    missing = Answer({}, Failure("MissingName", "center", 0), 0.0)
    execution = all_right()
    execution.ran[at] = Ran(stopped="MemoryLimit")
    execution.answers["center"] = [missing] * len(QUESTIONS["center"].cases)
    result = mark(clean, execution, QUESTIONS, "none")["center"]
    assert (result.score, result.verdict) == (0.0, Verdict.MEMORY)
    assert "was stopped" in result.message


def test_an_answer_of_the_wrong_numbers_is_wrong() -> None:
    """So that the tests above show something."""
    execution = all_right()
    zero = Answer({"centered": np.zeros((3, 2))}, None, 0.0)
    execution.answers["center"] = [zero] * len(QUESTIONS["center"].cases)
    assert mark(submission(), execution, QUESTIONS, "none")["center"].verdict is Verdict.WRONG


def test_not_graded_has_no_points() -> None:
    """Though it says how many there were."""
    result = not_graded(QUESTIONS["center"], "why")
    assert (result.score, result.max_score, result.message) == (0.0, 1.0, "why")
