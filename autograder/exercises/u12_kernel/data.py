"""Batches on flat memory, and the scripts that launch, for all of u12."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.vocabulary import READY_MADE, Case, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, Script, call, item

UNIT = "u12_kernel"
MACHINES = (
    "!bnlib.blocks",
    "!bnlib.blocks.*",
    "!bnlib.kernels.guarded",
    "!bnlib.kernels.guarded.*",
)
FORBIDDEN = (*READY_MADE, *MACHINES)  # what kernels run on is no answer
NEEDS = ("torch", "triton")

SINGLE = Tolerance(1e-4, 1e-5, "sums of at most 100 float32 numbers of order 1: 100 eps32 = 1e-5")
FAR = Tolerance(
    1e-3, 2e-3, "mean 1e4 in float32: its last bit is 1e-3, and enters the variance squared"
)
HALF = Tolerance(2e-3, 2e-3, "rounded to float16 once: eps16 = 1e-3")
TOLERANCES = {"float64": SINGLE, "float32": SINGLE, "float16": HALF}


def shape(rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw N, C and L, all different: who takes one for another is seen."""
    n, c, places = rng.permutation([2, 3, 4])
    return int(n), int(c), int(places) + 3


def batch(rng: np.random.Generator, n: int, c: int, places: int, mean: float = 1.0) -> np.ndarray:
    """Draw x of shape (N, C, L) in float32, each channel with a level and a spread of its own."""
    level = mean + rng.normal(size=(1, c, 1))
    spread = rng.uniform(0.5, 2.0, size=(1, c, 1))
    return (level + spread * rng.normal(size=(n, c, places))).astype(np.float32)


def per_channel(rng: np.random.Generator, c: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw gamma and beta; no gamma is near 0 or 1."""
    gamma = rng.uniform(1.3, 2.2, c) * rng.choice([-1.0, 1.0], c)
    return gamma.astype(np.float32), (rng.normal(size=c) + 2.0).astype(np.float32)


def unwritten(*sizes: int, dtype: str = "float32") -> np.ndarray:
    """Return an array whose every entry has to be written yet."""
    return np.full(sizes, np.nan, dtype)


def launched(
    kernel: str, arguments: Mapping[str, Any], outputs: tuple[str, ...], helper: Given
) -> tuple[dict[str, Any], Script, tuple[str, ...]]:
    """Return inputs, script and report of one launch.

    Parameters
    ----------
    kernel
        Name of the student's function.
    arguments
        Its arguments in order; the arrays among them that it writes are undefined yet.
    outputs
        Names of those.
    helper
        What launches it.
    """
    looked_at = [*outputs, "written", "never stored"]
    if helper.name == "launch_blocks":
        looked_at += ["read too often", "races in"]
    script = (
        call("launch", kernel, "arguments", into="launched"),
        *(item("launched", name, into=name) for name in looked_at),
    )
    return {"launch": helper, "arguments": dict(arguments)}, script, tuple(looked_at)


def blocks(grid: tuple[int, ...], outputs: tuple[str, ...], **options: Any) -> Given:
    """Return a launch on the simulator."""
    parameters = {"grid": grid, "outputs": list(outputs), "most_loads": {}, **options}
    return Given("launch_blocks", parameters)


def triton(grid: tuple[int, ...], outputs: tuple[str, ...], block: int) -> Given:
    """Return a launch by Triton's interpreter."""
    return Given("launch_kernel", {"grid": grid, "outputs": list(outputs), "block": block})


Signs = Callable[[Case, Answer, Answer], bool]


def reports(name: str) -> Signs:
    """Return the question whether a launch reports any array under `name`."""

    def seen(_case: Case, answer: Answer, _expected: Answer) -> bool:
        return bool(answer.values.get(name))

    return seen


def undefined(*names: str) -> Signs:
    """Return the question whether nan is in one of the results."""

    def seen(_case: Case, answer: Answer, _expected: Answer) -> bool:
        return any(bool(np.isnan(answer.values[name]).any()) for name in names)  # type: ignore[arg-type]

    return seen


def only_in(*names: str) -> Signs:
    """Return the question whether a case is one of those: true of all that fail, it is telling."""
    return lambda case, _answer, _expected: case.name in names


WRITES_INPUT = "Your kernel stores into an array that is an input. Results go to their own arrays."
CANCELLING = (
    "Right near zero, wrong at a mean of 10 000: float32 keeps 7 digits, and E[x²] − E[x]² needs "
    "them all for the mean. Sum (x − mean)² in a second pass."
)
NEVER_STORED = Misconception(
    "never-stored",
    "A result is never stored to. What a program returns is lost, and `=` only names a value: "
    "`store` is what writes.",
    signs=reports("never stored"),
)
