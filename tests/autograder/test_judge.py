"""The judge scores answers: values, dtypes, changed arguments, gates, wrong ideas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.compare import compare
from autograder.errors import GradingError
from autograder.judge import (
    READY_MADE_FAULT,
    SHORTCUT,
    TIME_LIMIT,
    assess,
    forbidden_result,
    judge_case,
)
from autograder.oracle import ask_of
from autograder.vocabulary import Case, Exercise, Misconception, Result, Tolerance, Verdict
from autograder.worker.interpreter import Answer, Failure
from autograder.worker.script import call, method

TOLERANCES = {
    "float64": Tolerance(1e-10, 1e-10, "test"),
    "float32": Tolerance(1e-5, 1e-5, "test"),
}


def double(x: np.ndarray) -> np.ndarray:
    """Twice x."""
    return 2 * x


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """One gate and two ordinary cases."""
    script = (call("double", "x", into="y"),)
    yield Case("example", {"x": np.array([1.0, 2.0])}, script, ("y",), ("x",), gate=True)
    yield Case("random", {"x": rng.normal(size=(4, 3))}, script, ("y",), ("x",), weight=2)
    x32 = rng.normal(size=5).astype("float32")
    yield Case("float32", {"x": x32}, script, ("y",), ("x",))


def exercise(**changes: Any) -> Exercise:
    """Make the exercise `double`, worth 4 points."""
    fields: dict[str, Any] = {
        "unit": "u99_test",
        "name": "double",
        "points": 4,
        "minutes": 1,
        "oracle": double,
        "cases": cases,
        "tolerances": TOLERANCES,
        "misconceptions": (Misconception("triple", "You tripled.", lambda x: 3 * x),),
    }
    return Exercise(**(fields | changes))


def result_of(function: Callable[..., Any], **changes: Any) -> Result:
    """Judge one function."""
    tested = exercise(**changes)
    drawn = list(tested.cases(np.random.default_rng(0)))
    return assess(tested, drawn, ask_of({"double": function}))


def test_a_right_answer_gets_all_points() -> None:
    """Everything right: full score and nothing to say."""
    result = result_of(lambda x: x + x)
    assert (result.score, result.verdict, result.message) == (4.0, Verdict.PASSED, "")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: None,
        lambda x: "2x",
        lambda x: object(),
        lambda x: float("nan") * x,
        lambda x: np.inf * x,
        lambda x: (2 * x).tolist(),
        lambda x: 2,
        lambda x: np.array([]),
        lambda x: (2 * x)[None],
        lambda x: 2 * x.astype(object),
        lambda x: (2 * x) > 0,
        lambda x: x,
        lambda x: 1 / 0,
    ],
)
def test_nothing_that_is_not_the_answer_earns_points(function: Callable[..., Any]) -> None:
    """Wrong type, shape, value, an error, nan: no points."""
    result = result_of(function)
    assert result.score == 0.0
    assert result.verdict in (Verdict.WRONG, Verdict.ERROR)
    assert result.message


def test_a_failed_gate_costs_everything() -> None:
    """Whoever fails the notebook's own example scores 0, as nbgrader does on a failed assert."""
    assert result_of(lambda x: 2 * x if x.ndim == 2 else x).score == 0.0


def test_a_failed_case_costs_its_weight() -> None:
    """Without the gate, a case costs its share: 2 of 4 here."""
    result = result_of(lambda x: 2 * x if x.ndim == 1 else x)
    assert (result.score, result.verdict) == (2.0, Verdict.PARTIAL)


def test_a_failed_case_is_never_rounded_away() -> None:
    """A case of hardly any weight costs 0.01, so that full points mean that all is right."""

    def light(rng: np.random.Generator) -> Iterator[Case]:
        for case in cases(rng):
            yield replace(case, weight=1e-6 if case.name == "float32" else 1.0)

    result = result_of(lambda x: x if x.dtype == "float32" else 2 * x, cases=light)
    assert (result.score, result.verdict) == (3.99, Verdict.PARTIAL)


def test_the_wrong_dtype_costs_half_of_its_case() -> None:
    """Right numbers in float64 for a float32 input: 1/2 of 1 of 4."""
    result = result_of(lambda x: 2 * x.astype("float64"))
    assert (result.score, result.misconception) == (3.5, "dtype")


