"""Exercise `noisy`: graded by what the noise does to a feature, not by which numbers were drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograder.exercises.u07_shift.fit import Form, Noise, fit, read
from autograder.exercises.u07_shift.networks import FORBIDDEN, UNIT, reference, tensor
from autograder.vocabulary import Case, Exercise, Judgement, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

MANY = 800  # features from which the shape of a distribution is read
FARTHEST = 0.11  # of two distribution functions: a uniform one exceeds it once in 1e8 draws of 800
CORRELATED = 0.21  # six standard errors of a correlation of 800 independent pairs
ARGUMENTS = ("x", "generator", "mean_scale", "std_scale")
FIRST = (call("noisy", *ARGUMENTS, into="y"), call("as_arrays", "y", into="first"))
SECOND = (call("noisy", *ARGUMENTS, into="y again"), call("as_arrays", "y again", into="second"))
SAME_SEED = (
    call("as_arrays", "x", into="x afterwards"),
    call("noisy", "x", "same seed", "mean_scale", "std_scale", into="z"),
    call("as_arrays", "z", into="repeated"),
)
TWICE = ("first", "x afterwards", "repeated")  # what is reported of both calls
HELPERS = {name: Given(name) for name in ("as_arrays", "gradient_of_sum")}
TOLERANCES = {
    "float64": Tolerance(0.0, 1e-9, "a product and a sum of order 10: 100 eps64 = 2e-14"),
    "float32": Tolerance(0.0, 1e-4, "the same in float32: 100 eps32 = 1e-5"),
}

EXAMPLE = "the example of the test cell"
AFFINE = "one shift and one factor for each feature, in their ranges"
OTHER_SCALES = "other scales"
SINGLE = "float32"
SHIFTS = "shifts are uniform"
FACTORS = "factors are uniform"
APART = "shift and factor are independent"
FRESH = "the next call draws other numbers"
SEEDED = "the generator decides"
GLOBAL = "the global generator is not touched"
SLOPE = "gradients flow to x"
SILENT = "no noise at scales 0 and 1"
KEPT = "x is left as it was"


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `noisy`."""
    n, c = int(rng.integers(6, 10)), int(rng.integers(4, 7))
    mean_scale, std_scale = float(rng.uniform(0.4, 0.8)), float(rng.uniform(1.2, 1.6))

    def case(name: str, x: Given, script: Any, *report: str, **options: Any) -> Case:
        seed = 0 if name == EXAMPLE else int(rng.integers(2**31))
        inputs = {
            "x": x,
            "generator": Given("torch_generator", {"seed": seed}),
            "same seed": Given("torch_generator", {"seed": seed}),
            "mean_scale": options.pop("mean_scale", mean_scale),
            "std_scale": options.pop("std_scale", std_scale),
        }
        return Case(name, {**inputs, **HELPERS}, script, report, **options)

    def drawn(rows: int = n, columns: int = c) -> np.ndarray:
        return rng.normal(size=(rows, columns)) * rng.uniform(0.5, 2.0, columns) + 1.0

    four = np.array([[-1.0, 2.0, 1.0], [1.0, -2.0, 1.0], [-1.0, -2.0, 3.0], [1.0, 2.0, 3.0]])
    scales = {"mean_scale": 0.5, "std_scale": 1.25}
    yield case(EXAMPLE, tensor(four), FIRST + SAME_SEED, *TWICE, gate=True, **scales)
    yield case(AFFINE, tensor(drawn()), FIRST, "first", weight=2)
    wide = {"mean_scale": float(rng.uniform(2, 4)), "std_scale": float(rng.uniform(3, 5))}
    yield case(OTHER_SCALES, tensor(drawn()), FIRST, "first", **wide)
    yield case(SINGLE, tensor(drawn().astype(np.float32)), FIRST, "first")
    for name in (SHIFTS, FACTORS, APART):
        yield case(name, tensor(drawn(4, MANY)), FIRST, "first")
    yield case(FRESH, tensor(drawn()), FIRST + SECOND, "first", "second", weight=2)
    yield case(SEEDED, tensor(drawn()), FIRST + SAME_SEED, *TWICE)
    watched = (
        call("global_state", into="state before"),
        *FIRST,
        call("global_state", into="state afterwards"),
    )
    watching = case(GLOBAL, tensor(drawn()), watched, "first", "state before", "state afterwards")
    inputs = {**watching.inputs, "global_state": Given("global_random_state")}
    yield Case(GLOBAL, inputs, watching.script, watching.report)
    slope = (*FIRST, call("gradient_of_sum", "y", "x", into="slope"))
    yield case(SLOPE, tensor(drawn(), requires_grad=True), slope, "first", "slope")
    silent = {"mean_scale": 0.0, "std_scale": 1.0}
    yield case(SILENT, tensor(drawn()), FIRST, "first", idle=True, **silent)
    kept = (*FIRST, call("as_arrays", "x", into="x afterwards"))
    yield case(KEPT, tensor(drawn()), kept, "x afterwards", idle=True)


