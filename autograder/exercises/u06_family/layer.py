"""`layer_norm` and `instance_norm`: every sample on its own, as a whole or channel by channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u06_family.inputs import (
    DEFAULT_EPS,
    FAR_TOLERANCE,
    GATE,
    HELP,
    SIGNS,
    TOLERANCES,
    UNIT,
    USUAL_EPS,
    Axes,
    Normalise,
    far,
    half,
    over,
    special,
    usual_slips,
    values,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

Function = Callable[..., np.ndarray]

# --- layer norm -----------------------------------------------------------------------------------

LAYER_ARGUMENTS = ("x", "gamma", "beta")
LAYER_SCRIPT = (call("layer_norm", *LAYER_ARGUMENTS, "eps", into="y"),)
LAYER_NO_EPS = (call("layer_norm", *LAYER_ARGUMENTS, into="y"),)


def layer_axes(ndim: int) -> Axes:
    """Return what layer norm averages over."""
    return bnlib.reduce_axes("layer", ndim)


def layer_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `layer_norm`."""

    def case(name: str, x: np.ndarray, eps: float = 1e-5, **options: Any) -> Case:
        gamma = (rng.uniform(0.5, 2.0, x.shape[1:]) * _signs(rng, x.shape[1:])).astype(x.dtype)
        beta = (rng.uniform(0.5, 2.0, x.shape[1:]) * _signs(rng, x.shape[1:])).astype(x.dtype)
        inputs = {"x": x, "gamma": gamma, "beta": beta, "eps": eps}
        return Case(name, inputs, LAYER_SCRIPT, ("y",), LAYER_ARGUMENTS, **options)

    def array(*shape: int) -> np.ndarray:
        return values(rng, shape, layer_axes(len(shape)))

    n, c = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    # Rows of mean 3 and variance 2, mean 10 and variance 14; with eps = 2 the roots are 2 and 4.
    example = {
        "x": np.array([[1.0, 3.0, 3.0, 5.0], [4.0, 10.0, 12.0, 14.0]]),
        "gamma": np.array([1.0, 2.0, 3.0, 10.0]),
        "beta": np.array([0.0, 5.0, 0.0, -1.0]),
        "eps": 2.0,
    }
    yield Case(GATE, example, LAYER_SCRIPT, ("y",), gate=True)
    yield case("features (N, C)", array(n, c), weight=3)
    yield case("images (N, C, H, W)", array(n, 3, 4, 5), weight=3)
    yield case("sequences (N, T, C): a whole sequence together", array(n, 4, c), weight=2)
    yield case("as many rows as columns", array(5, 5))
    yield case("as many of everything", array(3, 3, 3))
    yield case("a single sample", array(1, 4, c))
    yield case("a large eps", array(n, 3, 4), float(rng.uniform(0.5, 2.0)), weight=2)
    small = case(DEFAULT_EPS, 1e-3 * array(n, 3, 4))
    inputs = {name: small.inputs[name] for name in LAYER_ARGUMENTS}
    yield Case(DEFAULT_EPS, inputs, LAYER_NO_EPS, ("y",), LAYER_ARGUMENTS)
    for name, x in special(rng, (n, 3, 2, 4), layer_axes(4)):
        yield case(name, x)
    name, x = far(rng, (n, 4, 4, 4), layer_axes(4))
    yield case(name, x, tolerance=FAR_TOLERANCE, weight=2)
    name, x = half(rng, (n, 3, 8))
    yield case(name, x)


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


def layer_from(
    normalise: Normalise,
    affine: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] = lambda x, g, b: g * x + b,
) -> Function:
    """Build `layer_norm` from a way to normalise, and from what is done afterwards."""

    def layer_norm(
        x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = USUAL_EPS
    ) -> np.ndarray:
        return affine(normalise(x, eps), gamma, beta).astype(x.dtype)

    return layer_norm


def _without_keepdims(x: np.ndarray, eps: float) -> np.ndarray:
    wide, axes = x.astype(np.float64), layer_axes(x.ndim)
    return np.asarray((wide - wide.mean(axis=axes)) / np.sqrt(wide.var(axis=axes) + eps))


