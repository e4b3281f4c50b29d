"""`output_noise`: how much the output of one fixed sample varies with its company."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u08_batch_size.draws import (
    DEFAULT_EPS,
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
    other_default,
    own_randomness,
    population,
    repeated_script,
    three_generators,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import Given, call

MORE_TRIALS = 8  # times as many for the reference: its own error is a third of an answer's
TOLERANCE = Tolerance(
    SIX_SIGMA.rtol * np.sqrt(1 + 1 / MORE_TRIALS),
    1e-3,
    "six standard errors, the reference's included; in a float32 batch that lies at 1e4, "
    "x - mean is off by 1e-3",
)
SCRIPT = (call("output_noise", "sample", "population", "m", "trials", "rng", "eps", into="noise"),)
DEFAULT_SCRIPT = (call("output_noise", "sample", "population", "m", "trials", "rng", into="noise"),)
ONE = "a batch of one: the output never varies"


def estimate(
    sample: np.ndarray,
    population: np.ndarray,
    m: int,
    trials: int,
    rng: np.random.Generator,
    eps: float = 1e-5,
) -> np.ndarray:
    """Ask the reference, with more trials."""
    more = trials if trials == FEW_TRIALS else MORE_TRIALS * trials
    return bnlib.output_noise(sample, population, m, more, rng, eps)


def member(
    rng: np.random.Generator, rows: np.ndarray, least: float = 0.3, most: float = 0.8
) -> np.ndarray:
    """Choose a sample that lies so many standard deviations from the mean."""
    steps = rng.uniform(least, most, rows.shape[1]) * rng.choice([-1.0, 1.0], rows.shape[1])
    place = rows.mean(axis=0, dtype=np.float64) + steps * rows.std(axis=0, dtype=np.float64)
    return np.asarray(place.astype(rows.dtype))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `output_noise`."""
    kept = ("sample", "population")

    def case(
        name: str,
        rows: np.ndarray,
        m: int,
        eps: float = 1e-5,
        sample: np.ndarray | None = None,
        **options: Any,
    ) -> Case:
        fixed = member(rng, rows) if sample is None else sample
        inputs = {"sample": fixed, "population": rows, "m": m, "trials": TRIALS}
        inputs |= {"rng": generator(rng), "eps": eps}
        return Case(name, inputs, SCRIPT, ("noise",), kept, dtype_of=None, **options)

    c = int(rng.integers(2, 5))
    example = {"sample": np.array([5.0, 7.0]), "population": np.array([[0.0, 1.0], [9.0, 8.0]])}
    rest = {"m": 2, "trials": TRIALS, "rng": Given("rng", {"seed": 0}), "eps": 1e-5}
    yield Case(
        "the example of the test cell", example | rest, SCRIPT, ("noise",), dtype_of=None, gate=True
    )
    yield case("batches of three", population(rng, columns=c), 3, weight=2)
    rows = population(rng, columns=c)
    off = member(rng, rows, 1.0, 1.2)  # +1 in 4 of 5 batches, or −1: a std of about 0.8, not of 1
    yield case("batches of two: always ±1", rows, 2, sample=off)
    yield case(ONE, population(rng, columns=c), 1, idle=True)
    yield case("batches of 40", population(rng, columns=3), 40, weight=2)
    yield case("a large eps", population(rng, columns=3), 5, float(rng.uniform(2.0, 3.0)))
    yield case("a population of four rows, batches of four", population(rng, 4, 2), 4)
    yield case("batches larger than the population", population(rng, 6, 2), 20)
    far = population(rng, columns=2, mean=1e4).astype(np.float32)
    yield case(f"a float32 population {FAR} (mean 10 000)", far, 6)
    small = population(rng, columns=2) * 3e-3
    asked = {"sample": member(rng, small), "population": small, "m": 4, "trials": TRIALS}
    asked["rng"] = generator(rng)
    yield Case(DEFAULT_EPS, asked, DEFAULT_SCRIPT, ("noise",), kept, dtype_of=None)
    rows = population(rng)
    asked = {"sample": member(rng, rows), "population": rows, "m": 3, "trials": FEW_TRIALS}
    script = repeated_script("output_noise", "sample", "population", "m", "trials")
    yield Case(
        REPEATED,
        asked | three_generators(rng),
        script,
        (SAME, OTHER),
        kept,
        weight=2.0,
        dtype_of=None,
    )


# --- what a wrong idea answers --------------------------------------------------------------------

