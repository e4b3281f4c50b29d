"""Every exercise rejects its wrong variants and accepts its right ones, whatever the seed."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.check import grade_function
from autograder.exercises import all_exercises, find, units
from autograder.judge import assess
from autograder.oracle import ask_of
from autograder.vocabulary import Verdict
from tests.variants import Variant, load

SEEDS = (0, 1, 2, 3, 4)
VARIANTS = [variant for unit in units() for variant in load(unit)]
RIGHT = [v for v in VARIANTS if v.right]
WRONG = [v for v in VARIANTS if not v.right]
LARGE_MINUTES = 15  # exercises that take longer need more variants


def exercise_id(variant: Variant) -> str:
    """Name under which check knows the variant's exercise."""
    return f"{variant.unit.partition('_')[0]}.{variant.exercise}"


@pytest.mark.parametrize("variant", RIGHT, ids=str)
def test_right_variant_is_accepted(variant: Variant) -> None:
    """A right solution, however unusual, gets full points on every seed."""
    for seed in SEEDS:
        result = grade_function(exercise_id(variant), variant.build(), seed)
        failed = [f"{c.name}: {c.judgement.message}" for c in result.cases if not c.passed]
        assert result.verdict is Verdict.PASSED, f"seed {seed}: {failed}"
        assert result.score == result.max_score


@pytest.mark.parametrize("variant", WRONG, ids=str)
def test_wrong_variant_is_rejected(variant: Variant) -> None:
    """A wrong solution passes on no seed, and is named where its fault has a name."""
    for seed in SEEDS:
        result = grade_function(exercise_id(variant), variant.build(), seed)
        assert result.verdict is not Verdict.PASSED, f"seed {seed}"
        assert result.score < result.max_score
        if variant.names:
            assert result.misconception == variant.names, f"seed {seed}: {result.message}"


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda e: e.id)
def test_every_exercise_has_variants(exercise: object) -> None:
    """An exercise ships at least 4 right and 6 wrong variants, a large one 8 and 12."""
    large = exercise.minutes >= LARGE_MINUTES  # type: ignore[attr-defined]
    own = [v for v in VARIANTS if exercise_id(v) == exercise.id]  # type: ignore[attr-defined]
    assert sum(v.right for v in own) >= (8 if large else 4)
    assert sum(not v.right for v in own) >= (12 if large else 6)


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda e: e.id)
def test_every_misconception_is_recognised_from_its_own_variant(exercise: object) -> None:
    """Each named wrong idea is what the judge names; ours may call the reference, unlike theirs."""
    for idea in exercise.misconceptions:  # type: ignore[attr-defined]
        if idea.variant is None:
            continue
        ask = ask_of({exercise.name: idea.variant})  # type: ignore[attr-defined]
        drawn = exercise.cases(np.random.default_rng(7))  # type: ignore[attr-defined]
        with np.errstate(all="ignore"):
            result = assess(exercise, drawn, ask)  # type: ignore[arg-type]
        assert result.misconception == idea.name, idea.name


def test_every_variant_belongs_to_an_exercise() -> None:
    """A misspelt name in a header is an error, not a variant that is never run."""
    for variant in VARIANTS:
        assert find(exercise_id(variant)).name == variant.exercise
