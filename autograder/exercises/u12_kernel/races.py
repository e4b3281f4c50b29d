"""Exercise `total_block`: a sum that all programs add to, handed out with a race to repair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.data import (
    FORBIDDEN,
    TOLERANCES,
    UNIT,
    blocks,
    launched,
    reports,
    undefined,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.givens.kernels import on_arrays
from autograder.worker.interpreter import Answer


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `total_block`."""

    def case(name: str, x: np.ndarray, block: int, start: float = 0.0, **options: Any) -> Case:
        given = {"x": x, "total": np.array([start], np.float32), "n": len(x), "BLOCK": block}
        schedule = options.pop("schedule", "in order")
        grid = (-(-len(x) // block),)
        helper = blocks(grid, ("total",), most_loads={"x": len(x)}, schedule=schedule)
        inputs, script, report = launched("total_block", given, ("total",), helper)
        return Case(name, inputs, script, report, dtype_of=None, **options)

    def drawn(n: int) -> np.ndarray:
        return rng.uniform(1.0, 2.0, n).astype(np.float32)

    ten = np.arange(10, dtype=np.float32)
    yield case("the example of the test cell", ten, 4, schedule="together", gate=True)
    n = int(rng.integers(17, 30)) | 1
    yield case("all programs at once", drawn(n), 8, schedule="together", weight=2)
    yield case("one program after the other", drawn(n), 8)
    yield case("the last program first", drawn(n), 8, schedule="backwards")
    yield case("full blocks only", drawn(16), 4, schedule="together")
    start = float(rng.uniform(5, 9))
    yield case("a total that is not 0 at the start", drawn(n), 8, start, schedule="together")
    yield case("a single program", drawn(6), 8)


@on_arrays
def total_block(x: Any, total: Any, n: int, BLOCK: int) -> None:
    """Add the sum of x to the total."""
    total += np.sum(x)


@on_arrays
def overwritten(x: Any, total: Any, n: int, BLOCK: int) -> None:
    """Store the sum, whatever the total was."""
    total[:] = np.sum(x)


def _first_block_only(case: Case, answer: Answer, _expected: Answer) -> bool:
    x, start, n, block = case.inputs["arguments"].values()
    wanted = start + np.sum(x[:block]) * -(-n // block)
    return n > block and bool(np.allclose(answer.values["total"], wanted, rtol=1e-4))  # type: ignore[arg-type]


TOTAL = Exercise(
    unit=UNIT,
    name="total_block",
    points=2,
    minutes=5,
    oracle=total_block,
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "first-block-only",
            "Every program adds the first block. `bl.program_id(0)` says which is its own.",
            signs=_first_block_only,
        ),
        Misconception(
            "programs-race",
            "Programs still race for `total`: between the load of one and its store another "
            "program's addition can come, and is lost. Load, add and store have to be one step: "
            "`bl.atomic_add`.",
            signs=reports("races in"),
        ),
        Misconception(
            "total-overwritten",
            "What `total` held before is lost. Add to it.",
            overwritten,
        ),
        Misconception(
            "reads-too-often",
            "x is read more than once. Each program reads its own block, and no lane beyond it.",
            signs=reports("read too often"),
        ),
        Misconception(
            "undefined-lanes",
            "The total is nan: a masked lane is undefined without `other=0.0`, and a sum takes all "
            "lanes.",
            signs=undefined("total"),
        ),
    ),
    hints=(
        "The report of the handed out program names the entry and the programs. What can happen "
        "between its `bl.load(total)` and its `bl.store(total, ...)`?",
        "One word of `bl` reads, adds and writes without letting anyone in between.",
        "`bl.atomic_add(total, part)` in place of the last line.",
    ),
)