LAYER_NORM = Exercise(
    unit=UNIT,
    name="layer_norm",
    points=2,
    minutes=6,
    oracle=bnlib.layer_norm,
    cases=layer_cases,
    tolerances=TOLERANCES,
    misconceptions=(
        *SIGNS,
        Misconception(
            "batch-statistics",
            "You averaged over the batch: that is batch norm. Layer norm looks at one sample at a "
            "time: over all axes but 0.",
            layer_from(over(lambda ndim: (0,))),
        ),
        Misconception(
            "channel-statistics",
            "You kept the channels, and averaged over all else: that is batch norm. Layer norm "
            "keeps axis 0, and averages over all axes but that one.",
            layer_from(over(lambda ndim: bnlib.reduce_axes("batch", ndim))),
        ),
        Misconception(
            "last-axis-only",
            "You averaged over the last axis alone. Here a whole sample shares one mean and one "
            "variance: all axes but 0. (A transformer does what you did, token by token.)",
            layer_from(over(lambda ndim: (ndim - 1,))),
        ),
        Misconception(
            "axis-1-only",
            "You averaged over axis 1 alone. A whole sample shares one mean and one variance: all "
            "axes but 0.",
            layer_from(over(lambda ndim: (1,))),
        ),
        Misconception(
            "channels-on-their-own",
            "Each channel has a mean of its own in your code: that is instance norm. Layer norm "
            "averages over the channels, too.",
            layer_from(over(lambda ndim: tuple(range(2, ndim)) or (1,))),
        ),
        Misconception(
            "statistics-over-all-axes",
            "You normalised with one mean and one variance of the whole batch. Each sample has its "
            "own: axis 0 is kept.",
            layer_from(over(lambda ndim: tuple(range(ndim)))),
        ),
        Misconception(
            "keepdims-forgotten",
            "Your means belong to the rows, and were subtracted along the last axis: broadcasting "
            "puts them there. `keepdims=True` keeps them where they came from.",
            layer_from(_without_keepdims),
        ),
        *usual_slips(layer_from, layer_axes),
        Misconception(
            "gamma-forgotten",
            "`gamma` is missing: after normalising, each entry is multiplied by its own scale.",
            layer_from(over(layer_axes), lambda x, g, b: x + b),
        ),
        Misconception(
            "beta-forgotten",
            "`beta` is missing: at the end each entry is shifted by its own beta.",
            layer_from(over(layer_axes), lambda x, g, b: g * x),
        ),
        Misconception(
            "gamma-and-beta-forgotten",
            "You returned x_hat: scale it by `gamma` and shift it by `beta`.",
            layer_from(over(layer_axes), lambda x, g, b: x),
        ),
        Misconception(
            "shifted-before-scaled",
            HELP["shifted-before-scaled"],
            layer_from(over(layer_axes), lambda x, g, b: g * (x + b)),
        ),
        Misconception(
            "gamma-and-beta-swapped",
            "`gamma` and `beta` have changed places: gamma multiplies, beta is added.",
            layer_from(over(layer_axes), lambda x, g, b: b * x + g),
        ),
    ),
    hints=(
        "The same line as in `batchnorm_nd`, with other axes. And gamma and beta fit already: why?",
        "`axes = reduce_axes('layer', x.ndim)`; mean and variance with `keepdims=True`. gamma has "
        "the shape of one sample, so broadcasting lays it over every sample.",
        "`mean = x.mean(axis=axes, keepdims=True)`, the variance likewise, then "
        "`gamma * (x - mean) / np.sqrt(var + eps) + beta`, on a wider copy where x is float16.",
    ),
)

# --- instance norm --------------------------------------------------------------------------------

INSTANCE_SCRIPT = (call("instance_norm", "x", "eps", into="x_hat"),)
INSTANCE_NO_EPS = (call("instance_norm", "x", into="x_hat"),)


def instance_axes(ndim: int) -> Axes:
    """Return what instance norm averages over."""
    return bnlib.reduce_axes("instance", ndim)


