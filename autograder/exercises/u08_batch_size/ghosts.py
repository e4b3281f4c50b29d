"""`ghost_batchnorm`: each group of rows is normalised as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import FAR32, batch, parameters
from autograder.exercises.u08_batch_size.draws import (
    DEFAULT_EPS,
    FAR,
    UNIT,
    cancelled,
    other_default,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

SCRIPT = (call("ghost_batchnorm", "x", "gamma", "beta", "ghost_size", "eps", into="y"),)
DEFAULT_SCRIPT = (call("ghost_batchnorm", "x", "gamma", "beta", "ghost_size", into="y"),)
LAST_SMALLER = "a last group that is smaller"
LAST_ALONE = "a last group of a single row"
TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-9, "a few sums of 20 numbers of order 10, divided by 0.1"),
    "float32": Tolerance(1e-4, 5e-4, "20 (eps32 / 2) 10 / 0.1 · 2 = 2.4e-4, times 2"),
}
FAR_TOLERANCE = Tolerance(1e-3, 0.08, "a mean off by 20 (eps32 / 2) 1e4 = 0.012, over 0.3, γ ≤ 2")


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `ghost_batchnorm`."""

    def case(name: str, x: np.ndarray, size: int, eps: float = 1e-5, **options: Any) -> Case:
        gamma, beta = parameters(rng, x.shape[1], x.dtype)
        inputs = {"x": x, "gamma": gamma, "beta": beta, "ghost_size": size, "eps": eps}
        return Case(name, inputs, SCRIPT, ("y",), ("x", "gamma", "beta"), **options)

    c = int(rng.integers(2, 5))
    example = {"x": np.array([[0.0, 1.0], [2.0, 5.0], [10.0, 0.0], [16.0, 2.0]])}
    affine = {"gamma": np.array([3.0, 1.0]), "beta": np.array([1.0, 0.0])}
    rest = {"ghost_size": 2, "eps": 0.0}
    yield Case("the example of the test cell", example | affine | rest, SCRIPT, ("y",), gate=True)
    yield case("three groups of four rows", drifting(rng, 12, c), 4, weight=2)
    yield case("two groups of six rows", drifting(rng, 12, c), 6)
    yield case(LAST_SMALLER, drifting(rng, 11, c), 4, weight=2)
    yield case(LAST_ALONE, drifting(rng, 9, c), 4)
    yield case("groups of two", drifting(rng, 8, c), 2)
    yield case("groups of one", drifting(rng, 5, c), 1)
    yield case("a group as large as the batch", drifting(rng, 7, c), 7)
    yield case("a group larger than the batch", drifting(rng, 7, c), 16)
    yield case("a large eps", drifting(rng, 9, c), 3, float(rng.uniform(0.5, 2.0)))
    yield case("float32 in, float32 out", drifting(rng, 13, c).astype(np.float32), 5)
    far = batch(rng, 18, 3, "float32", FAR32)
    yield case(f"a float32 batch {FAR} (mean 10 000)", far, 6, tolerance=FAR_TOLERANCE)
    yield case("stored column by column (Fortran order)", np.asfortranarray(drifting(rng, 9, c)), 3)
    yield case("a view: every other row of a larger array", drifting(rng, 20, c)[::2], 4)
    constant = drifting(rng, 9, 3)
    constant[:, int(rng.integers(3))] = 2.5
    yield case("a constant feature", constant, 3)
    tiny = drifting(rng, 10, c) * 2e-3
    inputs = {"x": tiny, "ghost_size": 4}
    inputs |= dict(zip(("gamma", "beta"), parameters(rng, c, tiny.dtype), strict=True))
    yield Case(DEFAULT_EPS, inputs, DEFAULT_SCRIPT, ("y",), ("x", "gamma", "beta"))


