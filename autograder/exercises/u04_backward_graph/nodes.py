"""The five nodes: each takes the gradient by its output and returns those by its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

import bnlib
from autograder.exercises.u04_backward_graph.batches import (
    EXAMPLE_DY,
    NODE_TOLERANCE,
    UNIT,
    graph,
    odd_layout,
    shapes,
    sizes,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import Script, call

GATE = "the example of the test cell"
LAYOUT = "arrays that do not lie in one piece in memory"
Inputs = Mapping[str, object]

SUMMED_OVER_FEATURES = (
    "You summed over the features (axis 1). γ, the mean and the variance belong to one feature and "
    "are shared by all rows: gradients add up over the batch."
)


def _cases(
    script: Script, label: str, dtype_of: str, example: Inputs, draw: Callable[..., Inputs]
) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Make the cases of a node: the example, four shapes, and an odd memory layout."""

    def case(name: str, inputs: Inputs, *, gate: bool = False, weight: float = 1.0) -> Case:
        arrays = tuple(k for k, v in inputs.items() if isinstance(v, np.ndarray))
        return Case(
            name, inputs, script, (label,), arrays, weight=weight, gate=gate, dtype_of=dtype_of
        )

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield case(GATE, example, gate=True)
        for position, (name, n, c) in enumerate(shapes(rng)):
            yield case(name, draw(rng, n, c), weight=1.0 if position else 2.0)
        drawn = draw(rng, *sizes(rng))
        yield case(
            LAYOUT,
            {
                k: odd_layout(v) if isinstance(v, np.ndarray) and v.ndim == 2 else v
                for k, v in drawn.items()
            },
        )

    return cases


# --- d_scale_shift: y = gamma * x_hat + beta ----------------------------------------------------


def _draw_scale_shift(rng: np.random.Generator, n: int, c: int) -> Inputs:
    cache, dy = graph(rng, n, c)
    return {"dy": dy, "x_hat": cache.x_hat, "gamma": cache.gamma}


def _gradients(
    dx_hat: np.ndarray, dgamma: np.ndarray, dbeta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return dx_hat, dgamma, dbeta


D_SCALE_SHIFT = Exercise(
    unit=UNIT,
    name="d_scale_shift",
    points=2,
    minutes=8,
    oracle=bnlib.d_scale_shift,
    cases=_cases(
        (call("d_scale_shift", "dy", "x_hat", "gamma", into="(dx_hat, dgamma, dbeta)"),),
        "(dx_hat, dgamma, dbeta)",
        "dy",
        {
            "dy": EXAMPLE_DY,
            "x_hat": np.array([[-1.0], [-0.5], [0.5], [1.0]]),
            "gamma": np.array([2.0]),
        },
        _draw_scale_shift,
    ),
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "averages-parameter-gradients",
            "You averaged dγ and dβ over the batch. The loss feels γ once for every row, and "
            "effects "
            "add up: no 1/N here.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (dy * x_hat).mean(axis=0), dy.mean(axis=0)
            ),
        ),
        Misconception(
            "gamma-forgotten",
            "Your dx_hat is dy unchanged. How much does y move when x_hat moves by 1?",
            lambda dy, x_hat, gamma: _gradients(dy, (dy * x_hat).sum(axis=0), dy.sum(axis=0)),
        ),
        Misconception(
            "x-hat-missing-in-dgamma",
            "Your dγ is the same as dβ. γ is multiplied by something in the forward pass; its "
            "gradient must be, too.",
            lambda dy, x_hat, gamma: _gradients(gamma * dy, dy.sum(axis=0), dy.sum(axis=0)),
        ),
        Misconception(
            "sums-over-features",
            SUMMED_OVER_FEATURES,
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (dy * x_hat).sum(axis=1), dy.sum(axis=1)
            ),
        ),
        Misconception(
            "gamma-twice",
            "γ got into dγ and dβ. They take dy as it arrives; only the way on to x_hat passes γ.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, (gamma * dy * x_hat).sum(axis=0), (gamma * dy).sum(axis=0)
            ),
        ),
        Misconception(
            "x-hat-in-dx-hat",
            "Your dx_hat contains x_hat. The derivative of γ·x_hat by x_hat does not.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy * x_hat, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
            ),
        ),
        Misconception(
            "order-of-results",
            "The numbers are right, in another order: hand back dx_hat, dgamma, dbeta.",
            lambda dy, x_hat, gamma: _gradients(
                gamma * dy, dy.sum(axis=0), (dy * x_hat).sum(axis=0)
            ),
        ),
    ),
    hints=(
        "Write down the three derivatives of $y_i = \\gamma\\hat x_i + \\beta$: by $\\hat x_i$, "
        "by γ, by β. "
        "Each gradient is dy times one of them.",
        "$\\hat x_i$ belongs to one row, so dx_hat keeps the shape (N, C). γ and β are shared by "
        "all rows of "
        "a feature, so theirs are sums over axis 0 and have shape (C,).",
        "Three lines: dy times the scale; the batch sum of dy times x_hat; the batch sum of dy. "
        "Broadcasting a (C,) array against (N, C) works as it is.",
    ),
)


# --- d_normalize: x_hat = centered * inv_std ----------------------------------------------------


