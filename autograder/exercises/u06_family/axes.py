"""`reduce_axes`: the axes that a norm takes its mean and variance over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import bnlib
from autograder.exercises.u06_family.inputs import GATE, UNIT, Axes
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import call

Question = tuple[str, int, int | None]  # kind, ndim, channel_axis or None to leave it out


def asked(name: str, questions: list[Question], *, weight: float = 1.0, gate: bool = False) -> Case:
    """Ask several questions: no constant answers all of them."""
    inputs: dict[str, str | int] = {}
    script = []
    for kind, ndim, channel in questions:
        arguments: list[str | int] = [kind, ndim] if channel is None else [kind, ndim, channel]
        label = f"reduce_axes({', '.join(map(repr, arguments))})"
        names = [f"{label} {k}" for k in range(len(arguments))]
        inputs |= dict(zip(names, arguments, strict=True))
        script.append(call("reduce_axes", *names, into=label))
    report = tuple(step.into for step in script)
    return Case(name, inputs, tuple(script), report, weight=weight, gate=gate, dtype_of=None)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `reduce_axes`."""

    def shuffled(questions: list[Question]) -> list[Question]:
        return [questions[k] for k in rng.permutation(len(questions))]

    yield asked(GATE, [("batch", 4, None), ("instance", 4, -1)], gate=True)
    sizes = (2, 3, 4, 5)
    first: list[Question] = [("batch", n, 1) for n in sizes]
    yield asked("batch norm, channels on axis 1", shuffled(first), weight=2)
    last: list[Question] = [("batch", n, -1) for n in sizes]
    yield asked("batch norm, channel_axis=-1", shuffled(last), weight=2)
    middle: list[Question] = [
        *(("batch", 4, 2), ("batch", 4, -2), ("batch", 5, 2), ("batch", 5, -3), ("batch", 5, 3))
    ]
    yield asked("batch norm, channels in the middle", shuffled(middle))
    layer: list[Question] = [("layer", n, 1) for n in sizes]
    yield asked("layer norm, 2 to 5 axes", shuffled(layer), weight=2)
    apart: list[Question] = [("layer", 3, -1), ("layer", 4, 3), ("layer", 5, 2), ("layer", 2, -1)]
    yield asked("layer norm with the channels elsewhere", shuffled(apart))
    instance: list[Question] = [("instance", n, 1) for n in (3, 4, 5)]
    yield asked("instance norm, channels on axis 1", shuffled(instance), weight=2)
    elsewhere: list[Question] = [
        *(("instance", 3, -1), ("instance", 4, -1), ("instance", 4, 2), ("instance", 5, -2))
    ]
    yield asked("instance norm with the channels elsewhere", shuffled(elsewhere), weight=2)
    left_out: list[Question] = [("batch", 3, None), ("layer", 4, None), ("instance", 4, None)]
    yield asked("channel_axis left out (default 1)", shuffled(left_out))


# --- what a wrong idea answers --------------------------------------------------------------------


def _kept(
    batch: Callable[[int], set[int]], layer: set[int], instance: Callable[[int], set[int]]
) -> Callable[..., Axes]:
    """Make the exercise's function from the axes each norm keeps, given the channel axis."""

    def reduce_axes(kind: str, ndim: int, channel_axis: int = 1) -> Axes:
        channel = channel_axis % ndim
        kept = {"batch": batch(channel), "layer": layer, "instance": instance(channel)}[kind]
        return tuple(axis for axis in range(ndim) if axis not in kept)

    return reduce_axes