def test_a_changed_argument_costs_half_and_is_named() -> None:
    """The right answer of a function that modifies x in place."""

    def in_place(x: np.ndarray) -> np.ndarray:
        x *= 2
        return x.copy()

    result = result_of(in_place)
    assert (result.score, result.misconception) == (2.0, "modifies-argument")
    assert "`x`" in result.message


def test_a_wrong_idea_is_recognised_by_its_answers() -> None:
    """The help of the misconception is shown, not a list of numbers."""
    result = result_of(lambda x: x + 2 * x)
    assert (result.misconception, result.message) == ("triple", "You tripled.")


def test_an_answer_like_no_misconception_is_described() -> None:
    """The first difference is said in words."""
    result = result_of(lambda x: -2 * x)
    assert result.misconception == "value"
    assert "sign" in result.message


def test_an_error_is_quoted_as_one_sentence() -> None:
    """The message's own full stop is not doubled."""

    def fail(x: np.ndarray) -> np.ndarray:
        raise ValueError("x is no batch.")

    assert result_of(fail).message == "Your code raised `ValueError`: x is no batch."


def test_the_most_frequent_fault_is_told_unless_a_gate_is_shut() -> None:
    """One odd case does not hide what is wrong with the others; a failed gate comes first."""

    def fails(*shapes: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
        return lambda x: x[..., None] if x.shape in shapes else 2 * x + x**2

    def more(rng: np.random.Generator) -> Iterator[Case]:
        yield from list(cases(rng))[::-1]

    assert result_of(fails((5,)), cases=more).misconception == "value"
    assert result_of(fails((4, 3), (5,)), cases=more).misconception == "value"
    open_gate = {"cases": lambda rng: (replace(c, gate=False) for c in more(rng))}
    assert result_of(fails((4, 3), (5,)), **open_gate).misconception == "shape"
    assert result_of(fails((5,)), **open_gate).misconception == "value"


@pytest.mark.parametrize(
    ("function", "helps"),
    [(lambda x: x**2, True), (lambda x: x * np.nan, True), (lambda x: x[None], False)],
)
def test_the_help_of_a_case_is_for_wrong_numbers(function: Callable[..., Any], helps: bool) -> None:
    """A wrong shape says all there is; wrong numbers get the case's own sentence."""

    def helpful(rng: np.random.Generator) -> Iterator[Case]:
        yield from (replace(case, help="Mind the scale.") for case in cases(rng))

    assert result_of(function, cases=helpful).message.endswith(" Mind the scale.") is helps


def test_not_written_is_not_attempted() -> None:
    """The stub of the release notebook is no error."""

    def stub(x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    assert result_of(stub).verdict is Verdict.NOT_ATTEMPTED


def test_a_time_limit_ends_the_exercise() -> None:
    """After one case that does not end, no other is asked."""
    asked: list[str] = []

    def ask(case: Case) -> Answer:
        asked.append(case.name)
        return Answer({}, Failure(TIME_LIMIT, "it was stopped", -1), 5.0)

    tested = exercise()
    result = assess(tested, list(tested.cases(np.random.default_rng(0))), ask)
    assert asked == ["example"]
    assert (result.score, result.verdict) == (0.0, Verdict.TIMEOUT)


def test_a_broken_reference_is_our_fault() -> None:
    """An oracle that fails is no mark, neither 0 nor full."""
    with pytest.raises(GradingError, match="our fault"):
        result_of(double, oracle=lambda x: 1 / 0)


def test_draws_of_one_behaviour_count_once_and_by_the_worst() -> None:
    """Right on the first draw and wrong on the second is wrong."""
    tested = exercise()
    rng = np.random.default_rng(0)
    drawn = [case for _ in range(2) for case in tested.cases(rng)]
    calls = {"n": 0}

    def tired(x: np.ndarray) -> np.ndarray:
        calls["n"] += 1
        return 2 * x if calls["n"] <= 3 else x

    result = assess(tested, drawn, ask_of({"double": tired}))
    assert result.score == 0.0
    assert len(result.cases) == 3


def test_the_oracle_sees_inputs_in_double() -> None:
    """The expected value of a float32 case is not rounded to float32 on the way."""
    seen: list[np.dtype] = []

    def spy(x: np.ndarray) -> np.ndarray:
        seen.append(x.dtype)
        return 2 * x

    result_of(double, oracle=spy)
    assert set(seen) == {np.dtype("float64")}


def test_the_parts_of_a_tuple_are_called_by_their_names() -> None:
    """A label like `(dy, dz)` names its parts, and a list will do; a plain label wants a tuple."""
    expected = (np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    wrong = [expected[0], np.array([3.0, 6.0])]
    named = compare("(dy, dz)", wrong, expected, TOLERANCES["float64"], None)
    assert named.message.startswith("`dz` is wrong")
    plain = compare("axes", list(expected), expected, TOLERANCES["float64"], None)
    assert "must be a tuple" in plain.message


def test_a_method_that_is_not_written_is_named() -> None:
    """A class that is half done is not told that nothing is written."""

    class Half:
        def __call__(self, x: np.ndarray) -> np.ndarray:
            return x

        def reset(self) -> None:
            raise NotImplementedError

    def half_cases(rng: np.random.Generator) -> Iterator[Case]:
        x = {"x": np.ones(2)}
        made = call("Half", into="layer")
        yield Case("call", x, (made, call("layer", "x", into="y")), ("y",))
        yield Case("reset", x, (made, method("layer", "reset", into="y")), ("y",))

    tested = exercise(name="Half", cases=half_cases, oracle=Half, misconceptions=())
    drawn = list(half_cases(np.random.default_rng(0)))
    answers = [ask_of({"Half": Half})(case) for case in drawn]
    assert judge_case(tested, drawn[0], answers[0]).share == 1.0
    assert "`Half.reset` is not written yet" in judge_case(tested, drawn[1], answers[1]).message


def test_an_answer_rounded_to_a_narrow_dtype_is_told_so() -> None:
    """Digits that float32 cannot hold are lost because of the dtype, not of the formula."""
    result = result_of(lambda x: (2 * x).astype("float32"))
    assert (result.misconception, result.score) == ("dtype", 1.5)


def test_a_forbidden_call_costs_everything_and_is_named() -> None:
    """No further case is asked, and the student reads what is not accepted, and what is."""
    asked: list[str] = []

    def ask(case: Case) -> Answer:
        asked.append(case.name)
        return Answer({}, Failure(SHORTCUT, "bnlib.batch_mean", -1), 0.1)

    tested = exercise()
    result = assess(tested, list(tested.cases(np.random.default_rng(0))), ask)
    assert asked == ["example"]
    assert (result.score, result.max_score, result.verdict) == (0.0, 4.0, Verdict.FORBIDDEN)
    assert result.misconception == READY_MADE_FAULT
    assert result.message.startswith("`double` calls bnlib.batch_mean. Ready-made solutions")
    assert "Comparing with it in a cell of your own is welcome." in result.message


def test_the_first_pieces_of_evidence_are_told() -> None:
    """Three sentences are enough for a student; the rest is counted."""
    result = forbidden_result(exercise(), ["One.", "Two.", "Three.", "Four.", "Five."])
    assert result.message.startswith("One. Two. Three. (And 2 more.) Ready-made")


def test_the_visible_example_alone_earns_nothing() -> None:
    """Right on what stands in the notebook, wrong on everything else: a table is no function."""
    result = result_of(lambda x: np.array([2.0, 4.0]))
    assert [case.passed for case in result.cases] == [True, False, False]
    assert (result.score, result.verdict) == (0.0, Verdict.WRONG)


def test_what_doing_nothing_passes_earns_only_beside_something_else() -> None:
    """An idle case gives its weight to those who have solved some other one."""

    def idle(rng: np.random.Generator) -> Iterator[Case]:
        for case in cases(rng):
            yield replace(case, idle=case.name == "float32")

    by_heart = result_of(lambda x: 2 * x if x.dtype == "float32" or x.ndim == 1 else x, cases=idle)
    assert (by_heart.score, by_heart.verdict) == (0.0, Verdict.WRONG)
    solved = result_of(lambda x: 2 * x, cases=idle)
    assert (solved.score, solved.verdict) == (4.0, Verdict.PASSED)


def test_an_answer_of_a_form_no_sign_is_made_for_is_no_fault_of_ours() -> None:
    """Signs look into answers that anybody can send; they show nothing then, and do not raise."""

    def signs(case: Case, answer: Answer, expected: Answer) -> bool:
        return bool(np.asarray(answer.values["y"]).sum() > 0)

    idea = Misconception("sum", "You summed.", signs=signs)
    result = result_of(lambda x: (x, None), misconceptions=(idea,))
    assert (result.score, result.misconception) == (0.0, "type")
