"""Exercise `stats_block`: mean and variance of a channel, block by block, with counted loads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.data import (
    CANCELLING,
    FAR,
    FORBIDDEN,
    NEVER_STORED,
    TOLERANCES,
    UNIT,
    batch,
    blocks,
    launched,
    only_in,
    reports,
    shape,
    undefined,
    unwritten,
)
from autograder.exercises.u12_kernel.wrong_stats import MISCONCEPTIONS, stats
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.givens.kernels import on_arrays

READS = 2  # of each entry: one pass for the mean, one for the variance
OUTPUTS = ("mean", "var")
FAR_AWAY = "a mean of 10 000"


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `stats_block`."""

    def case(name: str, x: np.ndarray, block: int, **options: Any) -> Case:
        n, c, places = x.shape
        arrays = {"x": x.ravel(), "mean": unwritten(c), "var": unwritten(c)}
        given = {**arrays, "N": n, "C": c, "L": places, "BLOCK": block}
        schedule = options.pop("schedule", "in order")
        helper = blocks((c,), OUTPUTS, most_loads={"x": READS * x.size}, schedule=schedule)
        inputs, script, report = launched("stats_block", given, OUTPUTS, helper)
        return Case(name, inputs, script, report, dtype_of=None, **options)

    example = np.array([[[1.0, 1.0], [10.0, 20.0]], [[3.0, 3.0], [30.0, 40.0]]], np.float32)
    yield case("the example of the test cell", example, 8, gate=True)
    yield case("several blocks a channel", batch(rng, *shape(rng)), 8, weight=2)
    yield case("one block that is not full", batch(rng, *shape(rng)), 64)
    yield case("blocks of one lane", batch(rng, *shape(rng)), 1)
    yield case("full blocks only", batch(rng, 4, 3, 8), 8)
    yield case("images of one place: (N, C)", batch(rng, 7, 3, 1), 4)
    yield case("a batch of one image", batch(rng, 1, 4, 11), 4)
    yield case(
        FAR_AWAY,
        batch(rng, *shape(rng), mean=1e4),
        8,
        tolerance=FAR,
        weight=2,
    )
    yield case("all programs at once", batch(rng, *shape(rng)), 8, schedule="together")


@on_arrays
def stats_block(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int) -> None:
    """Take the statistics of every channel."""
    stats(x, mean, var, N, C, L, BLOCK)


STATS_BLOCK = Exercise(
    unit=UNIT,
    name="stats_block",
    points=4,
    minutes=14,
    oracle=stats_block,
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        NEVER_STORED,
        *MISCONCEPTIONS,
        Misconception("cancelling-formula", CANCELLING, signs=only_in(FAR_AWAY)),
        Misconception(
            "programs-race",
            "Two programs write the same entry of `mean` or `var`. Each has one channel, "
            "`c = bl.program_id(0)`, and stores to `mean + c`.",
            signs=reports("races in"),
        ),
        Misconception(
            "reads-too-often",
            "The numbers may be right, but x is read more than twice. One pass is enough for the "
            "mean, one for the variance; lanes without an entry are masked, and load nothing.",
            signs=reports("read too often"),
        ),
        Misconception(
            "undefined-lanes",
            "There is nan in the result. Masked lanes are undefined unless you say `other=0.0`, "
            "and an entry that nobody stores to is undefined, too.",
            signs=undefined(*OUTPUTS),
        ),
    ),
    hints=(
        "Channel c has m = N·L values. Number them i = 0 … m − 1: value i belongs to image "
        "i // L and place i % L. Where does it lie?",
        "`for start in range(0, m, BLOCK)`: `i = start + bl.arange(0, BLOCK)`, "
        "`at = (i // L) * C * L + c * L + i % L`, and the mask is `i < m`. First a loop that sums "
        "x, then one that sums (x − mean)².",
        "In the second loop a masked lane holds `other − mean`, which is not 0: "
        "`bl.where(i < m, x − mean, 0.0)` before you square. At the end "
        "`bl.store(mean + c, ...)` and `bl.store(var + c, ...)`, both divided by m.",
    ),
)
