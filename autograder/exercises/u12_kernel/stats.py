"""Exercise `bn_stats_kernel`: the statistics of a channel, in Triton."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.data import (
    CANCELLING,
    FAR,
    FORBIDDEN,
    NEEDS,
    NEVER_STORED,
    SINGLE,
    TOLERANCES,
    UNIT,
    WRITES_INPUT,
    batch,
    launched,
    only_in,
    reports,
    shape,
    triton,
    undefined,
    unwritten,
)
from autograder.exercises.u12_kernel.wrong_stats import MISCONCEPTIONS, stats
from autograder.vocabulary import Case, Exercise, Misconception

OUTPUTS = ("mean", "var")
HALF = "float16 data, float32 sums"
FAR_AWAY = "a mean of 10 000"


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `bn_stats_kernel`."""

    def case(name: str, x: np.ndarray, block: int, **options: Any) -> Case:
        n, c, places = x.shape
        given = {"x": x.ravel(), "mean": unwritten(c), "var": unwritten(c)}
        given |= {"N": n, "C": c, "L": places}
        inputs, script, report = launched(
            "bn_stats_kernel", given, OUTPUTS, triton((c,), OUTPUTS, block)
        )
        return Case(name, inputs, script, report, dtype_of=None, **options)

    example = np.array([[[1.0, 1.0], [10.0, 20.0]], [[3.0, 3.0], [30.0, 40.0]]], np.float32)
    yield case("the example of the test cell", example, 8, gate=True)
    yield case("several blocks a channel", batch(rng, *shape(rng)), 8, weight=2)
    yield case("one block that is not full", batch(rng, *shape(rng)), 64)
    yield case("full blocks only", batch(rng, 4, 2, 8), 16)
    yield case("images of one place: (N, C)", batch(rng, 7, 3, 1), 4)
    yield case(FAR_AWAY, batch(rng, *shape(rng), mean=1e4), 16, tolerance=FAR, weight=2)
    half = batch(rng, *shape(rng), mean=3e3).astype(np.float16)
    yield case(HALF, half, 16, tolerance=SINGLE, weight=2)


STATS = Exercise(
    unit=UNIT,
    name="bn_stats_kernel",
    points=4,
    minutes=10,
    oracle=stats,
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    needs=NEEDS,
    misconceptions=(
        *MISCONCEPTIONS,
        Misconception(
            "sums-in-float16",
            "Right for float32, wrong for float16 data: your sums are taken in float16, with 3 "
            "digits and nothing above 65 504. `tl.load(...).to(tl.float32)`.",
            signs=only_in(HALF),
        ),
        Misconception(
            "cancelling-formula",
            CANCELLING,
            signs=only_in(FAR_AWAY, HALF),
        ),
        Misconception("writes-an-input", WRITES_INPUT, signs=reports("written")),
        NEVER_STORED,
        Misconception(
            "undefined-lanes",
            "There is nan in the result. Either a load has a mask and no `other=0.0` (a GPU leaves "
            "such lanes undefined, though the interpreter by itself shows 0), or a channel was "
            "never stored.",
            signs=undefined(*OUTPUTS),
        ),
    ),
    hints=(
        "It is `stats_block`, word for word: `tl` for `bl`, and the names of the pointers.",
        "A block of sums: `total = tl.zeros((BLOCK,), tl.float32)` before the loop, "
        "`total += ...` in it, `tl.sum(total) / m` after it. Then the same for (x − mean)².",
        "`x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)`; in the second loop "
        "`centered = tl.where(i < m, x - mean, 0.0)`; at the end `tl.store(mean_ptr + c, mean)`.",
    ),
)
