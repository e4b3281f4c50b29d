"""Exercise `bn_backward_kernel`: two sums of a channel, then its dx."""

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
from autograder.exercises.u12_kernel.wrong_gradients import (
    Kernel,
    as_kernel,
    gradients,
    misconceptions,
)
from autograder.exercises.u12_kernel.wrong_stats import channels
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.givens.kernels import on_arrays

OUTPUTS = ("dx", "dgamma", "dbeta")
EXAMPLE = (  # channel 0 has x_hat = (−1, −1, 1, 1), channel 1 (−1, 1, −1, 1)
    np.array([[[4.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 2.0]]], np.float32),
    np.array([[[0.0, 0.0], [0.0, 2.0]], [[4.0, 4.0], [0.0, 2.0]]], np.float32),
    np.array([1.0, 2.0], np.float32),
)  # dy, x and gamma


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `bn_backward_kernel`."""

    def case(name: str, dy: np.ndarray, x: np.ndarray, block: int, **options: Any) -> Case:
        n, c, places = x.shape
        wide = x.astype(np.float64)
        gamma = options.pop("gamma", None)
        given = {
            "dy": dy.ravel(),
            "x": x.ravel(),
            "mean": wide.mean(axis=(0, 2)).astype(np.float32),
            "var": wide.var(axis=(0, 2)).astype(np.float32),
            "gamma": per_channel(rng, c)[0] if gamma is None else gamma,
            "dx": unwritten(x.size, dtype=x.dtype.name),
            "dgamma": unwritten(c),
            "dbeta": unwritten(c),
            **{"N": n, "C": c, "L": places, "eps": options.pop("eps", 1e-5)},
        }
        helper = triton((c,), OUTPUTS, block)
        inputs, script, report = launched("bn_backward_kernel", given, OUTPUTS, helper)
        return Case(name, inputs, script, report, dtype_of=None, **options)

    def drawn(n: int, c: int, places: int) -> tuple[np.ndarray, np.ndarray]:
        return batch(rng, n, c, places), batch(rng, n, c, places)

    dy, x, gamma = EXAMPLE
    yield case("the example of the test cell", dy, x, 8, gamma=gamma, eps=0.0, gate=True)
    yield case("several blocks a channel", *drawn(*shape(rng)), 8, weight=2)
    yield case("one block that is not full", *drawn(*shape(rng)), 64)
    yield case("full blocks only", *drawn(4, 2, 8), 16)
    yield case("images of one place: (N, C)", *drawn(7, 3, 1), 4)
    eps = float(rng.uniform(0.5, 2.0))
    yield case("a large eps", *drawn(*shape(rng)), 16, eps=eps)
    dy, x = drawn(*shape(rng))
    yield case(
        "float16 in, float16 out",
        dy.astype(np.float16),
        x.astype(np.float16),
        16,
        tolerance=HALF,
        help="If this case alone fails, sum in float32: `tl.load(...).to(tl.float32)`.",
    )


Sums = Callable[[np.ndarray, int], np.ndarray]


def _with_sums(sums: Sums, per: Callable[[int, int], int]) -> Kernel:
    """Make a kernel whose dx takes other sums over the channel's values, divided by another m."""

    @on_arrays
    def kernel(
        dy: Any, x: Any, mean: Any, var: Any, gamma: Any, dx: Any, dgamma: Any, dbeta: Any,
        N: int, C: int, L: int, eps: float, BLOCK: int = 8,
    ) -> None:  # fmt: skip
        up, values = (channels(a, N, C, L) for a in (dy, x))
        mean, var, gamma = (np.asarray(a, np.float64)[:, None] for a in (mean, var, gamma))
        inv_std = 1 / np.sqrt(var + eps)
        x_hat = (values - mean) * inv_std
        dbeta[:], dgamma[:] = up.sum(axis=1), (up * x_hat).sum(axis=1)
        taken = sums(up, BLOCK) + x_hat * sums(up * x_hat, BLOCK)
        rows = gamma * inv_std * (up - taken / per(N * L, BLOCK))
        dx[:] = rows.reshape(C, N, L).transpose(1, 0, 2).ravel()

    return kernel


def _so_far(values: np.ndarray, block: int) -> np.ndarray:
    """Return what has been summed when a value's block has been read."""
    ends = np.minimum((np.arange(values.shape[1]) // block + 1) * block, values.shape[1])
    return np.asarray(values.cumsum(axis=1)[:, ends - 1])


def _whole(values: np.ndarray, _block: int) -> np.ndarray:
    return np.asarray(values.sum(axis=1, keepdims=True))


one_loop = _with_sums(_so_far, lambda m, block: m)
by_block = _with_sums(_whole, lambda m, block: block)
by_lanes = _with_sums(_whole, lambda m, block: m + -m % block)
_BY_LANES = "In dx you divide by lanes. Divide the sums by m = N·L, whatever BLOCK is."

BACKWARD = Exercise(
    unit=UNIT,
    name="bn_backward_kernel",
    points=5,
    minutes=14,
    oracle=as_kernel(gradients),
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    needs=NEEDS,
    misconceptions=(
        *misconceptions(as_kernel),
        Misconception(
            "sums-not-complete",
            "You write dx while its sums still grow: the first block knows nothing of the last. "
            "Sum in one loop, and write dx in a second one.",
            one_loop,
        ),
        Misconception("divides-by-lanes", _BY_LANES, by_block),
        Misconception("divides-by-lanes", _BY_LANES, by_lanes),
        Misconception("writes-an-input", WRITES_INPUT, signs=reports("written")),
        NEVER_STORED,
        Misconception(
            "undefined-lanes",
            "There is nan in the result: entries that nobody wrote, or lanes that a mask "
            "left out and that had no `other`.",
            signs=undefined(*OUTPUTS),
        ),
    ),
    hints=(
        "Two loops again, as in `bn_stats_kernel`: the first one sums dy and dy · x_hat, the "
        "second one has both sums and writes dx. Before them, load the channel's numbers once: "
        "`tl.load(mean_ptr + c)`.",
        "`inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)`. In the first loop "
        "`sum_dy += dy` and `sum_dy_x_hat += dy * (x - mean) * inv_std`, as blocks; `tl.sum` after "
        "it. Masked lanes have dy = 0, and so add nothing.",
        "`dx = gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m)` in the second loop, "
        "stored with the mask; `tl.store(dgamma_ptr + c, dgamma)` at the end.",
    ),
)