def negative_kept(kind: str, ndim: int, channel_axis: int = 1) -> Axes:
    """Compare a negative channel axis with axes counted from the front."""
    kept = {"batch": {channel_axis}, "layer": {0}, "instance": {0, channel_axis}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


def channel_ignored(kind: str, ndim: int, channel_axis: int = 1) -> Axes:
    """Take axis 1 for the channels, whatever is said."""
    return bnlib.reduce_axes(kind, ndim)  # type: ignore[arg-type]


def complement(kind: str, ndim: int, channel_axis: int = 1) -> Axes:
    """Return the axes that are kept."""
    right = bnlib.reduce_axes(kind, ndim, channel_axis)  # type: ignore[arg-type]
    return tuple(axis for axis in range(ndim) if axis not in right)


def exchanged(kind: str, ndim: int, channel_axis: int = 1) -> Axes:
    """Take batch norm for layer norm, and layer norm for batch norm."""
    other = {"batch": "layer", "layer": "batch"}.get(kind, kind)
    return bnlib.reduce_axes(other, ndim, channel_axis)  # type: ignore[arg-type]


def _all_wrong(like: Callable[[object, Axes], bool]) -> Callable[[Case, Answer, Answer], bool]:
    """Say whether every wrong answer of a case is like it."""

    def signs(case: Case, answer: Answer, expected: Answer) -> bool:
        pairs = [(answer.values[label], expected.values[label]) for label in case.report]
        wrong = [(got, want) for got, want in pairs if type(got) is not tuple or got != want]
        return bool(wrong) and all(like(got, want) for got, want in wrong)  # type: ignore[arg-type]

    return signs


def _as_ints(got: object) -> list[int]:
    items = got.tolist() if isinstance(got, np.ndarray) else list(got)  # type: ignore[call-overload]
    return [int(item) for item in items]


def _other_sequence(got: object, want: Axes) -> bool:
    return not isinstance(got, tuple | int) and sorted(_as_ints(got)) == list(want)


def _single_number(got: object, want: Axes) -> bool:
    return isinstance(got, int | np.integer) and want == (int(got),)


def _unsorted(got: object, want: Axes) -> bool:
    return isinstance(got, tuple) and sorted(_as_ints(got)) == list(want)


def _from_the_back(got: object, want: Axes) -> bool:
    axes = _as_ints(got)
    return any(axis < 0 for axis in axes) and len(axes) == len(want)


REDUCE_AXES = Exercise(
    unit=UNIT,
    name="reduce_axes",
    points=2,
    minutes=6,
    oracle=bnlib.reduce_axes,
    cases=cases,
    tolerances={"float64": Tolerance(0.0, 0.0, "whole numbers")},
    misconceptions=(
        Misconception(
            "no-tuple",
            "The axes are right, and they must come as a tuple: NumPy takes `axis=(0, 2)`, and "
            "refuses a list.",
            signs=_all_wrong(_other_sequence),
        ),
        Misconception(
            "number-for-tuple",
            "Where one axis is left you returned a number. Return a tuple there, too: `(0,)`, with "
            "the comma.",
            signs=_all_wrong(_single_number),
        ),
        Misconception(
            "not-sorted",
            "The axes are right, and not in order: return them from the smallest to the largest.",
            signs=_all_wrong(_unsorted),
        ),
        Misconception(
            "counted-from-the-back",
            "There is a negative number in your answer. Count every axis from the front: of four "
            "axes the last one is 3.",
            signs=_all_wrong(_from_the_back),
        ),
        Misconception(
            "negative-channel-axis",
            "Right where channel_axis is positive. A negative one equals none of 0, 1, 2, …: bring "
            "it to the front first. `channel_axis % ndim` does it.",
            negative_kept,
        ),
        Misconception(
            "channel-axis-ignored",
            "Right where the channels are on axis 1; elsewhere you still keep axis 1. Use the "
            "argument `channel_axis`.",
            channel_ignored,
        ),
        Misconception(
            "axes-that-are-kept",
            "These are the axes that keep statistics of their own. Asked are the other ones: those "
            "one averages over.",
            complement,
        ),
        Misconception(
            "batch-and-layer-exchanged",
            "You exchanged batch and layer norm: batch norm keeps the channel axis, layer norm "
            "keeps the batch axis, 0.",
            exchanged,
        ),
        Misconception(
            "batch-axis-only",
            "For batch norm you average over the batch alone, so each position keeps statistics of "
            "its own. All axes but the channels' are averaged over.",
            lambda kind, ndim, channel_axis=1: (
                (0,) if kind == "batch" else bnlib.reduce_axes(kind, ndim, channel_axis)
            ),
        ),
        Misconception(
            "layer-keeps-channels",
            "For layer norm you left the channel axis out. It averages over everything a sample "
            "holds, its channels included: all axes but 0.",
            lambda kind, ndim, channel_axis=1: (
                tuple(a for a in range(1, ndim) if a != channel_axis % ndim)
                if kind == "layer"
                else bnlib.reduce_axes(kind, ndim, channel_axis)
            ),
        ),
        Misconception(
            "layer-channels-only",
            "For layer norm you average over the channels alone, as a transformer does token by "
            "token. Here it averages over everything a sample holds: all axes but 0.",
            lambda kind, ndim, channel_axis=1: (
                (channel_axis % ndim,)
                if kind == "layer"
                else bnlib.reduce_axes(kind, ndim, channel_axis)
            ),
        ),
        Misconception(
            "layer-includes-batch",
            "For layer norm you average over the batch, too. Each sample is on its own: axis 0 "
            "is kept.",
            _kept(lambda c: {c}, set(), lambda c: {0, c}),
        ),
        Misconception(
            "instance-includes-batch",
            "For instance norm you average over the batch, too. It keeps two axes: the batch and "
            "the channels.",
            _kept(lambda c: {c}, {0}, lambda c: {c}),
        ),
        Misconception(
            "instance-includes-channels",
            "For instance norm you average over the channels, too. It keeps two axes: the batch "
            "and the channels.",
            _kept(lambda c: {c}, {0}, lambda c: {0}),
        ),
    ),
    hints=(
        "It is easier to say which axes a norm *keeps* than which it averages over. What does "
        "each of the three keep?",
        "Batch norm keeps the channels, layer norm keeps axis 0, instance norm keeps both. Bring a "
        "negative channel axis to the front first: what does `-1 % 4` give?",
        "`kept = {'batch': {c}, 'layer': {0}, 'instance': {0, c}}[kind]` with "
        "`c = channel_axis % ndim`; return a tuple of all axes in `range(ndim)` that are not "
        "in it.",
    ),
)
