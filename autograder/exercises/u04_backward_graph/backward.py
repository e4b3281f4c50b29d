"""The whole backward pass: from dy and the cache to dx, dgamma and dbeta."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

import bnlib
from autograder.compare import SIDE_FAULT_SHARE, identical
from autograder.exercises.u04_backward_graph.batches import (
    BACKWARD_TOLERANCE,
    EXAMPLE_BETA,
    EXAMPLE_DY,
    EXAMPLE_EPS,
    EXAMPLE_GAMMA,
    EXAMPLE_X,
    UNIT,
    inputs,
    odd_layout,
    shapes,
    signed,
)
from autograder.exercises.u04_backward_graph.faults import Gradients, backward, with_inv_std
from autograder.judge import judge_case
from autograder.vocabulary import Case, Exercise, Judgement, Misconception
from autograder.worker.givens.backward import Cache
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, snapshot
from autograder.worker.values import Plain

LABEL = "(dx, dgamma, dbeta)"
FAR = "features far from zero (mean 100 000)"
EPS_IGNORED = (
    "You took an eps of 1e-5, whatever the forward pass used: `cache.eps` says what that was."
)
SCRIPT = (
    snapshot("cache", into="cache before"),
    call("batchnorm_backward", "dy", "cache", into=LABEL),
)


def _case(
    name: str,
    point: tuple[np.ndarray, ...],
    eps: float,
    *,
    gate: bool = False,
    weight: float = 1.0,
    help: str = "",
) -> Case:
    x, gamma, beta, dy = point
    cache = Given("cache", {"x": x, "gamma": gamma, "beta": beta, "eps": eps})
    return Case(
        name,
        {"dy": dy, "cache": cache},
        SCRIPT,
        (LABEL, "cache before", "cache"),
        ("dy",),
        weight=weight,
        gate=gate,
        dtype_of="dy",
        help=help,
    )


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    example = (EXAMPLE_X, EXAMPLE_GAMMA, EXAMPLE_BETA, EXAMPLE_DY)
    yield _case("the example of the test cell", example, EXAMPLE_EPS, gate=True)
    for position, (name, n, c) in enumerate(shapes(rng)):
        yield _case(name, inputs(rng, n, c), 1e-5, weight=1.0 if position else 3.0)
    x, gamma, beta, dy = inputs(rng, 7, 3)
    yield _case(
        "variances as small as eps",
        (0.003 * x, gamma, beta, dy),
        1e-5,
        weight=2.0,
        help="Here eps counts as much as the variance does: is it in the right place?",
    )
    x, gamma, beta, dy = inputs(rng, 6, 3)
    x[:, 1] = rng.normal()
    yield _case("a constant feature (variance 0)", (x, gamma, beta, dy), 1e-5)
    x, gamma, beta, dy = inputs(rng, 64, 4)
    yield _case(FAR, (x + 1e5 * signed(rng, 4), gamma, beta, dy), 1e-5)
    x, gamma, beta, dy = inputs(rng, 8, 3)
    yield _case(
        "dy and x in other memory layouts",
        (np.asfortranarray(x), gamma, beta, odd_layout(dy)),
        1e-5,
    )


def judge(case: Case, answer: Answer) -> Judgement:
    """Judge the gradients as those of any exercise, then see whether the cache was changed.

    The cache is built beside the student's code, so it is compared with the copy taken before the
    call.
    """
    plain = replace(BATCHNORM_BACKWARD, judge=None)
    judgement = judge_case(plain, replace(case, report=(LABEL,)), answer)
    if judgement.share == 0.0:
        return judgement
    before, after = answer.values["cache before"], answer.values["cache"]
    for cache in (before, after):
        if not isinstance(cache, tuple) or len(cache) != len(Cache._fields):
            return Judgement(0.0, "The cache came back as something else.", "type")
    changed = [
        f"cache.{field}"
        for field, old, new in zip(Cache._fields, _fields(before), _fields(after), strict=True)
        if not identical(old, new)
    ]
    if not changed:
        return judgement
    return Judgement(
        SIDE_FAULT_SHARE,
        f"Your function changed `{changed[0]}` in place. A training loop may need the cache twice: "
        "work on a new array.",
        "modifies-argument",
    )


def _fields(cache: Plain) -> tuple[Plain, ...]:
    """Return the entries of a tuple as it came back."""
    assert isinstance(cache, tuple)
    return cache


def _eps_outside(dy: np.ndarray, cache: Cache) -> Gradients:
    return with_inv_std(dy, cache, 1.0 / (np.sqrt(cache.var) + cache.eps))


def _without_eps(dy: np.ndarray, cache: Cache) -> Gradients:
    return _finite(with_inv_std(dy, cache, np.asarray(cache.var) ** -0.5))


def _finite(gradients: Gradients) -> Gradients:
    """Put 0 where a constant feature without eps gives nan, so that answers can be compared."""
    dx, dgamma, dbeta = (np.nan_to_num(v, posinf=0.0, neginf=0.0) for v in gradients)
    return dx, dgamma, dbeta


def _nearly_right_far_from_zero(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether dx has its leading digits, and only those, where the features are far from zero."""
    gradients = answer.values[LABEL]
    if case.name != FAR or not isinstance(gradients, tuple | list) or not gradients:
        return False
    dx, right = gradients[0], _fields(expected.values[LABEL])[0]
    assert isinstance(right, np.ndarray)
    if not isinstance(dx, np.ndarray) or dx.shape != right.shape:
        return False
    return bool(np.abs(dx - right).max() < 1e-3 * np.abs(right).max())


def _detached(dy: np.ndarray, cache: Cache) -> Gradients:
    return backward(dy, cache, var_factor=0.0, center=lambda dcentered: dcentered)


