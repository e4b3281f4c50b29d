"""The three nodes of the statistics: inverse standard deviation, variance, and centring."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import bnlib
from autograder.exercises.u04_backward_graph.batches import NODE_TOLERANCE, UNIT, graph
from autograder.exercises.u04_backward_graph.node_cases import GATE, Inputs, node_cases
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

# --- d_inv_std: inv_std = (var + eps)^(-1/2) ----------------------------------------------------


def _draw_inv_std(rng: np.random.Generator, n: int, c: int) -> Inputs:
    size = {64: 1, 2: 4}.get(n, c)
    return {
        "dinv_std": rng.normal(size=size) + 2.0,
        "var": rng.uniform(0.3, 4.0, size),
        "eps": float(rng.uniform(0.2, 0.5)),
    }


def _inv_std_cases(rng: np.random.Generator) -> Iterator[Case]:
    script = (call("d_inv_std", "dinv_std", "var", "eps", into="dvar"),)

    def case(name: str, inputs: Inputs, *, gate: bool = False) -> Case:
        return Case(
            name, inputs, script, ("dvar",), ("dinv_std", "var"), gate=gate, dtype_of="dinv_std"
        )

    c = int(rng.integers(2, 6))
    example = {"dinv_std": np.array([-12.0, 8.0]), "var": np.array([2.5, 14.5]), "eps": 1.5}
    yield case(GATE, example, gate=True)
    yield case("some features, a large eps", _draw_inv_std(rng, 7, c))
    yield case("one feature", _draw_inv_std(rng, 64, 1))
    usual = {**_draw_inv_std(rng, 7, c), "var": rng.uniform(1e-5, 3e-5, c), "eps": 1e-5}
    yield case("variances as small as the usual eps, 1e-5", usual)
    constant = {**_draw_inv_std(rng, 7, 3), "var": np.array([0.0, 0.0, 1.0]), "eps": 1e-3}
    yield case("a constant feature (variance 0)", constant)
    yield case("no eps (eps = 0)", {**_draw_inv_std(rng, 7, c), "eps": 0.0})


def _eps_outside(dinv_std: np.ndarray, var: np.ndarray, eps: float) -> np.ndarray:
    """Differentiate 1/(sqrt(var) + eps)."""
    root = np.sqrt(var)
    return np.asarray(-0.5 / (root * (root + eps) ** 2) * dinv_std)


D_INV_STD = Exercise(
    unit=UNIT,
    name="d_inv_std",
    points=2,
    minutes=6,
    oracle=bnlib.d_inv_std,
    cases=_inv_std_cases,
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "eps-ignored",
            "You used a fixed eps of 1e-5. The function gets eps as an argument: it must be the "
            "one of the forward pass.",
            lambda dinv_std, var, eps: -0.5 * (var + 1e-5) ** -1.5 * dinv_std,
        ),
        Misconception(
            "eps-forgotten",
            "Your derivative has no eps in it. The forward pass took the root of var + eps, so "
            "the derivative is taken there, too.",
            lambda dinv_std, var, eps: -0.5 * np.asarray(var) ** -1.5 * dinv_std,
        ),
        Misconception(
            "eps-outside-root",
            "You differentiated 1/(√var + eps). In this layer eps stands under the root.",
            _eps_outside,
        ),
        Misconception(
            "eps-beside-the-root",
            "You added eps to √var. In this layer eps stands under the root: var + eps first, "
            "then the power.",
            lambda dinv_std, var, eps: -0.5 / (np.sqrt(var) + eps) ** 3 * dinv_std,
        ),
        Misconception(
            "minus-forgotten",
            "The sign is wrong. When the variance grows, does 1/√variance grow?",
            lambda dinv_std, var, eps: 0.5 * (var + eps) ** -1.5 * dinv_std,
        ),
        Misconception(
            "wrong-power",
            "Your power is −1/2, the function's own. Differentiating lowers the exponent by one.",
            lambda dinv_std, var, eps: -0.5 * (var + eps) ** -0.5 * dinv_std,
        ),
        Misconception(
            "half-forgotten",
            "You are a factor of 2 off: the exponent −1/2 comes down as a factor.",
            lambda dinv_std, var, eps: -1.0 * (var + eps) ** -1.5 * dinv_std,
        ),
        Misconception(
            "derivative-without-upstream",
            "You returned the derivative itself. The chain rule multiplies it by what arrives: "
            "dinv_std.",
            lambda dinv_std, var, eps: -0.5 * (var + eps) ** -1.5,
        ),
    ),
    hints=(
        "Forget the batch: this is one number in, one number out, for each feature. What is the "
        "derivative of $u^{-1/2}$?",
        "The exponent comes down as a factor and drops by one, at $u = v + \\varepsilon$. Then "
        "the chain rule: times what arrives.",
        "Minus one half, times (var + eps) to the power −3/2, times the upstream. Shape (C,) in, "
        "shape (C,) out.",
    ),
)


# --- d_var: var = mean of centered^2 ------------------------------------------------------------


def _draw_var(rng: np.random.Generator, n: int, c: int) -> Inputs:
    cache, _ = graph(rng, n, c)
    return {"dvar": rng.normal(size=c) + 3.0, "centered": cache.centered}


D_VAR = Exercise(
    unit=UNIT,
    name="d_var",
    points=2,
    minutes=6,
    oracle=bnlib.d_var,
    cases=node_cases(
        (call("d_var", "dvar", "centered", into="dcentered"),),
        "dcentered",
        "centered",
        {"dvar": np.array([0.75]), "centered": np.array([[-2.0], [-1.0], [1.0], [2.0]])},
        _draw_var,
    ),
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "one-over-n-forgotten",
            "There is no 1/N in your answer. The variance is a mean of squares: each row has one "
            "Nth of a say in it.",
            lambda dvar, centered: 2 * centered * dvar,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You divided by N−1. The variance that normalises divides by N, so its derivative "
            "does.",
            lambda dvar, centered: 2 * centered * dvar / (len(centered) - 1 or 1),
        ),
        Misconception(
            "two-forgotten",
            "You are a factor of 2 off: differentiate the square.",
            lambda dvar, centered: centered * dvar / len(centered),
        ),
        Misconception(
            "divides-by-all-entries",
            "You divided by the number of all entries, N·C. Every feature has a variance of its "
            "own, over N rows.",
            lambda dvar, centered: 2 * centered * dvar / centered.size,
        ),
        Misconception(
            "divides-by-features",
            "You divided by the number of features. The mean in the variance runs over the rows.",
            lambda dvar, centered: 2 * centered * dvar / centered.shape[1],
        ),
        Misconception(
            "derivative-without-upstream",
            "You returned the derivative of var itself. The chain rule multiplies it by what "
            "arrives: dvar.",
            lambda dvar, centered: 2 * centered / len(centered),
        ),
    ),
    hints=(
        "Write the variance out: $v = \\frac1N(c_1^2 + \\dots + c_N^2)$. Where does $c_i$ occur?",
        "In one term only. Its derivative has three factors; then the chain rule multiplies by "
        "dvar, which broadcasts over the rows.",
        "Twice centered, divided by the number of rows, times dvar. The shape is that of centered.",
    ),
)


# --- d_center: centered = x - mean(x) -----------------------------------------------------------


def _draw_center(rng: np.random.Generator, n: int, c: int) -> Inputs:
    return {"dcentered": graph(rng, n, c)[1]}


D_CENTER = Exercise(
    unit=UNIT,
    name="d_center",
    points=2,
    minutes=6,
    oracle=bnlib.d_center,
    cases=node_cases(
        (call("d_center", "dcentered", into="dx"),),
        "dx",
        "dcentered",
        {"dcentered": np.array([[2.25], [0.625], [-0.625], [1.75]])},
        _draw_center,
    ),
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "path-through-mean-lost",
            "You handed back dcentered as it came. x has a second way to centered: every x_j "
            "sits in the mean, and the mean in every row.",
            lambda dcentered: dcentered.copy(),
        ),
        Misconception(
            "sum-for-mean",
            "You subtracted the sum. Each row has only one Nth of a say in the mean.",
            lambda dcentered: dcentered - dcentered.sum(axis=0),
        ),
        Misconception(
            "adds-the-mean",
            "The sign of the path through the mean is wrong: the mean is subtracted in the "
            "forward pass.",
            lambda dcentered: dcentered + dcentered.mean(axis=0),
        ),
        Misconception(
            "mean-over-features",
            "You took the mean over the features (axis 1). The batch mean averages the rows.",
            lambda dcentered: dcentered - dcentered.mean(axis=1, keepdims=True),
        ),
        Misconception(
            "mean-over-everything",
            "You took one mean over all entries. Every feature has a mean of its own.",
            lambda dcentered: dcentered - dcentered.mean(),
        ),
        Misconception(
            "own-row-only",
            "You counted only what x_j does to its own c_j. Through the mean it also moves every "
            "other row: collect from all of them.",
            lambda dcentered: dcentered * (1.0 - 1.0 / len(dcentered)),
        ),
        Misconception(
            "only-the-mean-path",
            "You kept only what comes through the mean, and lost the straight path from x to "
            "centered.",
            lambda dcentered: np.broadcast_to(-dcentered.mean(axis=0), dcentered.shape).copy(),
        ),
    ),
    hints=(
        "x_j reaches the loss on two paths: straight through its own centered_j, and through the "
        "mean, which sits in *every* centered_i.",
        "First the gradient by the mean (one number per feature, with a minus sign, over all "
        "rows). Then each x_j gets one Nth of it, added to the straight part.",
        "Read the two together: dcentered minus its own average over the rows. Which axis is that?",
    ),
)
