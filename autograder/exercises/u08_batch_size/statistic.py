"""`statistic_noise`: how much the mean and the variance of a random batch vary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u08_batch_size.draws import (
    FAR,
    FEW_TRIALS,
    OTHER,
    REPEATED,
    SAME,
    SIX_SIGMA,
    TRIALS,
    UNIT,
    always_the_same,
    cancelled,
    generator,
    own_randomness,
    population,
    repeated_script,
    three_generators,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import Given, call, item

SCRIPT = (
    call("statistic_noise", "population", "m", "trials", "rng", into="returned"),
    item("returned", 0, into="std_of_mean"),
    item("returned", 1, into="std_of_var"),
)
BOTH = ("std_of_mean", "std_of_var")
Pair = tuple[np.ndarray, np.ndarray]


def exact(population: np.ndarray, m: int, trials: int, rng: np.random.Generator) -> Pair:
    """Return what every right answer estimates; where the drawing is looked at, draw."""
    if trials == FEW_TRIALS:
        return bnlib.statistic_noise(population, m, trials, rng)
    return bnlib.exact_noise(population, m)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `statistic_noise`."""

    def case(name: str, rows: np.ndarray, m: int, **options: Any) -> Case:
        inputs = {"population": rows, "m": m, "trials": TRIALS, "rng": generator(rng)}
        options = {"report": BOTH, "unchanged": ("population",), "dtype_of": None} | options
        return Case(name, inputs, SCRIPT, **options)

    c = int(rng.integers(2, 5))
    coin = {"population": np.array([[0.0, 10.0], [2.0, 30.0]]), "m": 2, "trials": TRIALS}
    zero = {"rng": Given("rng", {"seed": 0})}
    yield Case(
        "the example of the test cell", coin | zero, SCRIPT, BOTH[:1], dtype_of=None, gate=True
    )
    yield case("batches of three", population(rng, columns=c), 3, weight=2)
    yield case("batches of two", population(rng, columns=c), 2)
    yield case("batches of one: the variance is always 0", population(rng, columns=c), 1)
    yield case("batches of 50", population(rng, columns=3), 50)
    yield case("a population of five rows, batches of four", population(rng, 5, c), 4)
    yield case("batches larger than the population", population(rng, 6, 2), 20)
    yield case("a single feature", population(rng, columns=1), 3)
    constant = population(rng, columns=3)
    constant[:, int(rng.integers(3))] = rng.uniform(1.0, 3.0)
    yield case("a constant feature", constant, 4)
    far = population(rng, columns=2, mean=1e4).astype(np.float32)
    yield case(f"a float32 population {FAR} (mean 10 000)", far, 8, weight=2)
    strided = np.asfortranarray(population(rng, 2 * 50, 3))[::2]
    yield case("a view of every other row, stored column by column", strided, 3)
    asked = {"population": population(rng), "m": 3, "trials": FEW_TRIALS, **three_generators(rng)}
    script = repeated_script("statistic_noise", "population", "m", "trials")
    yield Case(REPEATED, asked, script, (SAME, OTHER), ("population",), weight=2.0, dtype_of=None)


# --- what a wrong idea answers --------------------------------------------------------------------


def _of(
    mean: Callable[[np.ndarray], np.ndarray], var: Callable[[np.ndarray], np.ndarray]
) -> Callable[..., Pair]:
    """Make the exercise's function from two functions of all batches, (trials, m, C)."""

    def statistic_noise(
        population: np.ndarray, m: int, trials: int, rng: np.random.Generator
    ) -> Pair:
        batches = population.astype(np.float64)[rng.integers(len(population), size=(trials, m))]
        with np.errstate(all="ignore"):
            return np.asarray(mean(batches)), np.asarray(var(batches))

    return statistic_noise


def _mean(batches: np.ndarray) -> np.ndarray:
    return np.asarray(batches.mean(axis=1).std(axis=0))


def _var(batches: np.ndarray) -> np.ndarray:
    return np.asarray(batches.var(axis=1).std(axis=0))


def _unbiased(batches: np.ndarray) -> np.ndarray:
    m = batches.shape[1]
    factor = m / (m - 1) if m > 1 else np.nan
    return np.asarray(factor * _var(batches))