BATCHNORM_BACKWARD = Exercise(
    unit=UNIT,
    name="batchnorm_backward",
    points=4,
    minutes=10,
    oracle=bnlib.batchnorm_backward,
    cases=_cases,
    tolerances=BACKWARD_TOLERANCE,
    judge=judge,
    misconceptions=(
        Misconception(
            "statistics-as-constants",
            "Your dx treats the mean and the variance as constants. Both were computed from x, "
            "so the gradient also comes back through them: two more paths.",
            _detached,
        ),
        Misconception(
            "path-through-var-lost",
            "The path through the variance is missing: `centered` has two arrows out of it in "
            "the graph.",
            lambda dy, cache: backward(dy, cache, var_factor=0.0),
        ),
        Misconception(
            "straight-path-lost",
            "Only what comes through the variance arrives at `centered`; the straight path from "
            "x_hat is missing, or was overwritten. Where two paths meet, gradients add.",
            lambda dy, cache: backward(dy, cache, direct=np.zeros_like(cache.inv_std)),
        ),
        Misconception(
            "path-through-mean-lost",
            "The path through the mean is missing: your dx does not sum to 0 over the batch. "
            "Which node comes last?",
            lambda dy, cache: backward(dy, cache, center=lambda dcentered: dcentered),
        ),
        Misconception(
            "gamma-forgotten-in-dx",
            "dγ and dβ are right, but dx knows nothing of γ. On its way to x_hat, what does dy "
            "pass?",
            lambda dy, cache: backward(dy, cache, gamma=1.0),
        ),
        Misconception(
            "dgamma-with-x",
            "Your dγ is built from x. γ is multiplied by x_hat in the forward pass.",
            lambda dy, cache: backward(dy, cache, dgamma=(dy * cache.x).sum(axis=0)),
        ),
        Misconception(
            "dgamma-with-centered",
            "Your dγ is built from centered. γ is multiplied by x_hat in the forward pass.",
            lambda dy, cache: backward(dy, cache, dgamma=(dy * cache.centered).sum(axis=0)),
        ),
        Misconception(
            "averages-parameter-gradients",
            "dx is right; dγ and dβ are averages over the batch, and must be sums.",
            lambda dy, cache: backward(
                dy, cache, dgamma=(dy * cache.x_hat).mean(axis=0), dbeta=dy.mean(axis=0)
            ),
        ),
        Misconception(
            "one-over-n-forgotten",
            "The path through the variance is N times too strong: the variance is a mean of "
            "squares, not a sum.",
            lambda dy, cache: backward(dy, cache, n=1.0),
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You divide by N−1 in the path through the variance. The variance that normalises "
            "divides by N.",
            lambda dy, cache: backward(dy, cache, n=len(dy) - 1.0 or 1.0),
        ),
        Misconception(
            "sum-for-mean",
            "In the last node you subtract the sum over the batch, not the mean.",
            lambda dy, cache: backward(dy, cache, center=lambda d: d - d.sum(axis=0)),
        ),
        Misconception(
            "wrong-sign-of-var-path",
            "The path through the variance has the wrong sign: a wider batch makes inv_std "
            "smaller.",
            lambda dy, cache: backward(dy, cache, var_factor=0.5),
        ),
        Misconception(
            "mean-over-everything",
            "In the last node you subtract one mean over all entries. Every feature has its own.",
            lambda dy, cache: backward(dy, cache, center=lambda d: d - d.mean()),
        ),
        Misconception(
            "eps-outside-root",
            "You computed 1/(√var + eps). In this layer eps stands under the root; "
            "`cache.inv_std` is what the forward pass used.",
            _eps_outside,
        ),
        Misconception(
            "eps-forgotten",
            "Your backward pass has no eps, and the forward pass has: use var + eps wherever it "
            "was used there.",
            _without_eps,
        ),
        Misconception(
            "eps-forgotten-in-dvar",
            "eps is missing in the derivative of inv_std by var: it is taken at var + eps.",
            lambda dy, cache: _finite(backward(dy, cache, cube=np.asarray(cache.var) ** -1.5)),
        ),
        Misconception(
            "eps-ignored",
            EPS_IGNORED,
            lambda dy, cache: backward(dy, cache, cube=np.asarray(cache.var + 1e-5) ** -1.5),
        ),
        Misconception(
            "eps-ignored",
            EPS_IGNORED,
            lambda dy, cache: with_inv_std(dy, cache, np.asarray(cache.var + 1e-5) ** -0.5),
        ),
        Misconception(
            "cancellation",
            "Far from zero your dx has lost its last digits: did you compute the variance again, "
            "as E[x²] − E[x]²? The cache holds `centered`, `var` and `inv_std`.",
            signs=_nearly_right_far_from_zero,
        ),
        Misconception(
            "wrong-sign",
            "All of dx has the wrong sign, and is right otherwise: with it, training climbs the "
            "loss.",
            lambda dy, cache: (-backward(dy, cache)[0], *backward(dy, cache)[1:]),
        ),
        Misconception(
            "order-of-results",
            "The numbers are right, in another order: hand back dx, dgamma, dbeta.",
            lambda dy, cache: tuple(backward(dy, cache)[i] for i in (0, 2, 1)),
        ),
    ),
    hints=(
        "You have written every piece already. Follow the graph from y back to x and call them "
        "in that order; the cache holds the values each one needs.",
        "`d_normalize` gives one part of dcentered and `d_var` the other. Add them *before* you "
        "go through `d_center`.",
        "Five calls: `d_scale_shift` → `d_normalize` → `d_inv_std` → `d_var` → `d_center`; the "
        "last one gets the sum of what the second and the fourth gave. Hand back three arrays, "
        "in the order dx, dgamma, dbeta.",
    ),
)
