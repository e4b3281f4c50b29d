"""`batchnorm_forward`: the whole forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import (
    EXAMPLE,
    EXAMPLE_EPS,
    GATE,
    OVERFLOW,
    UNIT,
    USUAL_EPS,
    batch,
    far_batches,
    half_batch,
    is_off,
    looks_cancelled,
    looks_narrowed,
    looks_overflown,
    parameters,
    plain_batches,
    sizes,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import call, item, method

# A mean of 64 rows taken one by one is off by 64 (eps/2) 10; y sees it divided by σ ≥ 0.5, times
# γ ≤ 2.
FORWARD_TOLERANCES = {
    "float64": Tolerance(1e-11, 1e-11, "64 (eps64 / 2) 10 / 0.5 · 2 = 2.8e-13, times 35"),
    "float32": Tolerance(1e-4, 5e-4, "64 (eps32 / 2) 10 / 0.5 · 2 = 1.5e-4, times 3"),
    "float16": Tolerance(
        5e-3, 2e-2, "mean, var, x_hat and y each rounded to float16, x_hat up to 3, γ up to 2"
    ),
}
FORWARD_FAR = {
    "float32": Tolerance(1e-3, 0.08, "a mean off by 64 (eps32 / 2) 1e4 = 0.038, σ ≥ 1, γ ≤ 2"),
    "float64": Tolerance(1e-6, 2e-6, "a mean off by 64 (eps64 / 2) 1e8 = 7e-7, σ ≥ 1, γ ≤ 2"),
}

COUNT = "number of returned values"
DEFAULT_EPS = "eps left out (default 1e-5), variances about as small"
FORWARD_SCRIPT = (
    call("batchnorm_forward", "x", "gamma", "beta", eps="eps", into="returned"),
    item("returned", 0, into="y"),
    method("returned", "__len__", into=COUNT),
)
DEFAULT_EPS_SCRIPT = (
    call("batchnorm_forward", "x", "gamma", "beta", into="returned"),
    item("returned", 0, into="y"),
)


def forward_case(
    name: str,
    x: np.ndarray,
    affine: tuple[np.ndarray, np.ndarray],
    eps: float = USUAL_EPS,
    **options: Any,
) -> Case:
    """Ask for the whole forward pass."""
    inputs = {"x": x, "gamma": affine[0], "beta": affine[1], "eps": eps}
    unchanged = ("x", "gamma", "beta")
    return Case(name, inputs, FORWARD_SCRIPT, (COUNT, "y"), unchanged=unchanged, **options)


def forward_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batchnorm_forward`."""
    yield forward_case(
        GATE, EXAMPLE, (np.array([10.0, 2.0]), np.array([1.0, -1.0])), EXAMPLE_EPS, gate=True
    )
    for number, (name, x) in enumerate(plain_batches(rng)):
        affine = parameters(rng, x.shape[1], x.dtype)
        yield forward_case(name, x, affine, weight=1.0 if number else 2.0)
    n, c = sizes(rng)
    x = batch(rng, n, c)
    affine = parameters(rng, c, x.dtype)
    yield forward_case("a large eps", x, affine, float(rng.uniform(0.5, 2.0)), weight=2.0)
    yield default_eps_case(rng)
    for name, x in far_batches(rng):
        tolerance = FORWARD_FAR[x.dtype.name]
        affine = parameters(rng, x.shape[1], x.dtype)
        yield forward_case(name, x, affine, tolerance=tolerance, weight=2.0)
    half = half_batch(rng)
    yield forward_case(
        f"a float16 batch whose squares would {OVERFLOW}",
        half,
        parameters(rng, half.shape[1], half.dtype),
        help="In this case a square on the way is more than 65 504, the largest float16.",
    )


