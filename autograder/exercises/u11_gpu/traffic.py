"""Exercises `bytes_moved` and `achieved_bandwidth`: exact arithmetic about memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import EXACT, TOLERANCES, UNIT, reference
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

ARGUMENTS = ("shape", "dtype", "pass_", "fused")
SCRIPT = (call("bytes_moved", *ARGUMENTS, into="bytes"),)
REFUSED = (call("bytes_moved", *ARGUMENTS, into="raised", expect="ValueError"),)
# reads of tensors of x's size, writes of such; accesses of tensors of shape (C,), reads among them
COUNTS = {
    ("train", False): (4, 2, 7, 5),
    ("train", True): (2, 1, 6, 4),
    ("eval", False): (2, 2, 4, 4),
    ("eval", True): (1, 1, 4, 4),
    ("backward", False): (5, 1, 6, 4),
    ("backward", True): (4, 1, 9, 7),
}
# tensors of x's size, and others, if each is counted once a pass
ONCE = dict(zip(COUNTS.values(), ((3, 4), (2, 4), (3, 4), (2, 4), (3, 4), (3, 5)), strict=True))

WIDE = "So many bytes do not fit into 32 bits. Python's own whole numbers have no end: `math.prod`."


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `bytes_moved`."""

    def shape(axes: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.choice(np.arange(3, 40), axes, replace=False))

    def case(
        name: str, axes: int, dtype: str, pass_: str, fused: bool, size: Any = (), **options: Any
    ) -> Case:
        inputs = {
            "shape": size or shape(axes),
            "dtype": Given("dtype", {"name": dtype}),
            "pass_": pass_,
            "fused": fused,
        }
        options = {"script": SCRIPT, "report": ("bytes",), "dtype_of": None, **options}
        return Case(name, inputs, tolerance=EXACT, **options)

    example = (2, 3)
    yield case("the example of the test cell", 2, "float32", "eval", True, example, gate=True)
    yield case("forward in training, unfused", 2, "float32", "train", False)
    yield case("forward in training, fused", 2, "float32", "train", True)
    yield case("forward in evaluation, unfused", 4, "float32", "eval", False)
    yield case("forward in evaluation, fused", 4, "float32", "eval", True)
    yield case("backward, unfused", 4, "float32", "backward", False)
    yield case("backward, fused", 3, "float32", "backward", True)
    for dtype in ("float16", "bfloat16"):
        yield case("half precision, statistics in float32", 4, dtype, "train", True)
        yield case("half precision, statistics in float32", 4, dtype, "backward", False)
    yield case("float64", 2, "float64", "train", False)
    large = (4096, 512, 56, 56)
    yield case("more than 2³¹ bytes", 4, "float16", "train", False, large, help=WIDE)
    refused = {"script": REFUSED, "report": ("raised",), "idle": True}
    yield case("a pass that does not exist", 2, "float32", "sideways", False, **refused)


def counting(
    count: Callable[[int, int, int, int], tuple[float, float]] = lambda r, w, v, _: (r + w, v),
    *,
    flip: bool = False,
    size: Callable[[int], int] = lambda itemsize: itemsize,
    vector: Callable[[int], int] = lambda itemsize: max(4, itemsize),
    channels: Callable[[Sequence[int]], int] = lambda shape: shape[1],
    numel: Callable[[Sequence[int]], int] = prod,
) -> Callable[..., Any]:
    """Make an implementation with wrong parts put in."""

    def bytes_moved(shape: Sequence[int], dtype: Any, pass_: str, fused: bool) -> int:
        if (pass_, fused) not in COUNTS:
            raise ValueError(pass_)
        big, small = count(*COUNTS[pass_, fused != flip])
        parts = big * numel(shape) * size(dtype.itemsize), vector(dtype.itemsize)
        return int(parts[0] + small * channels(shape) * parts[1])

    return bytes_moved


