"""`streaming_mean_var`: statistics of data that come in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import (
    EXAMPLE,
    FAR,
    FAR32,
    FAR64,
    GATE,
    UNIT,
    batch,
    looks_cancelled,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

TRIPLE = "(mean, var, count)"
Triple = tuple[np.ndarray, np.ndarray, int]
Chunks = Iterable[np.ndarray]

TOLERANCES = {
    "float64": Tolerance(1e-11, 1e-11, "100 rows of order 10 in float64: 100 eps64 10 = 2.2e-13"),
    "float32": Tolerance(
        1e-6, 1e-6, "accumulated in float64, rounded once: eps32 / 2 = 6e-8, times 17"
    ),
}
# Means near 1e8 are known to eps64 · 1e8 = 2e-8, and so is their difference, of order 1.
FAR_DOUBLE = Tolerance(1e-6, 1e-6, "a merge at 1e8 squares a difference that is off by 2e-8")
# The same at 1e4 with a spread of 0.01: 1e-12 of 0.01, no part of the result's own rounding.
FAR_NARROW = Tolerance(1e-5, 0.0, "float64 inside: 2e-12 of 0.01; the result's rounding is 6e-8")


def pieces(rng: np.random.Generator, x: np.ndarray, count: int = 4) -> list[np.ndarray]:
    """Cut a batch into chunks of unequal sizes, each of its own memory."""
    cuts = np.sort(rng.choice(np.arange(1, len(x)), size=count - 1, replace=False))
    if len(set(np.diff([0, *cuts, len(x)]))) == 1:  # equal chunks would hide missing weights
        cuts[0] = cuts[0] - 1 if cuts[0] > 1 else cuts[0] + 1
    return [chunk.copy() for chunk in np.split(x, cuts)]


def drifting(rng: np.random.Generator, dtype: str = "float64", mean: float = 0.0) -> np.ndarray:
    """Draw rows whose level rises from first to last, so that chunks have different means."""
    rows = int(rng.integers(40, 65))
    x = batch(rng, rows, int(rng.integers(2, 5)))
    return np.asarray(mean + x + np.linspace(0.0, 6.0, rows)[:, np.newaxis], dtype=dtype)


def stream_case(name: str, chunks: list[np.ndarray], **options: Any) -> Case:
    """Ask for the statistics of a list of chunks."""
    script = (call("streaming_mean_var", "chunks", into=TRIPLE),)
    options.setdefault("unchanged", ("chunks",))
    return Case(name, {"chunks": chunks}, script, (TRIPLE,), dtype_of="chunks", **options)


def walked_once(name: str, chunks: list[np.ndarray]) -> Case:
    """Ask for the statistics of chunks that can be walked only once."""
    script = (call("streaming_mean_var", "chunks", into=TRIPLE),)
    inputs = {"chunks": Given("generator", {"items": chunks})}
    return Case(
        name,
        inputs,
        script,
        (TRIPLE,),
        dtype_of="chunks",
        weight=2,
        help="This case hands in a generator: it can be walked through once, and has no length.",
    )


def stream_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `streaming_mean_var`."""
    yield stream_case(GATE, [EXAMPLE[:1], EXAMPLE[1:]], gate=True)
    yield stream_case("unequal chunks", pieces(rng, drifting(rng)), weight=2)
    yield stream_case("unequal float32 chunks", pieces(rng, drifting(rng, "float32")), weight=2)
    yield walked_once("a generator of float32 chunks", pieces(rng, drifting(rng, "float32")))
    yield stream_case("a single chunk", [drifting(rng, "float32")])
    rows = drifting(rng)[::5]
    yield stream_case("chunks of one row each", [rows[k : k + 1].copy() for k in range(len(rows))])
    chunks = pieces(rng, drifting(rng, "float32"))
    empty = chunks[0][:0]
    yield stream_case("empty chunks in between", [empty, *chunks[:2], empty.copy(), *chunks[2:]])
    constant = np.full((20, 3), rng.uniform(1.0, 3.0, 3).astype(np.float32))
    yield stream_case("features that are constant", pieces(rng, constant))
    views = [np.asfortranarray(chunks[0]), chunks[1][::-1], *chunks[2:]]
    yield stream_case("chunks that are views or in Fortran order", views)
    yield from far_cases(rng)