def has_other_default(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether only the case that leaves eps out went wrong."""
    return case.name == DEFAULT_EPS and is_off(case, answer, expected)


def has_no_cache(_: Case, answer: Answer, expected: Answer) -> bool:
    """Whether y came back alone, so that its first row was taken for it."""
    y, want = answer.values["y"], expected.values["y"]
    if not (isinstance(y, np.ndarray) and isinstance(want, np.ndarray)):
        return False
    return y.shape == want.shape[1:]


def has_cache_first(_: Case, answer: Answer, expected: Answer) -> bool:
    """Whether two things came back, and the first is no array."""
    two = answer.values.get(COUNT, 2) == 2
    return two and not isinstance(answer.values["y"], np.ndarray)


def default_eps_case(rng: np.random.Generator) -> Case:
    """Ask without eps, for features whose variance is about 1e-5."""
    n, c = sizes(rng)
    x = batch(rng, n, c) * 1e-3 + 1.0
    gamma, beta = parameters(rng, c, x.dtype)
    return Case(
        DEFAULT_EPS,
        {"x": x, "gamma": gamma, "beta": beta},
        DEFAULT_EPS_SCRIPT,
        ("y",),
        unchanged=("x", "gamma", "beta"),
    )


Forward = Callable[..., tuple[np.ndarray, None]]


def wrong_forward(x_hat_of: Callable[[np.ndarray, float], np.ndarray]) -> Forward:
    """Build a forward pass that normalises in the given, wrong way, and does the rest right."""

    def batchnorm_forward(
        x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = USUAL_EPS
    ) -> tuple[np.ndarray, None]:
        return gamma * x_hat_of(x, eps) + beta, None

    return batchnorm_forward


def wrong_affine(y_of: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Forward:
    """Build a forward pass that normalises right, and scales and shifts in the given way."""

    def batchnorm_forward(
        x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = USUAL_EPS
    ) -> tuple[np.ndarray, None]:
        x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
        return y_of(x_hat, gamma, beta), None

    return batchnorm_forward


def _centred(x: np.ndarray) -> np.ndarray:
    return np.asarray(x - x.mean(axis=0))


BATCHNORM_FORWARD = Exercise(
    unit=UNIT,
    name="batchnorm_forward",
    points=3,
    minutes=10,
    oracle=bnlib.batchnorm_forward,
    cases=forward_cases,
    tolerances=FORWARD_TOLERANCES,
    misconceptions=(
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: is there an E[x²] − E[x]² in your variance? Only "
            "rounding errors are left of that difference. Subtract the mean first, then square.",
            signs=looks_cancelled,
        ),
        Misconception(
            "computed-in-float16",
            "Right, except that squares on the way did not fit into float16, whose largest number "
            "is 65 504. Compute in a wider type and return to the dtype of `x` at the end.",
            signs=looks_overflown,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "Your variance divides by N − 1: the batch you normalise uses 1/N.",
            wrong_forward(lambda x, eps: _centred(x) / np.sqrt(x.var(axis=0, ddof=1) + eps)),
        ),
        Misconception(
            "eps-outside-root",
            "eps stands outside the square root. It is added to the variance, before the root is "
            "taken.",
            wrong_forward(lambda x, eps: _centred(x) / (np.sqrt(x.var(axis=0)) + eps)),
        ),
        Misconception(
            "eps-argument-ignored",
            "You always use 1e-5, whatever `eps` is: hand the argument on.",
            wrong_forward(lambda x, eps: _centred(x) / np.sqrt(x.var(axis=0) + USUAL_EPS)),
        ),
        Misconception(
            "eps-forgotten",
            "eps is missing: a constant feature is then divided by zero.",
            wrong_forward(lambda x, eps: _centred(x) / np.sqrt(x.var(axis=0))),
        ),
        Misconception(
            "gamma-forgotten",
            "`gamma` is missing: after normalising, every feature is multiplied by its own scale.",
            wrong_affine(lambda x_hat, gamma, beta: x_hat + beta),
        ),
        Misconception(
            "beta-forgotten",
            "`beta` is missing: at the end every feature is shifted by its own beta.",
            wrong_affine(lambda x_hat, gamma, beta: gamma * x_hat),
        ),
        Misconception(
            "gamma-and-beta-forgotten",
            "You returned x_hat: scale it by `gamma` and shift it by `beta`.",
            wrong_affine(lambda x_hat, gamma, beta: x_hat),
        ),
        Misconception(
            "gamma-and-beta-swapped",
            "`gamma` and `beta` have changed places: gamma multiplies, beta is added.",
            wrong_affine(lambda x_hat, gamma, beta: beta * x_hat + gamma),
        ),
        Misconception(
            "gamma-scales-beta",
            "You multiplied beta by gamma, too: scale first, then shift.",
            wrong_affine(lambda x_hat, gamma, beta: gamma * (x_hat + beta)),
        ),
        Misconception(
            "divides-by-variance",
            "You divided by the variance; it takes its square root to bring the spread to 1.",
            wrong_forward(lambda x, eps: _centred(x) / (x.var(axis=0) + eps)),
        ),
        Misconception(
            "mean-not-subtracted",
            "You divided by the standard deviation, but the mean is still in.",
            wrong_forward(lambda x, eps: x / np.sqrt(x.var(axis=0) + eps)),
        ),
        Misconception(
            "statistics-over-all-axes",
            "You normalised with one mean and one variance of the whole array: every feature "
            "(column) has its own.",
            wrong_forward(lambda x, eps: (x - x.mean()) / np.sqrt(x.var() + eps)),
        ),
        Misconception(
            "statistics-over-axis-1",
            "You normalised each example over its own features: that is layer norm. Batch norm "
            "runs over the examples, axis 0.",
            wrong_forward(
                lambda x, eps: (
                    (x - x.mean(axis=1, keepdims=True))
                    / np.sqrt(x.var(axis=1, keepdims=True) + eps)
                )
            ),
        ),
        Misconception(
            "other-default-eps",
            "Right when `eps` is given, wrong when it is left out: the default is 1e-5, as in "
            "PyTorch.",
            signs=has_other_default,
        ),
        Misconception(
            "cache-missing",
            "Only one array came back, and its first row was taken for y. Return two things: y, "
            "and a cache.",
            signs=has_no_cache,
        ),
        Misconception(
            "cache-first",
            "What came back first is no array: y comes first, the cache second.",
            signs=has_cache_first,
        ),
        Misconception(
            "narrowed-to-float32",
            "Right to about 7 digits, and a float64 batch has 16: you computed in float32. Widen "
            "float16 and float32 on the way, but never make anything narrower than it came.",
            signs=looks_narrowed,
        ),
    ),
    hints=(
        "You have all the parts: mean, variance, normalise. What comes after them, and which two "
        "arguments have you not used yet?",
        "mean → variance → x_hat → `gamma` times x_hat plus `beta`. Return a tuple of two: y, and "
        "anything you like as the cache (a dict with what you computed is a good one).",
        "Call your `batch_mean`, `batch_var` and `normalize` one after the other; pass `eps` on to "
        "the last. Multiply by `gamma`, add `beta` (both of shape (C,), so broadcasting fits), and "
        "return that first, the cache second.",
    ),
)
