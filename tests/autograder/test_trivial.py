"""No trivial implementation earns anything, not even one that knows the visible examples."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from autograder.check import grade_function
from autograder.exercises import all_exercises
from autograder.judge import assess
from autograder.oracle import Ask, ask_of
from autograder.vocabulary import Case, Exercise, Verdict
from autograder.worker.interpreter import Answer

SEEDS = (0, 1)


def _first(*args: Any, **kwargs: Any) -> Any:
    return [*args, *kwargs.values(), None][0]


def _like(make: Callable[..., Any], value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return make(value.shape, dtype=value.dtype)
    return float(make(()))


def _zeros_for_each(*args: Any, **kwargs: Any) -> Any:
    return tuple(_like(np.zeros, a) for a in (*args, *kwargs.values()))


def _zeros_of_features(*args: Any, **kwargs: Any) -> Any:
    x = np.asarray(_first(*args, **kwargs))
    return np.zeros(x.shape[-1:], x.dtype)


def _raises(kind: type[Exception]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise kind("no")

    return function


class Empty:
    """A class with nothing in it."""


class Remembers:
    """A layer that keeps its parameters and does not normalise."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1) -> None:
        self.eps, self.momentum, self.training = eps, momentum, True
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked = 0

    def __call__(self, x: Any) -> Any:
        """Give back what came in, and count."""
        self.num_batches_tracked += self.training
        return x.copy()

    def train(self, mode: bool = True) -> Remembers:
        """Switch."""
        self.training = mode
        return self

    def eval(self) -> Remembers:
        """Switch back."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """Copy."""
        names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        return {name: np.array(getattr(self, name)) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Copy back."""
        for name, value in state.items():
            setattr(self, name, np.array(value))


class Refuses(Remembers):
    """A layer that raises the error that one case asks for."""

    def __call__(self, x: Any) -> Any:
        """Refuse every batch."""
        raise ValueError("no")


TRIVIAL: dict[str, Any] = {
    "None": lambda *a, **k: None,
    "its argument": _first,
    "its second argument": lambda *a, **k: [*a, *k.values(), None, None][1],
    "a copy of its argument": lambda *a, **k: np.array(_first(*a, **k)),
    "its arguments": lambda *a, **k: (*a, *k.values()),
    "its argument and None": lambda *a, **k: (_first(*a, **k), None),
    "zeros": lambda *a, **k: _like(np.zeros, _first(*a, **k)),
    "ones": lambda *a, **k: _like(np.ones, _first(*a, **k)),
    "zero": lambda *a, **k: 0.0,
    "one": lambda *a, **k: 1,
    "True": lambda *a, **k: True,
    "a zero for each feature": _zeros_of_features,
    "zeros for each argument": _zeros_for_each,
    "three arrays of zeros": lambda *a, **k: (_like(np.zeros, _first(*a, **k)),) * 3,
    "nothing": lambda *a, **k: (),
    "an empty dict": lambda *a, **k: {},
    "a text": lambda *a, **k: "batch norm",
    "ValueError": _raises(ValueError),
    "TypeError": _raises(TypeError),
    "NotImplementedError": _raises(NotImplementedError),
    "an empty class": Empty,
    "a layer that remembers": Remembers,
    "a layer that refuses": Refuses,
}
EXERCISES = pytest.mark.parametrize("exercise", all_exercises(), ids=lambda e: e.id)


@EXERCISES
def test_a_trivial_implementation_earns_nothing(exercise: Exercise) -> None:
    """Doing nothing, echoing, a constant, an error: no attempt, no points."""
    for seed, (name, trivial) in product(SEEDS, TRIVIAL.items()):
        result = grade_function(exercise.id, trivial, seed)
        earned = [case.name for case in result.cases if case.share]
        assert result.score == 0.0, f"{name}: {earned}"


@EXERCISES
def test_the_visible_example_by_heart_earns_nothing(exercise: Exercise) -> None:
    """A table of the test cell's examples, and something trivial for all other inputs."""
    by_heart = ask_of({**exercise.namespace, exercise.name: exercise.oracle})
    for seed, (name, trivial) in product(SEEDS, TRIVIAL.items()):
        cases = list(exercise.cases(np.random.default_rng(seed)))
        result = assess(exercise, cases, _split(by_heart, ask_of({exercise.name: trivial})))
        earned = {case.name for case in result.cases if case.share}
        assert {case.name for case in cases if case.gate} <= earned
        assert (result.score, result.verdict) == (0.0, Verdict.WRONG), f"{name}: {earned}"


def _split(visible: Ask, hidden: Ask) -> Ask:
    def ask(case: Case) -> Answer:
        with np.errstate(all="ignore"):
            return visible(case) if case.gate else hidden(case)

    return ask


@EXERCISES
def test_every_exercise_has_hidden_cases_that_tell(exercise: Exercise) -> None:
    """Cases that are neither a visible example nor passed by doing nothing."""
    cases = list(exercise.cases(np.random.default_rng(0)))
    assert any(not case.gate and not case.idle for case in cases)
    assert any(case.gate for case in cases)