def far_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Streams on which Σx² − (Σx)² fails: in float32, and in float64 sums as well."""
    yield stream_case(
        f"float32 chunks {FAR} (mean 10 000)",
        pieces(rng, drifting(rng, "float32", FAR32)),
        tolerance=TOLERANCES["float32"],
    )
    narrow = (FAR32 + 0.01 * batch(rng, 60, 3)).astype(np.float32)
    yield stream_case(
        f"float32 chunks {FAR} (mean 10 000) with a spread of 0.01",
        pieces(rng, narrow),
        tolerance=FAR_NARROW,
        weight=2,
    )
    yield stream_case(
        f"float64 chunks {FAR} (mean 100 000 000)",
        pieces(rng, drifting(rng, "float64", FAR64)),
        tolerance=FAR_DOUBLE,
        weight=2,
    )


def _rows(chunks: Chunks) -> np.ndarray:
    """Put all chunks together, in float64."""
    return np.concatenate([np.asarray(chunk, np.float64) for chunk in chunks])


def unweighted(chunks: Chunks) -> Triple:
    """Average the chunks' means and variances, each chunk counting the same."""
    kept = [np.asarray(c, np.float64) for c in chunks if len(c)]
    means, variances = [c.mean(axis=0) for c in kept], [c.var(axis=0) for c in kept]
    return np.mean(means, axis=0), np.mean(variances, axis=0), sum(map(len, kept))


def within_only(chunks: Chunks) -> Triple:
    """Average the variances with the right weights, and forget how far the chunks lie apart."""
    kept = [np.asarray(c, np.float64) for c in chunks if len(c)]
    sizes = np.array([len(c) for c in kept], np.float64)
    mean = np.average([c.mean(axis=0) for c in kept], axis=0, weights=sizes)
    var = np.average([c.var(axis=0) for c in kept], axis=0, weights=sizes)
    return np.asarray(mean), np.asarray(var), int(sizes.sum())


def unbiased(chunks: Chunks) -> Triple:
    """Divide by N − 1."""
    x = _rows(chunks)
    return x.mean(axis=0), x.var(axis=0, ddof=1), len(x)


def not_divided(chunks: Chunks) -> Triple:
    """Return the sum of squares for the variance."""
    x = _rows(chunks)
    return x.mean(axis=0), x.var(axis=0) * len(x), len(x)


def counts_values(chunks: Chunks) -> Triple:
    """Count all values, not rows."""
    x = _rows(chunks)
    return x.mean(axis=0), x.var(axis=0), x.size


def counts_chunks(chunks: Chunks) -> Triple:
    """Count chunks, not rows."""
    kept = list(chunks)
    x = _rows(kept)
    return x.mean(axis=0), x.var(axis=0), len(kept)


def last_chunk(chunks: Chunks) -> Triple:
    """Forget all chunks but the last."""
    x = [np.asarray(c, np.float64) for c in chunks if len(c)][-1]
    return x.mean(axis=0), x.var(axis=0), len(x)


def gap_weighted_by_n(chunks: Chunks) -> Triple:
    """Merge with δ² n_b instead of δ² n_a n_b / n."""
    mean, total, count = np.zeros(1), np.zeros(1), 0
    for chunk in chunks:
        x = np.asarray(chunk, np.float64)
        if not len(x):
            continue
        delta = x.mean(axis=0) - mean if count else np.zeros(x.shape[1])
        mean = mean + delta * (len(x) / (count + len(x))) if count else x.mean(axis=0)
        total = total + x.var(axis=0) * len(x) + delta**2 * len(x)
        count += len(x)
    return mean, total / count, count


def merged(chunks: Chunks, total_of: Callable[..., np.ndarray]) -> Triple:
    """Merge with the right mean and count, and what each chunk adds to the total from outside."""
    mean, total, count = np.zeros(1), np.zeros(1), 0
    for chunk in chunks:
        x = np.asarray(chunk, np.float64)
        if not len(x):
            continue
        delta = x.mean(axis=0) - mean
        mean = mean + delta * (len(x) / (count + len(x)))
        total = total + total_of(x, delta, count, mean)
        count += len(x)
    return mean, total / count, count


def count_updated_first(chunks: Chunks) -> Triple:
    """Use the count that already includes the chunk: δ² n n_b / n."""
    return merged(chunks, lambda x, delta, *_: x.var(axis=0) * len(x) + delta**2 * len(x))