def _draw_normalize(rng: np.random.Generator, n: int, c: int) -> Inputs:
    cache, dy = graph(rng, n, c)
    return {"dx_hat": dy, "centered": cache.centered, "inv_std": cache.inv_std}


def _normalize_with_var_path(
    dx_hat: np.ndarray, centered: np.ndarray, inv_std: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add the path through the variance, which is another node's work."""
    dinv_std = (dx_hat * centered).sum(axis=0)
    return dx_hat * inv_std - inv_std**3 * dinv_std * centered / len(centered), dinv_std


D_NORMALIZE = Exercise(
    unit=UNIT,
    name="d_normalize",
    points=2,
    minutes=6,
    oracle=bnlib.d_normalize,
    cases=_cases(
        (call("d_normalize", "dx_hat", "centered", "inv_std", into="(dcentered, dinv_std)"),),
        "(dcentered, dinv_std)",
        "dx_hat",
        {
            "dx_hat": np.array([[6.0], [2.0], [-2.0], [2.0]]),
            "centered": np.array([[-2.0], [-1.0], [1.0], [2.0]]),
            "inv_std": np.array([0.5]),
        },
        _draw_normalize,
    ),
    tolerances=NODE_TOLERANCE,
    misconceptions=(
        Misconception(
            "averages-dinv-std",
            "Your dinv_std is an average over the batch. All rows use the one inv_std, so what "
            "they "
            "send back adds up.",
            lambda dx_hat, centered, inv_std: (
                dx_hat * inv_std,
                (dx_hat * centered).mean(axis=0),
            ),
        ),
        Misconception(
            "both-paths-at-once",
            "Your dcentered already holds the path through the variance. Here inv_std is an input "
            "of "
            "its own; that path comes later, in d_inv_std and d_var.",
            _normalize_with_var_path,
        ),
        Misconception(
            "x-hat-for-centered",
            "Your dinv_std is built from x_hat. In x_hat = centered · inv_std, what stands next to "
            "inv_std?",
            lambda dx_hat, centered, inv_std: (
                dx_hat * inv_std,
                (dx_hat * centered * inv_std).sum(axis=0),
            ),
        ),
        Misconception(
            "divides-by-inv-std",
            "You divided by inv_std. It is already one over the standard deviation, and the "
            "forward "
            "pass multiplies by it.",
            lambda dx_hat, centered, inv_std: (
                dx_hat / inv_std,
                (dx_hat * centered).sum(axis=0),
            ),
        ),
        Misconception(
            "inv-std-forgotten",
            "Your dcentered is dx_hat unchanged. By how much does x_hat move when centered moves "
            "by 1?",
            lambda dx_hat, centered, inv_std: (dx_hat, (dx_hat * centered).sum(axis=0)),
        ),
        Misconception(
            "sums-over-features",
            SUMMED_OVER_FEATURES,
            lambda dx_hat, centered, inv_std: (
                dx_hat * inv_std,
                (dx_hat * centered).sum(axis=1),
            ),
        ),
    ),
    hints=(
        "It is a product of two inputs. Differentiate by one while the other stands still, then "
        "the "
        "other way round.",
        "By `centered`: one number for each entry, shape (N, C). By `inv_std`: every row of a "
        "feature used it, so "
        "sum over axis 0, shape (C,).",
        "The gradient by one factor is dx_hat times the *other* factor. The second one is then "
        "summed over "
        "the batch. Leave the variance's path alone.",
    ),
)


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
            "one "
            "of the forward pass.",
            lambda dinv_std, var, eps: -0.5 * (var + 1e-5) ** -1.5 * dinv_std,
        ),
        Misconception(
            "eps-forgotten",
            "Your derivative has no eps in it. The forward pass took the root of var + eps, so the "
            "derivative is taken there, too.",
            lambda dinv_std, var, eps: -0.5 * np.asarray(var) ** -1.5 * dinv_std,
        ),
        Misconception(
            "eps-outside-root",
            "You differentiated 1/(√var + eps). In this layer eps stands under the root.",
            _eps_outside,
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
        "derivative "
        "of $u^{-1/2}$?",
        "The exponent comes down as a factor and drops by one, at $u = v + \\varepsilon$. Then "
        "the chain rule: "
        "times what arrives.",
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
    cases=_cases(
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
            "Nth "
            "of a say in it.",
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
            "own, "
            "over N rows.",
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
        "dvar, which "
        "broadcasts over the rows.",
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
    cases=_cases(
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
            "You handed back dcentered as it came. x has a second way to centered: every x_j sits "
            "in "
            "the mean, and the mean in every row.",
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
            "only-the-mean-path",
            "You kept only what comes through the mean, and lost the straight path from x to "
            "centered.",
            lambda dcentered: np.broadcast_to(-dcentered.mean(axis=0), dcentered.shape).copy(),
        ),
    ),
    hints=(
        "x_j reaches the loss on two paths: straight through its own centered_j, and through the "
        "mean, which sits "
        "in *every* centered_i.",
        "First the gradient by the mean (one number per feature, with a minus sign, over all "
        "rows). Then each x_j "
        "gets one Nth of it, added to the straight part.",
        "Read the two together: dcentered minus its own average over the rows. Which axis is that?",
    ),
)

NODES = (D_SCALE_SHIFT, D_NORMALIZE, D_INV_STD, D_VAR, D_CENTER)
