"""Central differences: the gradient of any function by measuring it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u04_backward_graph.batches import UNIT, inputs, odd_layout, signed
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

TOLERANCE = {
    "float64": Tolerance(
        1e-6,
        1e-7,
        "float64: rounding of f and of the sum over the batch, about 100 eps = 2e-14, divided by "
        "2h = 2e-5 gives 1e-9; the factor 100 leaves room for any order of summation",
    )
}
GATE_TOLERANCE = Tolerance(1e-3, 1e-3, "the asserts of the test cell allow this much, too")
OWN_STEP = "another step, h = 0.1"
DEFAULT_H = (call("numerical_gradient", "f", "x", "dy", into="dx"),)
OWN_H = (call("numerical_gradient", "f", "x", "dy", "h", into="dx"),)


def _case(
    name: str, f: Given, x: np.ndarray, dy: np.ndarray, h: float | None = None, **options: Any
) -> Case:
    given: dict[str, object] = {"f": f, "x": x, "dy": dy}
    if h is not None:
        given["h"] = h
    script = DEFAULT_H if h is None else OWN_H
    return Case(name, given, script, ("dx",), ("x", "dy"), **options)


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    n, c = int(rng.integers(5, 8)), int(rng.integers(2, 5))
    square = Given("elementwise", {"name": "square"})
    yield _case(
        "the example of the test cell",
        square,
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1.0, 1.0], [1.0, 10.0]]),
        gate=True,
        tolerance=GATE_TOLERANCE,
    )
    yield _case(
        "f that returns its own argument (test cell)",
        Given("identity"),
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[1.0, 1.0], [1.0, 10.0]]),
        gate=True,
        tolerance=GATE_TOLERANCE,
        help="This f hands back the very array it was given: does it still hold f(x + h) later?",
    )
    x, gamma, beta, dy = inputs(rng, n, c)
    yield _case("a function of each entry on its own", Given("elementwise", {"name": "sin"}), x, dy)
    weight = Given("linear_map", {"weight": rng.normal(size=(c, c)) + 2.0})
    yield _case("a linear map, which mixes the columns", weight, x, dy)
    norm = Given("batch_norm", {"gamma": gamma, "beta": beta, "eps": 1e-5})
    yield _case("batch norm, which mixes the rows", norm, x, dy, weight=2.0)
    yield _case(
        "f that returns a view of its argument",
        Given("rows_reversed_view"),
        x,
        dy,
        help="What this f returns shares memory with its argument: change one, change both.",
    )
    cube = Given("elementwise", {"name": "cube"})
    yield _case(
        OWN_STEP,
        cube,
        x,
        dy,
        0.1,
        help="With a large step one-sided differences are far off, and so is a fixed h.",
    )
    yield _case("x in another memory layout", norm, odd_layout(x), np.asfortranarray(dy))
    yield _case("one feature (C = 1)", cube, signed(rng, 5)[:, np.newaxis], rng.normal(size=(5, 1)))


def _differences(
    f: Any, x: np.ndarray, dy: np.ndarray, h: float, *, ahead: float = 1.0, back: float = 1.0
) -> np.ndarray:
    """Difference quotient between `x + ahead*h` and `x - back*h`, over their distance."""
    dx = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += ahead * h
        below[index] -= back * h
        rise = np.array(f(above)) - np.array(f(below))
        dx[index] = (dy * rise).sum() / ((ahead + back) * h)
    return dx


def _overwrites_result(f: Any, x: np.ndarray, dy: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Nudge one array up and down, and keep what f returned without copying it."""
    point, dx = x.copy(), np.empty(x.shape)
    for index in np.ndindex(x.shape):
        old = point[index]
        point[index] = old + h
        above = f(point)
        point[index] = old - h
        below = f(point)
        point[index] = old
        dx[index] = (dy * (above - below)).sum() / (2 * h)
    return dx


def _all_at_once(f: Any, x: np.ndarray, dy: np.ndarray, h: float = 1e-5) -> np.ndarray:
    return np.asarray(dy * (f(x + h) - f(x - h)) / (2 * h))


