"""Populations, generators and the tolerance that random estimates need.

A right answer may draw in any order, so it never equals the reference's number. It is held against
what it estimates, and may be off by what an estimate of its size is off by.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.compare import identical
from autograder.vocabulary import Case, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, Script, call

UNIT = "u08_batch_size"
TRIALS = 2000  # batches an estimate is taken from: a plain loop takes 0.05 s
FEW_TRIALS = 20  # where only the drawing itself is looked at
ROWS = 300  # of the usual population
FAR = "far from zero"
DEFAULT_EPS = "eps left out (default 1e-5), variances about as small"
REPEATED = "the generator decides: the same state, the same answer; another one, another answer"
SAME, OTHER = "the answers from two equal generators agree", "those from two different ones agree"

# A standard deviation measured over T trials is off by sqrt((k - 1) / 4T), relatively, where k is
# the kurtosis of what is measured. For mean, variance and output of the features below k is at
# most 5 (a variance of two uniform values: 4.8), so this is 1/sqrt(T) = 2.2 %; six of these are
# exceeded once in 1e9. A rounding of float32 at 1e4 is far below.
SIX_SIGMA = Tolerance(
    6 / np.sqrt(TRIALS), 1e-6, "six standard errors of a std over 2000 trials with kurtosis 5"
)


def population(
    rng: np.random.Generator, rows: int = ROWS, columns: int = 3, mean: float = 0.0
) -> np.ndarray:
    """Draw features of clearly different place and width, flat ones: tails would need more trials.

    The values are evenly spaced and shuffled, so that each draw has nearly the same moments.
    """
    flat = np.linspace(-1.7, 1.7, rows)
    z = np.stack([rng.permutation(flat) for _ in range(columns)], axis=1)
    places = mean + rng.permutation(np.linspace(-4.0, 4.0, columns)) + rng.uniform(0.2, 0.8)
    widths = rng.permutation(np.linspace(0.7, 2.5, columns)) if columns > 1 else np.array([1.6])
    return np.asarray(places + widths * z)


def generator(rng: np.random.Generator) -> Given:
    """Name a generator with a seed of its own."""
    return Given("rng", {"seed": int(rng.integers(2**31))})


def repeated_script(function: str, *before: str) -> Script:
    """Ask a function three times, twice with equal generators, and compare its answers."""
    return (
        call(function, *before, "rng 1", into="first"),
        call(function, *before, "rng 2", into="second"),
        call(function, *before, "rng 3", into="third"),
        call("same", "first", "second", into=SAME),
        call("same", "first", "third", into=OTHER),
    )


def three_generators(rng: np.random.Generator) -> dict[str, Any]:
    """Name two equal generators, another one, and the comparison."""
    seed = int(rng.integers(2**30))
    seeds = {"rng 1": seed, "rng 2": seed, "rng 3": seed + 1}
    named = {name: Given("rng", {"seed": value}) for name, value in seeds.items()}
    return {**named, "same": Given("same_numbers")}


def own_randomness(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether equal generators gave different answers, and not because the arguments changed."""
    if case.name != REPEATED or answer.values.get(SAME) is not False:
        return False
    return all(identical(case.inputs[name], answer.values[name]) for name in case.unchanged)


def always_the_same(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether different generators gave one answer."""
    return case.name == REPEATED and answer.values.get(OTHER) is True


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether what goes wrong is data far from zero."""
    return FAR in case.name


def other_default(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether only the case that leaves eps out goes wrong."""
    return case.name == DEFAULT_EPS