def instance_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `instance_norm`."""

    def case(name: str, x: np.ndarray, eps: float = 1e-5, **options: Any) -> Case:
        inputs = {"x": x, "eps": eps}
        return Case(name, inputs, INSTANCE_SCRIPT, ("x_hat",), ("x",), **options)

    def array(*shape: int) -> np.ndarray:
        return values(rng, shape, instance_axes(len(shape)))

    n, c = int(rng.integers(2, 4)), int(rng.integers(3, 5))
    # Variance 16 three times, and 0; with eps = 9 the roots are 5, and 3.
    example = {"x": np.array([[[2.0, 10.0], [7.0, 7.0]], [[0.0, 8.0], [-4.0, 4.0]]]), "eps": 9.0}
    yield Case(GATE, example, INSTANCE_SCRIPT, ("x_hat",), gate=True)
    yield case("images (N, C, H, W)", array(n, c, 4, 5), weight=3)
    yield case("sequences (N, C, L)", array(n, c, 7), weight=2)
    yield case("videos (N, C, T, H, W)", array(n, c, 2, 3, 4))
    yield case("a single image", array(1, c, 4, 5))
    yield case("a single channel", array(n, 1, 4, 5))
    yield case("as many of everything", array(3, 3, 3, 3))
    yield case("one row of pixels (H = 1)", array(n, c, 1, 7))
    yield case("a large eps", array(n, c, 4, 5), float(rng.uniform(0.5, 2.0)), weight=2)
    small = {"x": 1e-3 * array(n, c, 4, 5)}
    yield Case(DEFAULT_EPS, small, INSTANCE_NO_EPS, ("x_hat",), ("x",))
    for name, x in special(rng, (n, c, 3, 4), instance_axes(4)):
        yield case(name, x)
    name, x = far(rng, (n, c, 6, 8), instance_axes(4))
    yield case(name, x, tolerance=FAR_TOLERANCE, weight=2)
    name, x = half(rng, (n, c, 8))
    yield case(name, x)


def instance_from(normalise: Normalise) -> Function:
    """Build `instance_norm` from a way to normalise."""

    def instance_norm(x: np.ndarray, eps: float = USUAL_EPS) -> np.ndarray:
        return normalise(x, eps).astype(x.dtype)

    return instance_norm


INSTANCE_NORM = Exercise(
    unit=UNIT,
    name="instance_norm",
    points=2,
    minutes=4,
    oracle=bnlib.instance_norm,
    cases=instance_cases,
    tolerances=TOLERANCES,
    misconceptions=(
        *SIGNS,
        Misconception(
            "batch-statistics",
            "You averaged over the batch, too: that is batch norm. Instance norm keeps axis 0 and "
            "axis 1.",
            instance_from(over(lambda ndim: bnlib.reduce_axes("batch", ndim))),
        ),
        Misconception(
            "layer-statistics",
            "You averaged over the channels, too: that is layer norm. Instance norm keeps axis 0 "
            "and axis 1.",
            instance_from(over(layer_axes)),
        ),
        Misconception(
            "last-axis-only",
            "You averaged along the last axis, so each row of pixels has a mean of its own. All "
            "positions of a channel belong together: every axis from 2 on.",
            instance_from(over(lambda ndim: (ndim - 1,))),
        ),
        Misconception(
            "axis-2-only",
            "You averaged along axis 2 alone. All positions of a channel belong together: every "
            "axis from 2 on.",
            instance_from(over(lambda ndim: (2,))),
        ),
        Misconception(
            "statistics-over-all-axes",
            "You normalised with one mean and one variance of everything. Each channel of each "
            "sample has its own.",
            instance_from(over(lambda ndim: tuple(range(ndim)))),
        ),
        Misconception(
            "channels-last-assumed",
            "You kept the last axis: the channels are on axis 1 here.",
            instance_from(over(lambda ndim: tuple(range(1, ndim - 1)))),
        ),
        *usual_slips(instance_from, instance_axes),
    ),
    hints=(
        "The same line again. `reduce_axes` says over which axes.",
        "`axes = reduce_axes('instance', x.ndim)`: for images that is (2, 3). There is no gamma "
        "and no beta.",
        "`mean = x.mean(axis=axes, keepdims=True)`, the variance likewise, then "
        "`(x - mean) / np.sqrt(var + eps)`, on a wider copy where x is float16.",
    ),
)
