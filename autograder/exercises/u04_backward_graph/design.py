"""A gradient check of the student's own design, graded by the bugs it exposes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import bnlib
from autograder.exercises.u04_backward_graph.batches import UNIT
from autograder.exercises.u04_backward_graph.faults import Gradients, backward
from autograder.exercises.u04_backward_graph.wrong_passes import (
    AXES,
    EPS,
    GAMMA,
    PATHS,
    SCALE,
    SUMS,
    WRONG_PASSES,
    Point,
    WrongPass,
)
from autograder.vocabulary import Case, Exercise, Judgement, Misconception, Tolerance
from autograder.worker.givens.backward import batchnorm_forward
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call
from autograder.worker.values import Plain

FORWARD_EPS = 1e-5
STEP = 1e-5
RTOL, ATOL = 1e-4, 1e-6  # ATOL in units of the largest entry of the numerical gradient or of dy
MOST_ENTRIES = 1000  # of x: central differences take two forward passes per row
LISTED = 3  # wrong passes of one kind that are named one by one
DRAWS = 4  # generators each check is drawn from
SHAPES = "four arrays of the right shapes"
KINDS = {
    PATHS: "Such a bug hides if dy has no mean over the batch, or no part along x_hat.",
    SUMS: "Such a bug hides if the gradient it spoils is zero at your point, or if N is huge.",
    EPS: "Such a bug hides behind a wide feature: next to a variance of 1, 1e-5 is nothing.",
    GAMMA: "Such a bug hides if gamma is 1, or if none of the gammas is negative.",
    SCALE: "Such a bug hides if x is already normalised, or beta is 0, or gamma is 1.",
    AXES: "Such a bug hides if the features look alike.",
}
RESULTS = tuple(f"check {k}" for k in range(1, DRAWS + 1))


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    first = (call("design_check", "rng 1", into=RESULTS[0]),)
    example = {"rng 1": Given("rng", {"seed": 0})}
    yield Case(SHAPES, example, first, RESULTS[:1], weight=0.0, gate=True, dtype_of=None)
    inputs = {
        f"rng {k}": Given("rng", {"seed": int(rng.integers(2**31))}) for k in range(1, DRAWS + 1)
    }
    script = tuple(
        call("design_check", f"rng {k}", into=result) for k, result in enumerate(RESULTS, 1)
    )
    for kind in KINDS:
        weight = float(sum(wrong.kind == kind for wrong in WRONG_PASSES))
        yield Case(kind, inputs, script, RESULTS, weight=weight, dtype_of=None)


def judge(case: Case, answer: Answer) -> Judgement:
    """Score a design by the share of the wrong passes of one kind that it exposes on every draw."""
    points = []
    for result in case.report:
        point = read(answer.values.get(result))
        if isinstance(point, str):
            return Judgement(0.0, point, "shape")
        points.append(point)
    if case.name == SHAPES:
        return Judgement(1.0)
    wrong_passes = [wrong for wrong in WRONG_PASSES if wrong.kind == case.name]
    unseen: list[WrongPass] = []
    for point in points:
        numeric = numerical_gradients(point)
        if not sound(numeric) or exposed(backward(point.dy, point.cache), numeric, point):
            return Judgement(0.0, _RIGHT_ONE_FAILS, "false-alarm")
        with np.errstate(all="ignore"):
            unseen += [w for w in wrong_passes if not exposed(w.run(point), numeric, point)]
    if not unseen:
        return Judgement(1.0)
    missed = [w for w in wrong_passes if w in unseen]
    text = f"{_named(missed)} {KINDS[case.name]}"
    return Judgement(1.0 - len(missed) / len(wrong_passes), text, "unseen")


def _named(missed: list[WrongPass]) -> str:
    """Say in words which bugs would go unseen."""
    words = "; or ".join(w.words for w in missed[:LISTED])
    others = len(missed) - LISTED
    more = f" (and {others} more of this kind)" if others > 0 else ""
    return f"Would go unseen: a backward pass that {words}{more}."


_RIGHT_ONE_FAILS = (
    "At your point even a right backward pass disagrees with central differences (h = 1e-5), so "
    "the check says nothing about wrong ones. Are some numbers very large?"
)


def read(value: Plain) -> Point | str:
    """Read `(x, gamma, beta, dy)`, or say in a sentence what is not as it should be."""
    if not isinstance(value, tuple | list) or len(value) != 4:
        return "`design_check` must return four arrays: (x, gamma, beta, dy)."
    arrays: list[np.ndarray] = []
    for name, array in zip(("x", "gamma", "beta", "dy"), value, strict=True):
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
            return f"`{name}` must be an array of numbers; it is a `{type(array).__name__}`."
        if not np.isfinite(array).all():
            return f"`{name}` holds nan or infinity."
        arrays.append(array.astype(np.float64))
    x, gamma, beta, dy = arrays
    if problem := _shape_problem(x, gamma, beta, dy):
        return problem
    with np.errstate(all="ignore"):
        y, cache = batchnorm_forward(x, gamma, beta, FORWARD_EPS)
    return Point(dy, beta, y, cache)


def _shape_problem(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray) -> str:
    if x.ndim != 2:
        return f"`x` must have shape (N, C); it has {x.shape}."
    n, c = x.shape
    if n < 3:
        return f"N must be at least 3, and your x has {n} rows: a batch of two is always ±1."
    if c < 2:
        return (
            "C must be at least 2: with a single feature, no bug that mixes features can be seen."
        )
    if n == c:
        return f"N and C must differ; both are {n}, so a wrong axis would not even change a shape."
    if x.size > MOST_ENTRIES:
        return (
            f"x has {x.size} entries: more than {MOST_ENTRIES} make a check that nobody waits for."
        )
    for name, array, shape in (("gamma", gamma, (c,)), ("beta", beta, (c,)), ("dy", dy, (n, c))):
        if array.shape != shape:
            return f"`{name}` must have shape {shape}; it has {array.shape}."
    return ""


def numerical_gradients(point: Point) -> Gradients:
    """Return dx, dgamma and dbeta by central differences.

    A feature's output depends on that feature alone, so one row (or gamma, or beta) is nudged in
    all features at once; the numbers are those of nudging entry by entry.
    """
    x, gamma, beta = point.cache.x, point.cache.gamma, point.beta

    def slope(move: Callable[[float], tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
        above = batchnorm_forward(*move(STEP), FORWARD_EPS)[0]
        below = batchnorm_forward(*move(-STEP), FORWARD_EPS)[0]
        return np.asarray((point.dy * (above - below)).sum(axis=0) / (2 * STEP))

    def nudge_row(row: int) -> Callable[[float], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        unit = np.zeros((len(x), 1))
        unit[row] = 1.0
        return lambda step: (x + step * unit, gamma, beta)

    with np.errstate(all="ignore"):
        dx = np.stack([slope(nudge_row(row)) for row in range(len(x))])
        dgamma = slope(lambda step: (x, gamma + step, beta))
        dbeta = slope(lambda step: (x, gamma, beta + step))
    return dx, dgamma, dbeta


def sound(numeric: Gradients) -> bool:
    """Whether central differences gave numbers at all."""
    return all(bool(np.isfinite(gradient).all()) for gradient in numeric)


def exposed(gradients: Gradients, numeric: Gradients, point: Point) -> bool:
    """Whether some finite entry of some gradient is outside the tolerance of the check.

    An entry that is nan or infinite says that the point is degenerate, not that a bug was seen.
    """
    floor = float(np.abs(point.dy).max())
    for ours, theirs in zip(gradients, numeric, strict=True):
        allowed = RTOL * np.abs(theirs) + ATOL * max(float(np.abs(theirs).max()), floor)
        with np.errstate(all="ignore"):
            if (np.isfinite(ours) & (np.abs(ours - theirs) > allowed)).any():
                return True
    return False


# --- what many first designs have in common -----------------------------------------------------


def _sign(
    kinds: tuple[str, ...], looks_like: Callable[[Point], bool]
) -> Callable[[Case, Answer, Answer], bool]:
    """Say whether all designs of a case look like it, if the case is one that suffers from it."""

    def signs(case: Case, answer: Answer, expected: Answer) -> bool:
        points = [read(answer.values.get(result)) for result in case.report]
        return case.name in kinds and all(
            isinstance(point, Point) and looks_like(point) for point in points
        )

    return signs


def _constant_over_batch(point: Point) -> bool:
    return bool((np.ptp(point.dy, axis=0) <= 1e-9 * np.abs(point.dy).max()).all())


def _along_output(point: Point) -> bool:
    x_hat, dy = point.cache.x_hat, point.dy - point.dy.mean(axis=0)
    along = x_hat * (dy * x_hat).mean(axis=0)
    return bool(np.abs(dy - along).max() <= 1e-3 * np.abs(dy).max())


ALL_KINDS = tuple(KINDS)

DESIGN_CHECK = Exercise(
    unit=UNIT,
    name="design_check",
    points=4,
    minutes=12,
    oracle=bnlib.design_check,
    cases=_cases,
    tolerances={"float64": Tolerance(RTOL, ATOL, "the tolerances of the check itself, see judge")},
    judge=judge,
    misconceptions=(
        Misconception(
            "upstream-constant-over-batch",
            "Your dy is the same in every row. The layer does not care about shifts: the true dx "
            "is 0, and so is that of many wrong backward passes.",
            signs=_sign(ALL_KINDS, _constant_over_batch),
        ),
        Misconception(
            "upstream-along-output",
            "Your dy points along the output itself, as the loss Σy² does. Batch norm divides "
            "stretches out: the true dx is nearly 0.",
            signs=_sign(ALL_KINDS, _along_output),
        ),
        Misconception(
            "gamma-is-one",
            "Your gammas are all equal, or all 1: whoever forgets gamma, or mixes up its "
            "features, gets the same numbers.",
            signs=_sign((GAMMA, SCALE, AXES), lambda p: bool(np.ptp(p.cache.gamma) < 1e-9)),
        ),
        Misconception(
            "features-too-wide-for-eps",
            "All your features are wide: next to their variances an eps of 1e-5 is nothing, and "
            "nobody sees whether it is there. Can you make one feature narrow?",
            signs=_sign((EPS,), lambda p: bool((p.cache.var > 0.01).all())),
        ),
        Misconception(
            "features-too-narrow",
            "All your features are narrower than √eps = 0.003: eps swamps their variances, and "
            "next to nothing comes back through them. Can you leave one feature wide?",
            signs=_sign((PATHS, SUMS, SCALE, AXES), lambda p: bool((p.cache.var < 1e-6).all())),
        ),
        Misconception(
            "gamma-of-one-sign",
            "On at least one draw none of your gammas is negative: a backward pass that loses "
            "the sign of gamma would go unseen.",
            signs=lambda case, answer, expected: (
                case.name == GAMMA
                and any(
                    isinstance(point := read(answer.values.get(r)), Point)
                    and bool((point.cache.gamma > 0).all())
                    for r in case.report
                )
            ),
        ),
        Misconception(
            "beta-is-zero",
            "Your beta is 0: whoever forgets it gets the same numbers.",
            signs=_sign((SCALE,), lambda p: bool((p.beta == 0).all())),
        ),
    ),
    hints=(
        "For each kind of bug, ask at which numbers it would make *no* difference. Then choose "
        "others. Start from random numbers and mend what is special about them.",
        "What hides what: gamma = 1 or positive (gamma left out, sign lost); beta = 0 and mean 0 "
        "(one array in place of another); equal features (mixed up); wide features (eps); dy "
        "without a mean or without a part along x_hat (a path lost).",
        "Random dy with something added so that its mean is not 0; x a random array times a "
        "different width for each feature, from about 0.01 to 1, plus a different offset; gamma "
        "of both signs, no two alike, none near 0 or ±1; beta away from 0.",
    ),
)