def _own_entry_only(f: Any, x: np.ndarray, dy: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Nudge one entry at a time, and look at no other entry of f."""
    dx = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        own = np.zeros(x.shape)
        own[index] = dy[index]
        dx[index] = _differences(f, x, own, h)[index]
    return dx


def _brackets_missing(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether dx is h² times what it should be.

    Signs in the place of a variant, which could not be told from zeros at h = 1e-5.
    """
    dx, right = answer.values["dx"], expected.values["dx"]
    h = case.inputs.get("h", 1e-5)
    assert isinstance(right, np.ndarray)
    assert isinstance(h, float)
    if not isinstance(dx, np.ndarray) or dx.shape != right.shape:
        return False
    return bool(np.allclose(dx / h**2, right, rtol=1e-3, atol=1e-3))


def _step_ignored(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether the cube's gradient came out as 3x² although h was large: then another h was used.

    Signs in the place of a variant, which would be right wherever the default step is asked for.
    """
    if case.name != OWN_STEP or not isinstance(dx := answer.values["dx"], np.ndarray):
        return False
    x, dy = case.inputs["x"], case.inputs["dy"]
    return dx.shape == x.shape and bool(np.allclose(dx, 3 * x**2 * dy, rtol=1e-5, atol=1e-7))


NUMERICAL_GRADIENT = Exercise(
    unit=UNIT,
    name="numerical_gradient",
    points=3,
    minutes=10,
    oracle=bnlib.numerical_gradient,
    cases=_cases,
    tolerances=TOLERANCE,
    misconceptions=(
        Misconception(
            "divides-by-h",
            "Everything is twice as large as it should be: x + h and x − h are 2h apart.",
            lambda f, x, dy, h=1e-5: 2 * _differences(f, x, dy, h),
        ),
        Misconception(
            "upstream-ignored",
            "You left dy out: the gradient asked for is that of the sum of dy · f(x).",
            lambda f, x, dy, h=1e-5: _differences(f, x, np.ones_like(dy), h),
        ),
        Misconception(
            "nudges-everything-at-once",
            "You nudged all entries of x together. That is right only if each output depends on "
            "one input; batch norm mixes the rows. Nudge one entry at a time.",
            _all_at_once,
        ),
        Misconception(
            "own-entry-only",
            "You looked only at that entry of f(x) which you nudged in x. f may mix rows and "
            "columns: sum dy times the change over *all* entries.",
            _own_entry_only,
        ),
        Misconception(
            "overwrites-what-f-returned",
            "Right for most f, wrong for an f that returns its argument or a view of it: when "
            "you nudged your array again, what f had returned changed with it.",
            _overwrites_result,
        ),
        Misconception(
            "one-sided",
            "You compared f(x + h) with f(x): the error of that falls with h only. Central "
            "differences use both sides.",
            lambda f, x, dy, h=1e-5: _differences(f, x, dy, h, back=0.0),
        ),
        Misconception(
            "one-sided-below",
            "You compared f(x) with f(x − h): the error of that falls with h only. Central "
            "differences use both sides.",
            lambda f, x, dy, h=1e-5: _differences(f, x, dy, h, ahead=0.0),
        ),
        Misconception(
            "brackets-missing",
            "Your answer is h² times the right one: `/ 2 * h` divides by 2 and then multiplies by "
            "h.",
            signs=_brackets_missing,
        ),
        Misconception(
            "step-ignored",
            "You used a fixed step. The function gets h as an argument.",
            signs=_step_ignored,
        ),
    ),
    hints=(
        "One entry at a time: what does the single number $\\sum \\mathrm dy \\cdot f(x)$ do "
        "when that entry goes up by h, and when it goes down by h?",
        "Loop over the indices of x (`np.ndindex(x.shape)`). For each, make *two fresh copies* "
        "of x, one nudged up and one down; evaluate f on both.",
        "Difference of the two results, times dy, summed over everything, divided by 2h: that is "
        "one entry of the answer, which has the shape of x.",
    ),
)
