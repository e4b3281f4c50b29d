"""Exercise `shift_block`: which entries are mine, and which of my lanes have none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.data import (
    FORBIDDEN,
    NEVER_STORED,
    TOLERANCES,
    UNIT,
    blocks,
    launched,
    reports,
    undefined,
    unwritten,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.givens.kernels import on_arrays
from autograder.worker.interpreter import Answer

READ_TWICE = (
    "The numbers are right, but x is read more than once. Memory is what a kernel waits for: keep "
    "what you loaded, and mask the lanes that have no entry."
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `shift_block`."""
    shift = float(rng.uniform(1.5, 3.0))

    def case(name: str, x: np.ndarray, block: int, more: int = 0, **options: Any) -> Case:
        n = len(x)
        given = {
            "x": x,
            "y": unwritten(n),
            "shift": options.pop("shift", shift),
            "n": n,
            "BLOCK": block,
        }
        schedule = options.pop("schedule", "in order")
        grid = (-(-n // block) + more,)
        helper = blocks(grid, ("y",), most_loads={"x": n}, schedule=schedule)
        inputs, script, report = launched("shift_block", given, ("y",), helper)
        return Case(name, inputs, script, report, dtype_of=None, **options)

    def drawn(n: int) -> np.ndarray:
        return rng.normal(size=n).astype(np.float32)

    six = np.arange(6, dtype=np.float32)
    yield case("the example of the test cell", six, 4, shift=10.0, gate=True)
    n = int(rng.integers(17, 30)) | 1
    yield case("a last block that is not full", drawn(n), 8, weight=2)
    yield case("full blocks only", drawn(32), 8)
    yield case("fewer entries than lanes", drawn(int(rng.integers(2, 8))), 16)
    yield case("blocks of one lane", drawn(5), 1)
    yield case("more programs than blocks", drawn(n), 8, more=2)
    yield case("all programs at once", drawn(n), 8, schedule="together")


@on_arrays
def shift_block(x: Any, y: Any, shift: float, n: int, BLOCK: int) -> None:
    """Shift all entries."""
    y[:] = x + shift


@on_arrays
def last_lane_left_out(x: Any, y: Any, shift: float, n: int, BLOCK: int) -> None:
    """Leave the last entry out."""
    y[:-1] = x[:-1] + shift


def _first_block_only(case: Case, answer: Answer, _expected: Answer) -> bool:
    block, y = case.inputs["arguments"]["BLOCK"], answer.values["y"]
    missing = np.isnan(y)  # type: ignore[arg-type]
    return not missing[:block].any() and bool(missing[block:].all()) and len(missing) > block


def _four_lanes(case: Case, answer: Answer, _expected: Answer) -> bool:
    """Whether each program wrote four entries, as the example `double` does, whatever BLOCK is."""
    programs = case.inputs["launch"].parameters["grid"][0]
    missing = np.isnan(answer.values["y"])  # type: ignore[arg-type]
    written = min(4 * programs, len(missing))
    return not missing[:written].any() and bool(missing[written:].all()) and written < len(missing)


def _entries_missing(case: Case, answer: Answer, _expected: Answer) -> bool:
    y: Any = answer.values["y"]
    return bool(np.isnan(y).any()) and len(y) > case.inputs["arguments"]["BLOCK"]


SHIFT = Exercise(
    unit=UNIT,
    name="shift_block",
    points=2,
    minutes=6,
    oracle=shift_block,
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "first-block-only",
            "Only the first block is written, by all programs. `bl.program_id(0)` tells a program "
            "which block is its own.",
            signs=_first_block_only,
        ),
        Misconception(
            "four-lanes",
            "Each of your programs writes four entries, as in the example `double`. Here it has "
            "BLOCK of them, and begins at p·BLOCK.",
            signs=_four_lanes,
        ),
        Misconception(
            "last-entry-left-out",
            "The last entry is never written. Entries are numbered from 0 to n − 1: the mask is "
            "`at < n`.",
            last_lane_left_out,
        ),
        Misconception(
            "writes-into-x",
            "Your program stores into x, which is an input. The results go to y.",
            signs=reports("written"),
        ),
        NEVER_STORED,
        Misconception(
            "programs-race",
            "Two programs write the same entry of y. Program p owns the entries p·BLOCK, …, "
            "p·BLOCK + BLOCK − 1.",
            signs=reports("races in"),
        ),
        Misconception(
            "reads-too-often",
            READ_TWICE,
            signs=reports("read too often"),
        ),
        Misconception(
            "entries-never-written",
            "Some entries of y are never written. The first lane of program p is at p·BLOCK.",
            signs=_entries_missing,
        ),
        Misconception(
            "undefined-lanes",
            "There is nan in y: it comes from lanes that nobody filled, or was never written.",
            signs=undefined("y"),
        ),
    ),
    hints=(
        "Program 0 has the entries 0 … BLOCK − 1, program 1 the next BLOCK. Which number do "
        "you add to `bl.arange(0, BLOCK)`?",
        "`at = bl.program_id(0) * BLOCK + bl.arange(0, BLOCK)` are the entries, `at < n` is the "
        "mask: for the load and for the store.",
        "`values = bl.load(x + at, mask=at < n, other=0.0)`, and "
        "`bl.store(y + at, values + shift, mask=at < n)`.",
    ),
)
