"""`batchnorm_nd`: batch norm with the channels on any axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import parameters
from autograder.exercises.u06_family.inputs import (
    DEFAULT_EPS,
    FAR_TOLERANCE,
    GATE,
    SIGNS,
    TOLERANCES,
    UNIT,
    USUAL_EPS,
    Axes,
    Normalise,
    ending,
    far,
    half,
    over,
    special,
    values,
)
from autograder.exercises.u06_family.inputs import HELP as SLIPS
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

ARGUMENTS = ("x", "gamma", "beta")
SCRIPT = (call("batchnorm_nd", *ARGUMENTS, channel_axis="channel_axis", eps="eps", into="y"),)
NO_AXIS_SCRIPT = (call("batchnorm_nd", *ARGUMENTS, eps="eps", into="y"),)
NO_EPS_SCRIPT = (call("batchnorm_nd", *ARGUMENTS, channel_axis="channel_axis", into="y"),)
GATE_SCRIPT = (
    call("batchnorm_nd", *ARGUMENTS, eps="eps", into="y, channels on axis 1"),
    call(
        "batchnorm_nd",
        *("x_last", "gamma", "beta"),
        channel_axis="last",
        eps="eps",
        into="y, channels last",
    ),
)
# Per channel: mean 3 and var 2, mean 10 and var 14; with eps = 2 the roots are 2 and 4.
EXAMPLE = np.array([[[1.0, 3.0], [4.0, 10.0]], [[3.0, 5.0], [12.0, 14.0]]])


def axes_of(ndim: int, channel_axis: int) -> Axes:
    """Return what batch norm averages over."""
    return bnlib.reduce_axes("batch", ndim, channel_axis)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batchnorm_nd`."""

    def case(name: str, x: np.ndarray, channel: int, eps: float = 1e-5, **options: Any) -> Case:
        gamma, beta = parameters(rng, x.shape[channel], x.dtype)
        inputs = {"x": x, "gamma": gamma, "beta": beta, "channel_axis": channel, "eps": eps}
        options = {"script": SCRIPT, "report": ("y",), "unchanged": ARGUMENTS} | options
        used = {n for step in options["script"] for n in (*step.args, *step.kwargs.values())}
        return Case(name, {n: v for n, v in inputs.items() if n in used}, **options)

    def array(*shape: int, channel: int = 1) -> np.ndarray:
        return values(rng, shape, axes_of(len(shape), channel))

    n, c = int(rng.integers(2, 4)), int(rng.integers(5, 7))
    yield gate()
    yield case("images, channels first (N, C, H, W)", array(n, c, 3, 4), 1, weight=3)
    images = array(n, 3, 4, c, channel=-1)
    yield case("images, channels last (N, H, W, C), channel_axis=-1", images, -1, weight=3)
    yield case("the same with channel_axis=3", array(n, 3, 4, c, channel=3), 3)
    yield case("channels in the middle, channel_axis=2", array(n, 3, c, 4, channel=2), 2)
    yield case("channels in the middle, channel_axis=-2", array(n, 3, c, 4, channel=-2), -2)
    yield case("features (N, C)", array(8, c), 1)
    yield case("sequences (N, C, L)", array(n, c, 7), 1)
    yield case("sequences (N, T, C), channel_axis=-1", array(n, 7, c, channel=-1), -1)
    yield case("videos (N, C, T, H, W)", array(2, c, 2, 3, 4), 1)
    yield case("as many channels as columns (N, C, H, C)", array(n, 4, 5, 4), 1, weight=2)
    cube = array(n, 3, 3, 3, channel=-1)
    yield case("as many channels as rows and columns, channels last", cube, -1, weight=2)
    yield case("a single image", array(1, c, 4, 5), 1)
    yield case("a single channel", array(n, 1, 4, 5), 1)
    x = array(n, c, 3, 4)
    yield case("channel_axis left out (default 1)", x, 1, script=NO_AXIS_SCRIPT)
    yield case("a large eps", array(n, c, 3, 4), 1, float(rng.uniform(0.5, 2.0)), weight=2)
    small = 1e-3 * array(n, c, 3, 4)
    yield case(DEFAULT_EPS, small, 1, script=NO_EPS_SCRIPT)
    for name, x in special(rng, (n, c, 3, 4), axes_of(4, 1)):
        yield case(f"images: {name}", x, 1)
    name, x = far(rng, (4, 4, 4, 4), axes_of(4, 1))
    yield case(name, x, 1, tolerance=FAR_TOLERANCE, weight=2)
    name, x = half(rng, (n, c, 3, 4))
    yield case(name, x, 1)