def judge(case: Case, answer: Answer) -> Judgement:
    """Judge what was done to the features of x."""
    x = case.inputs["x"].parameters["array"]
    if case.name == KEPT:
        return _kept(x, answer.values["x afterwards"])
    y = read(answer.values["first"], x)
    if isinstance(y, Judgement):
        return y
    noise = fit(x, y, TOLERANCES[x.dtype.name].atol)
    if case.name != SILENT and np.abs(y - x).max() <= noise.slack:
        return Judgement(0.0, "Your function returned x as it was: there is no noise.", "no-noise")
    if fault := _fault(case.inputs, noise):
        return fault
    return _SPECIAL.get(case.name, _nothing_more)(case, answer, noise) or Judgement(1.0)


def _kept(x: np.ndarray, afterwards: Any) -> Judgement:
    if isinstance(afterwards, np.ndarray) and np.array_equal(x, afterwards):
        return Judgement(1.0)
    text = "Your function changed `x` in place. The caller still needs it: work on a new tensor."
    return Judgement(0.0, text, "modifies-argument")


def _fault(inputs: Mapping[str, Any], noise: Noise) -> Judgement | None:
    """Say what is wrong with the noise itself, whatever the case looks at."""
    if noise.form is not Form.FEATURE:
        return Judgement(0.0, *_FORMS[noise.form])
    limit, widest, slack = inputs["mean_scale"], inputs["std_scale"], noise.slack
    if noise.factor.min() < 1 - slack or noise.factor.max() > widest + slack:
        text = (
            "Some feature is multiplied by a factor outside of 1 … std_scale. Draw s from "
            "U(1, std_scale), that is 1 + (std_scale − 1)·u with u from U(0, 1)."
        )
        return Judgement(0.0, text, "factor-out-of-range")
    if np.abs(noise.shift).max() > limit + slack:
        text = (
            "Some feature is shifted by more than mean_scale. Draw m from U(−mean_scale, "
            "mean_scale), and add it *after* multiplying: s·x + m."
        )
        return Judgement(0.0, text, "shift-out-of-range")
    return None


_FORMS = {
    Form.ROW: (
        "Each *row* got a shift and a factor of its own. Draw one pair for each feature: shape "
        "(C,), or (1, C).",
        "noise-per-row",
    ),
    Form.ENTRY: (
        "Within a feature, y is no straight line in x: the rows of one feature got different "
        "noise. Draw one shift and one factor for each feature, shape (C,), and share them.",
        "noise-per-entry",
    ),
    Form.ONE: (
        "All features got the same shift and factor. Draw one pair for each feature, shape (C,).",
        "one-noise-for-all",
    ),
}


def _uniform(values: np.ndarray, text: str, fault: str) -> Judgement | None:
    """Compare drawn values, brought to 0 … 1, with a uniform distribution."""
    ordered, n = np.sort(values), len(values)
    steps = np.arange(n)
    gap = max(np.abs(ordered - steps / n).max(), np.abs(ordered - (steps + 1) / n).max())
    return Judgement(0.0, text, fault) if gap > FARTHEST else None


