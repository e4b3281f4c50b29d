"""The black boxes of unit 6: what a case asks, and that only asking earns anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

import bnlib
from autograder.check import grade_function
from autograder.exercises import find
from autograder.exercises.u06_family.boxes import KINDS
from autograder.oracle import ask_of, expected_answer
from autograder.vocabulary import Case
from autograder.worker.interpreter import run_script

EXERCISE = find("u06.which_norm")
SEEDS = range(30)
Answer = tuple[str, ...]


def drawn(seed: int) -> list[tuple[Case, Answer]]:
    """Draw the cases of a seed, with what the reference answers."""
    cases = list(EXERCISE.cases(np.random.default_rng(seed)))
    answers = [expected_answer(EXERCISE, case) for case in cases]
    return [(c, tuple(a.values[k] for k in c.report)) for c, a in zip(cases, answers, strict=True)]


def truth(case: Case) -> Answer:
    """Read from a box's table what it is, without the reference."""
    return tuple(_kind(case.inputs[step.args[0]].parameters["labels"]) for step in case.script)


def _kind(labels: np.ndarray) -> str:
    first, second = labels
    if len(np.unique(labels)) == labels.size:
        return "none"
    if (first == second).all():
        return "batch"
    sets = len(np.unique(first))
    return {1: "layer", len(first): "instance"}.get(sets, "group")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_names_every_box(seed: int) -> None:
    """In all shapes, in both dtypes, with and without scale and shift."""
    for case, answer in drawn(seed):
        assert answer == truth(case)


def test_every_group_of_boxes_has_two_kinds_at_least() -> None:
    """So that one word for all of them is never right."""
    for seed in SEEDS:
        for _, answer in drawn(seed):
            assert len(set(answer)) >= 2


def test_neither_order_nor_number_tells_a_kind() -> None:
    """Every kind stands at every place; groups of a name differ in length."""
    firsts: Counter[str] = Counter()
    lasts: Counter[str] = Counter()
    lengths = set()
    for seed in SEEDS:
        for case, answer in drawn(seed):
            if "images" in case.name:
                firsts[answer[0]] += 1
                lasts[answer[-1]] += 1
                lengths.add(len(answer))
    assert set(firsts) == set(lasts) == set(KINDS)
    assert len(lengths) > 1


@pytest.mark.parametrize("word", KINDS)
def test_one_word_for_all_boxes_earns_nothing(word: str) -> None:
    """Whichever it is."""
    for seed in (0, 1, 2):
        result = grade_function("u06.which_norm", lambda f, shape, rng: word, seed)
        assert result.score == 0.0
        assert result.misconception == "one-word-for-all"


def test_guessing_earns_next_to_nothing() -> None:
    """A random word for each box: less than a tenth of the points on average."""
    scores = [
        grade_function("u06.which_norm", lambda f, shape, rng: str(rng.choice(KINDS)), seed).score
        for seed in range(40)
    ]
    assert np.mean(scores) < 0.1 * EXERCISE.points


def counting(calls: list[int]) -> Callable[..., str]:
    """Make a detective that notes how often it asks."""

    def which_norm(f: Callable[..., np.ndarray], shape: tuple[int, ...], rng: object) -> str:
        asked = 0

        def counted(x: np.ndarray) -> np.ndarray:
            nonlocal asked
            asked += 1
            return f(x)

        word = bnlib.which_norm(counted, shape, rng)  # type: ignore[arg-type]
        calls.append(asked)
        return word

    return which_norm


def test_all_boxes_take_the_same_number_of_questions() -> None:
    """A box neither refuses a question nor tires of them."""
    calls: list[int] = []
    ask = ask_of({"which_norm": counting(calls)})
    for case, answer in drawn(0):
        assert tuple(ask(case).values[k] for k in case.report) == answer
    assert len(set(calls)) == 1


def test_a_detective_is_told_nothing_but_the_box() -> None:
    """The names of the arguments, seeds and shapes say nothing of the kind."""
    seen: dict[str, set[str]] = {}
    for seed in SEEDS:
        for case, answer in drawn(seed):
            if "sequences" not in case.name:
                continue
            for step, kind in zip(case.script, answer, strict=True):
                box, shape, _ = (case.inputs[name] for name in step.args)
                seen.setdefault(kind, set()).add(f"{shape} {sorted(box.parameters)} {box.name}")
    assert len({frozenset(forms) for forms in seen.values()}) == 1
    case = drawn(0)[1][0]
    answer = run_script(
        case.script, case.inputs, case.report, {"which_norm": lambda *a: repr(a[0])}
    )
    assert set(answer.values.values()) == {"<a black box>"}