def gate() -> Case:
    """Mirror the asserts of the test cell."""
    inputs = {
        "x": EXAMPLE,
        "x_last": np.ascontiguousarray(np.moveaxis(EXAMPLE, 1, -1)),
        "gamma": np.array([10.0, 2.0]),
        "beta": np.array([1.0, -1.0]),
        "last": -1,
        "eps": 2.0,
    }
    report = tuple(step.into for step in GATE_SCRIPT)
    return Case(GATE, inputs, GATE_SCRIPT, report, gate=True)


# --- what a wrong idea answers --------------------------------------------------------------------

Function = Callable[..., np.ndarray]


def _spread(v: np.ndarray, ndim: int, channel: int) -> np.ndarray:
    return np.asarray(v.reshape([-1 if axis == channel % ndim else 1 for axis in range(ndim)]))


def normalising(way: Callable[[int], Normalise]) -> Function:
    """Build the function from a way to normalise, given the channel axis; the rest is right."""

    def batchnorm_nd(
        x: np.ndarray,
        gamma: np.ndarray,
        beta: np.ndarray,
        channel_axis: int = 1,
        eps: float = USUAL_EPS,
    ) -> np.ndarray:
        x_hat = way(channel_axis)(x, eps)
        scale, shift = (_spread(v, x.ndim, channel_axis) for v in (gamma, beta))
        return np.asarray((scale * x_hat + shift).astype(x.dtype))

    return batchnorm_nd


def reducing(axes: Callable[[int, int], Axes]) -> Function:
    """Build the function from the axes of its statistics, given ndim and the channel axis."""
    return normalising(lambda channel: over(lambda ndim: axes(ndim, channel)))


def ending_in(
    affine: Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray],
) -> Function:
    """Build the function from what is done to x_hat, given gamma, beta and the channel axis."""

    def batchnorm_nd(
        x: np.ndarray,
        gamma: np.ndarray,
        beta: np.ndarray,
        channel_axis: int = 1,
        eps: float = USUAL_EPS,
    ) -> np.ndarray:
        x_hat = over(lambda ndim: axes_of(ndim, channel_axis))(x, eps)
        return affine(x_hat, gamma, beta, channel_axis).astype(x.dtype)

    return batchnorm_nd


def at(channel: int) -> Function:
    """Build the function that takes one axis for the channels, whatever is said."""

    def batchnorm_nd(
        x: np.ndarray,
        gamma: np.ndarray,
        beta: np.ndarray,
        channel_axis: int = 1,
        eps: float = USUAL_EPS,
    ) -> np.ndarray:
        return bnlib.batchnorm_nd(x, gamma, beta, channel, eps)

    return batchnorm_nd


def reshaped(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    channel_axis: int = 1,
    eps: float = USUAL_EPS,
) -> np.ndarray:
    """Reshape to (…, C), wherever the channels are."""
    rows = x.reshape(-1, len(gamma)).astype(np.float64)
    x_hat = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + eps)
    return np.asarray((gamma * x_hat + beta).reshape(x.shape).astype(x.dtype))


def reshaped_to_columns(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    channel_axis: int = 1,
    eps: float = USUAL_EPS,
) -> np.ndarray:
    """Reshape to (C, …), wherever the channels are."""
    rows = x.reshape(len(gamma), -1).astype(np.float64)
    x_hat = over(lambda ndim: (1,))(rows, eps)
    y = gamma.reshape(-1, 1) * x_hat + beta.reshape(-1, 1)
    return np.asarray(y.reshape(x.shape).astype(x.dtype))


def _moved(x_hat: np.ndarray, gamma: np.ndarray, beta: np.ndarray, channel: int) -> np.ndarray:
    last = np.moveaxis(x_hat, channel, -1)
    return np.asarray(gamma * last + beta)


def _reshaped_back(
    x_hat: np.ndarray, gamma: np.ndarray, beta: np.ndarray, channel: int
) -> np.ndarray:
    return _moved(x_hat, gamma, beta, channel).reshape(x_hat.shape)


def _slips() -> Iterator[Misconception]:
    """Yield what may go wrong after the right axes."""
    for name in ending(lambda ndim: axes_of(ndim, 1)):

        def way(channel: int, name: str = name) -> Normalise:
            return ending(lambda ndim: axes_of(ndim, channel))[name]

        yield Misconception(name, SLIPS[name], normalising(way))