def drifting(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Draw a batch whose rows drift: neighbouring groups clearly differ."""
    return np.asarray(batch(rng, rows, columns) + np.linspace(0.0, 6.0, rows)[:, np.newaxis])


# --- what a wrong idea answers --------------------------------------------------------------------


def _normal(x: np.ndarray, eps: float, ddof: int = 0) -> np.ndarray:
    if len(x) <= ddof:
        return np.full(x.shape, np.nan)
    with np.errstate(all="ignore"):
        return np.asarray((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=ddof) + eps))


def _in_groups(
    groups: Callable[[np.ndarray, int], list[np.ndarray]], *, affine: bool = True, ddof: int = 0
) -> Callable[..., np.ndarray]:
    """Make the exercise's function from what the groups' row numbers are."""

    def ghost_batchnorm(
        x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ghost_size: int, eps: float = 1e-5
    ) -> np.ndarray:
        wide = x.astype(np.float64)
        parts = groups(np.arange(len(x)), ghost_size)
        y = np.full(wide.shape, np.nan)
        for rows in parts:
            y[rows] = _normal(wide[rows], eps, ddof)
        y = y[np.sort(np.concatenate(parts))]
        return np.asarray((gamma * y + beta if affine else y).astype(x.dtype))

    return ghost_batchnorm


def _consecutive(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[k : k + size] for k in range(0, len(rows), size)]


def _every_kth(rows: np.ndarray, size: int) -> list[np.ndarray]:
    count = -(-len(rows) // size)
    return [rows[k::count] for k in range(count)]


def _size_as_count(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [part for part in np.array_split(rows, size) if len(part)]


def _even_split(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return np.array_split(rows, -(-len(rows) // size))


def _remainder_dropped(rows: np.ndarray, size: int) -> list[np.ndarray]:
    whole = len(rows) // size * size
    return _consecutive(rows[:whole] if whole else rows, size)


def _remainder_merged(rows: np.ndarray, size: int) -> list[np.ndarray]:
    parts = _consecutive(rows, size)
    if len(parts) > 1 and len(parts[-1]) < size:
        parts[-2:] = [np.concatenate(parts[-2:])]
    return parts


def eps_outside(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ghost_size: int, eps: float = 1e-5
) -> np.ndarray:
    """Add eps to the root."""
    y = np.empty(x.shape)
    for rows in _consecutive(np.arange(len(x)), ghost_size):
        part = x[rows].astype(np.float64)
        with np.errstate(all="ignore"):
            y[rows] = gamma * (part - part.mean(axis=0)) / (part.std(axis=0) + eps) + beta
    return y.astype(x.dtype)


def pooled_width(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ghost_size: int, eps: float = 1e-5
) -> np.ndarray:
    """Take each group's mean, and the variance of the whole batch."""
    y, wide = np.empty(x.shape), x.astype(np.float64)
    root = np.sqrt(wide.var(axis=0) + eps)
    for rows in _consecutive(np.arange(len(x)), ghost_size):
        y[rows] = gamma * (wide[rows] - wide[rows].mean(axis=0)) / root + beta
    return y.astype(x.dtype)


def affine_before(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ghost_size: int, eps: float = 1e-5
) -> np.ndarray:
    """Scale and shift first, then normalise."""
    y = np.empty(x.shape)
    for rows in _consecutive(np.arange(len(x)), ghost_size):
        y[rows] = _normal(gamma * x[rows].astype(np.float64) + beta, eps)
    return y.astype(x.dtype)


def default_written(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ghost_size: int, eps: float = 1e-5
) -> np.ndarray:
    """Write 1e-5 into the code."""
    answer: np.ndarray = _in_groups(_consecutive)(x, gamma, beta, ghost_size, 1e-5)
    return answer


def eps_left_out(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ghost_size: int, eps: float = 1e-5
) -> np.ndarray:
    """Divide by the standard deviation alone."""
    answer: np.ndarray = _in_groups(_consecutive)(x, gamma, beta, ghost_size, 0.0)
    return answer


GHOST_BATCHNORM = Exercise(
    unit=UNIT,
    name="ghost_batchnorm",
    points=3,
    minutes=8,
    oracle=bnlib.ghost_batchnorm,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "whole-batch",
            "You normalised the whole batch at once. Each group of `ghost_size` rows has "
            "statistics of its own.",
            _in_groups(lambda rows, size: [rows]),
        ),
        Misconception(
            "size-read-as-number-of-groups",
            "You made `ghost_size` groups. It is the number of rows *in* a group.",
            _in_groups(_size_as_count),
        ),
        Misconception(
            "rows-dealt-out",
            "You dealt the rows out in turn, like cards. A group is `ghost_size` rows that follow "
            "one another.",
            _in_groups(_every_kth),
        ),
        Misconception(
            "even-groups",
            "You split the batch evenly. Every group has `ghost_size` rows, and the last one what "
            "is left: 11 rows in groups of 4 are 4, 4 and 3; 9 are 4, 4 and 1.",
            _in_groups(_even_split),
        ),
        Misconception(
            "remainder-dropped",
            "The rows of the last, smaller group are missing. They are a group of their own.",
            _in_groups(_remainder_dropped),
        ),
        Misconception(
            "remainder-merged",
            "You put what is left into the group before it. It is a group of its own, however "
            "small.",
            _in_groups(_remainder_merged),
        ),
        Misconception(
            "unbiased-variance",
            "Your variance divides by one less than the rows of the group. Batch norm normalises "
            "with the biased one.",
            _in_groups(_consecutive, ddof=1),
        ),
        Misconception(
            "variance-of-the-whole-batch",
            "Each group has its own mean in your code, and the variance of the whole batch. Both "
            "come from the group.",
            pooled_width,
        ),
        Misconception(
            "gamma-beta-forgotten",
            "Your groups are normalised, and gamma and beta are missing.",
            _in_groups(_consecutive, affine=False),
        ),
        Misconception(
            "affine-before-normalising",
            "You scaled and shifted first: normalising takes that out again. It comes after.",
            affine_before,
        ),
        Misconception(
            "eps-outside-the-root", "You added eps to the root. It goes inside.", eps_outside
        ),
        Misconception(
            "eps-ignored",
            "You wrote 1e-5 into the code: use the argument `eps`.",
            default_written,
        ),
        Misconception(
            "eps-left-out",
            "eps is missing: you divided by the root of the variance alone. It is added to the "
            "variance, under the root.",
            eps_left_out,
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
    ),
    hints=(
        "You know how to normalise one batch. Here are several, one below the other.",
        "`x[start : start + ghost_size]` is a group, and a slice that reaches beyond the end just "
        "ends earlier. Where do the groups start?",
        "`for start in range(0, len(x), ghost_size)`: normalise the slice with its own mean and "
        "variance, and write it to the same rows of a new array.",
    ),
)
