"""Exercise `bn_apply_kernel`: normalise one block of entries, whatever channels they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.data import (
    FORBIDDEN,
    HALF,
    NEEDS,
    NEVER_STORED,
    TOLERANCES,
    UNIT,
    WRITES_INPUT,
    batch,
    launched,
    per_channel,
    reports,
    shape,
    triton,
    undefined,
    unwritten,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.givens.kernels import on_arrays


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `bn_apply_kernel`."""

    def case(name: str, x: np.ndarray, block: int, **options: Any) -> Case:
        _, c, places = x.shape
        gamma, beta = options.pop("affine", None) or per_channel(rng, c)
        wide = x.astype(np.float64)
        more = options.pop("more", 0)
        given = {
            "x": x.ravel(),
            "mean": wide.mean(axis=(0, 2)).astype(np.float32),
            "var": wide.var(axis=(0, 2)).astype(np.float32),
            "gamma": gamma,
            "beta": beta,
            "y": unwritten(x.size, dtype=x.dtype.name),
            "C": c,
            "L": places,
            "size": x.size,
            "eps": options.pop("eps", 1e-5),
        }
        helper = triton((-(-x.size // block) + more,), ("y",), block)
        inputs, script, report = launched("bn_apply_kernel", given, ("y",), helper)
        return Case(name, inputs, script, report, dtype_of=None, **options)

    example = np.array([[[1.0, 1.0], [10.0, 20.0]], [[3.0, 3.0], [30.0, 40.0]]], np.float32)
    affine = np.array([1.0, 2.0], np.float32), np.array([0.0, 5.0], np.float32)
    # full blocks: with eps = 0 an idle lane may divide by 0, and a warning costs points elsewhere
    yield case("the example of the test cell", example, 4, affine=affine, eps=0.0, gate=True)
    yield case("several blocks", batch(rng, *shape(rng)), 16, weight=2)
    yield case("one block that is not full", batch(rng, 3, 2, 5), 64)
    yield case("full blocks only", batch(rng, 4, 2, 8), 16)
    yield case("images of one place: (N, C)", batch(rng, 7, 3, 1), 8)
    yield case("more programs than blocks", batch(rng, *shape(rng)), 32, more=2)
    eps = float(rng.uniform(0.5, 2.0))
    yield case("a large eps", batch(rng, *shape(rng)), 32, eps=eps)
    half = batch(rng, *shape(rng)).astype(np.float16)
    yield case("float16 in, float16 out", half, 32, tolerance=HALF)


Numbers = tuple[Any, ...]


def _spread(*parts: Any, C: int, L: int, size: int) -> list[np.ndarray]:
    """Give each entry its channel's numbers."""
    channel = np.arange(size) // L % C
    return [np.asarray(part, np.float64)[channel] for part in parts]


def _variant(formula: Callable[..., Any]) -> Callable[..., None]:
    """Make a kernel of a formula of x, mean, var, gamma, beta and eps, entry by entry."""

    @on_arrays
    def kernel(
        x: Any, mean: Any, var: Any, gamma: Any, beta: Any, y: Any, C: int, L: int, size: int,
        eps: float, BLOCK: int = 0,
    ) -> None:  # fmt: skip
        parts = _spread(mean, var, gamma, beta, C=C, L=L, size=size)
        y[:] = formula(np.asarray(x, np.float64), *parts, eps)

    return kernel


bn_apply = _variant(lambda x, m, v, g, b, eps: g * (x - m) / np.sqrt(v + eps) + b)


@on_arrays
def one_channel_a_program(
    x: Any, mean: Any, var: Any, gamma: Any, beta: Any, y: Any, C: int, L: int, size: int,
    eps: float, BLOCK: int = 16,
) -> None:  # fmt: skip
    """Leave all entries but those of the first block unwritten."""
    bn_apply(x, mean, var, gamma, beta, y, C, L, size, eps)
    y[BLOCK:] = np.nan


def _with_channel(channel: Callable[[np.ndarray, int, int], np.ndarray]) -> Callable[..., None]:
    """Make a kernel that takes the numbers of another channel."""

    @on_arrays
    def kernel(
        x: Any, mean: Any, var: Any, gamma: Any, beta: Any, y: Any, C: int, L: int, size: int,
        eps: float, BLOCK: int = 0,
    ) -> None:  # fmt: skip
        c = channel(np.arange(size), C, L)
        m, v, g, b = (np.asarray(part, np.float64)[c] for part in (mean, var, gamma, beta))
        y[:] = g * (np.asarray(x, np.float64) - m) / np.sqrt(v + eps) + b

    return kernel


_WRONG_CHANNEL = (
    "You took {what} for the channel of entry `at`. In (N, C, L) the channel changes every L "
    "entries, and begins again after C of them: `(at // L) % C`."
)

APPLY = Exercise(
    unit=UNIT,
    name="bn_apply_kernel",
    points=3,
    minutes=8,
    oracle=bn_apply,
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    needs=NEEDS,
    misconceptions=(
        Misconception(
            "wrong-channel-of-an-entry",
            _WRONG_CHANNEL.format(what="`at % C`"),
            _with_channel(lambda at, C, L: at % C),
        ),
        Misconception(
            "wrong-channel-of-an-entry",
            _WRONG_CHANNEL.format(what="`at // (L·N)`, or something like it,"),
            _with_channel(lambda at, C, L: at // (len(at) // C)),
        ),
        Misconception(
            "eps-outside-the-root",
            "You added eps to the standard deviation. It belongs inside the root: √(var + eps).",
            _variant(lambda x, m, v, g, b, eps: g * (x - m) / (np.sqrt(v) + eps) + b),
        ),
        Misconception(
            "eps-forgotten",
            "eps is missing: divide by √(var + eps).",
            _variant(lambda x, m, v, g, b, eps: g * (x - m) / np.sqrt(v) + b),
        ),
        Misconception(
            "divides-by-variance",
            "You divided by var + eps. Divide by its square root.",
            _variant(lambda x, m, v, g, b, eps: g * (x - m) / (v + eps) + b),
        ),
        Misconception(
            "multiplies-by-std",
            "You multiplied by √(var + eps). Divide by it.",
            _variant(lambda x, m, v, g, b, eps: g * (x - m) * np.sqrt(v + eps) + b),
        ),
        Misconception(
            "no-affine",
            "gamma and beta are missing: y = gamma · x_hat + beta.",
            _variant(lambda x, m, v, g, b, eps: (x - m) / np.sqrt(v + eps)),
        ),
        Misconception(
            "beta-forgotten",
            "beta is missing: y = gamma · x_hat + beta.",
            _variant(lambda x, m, v, g, b, eps: g * (x - m) / np.sqrt(v + eps)),
        ),
        Misconception(
            "gamma-and-beta-swapped",
            "gamma and beta are in each other's place: gamma multiplies, beta is added.",
            _variant(lambda x, m, v, g, b, eps: b * (x - m) / np.sqrt(v + eps) + g),
        ),
        Misconception(
            "beta-scaled",
            "beta is multiplied by gamma. Scale first, then shift: gamma · x_hat + beta.",
            _variant(lambda x, m, v, g, b, eps: g * ((x - m) / np.sqrt(v + eps) + b)),
        ),
        Misconception(
            "mean-not-subtracted",
            "The mean is not subtracted.",
            _variant(lambda x, m, v, g, b, eps: g * x / np.sqrt(v + eps) + b),
        ),
        Misconception(
            "first-block-only",
            "Only the first block is written. Block p begins at `tl.program_id(0) * BLOCK`.",
            one_channel_a_program,
        ),
        Misconception("writes-an-input", WRITES_INPUT, signs=reports("written")),
        NEVER_STORED,
        Misconception(
            "undefined-lanes",
            "There is nan in y: entries that nobody wrote, or lanes that a mask left out and "
            "that had no `other`.",
            signs=undefined("y"),
        ),
    ),
    hints=(
        "As in `shift_block`, a program has BLOCK entries of the flat x, anywhere. New is only "
        "that each entry needs the four numbers of its channel.",
        "Entry `at` belongs to channel `(at // L) % C`. That is a block of channel numbers, so "
        "`tl.load(mean_ptr + c, mask=at < size, other=0.0)` gathers a mean for each lane.",
        "`y = gamma * (x - mean) / tl.sqrt(var + eps) + beta`, each of them loaded with the mask; "
        "`tl.store(y_ptr + at, y, mask=at < size)` casts to the dtype of y.",
    ),
)