BYTES = Exercise(
    unit=UNIT,
    name="bytes_moved",
    points=3,
    minutes=12,
    oracle=reference("bytes_moved"),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "fused-and-unfused-swapped",
            "You took the table of the fused kernels for the unfused ones, or the other way round.",
            counting(flip=True),
        ),
        Misconception(
            "writes-forgotten",
            "You counted reads only. A kernel that writes y moves its bytes, too.",
            counting(lambda r, w, v, reads: (r, reads)),
        ),
        Misconception(
            "each-tensor-once",
            "You counted each tensor once a pass. Every *kernel* reads its inputs again.",
            counting(lambda *counts: ONCE[counts]),
        ),
        Misconception(
            "per-channel-forgotten",
            "You left out the tensors of shape (C,). They are few bytes, and the count is exact.",
            counting(lambda r, w, v, reads: (r + w, 0)),
        ),
        Misconception(
            "statistics-in-half",
            "You counted the tensors of shape (C,) in the data's dtype. They are kept in float32, "
            "for half-precision data, too.",
            counting(vector=lambda itemsize: itemsize),
        ),
        Misconception(
            "statistics-always-float32",
            "For float64 data the tensors of shape (C,) are float64, too.",
            counting(vector=lambda itemsize: 4),
        ),
        Misconception(
            "always-four-bytes",
            "You counted four bytes a number. `dtype.itemsize` says how many it is.",
            counting(size=lambda itemsize: 4, vector=lambda itemsize: 4),
        ),
        Misconception(
            "bits",
            "You counted bits.",
            counting(size=lambda i: 8 * i, vector=lambda i: 8 * max(4, i)),
        ),
        Misconception(
            "channels-last-axis",
            "You took the number of channels from the last axis. Channels are axis 1.",
            counting(channels=lambda shape: shape[-1]),
        ),
        Misconception(
            "channels-first-axis",
            "You took the number of channels from axis 0, where the rows are. Channels are axis 1.",
            counting(channels=lambda shape: shape[0]),
        ),
        Misconception(
            "spatial-axes-forgotten",
            "You counted N·C numbers. x has N·C·H·W.",
            counting(numel=lambda shape: shape[0] * shape[1]),
        ),
        Misconception(
            "numbers-not-bytes",
            "You counted numbers. Multiply by the bytes that one takes.",
            counting(size=lambda itemsize: 1, vector=lambda itemsize: 1),
        ),
    ),
    hints=(
        "Go through the table line by line with a pencil: how many of its tensors have the size of "
        "x, how many have C numbers? Two sums for each of the six passes are all you need.",
        "Bytes = (accesses of large tensors) · numel · itemsize + (accesses of (C,) tensors) · C · "
        "max(4, itemsize).",
        "A dict from `(pass_, fused)` to the pair of counts; the counts of `('train', True)` are "
        "3 and 6. `math.prod(shape)`, `dtype.itemsize`.",
    ),
)


BANDWIDTH_SCRIPT = (
    call("achieved_bandwidth", "n_bytes", "ms", into="answer"),
    call("as_float", "answer", into="GB/s"),
)


def bandwidth_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `achieved_bandwidth`."""

    def case(name: str, n_bytes: float, ms: float, **options: Any) -> Case:
        inputs = {"n_bytes": n_bytes, "ms": ms, "as_float": Given("as_float")}
        return Case(name, inputs, BANDWIDTH_SCRIPT, ("GB/s",), dtype_of=None, **options)

    yield case("the example of the test cell", 3e9, 2.0, gate=True)
    yield case("a large copy", float(rng.integers(10**9, 10**11)), float(rng.uniform(1, 50)))
    yield case("a few kilobytes", int(rng.integers(2_000, 90_000)), float(rng.uniform(0.01, 0.2)))
    yield case("slower than 1 GB/s", float(rng.integers(10**6, 10**7)), float(rng.uniform(20, 90)))


def _factor(factor: float) -> Callable[..., Any]:
    return lambda n_bytes, ms: n_bytes / ms / 1e6 * factor


def _inverse(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values["GB/s"]
    want: Any = expected.values["GB/s"]
    decades = np.log10(got * want)
    return bool(got != want and abs(decades - round(decades)) < 1e-9)


BANDWIDTH = Exercise(
    unit=UNIT,
    name="achieved_bandwidth",
    points=1,
    minutes=3,
    oracle=reference("achieved_bandwidth"),
    cases=bandwidth_cases,
    tolerances={"float64": Tolerance(1e-9, 0.0, "two divisions: 4 eps64, with room")},
    misconceptions=(
        Misconception(
            "gibibytes",
            "You divided by 2³⁰. A card's data sheet, and this course, count 10⁹ bytes a GB.",
            _factor(1e9 / 2**30),
        ),
        Misconception(
            "ms-taken-for-seconds",
            "Your number is a thousand times too small: the time comes in milliseconds.",
            _factor(1e-3),
        ),
        Misconception(
            "ms-times-thousand",
            "Your number is a million times too small. `ms` milliseconds are ms / 1000 seconds, "
            "not ms · 1000.",
            _factor(1e-6),
        ),
        Misconception(
            "megabytes", "Your number is a thousand times too large: MB/s.", _factor(1e3)
        ),
        Misconception("bytes-a-second", "Your number is in bytes a second.", _factor(1e9)),
        Misconception("bits", "You counted bits: bandwidth is in bytes here.", _factor(8.0)),
        Misconception("upside-down", "You divided the time by the bytes.", signs=_inverse),
    ),
    hints=(
        "Bytes a second first: how many seconds are `ms` milliseconds? Then GB: 10⁹ bytes.",
        "n_bytes / (ms / 1000) / 1e9.",
        "The same with a single division: `n_bytes / (ms * 1e6)`.",
    ),
)