BATCHNORM_ND = Exercise(
    unit=UNIT,
    name="batchnorm_nd",
    points=4,
    minutes=12,
    oracle=bnlib.batchnorm_nd,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        *SIGNS,
        Misconception(
            "channel-axis-ignored",
            "You always take axis 1 for the channels. Where they are is said by `channel_axis`.",
            at(1),
        ),
        Misconception(
            "channels-always-last",
            "You always take the last axis for the channels. Where they are is said by "
            "`channel_axis`.",
            at(-1),
        ),
        Misconception(
            "gamma-on-the-last-axis",
            "Your statistics are right, and gamma and beta went along the last axis: that is where "
            "broadcasting puts a vector. Where there are as many columns as channels it does so "
            "without an error. Reshape them to (1, C, 1, …, 1), with C on the channel axis.",
            ending_in(lambda x_hat, gamma, beta, channel: np.asarray(gamma * x_hat + beta)),
        ),
        Misconception(
            "reshaped-for-transposed",
            "You reshaped to (…, C). That only cuts the numbers into rows, in their order; where "
            "the channels are not last already, each row then holds values of several channels. "
            "Move the axis first: `np.moveaxis(x, channel_axis, -1)`.",
            reshaped,
        ),
        Misconception(
            "reshaped-to-rows",
            "You reshaped to (C, …). That only cuts the numbers into rows, in their order; where "
            "the channels are not first already, each row then holds values of several channels. "
            "Move the axis first: `np.moveaxis(x, channel_axis, 0)`, and back at the end.",
            reshaped_to_columns,
        ),
        Misconception(
            "negative-channel-axis",
            "With a negative channel_axis you averaged over everything: −1 equals none of "
            "0, 1, 2, …, so no axis was kept. `channel_axis % x.ndim` brings it to the front.",
            reducing(lambda ndim, channel: tuple(a for a in range(ndim) if a != channel)),
        ),
        Misconception(
            "positions-on-their-own",
            "You averaged over the batch alone, so each position has statistics of its own. A "
            "channel's values at all positions share one mean and one variance.",
            reducing(lambda ndim, channel: (0,)),
        ),
        Misconception(
            "instance-statistics",
            "You averaged over each image alone: that is instance norm. Batch norm's statistics "
            "run over the batch, too.",
            reducing(lambda ndim, channel: bnlib.reduce_axes("instance", ndim, channel)),
        ),
        Misconception(
            "layer-statistics",
            "You averaged over everything a sample holds: that is layer norm. Batch norm keeps the "
            "channel axis, and averages over all others.",
            reducing(lambda ndim, channel: bnlib.reduce_axes("layer", ndim)),
        ),
        Misconception(
            "statistics-over-all-axes",
            "You normalised with one mean and one variance of the whole array: each channel has "
            "its own.",
            reducing(lambda ndim, channel: tuple(range(ndim))),
        ),
        *_slips(),
        Misconception(
            "gamma-forgotten",
            "`gamma` is missing: after normalising, each channel is multiplied by its own scale.",
            ending_in(lambda x_hat, gamma, beta, c: x_hat + _spread(beta, x_hat.ndim, c)),
        ),
        Misconception(
            "beta-forgotten",
            "`beta` is missing: at the end each channel is shifted by its own beta.",
            ending_in(lambda x_hat, gamma, beta, c: x_hat * _spread(gamma, x_hat.ndim, c)),
        ),
        Misconception(
            "gamma-and-beta-forgotten",
            "You returned x_hat: scale it by `gamma` and shift it by `beta`.",
            ending_in(lambda x_hat, gamma, beta, channel: x_hat),
        ),
        Misconception(
            "beta-on-the-last-axis",
            SLIPS["beta-on-the-last-axis"],
            ending_in(lambda x_hat, gamma, beta, c: _spread(gamma, x_hat.ndim, c) * x_hat + beta),
        ),
        Misconception(
            "shifted-before-scaled",
            SLIPS["shifted-before-scaled"],
            ending_in(
                lambda x_hat, gamma, beta, c: (
                    _spread(gamma, x_hat.ndim, c) * (x_hat + _spread(beta, x_hat.ndim, c))
                )
            ),
        ),
        Misconception(
            "reshaped-back",
            "You moved the channels to the end, and came back by a `reshape`: that leaves the "
            "numbers in the order of the moved array. Move the axis back: "
            "`np.moveaxis(y, -1, channel_axis)`.",
            ending_in(_reshaped_back),
        ),
        Misconception(
            "channels-left-last",
            "You moved the channels to the end, and not back: the answer has the axes of `x`, in "
            "their order.",
            ending_in(_moved),
        ),
    ),
    hints=(
        "You have `reduce_axes`. What is left is unit 2, and the question where gamma and beta "
        "have to stand.",
        "`keepdims=True` leaves the averaged axes in place with length 1, so that mean and "
        "variance meet x by themselves. gamma and beta, (C,), need a shape of ones with C on the "
        "channel axis. And take a wider copy of float16.",
        "`shape = [1] * x.ndim; shape[channel_axis] = -1`, then `gamma.reshape(shape)`. Mean and "
        "variance over `reduce_axes('batch', x.ndim, channel_axis)` with `keepdims=True`. (The "
        "other way: `np.moveaxis` the channels to the end, normalise there, and move them back.)",
    ),
)