unbiased = _of(_mean, _unbiased)
variances_of = _of(lambda b: b.mean(axis=1).var(axis=0), lambda b: b.var(axis=1).var(axis=0))
noise_of_std = _of(_mean, lambda b: b.std(axis=1).std(axis=0))
averages = _of(lambda b: b.mean(axis=1).mean(axis=0), lambda b: b.var(axis=1).mean(axis=0))
within_batch = _of(lambda b: b.std(axis=1).mean(axis=0), _var)
standard_error = _of(
    lambda b: b.mean(axis=1).std(axis=0) / np.sqrt(len(b)),
    lambda b: b.var(axis=1).std(axis=0) / np.sqrt(len(b)),
)
swapped = _of(_var, _mean)
over_rows = _of(
    lambda b: b.mean(axis=2).std(axis=(0, 1)) * np.ones(b.shape[2]),
    lambda b: b.var(axis=2).std(axis=(0, 1)) * np.ones(b.shape[2]),
)


def without_replacement(
    population: np.ndarray, m: int, trials: int, rng: np.random.Generator
) -> Pair:
    """Draw no row twice for one batch."""
    order = np.argsort(rng.random((trials, len(population))), axis=1)[:, :m]
    batches = population.astype(np.float64)[order]
    return _mean(batches), _var(batches)


def around_true_mean(population: np.ndarray, m: int, trials: int, rng: np.random.Generator) -> Pair:
    """Take each variance around the population's mean."""
    rows = population.astype(np.float64)
    batches = rows[rng.integers(len(rows), size=(trials, m))]
    variances = np.square(batches - rows.mean(axis=0)).mean(axis=1)
    return _mean(batches), np.asarray(variances.std(axis=0))


STATISTIC_NOISE = Exercise(
    unit=UNIT,
    name="statistic_noise",
    points=3,
    minutes=8,
    oracle=exact,
    cases=cases,
    tolerances={"float64": SIX_SIGMA},
    misconceptions=(
        Misconception(
            "unbiased-variance",
            "Your batch variance divides by m − 1. Batch norm divides by the biased one, with 1/m: "
            "that is the one whose noise is asked for.",
            unbiased,
        ),
        Misconception(
            "variances-for-standard-deviations",
            "You returned variances over the trials. Noise is told as a standard deviation, in the "
            "units of the statistic itself.",
            variances_of,
        ),
        Misconception(
            "noise-of-the-standard-deviation",
            "Your second answer is the noise of the batch's standard deviation. Asked is that of "
            "its variance.",
            noise_of_std,
        ),
        Misconception(
            "averages",
            "You returned the average of the statistics over the trials. Asked is how much they "
            "vary from trial to trial.",
            averages,
        ),
        Misconception(
            "spread-within-a-batch",
            "Your first answer is the spread of the values inside a batch. Asked is the spread of "
            "the batch means, from batch to batch.",
            within_batch,
        ),
        Misconception(
            "divided-by-root-of-trials",
            "You divided by √trials: that is how well an average over all trials is known. Asked "
            "is how much a single batch is off.",
            standard_error,
        ),
        Misconception(
            "swapped", "The two answers are exchanged: the noise of the mean comes first.", swapped
        ),
        Misconception(
            "without-replacement",
            "No row occurs twice in one of your batches. Draw with replacement, as the text says: "
            "only then are the m values independent, and m may exceed the population.",
            without_replacement,
        ),
        Misconception(
            "around-the-true-mean",
            "You took the variance around the population's mean. A batch does not know it: it "
            "subtracts its own.",
            around_true_mean,
        ),
        Misconception(
            "wrong-axis",
            "You averaged over the features. Each feature keeps statistics of its own.",
            over_rows,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: a small difference of two huge numbers. Subtract "
            "the mean first, then square (unit 2).",
            signs=cancelled,
        ),
        Misconception(
            "own-randomness",
            "Two equal generators gave two different answers: draw from `rng`, and from nothing "
            "else, or nobody can repeat your experiment.",
            signs=own_randomness,
        ),
        Misconception(
            "fixed-seed",
            "Another generator gave the same answer: your function has a seed of its own, or it "
            "draws nothing at all. This is an experiment: draw from `rng`.",
            signs=always_the_same,
        ),
    ),
    hints=(
        "One trial: draw m rows, take their mean and their variance per feature. Keep both, and "
        "draw again. What do you do with what you have kept, at the end?",
        "`rng.integers(len(population), size=m)` draws m row numbers with replacement; "
        "`population[numbers]` is the batch, of shape (m, C).",
        "Two lists. In a loop over the trials append `batch.mean(axis=0)` to the one and "
        "`batch.var(axis=0)` to the other. After the loop `np.std(list, axis=0)` of each. (All at "
        "once: row numbers of shape (trials, m) give batches of shape (trials, m, C).)",
    ),
)