def _shifts(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    limit = case.inputs["mean_scale"]
    text = (
        "The shifts are in range, but do not fill −mean_scale … mean_scale evenly. `torch.rand` "
        "gives U(0, 1): stretch it over both signs."
    )
    return _uniform((noise.shift + limit) / (2 * limit), text, "shifts-not-uniform")


def _factors(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    text = "The factors are in range, but do not fill 1 … std_scale evenly. Draw them uniformly."
    values = (noise.factor - 1) / (case.inputs["std_scale"] - 1)
    return _uniform(values, text, "factors-not-uniform")


def _apart(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    if np.ptp(noise.shift) == 0 or np.ptp(noise.factor) == 0:
        return _shifts(case, answer, noise) or _factors(case, answer, noise)
    if abs(np.corrcoef(noise.shift, noise.factor)[0, 1]) <= CORRELATED:
        return None
    text = "Shift and factor of a feature hang together. Draw two random numbers for each feature."
    return Judgement(0.0, text, "same-draw-twice")


def _fresh(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    if not np.array_equal(answer.values["first"], answer.values["second"]):  # type: ignore[arg-type]
        return None
    text = (
        "Two calls in a row gave the same noise. The generator moves on by itself with each draw: "
        "do not seed it, and do not copy it."
    )
    return Judgement(0.0, text, "not-fresh")


def _seeded(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    if np.array_equal(answer.values["first"], answer.values["repeated"]):  # type: ignore[arg-type]
        return None
    kept = _kept(case.inputs["x"].parameters["array"], answer.values["x afterwards"])
    if kept.share == 0.0:  # other noise is no wonder if x was another
        return kept
    text = (
        "Two generators of one seed gave different noise: draw everything with "
        "`generator=generator`."
    )
    return Judgement(0.0, text, "generator-ignored")


def _global(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    if answer.values["state before"] == answer.values["state afterwards"]:
        return None
    text = (
        "PyTorch's global generator moved, or was seeded anew: something was drawn without "
        "`generator=generator`."
    )
    return Judgement(0.0, text, "global-generator")


def _slope(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    slope = answer.values["slope"]
    if isinstance(slope, np.ndarray) and slope.shape == case.inputs["x"].parameters["array"].shape:
        if np.abs(slope - noise.factor).max() <= noise.slack:
            return None
        text = "The gradient that reaches x is not the factor s: was x cut off in between?"
        return Judgement(0.0, text, "value")
    text = (
        "No gradient reaches x: `detach()`, `no_grad` or NumPy cut it off. The layer is trained "
        "through; only the random numbers need no gradient."
    )
    return Judgement(0.0, text, "gradient-cut-off")


def _nothing_more(case: Case, answer: Answer, noise: Noise) -> Judgement | None:
    return None


_SPECIAL: dict[str, Callable[[Case, Answer, Noise], Judgement | None]] = {
    EXAMPLE: _seeded,
    SHIFTS: _shifts,
    FACTORS: _factors,
    APART: _apart,
    FRESH: _fresh,
    SEEDED: _seeded,
    GLOBAL: _global,
    SLOPE: _slope,
}

NOISE = Exercise(
    unit=UNIT,
    name="noisy",
    points=3,
    minutes=10,
    oracle=reference("noisy"),
    cases=cases,
    tolerances=TOLERANCES,
    judge=judge,
    forbidden=FORBIDDEN,
    hints=(
        "Two random numbers for each feature, C of each. `torch.rand(C, generator=generator)` "
        "gives C numbers from U(0, 1).",
        "From U(0, 1) to U(a, b): `a + (b - a) * u`. Use the dtype of x: "
        "`torch.rand(..., dtype=x.dtype)`.",
        "`shift` from U(−mean_scale, mean_scale), `factor` from U(1, std_scale), both of shape "
        "(C,); then `factor * x + shift` is a new tensor, and broadcasting does the rest.",
    ),
)