def gap_from_new_mean(chunks: Chunks) -> Triple:
    """Take δ from the merged mean."""

    def part(x: np.ndarray, _: np.ndarray, count: int, mean: np.ndarray) -> np.ndarray:
        delta = x.mean(axis=0) - mean
        gap = delta**2 * (count * len(x) / (count + len(x)))
        return np.asarray(x.var(axis=0) * len(x) + gap)

    return merged(chunks, part)


def variance_for_sum(chunks: Chunks) -> Triple:
    """Add the chunks' variances where their sums of squares belong."""

    def part(x: np.ndarray, delta: np.ndarray, count: int, _: np.ndarray) -> np.ndarray:
        return np.asarray(x.var(axis=0) + delta**2 * (count * len(x) / (count + len(x))))

    return merged(chunks, part)


def looks_walked_twice(case: Case, answer: Answer, _: Answer) -> bool:
    """Whether only the generator is lost: its second walk finds nothing."""
    return isinstance(case.inputs["chunks"], Given) and TRIPLE in answer.values


STREAMING_MEAN_VAR = Exercise(
    unit=UNIT,
    name="streaming_mean_var",
    points=3,
    minutes=12,
    oracle=bnlib.streaming_mean_var,
    cases=stream_cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it. Either Σx² is involved (the difference of two "
            "huge sums is only rounding error), or a chunk was reduced in float32. Work in "
            "float64, and merge deviations from means.",
            signs=looks_cancelled,
        ),
        Misconception(
            "chunks-not-weighted",
            "You averaged over chunks, each counting the same. A chunk of 10 rows weighs ten times "
            "a chunk of one row; and the chunks' means lie apart, which is variance, too.",
            unweighted,
        ),
        Misconception(
            "between-chunks-missing",
            "The variance *within* the chunks is all there; what is missing is how far their means "
            "lie apart (the term with δ²).",
            within_only,
        ),
        Misconception(
            "gap-has-wrong-weight",
            "The term with δ² is there with the wrong weight: both counts go into it, and their "
            "sum.",
            gap_weighted_by_n,
        ),
        Misconception(
            "gap-has-wrong-weight",
            "The term with δ² has the wrong weight, and the first chunk has such a term, too: was "
            "the count updated before it was used? n_A counts the rows *before* this chunk.",
            count_updated_first,
        ),
        Misconception(
            "gap-from-the-new-mean",
            "δ is the way from the mean *before* the merge to the chunk's mean. Yours starts at "
            "the merged mean, and is too short.",
            gap_from_new_mean,
        ),
        Misconception(
            "chunk-variance-for-sum",
            "You added up the chunks' variances where their sums of squared deviations belong: a "
            "variance is such a sum divided by the rows.",
            variance_for_sum,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "Your variance divides by N − 1; asked for is the biased one, 1/N.",
            unbiased,
        ),
        Misconception(
            "sum-for-mean",
            "Your variance is still the sum of squares: divide it by the number of rows at the "
            "end.",
            not_divided,
        ),
        Misconception(
            "counts-values-not-rows",
            "count is the number of rows. You counted every entry of every row.",
            counts_values,
        ),
        Misconception(
            "counts-chunks-not-rows",
            "count is the number of rows. You counted the chunks.",
            counts_chunks,
        ),
        Misconception(
            "last-chunk-only",
            "These are the statistics of the last chunk. What the loop has found so far must be "
            "merged with it, not replaced.",
            last_chunk,
        ),
        Misconception(
            "walks-chunks-twice",
            "A list gives the right answer, a generator does not: did you walk through `chunks` "
            "more than once? A generator is empty after the first time.",
            signs=looks_walked_twice,
        ),
    ),
    hints=(
        "Keep three things while you walk through the chunks: how many rows so far, their mean, "
        "and their sum of squared deviations. What does one more chunk do to each?",
        "For each chunk: skip it if empty; take its count, mean and sum of squared deviations in "
        "float64; δ is its mean minus yours. Then merge: the sums of squares add up, plus δ² "
        "n_a n_b / n; the mean moves by δ n_b / n; the counts add up.",
        "Start with a count of 0 and mean and sum 0.0: with n_a = 0 the merge formula gives just "
        "the chunk's own numbers, so no special case is needed. At the end divide the sum by the "
        "count and return both arrays in the dtype of the chunks.",
    ),
)
