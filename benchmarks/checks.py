"""Time every `check()` on a right solution and on its slowest wrong one.

Run ``python -m benchmarks.checks``. Prints one line an exercise: milliseconds of a check of the
right solution, of the slowest misconception (recognising it runs all the others), and the ratio
of the first to the floor, which is running the same scripts once without judging anything.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from autograder.check import grade_function
from autograder.exercises import all_exercises
from autograder.oracle import ask_of
from autograder.panel import as_html
from autograder.vocabulary import Exercise

REPEATS = 5
BUDGET_MS = 1000.0  # a student waits no longer than a second


def milliseconds(run: Callable[[int], object]) -> float:
    """Median time of `run(seed)` over some seeds, after one run to warm up."""
    run(0)
    times = []
    for seed in range(REPEATS):
        start = time.perf_counter()
        run(seed)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def floor(exercise: Exercise, seed: int) -> None:
    """Run the scripts of all cases against the oracle, and judge nothing."""
    ask = ask_of({exercise.name: exercise.oracle})
    for case in exercise.cases(np.random.default_rng(seed)):
        ask(case)


def measure(exercise: Exercise) -> tuple[float, float, float]:
    """Return milliseconds: right solution, slowest wrong one, floor."""

    def check(answer: object) -> float:
        return milliseconds(lambda seed: as_html(grade_function(exercise.id, answer, seed)))

    wrong = [check(idea.variant) for idea in exercise.misconceptions if idea.variant is not None]
    return (
        check(exercise.oracle),
        max(wrong, default=0.0),
        milliseconds(lambda seed: floor(exercise, seed)),
    )


def main() -> int:
    """Print the table; fail if a check takes longer than its budget."""
    print(f"{'exercise':34} {'right ms':>9} {'wrong ms':>9} {'right/floor':>12}")
    slowest = 0.0
    for exercise in all_exercises():
        right, wrong, bare = measure(exercise)
        slowest = max(slowest, right, wrong)
        print(f"{exercise.id:34} {right:9.1f} {wrong:9.1f} {right / bare:12.1f}")
    print(f"slowest: {slowest:.0f} ms of {BUDGET_MS:.0f} ms")
    return 0 if slowest < BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