Read = Callable[[np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]


def _of(read: Read, *, others: int = -1, member: bool = True) -> Callable[..., np.ndarray]:
    """Make the exercise's function from a reading of (sample, batches, population, eps).

    A batch holds m + `others` rows of the population, and the sample if it is a member.
    """

    def output_noise(
        sample: np.ndarray,
        population: np.ndarray,
        m: int,
        trials: int,
        rng: np.random.Generator,
        eps: float = 1e-5,
    ) -> np.ndarray:
        rows, fixed = population.astype(np.float64), sample.astype(np.float64)
        batches = rows[rng.integers(len(rows), size=(trials, m + others))]
        if member:
            company = np.broadcast_to(fixed, (trials, 1, len(fixed)))
            batches = np.concatenate([company, batches], axis=1)
        with np.errstate(all="ignore"):
            return np.asarray(read(fixed, batches, rows, eps))

    return output_noise


def _outputs(sample: np.ndarray, batches: np.ndarray, _: np.ndarray, eps: float) -> np.ndarray:
    if not batches.shape[1]:
        return np.full((len(batches), len(sample)), np.nan)
    return np.asarray((sample - batches.mean(axis=1)) / np.sqrt(batches.var(axis=1) + eps))


def _right(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray(_outputs(s, b, p, eps).std(axis=0))


def _unbiased(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    m = b.shape[1]
    var = b.var(axis=1) * (m / (m - 1) if m > 1 else np.nan)
    return np.asarray(((s - b.mean(axis=1)) / np.sqrt(var + eps)).std(axis=0))


def _not_divided(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray((s - b.mean(axis=1)).std(axis=0))


def _population_width(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray(((s - b.mean(axis=1)) / np.sqrt(p.var(axis=0) + eps)).std(axis=0))


def _by_variance(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray(((s - b.mean(axis=1)) / (b.var(axis=1) + eps)).std(axis=0))


def _eps_outside(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray(((s - b.mean(axis=1)) / (b.std(axis=1) + eps)).std(axis=0))


def _eps_written(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return _right(s, b, p, 1e-5)


def _no_eps(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return _right(s, b, p, 0.0)


def _whole_batch(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    mean, root = b.mean(axis=1, keepdims=True), np.sqrt(b.var(axis=1, keepdims=True) + eps)
    return np.asarray(((b - mean) / root).std(axis=(0, 1)))


def _average(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray(_outputs(s, b, p, eps).mean(axis=0))


def _variance(s: np.ndarray, b: np.ndarray, p: np.ndarray, eps: float) -> np.ndarray:
    return np.asarray(_outputs(s, b, p, eps).var(axis=0))


def without_replacement(
    sample: np.ndarray,
    population: np.ndarray,
    m: int,
    trials: int,
    rng: np.random.Generator,
    eps: float = 1e-5,
) -> np.ndarray:
    """Draw no row twice for one batch."""
    rows, fixed = population.astype(np.float64), sample.astype(np.float64)
    order = np.argsort(rng.random((trials, len(rows))), axis=1)[:, : m - 1]
    company = np.broadcast_to(fixed, (trials, 1, len(fixed)))
    return _right(fixed, np.concatenate([company, rows[order]], axis=1), rows, eps)


OUTPUT_NOISE = Exercise(
    unit=UNIT,
    name="output_noise",
    points=4,
    minutes=10,
    oracle=estimate,
    cases=cases,
    tolerances={"float64": TOLERANCE},
    misconceptions=(
        Misconception(
            "sample-not-in-the-batch",
            "The sample is not among the rows that mean and variance are taken of. In batch norm "
            "it always is: it moves the statistics that it is measured by.",
            _of(_right, others=0, member=False),
        ),
        Misconception(
            "sample-not-in-the-batch",
            "The sample is not among the rows that mean and variance are taken of. In batch norm "
            "it always is: it moves the statistics that it is measured by.",
            _of(_right, others=-1, member=False),
        ),
        Misconception(
            "one-row-too-many",
            "Your batches hold m rows and the sample: m + 1. The sample is one of the m.",
            _of(_right, others=0),
        ),
        Misconception(
            "unbiased-variance",
            "Your batch variance divides by m − 1. Batch norm normalises with the biased one.",
            _of(_unbiased),
        ),
        Misconception(
            "not-divided",
            "You subtracted the mean and did not divide: that is the noise of the mean alone.",
            _of(_not_divided),
        ),
        Misconception(
            "divided-by-the-population",
            "You divided by the population's standard deviation. The layer knows only its batch.",
            _of(_population_width),
        ),
        Misconception(
            "divided-by-the-variance",
            "You divided by the variance. Divide by its root.",
            _of(_by_variance),
        ),
        Misconception(
            "eps-outside-the-root", "You added eps to the root. It goes inside.", _of(_eps_outside)
        ),
        Misconception(
            "eps-ignored",
            "You wrote 1e-5 into the code: use the argument `eps`.",
            _of(_eps_written),
        ),
        Misconception(
            "eps-left-out",
            "eps is missing: you divided by the root of the variance alone. It is added to the "
            "variance, under the root.",
            _of(_no_eps),
        ),
        Misconception(
            "all-rows-watched",
            "That is the spread of all outputs of a batch, which is about 1 by construction. Watch "
            "the sample's own output alone.",
            _of(_whole_batch),
        ),
        Misconception(
            "average",
            "You returned the average output. Asked is how much it varies.",
            _of(_average),
        ),
        Misconception(
            "variance-for-standard-deviation",
            "That is the variance of the output over the trials. Asked is its standard deviation.",
            _of(_variance),
        ),
        Misconception(
            "without-replacement",
            "No row of the population occurs twice in one of your batches. Draw with replacement, "
            "as the text says.",
            without_replacement,
        ),
        Misconception(
            "default-of-eps",
            "Only the case that leaves `eps` out goes wrong: its default is 1e-5.",
            signs=other_default,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it. Subtract the mean first, then square (unit 2).",
            signs=cancelled,
        ),
        Misconception(
            "own-randomness",
            "Two equal generators gave two different answers: draw from `rng`, and from nothing "
            "else.",
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
        "One trial: draw the company, add the sample, normalise, write down the sample's output. "
        "Then the next trial.",
        "The company is m − 1 rows: `population[rng.integers(len(population), size=m - 1)]`. "
        "`np.vstack([sample, company])` is the batch. What is left for m = 1?",
        "In a loop: the batch, its `mean(axis=0)` and `var(axis=0)`, append "
        "`(sample - mean) / np.sqrt(var + eps)`. After the loop `np.std` of the list, over axis 0.",
    ),
)
