"""Exercise `sync_batchnorm_forward`: one batch over several cards, and one sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import (
    EPS,
    KEEP_ARGUMENTS,
    TOLERANCES,
    UNIT,
    reference,
    theirs,
)
from autograder.exercises.u11_gpu.shards import (
    APART,
    CALLS,
    FAR,
    ONE_CALL,
    PLACES,
    SINGLE,
    TALK,
    TALKED,
    draw,
    inputs,
    sizes,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.interpreter import Answer
from autograder.worker.script import call, item, method

RUN = call("sync_batchnorm_forward", "shards", "gamma", "beta", "all_reduce", into="answer")
READ = (
    item("answer", 0, into="ys"),
    item("answer", 1, into="stats"),
    item("stats", 0, into="stats 0"),
    item("stats", 1, into="stats 1"),
    item("stats", 2, into="stats 2"),
    call("as_doubles", "ys", into="y_shards"),
    call("as_doubles", "stats 0", into="mean"),
    call("as_doubles", "stats 1", into="var"),
    call("as_float", "stats 2", into="count"),
    *TALK,
)
SCRIPT = (RUN, *READ)
WITH_EPS = (
    call("sync_batchnorm_forward", "shards", "gamma", "beta", "all_reduce", "eps", into="answer"),
    *READ,
)
TYPED = (
    RUN,
    item("answer", 0, into="ys"),
    call("as_list", "ys", into="list of y"),
    call("as_arrays", "list of y", into="y_shards"),
    *TALK,
)
ON_CARDS = (
    theirs("sync_batchnorm_forward"),
    method("computer", "call", "theirs", "shards", "gamma", "beta", "all_reduce", into="answer"),
    *READ,
)
KEPT = (RUN, call("as_arrays", "shards", into="shards afterwards"))
REPORT = ("y_shards", "mean", "var", "count", TALKED)
ALONE = "one call of `all_reduce`"


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `sync_batchnorm_forward`."""
    c = int(rng.integers(2, 5))

    def case(name: str, shards: Any, script: Any = SCRIPT, **options: Any) -> Case:
        given = inputs(rng, shards, options.pop("apart", False), eps=0.5)
        options = {"report": REPORT, "dtype_of": None, **options}
        return Case(name, given, script, **options)

    example = [np.array([[0.0]]), np.array([[2.0], [4.0]])]
    yield case("the example of the test cell", example, gate=True)
    yield case("three cards, shards of different length", draw(rng, sizes(rng), c), weight=3)
    yield case("two cards, as many rows on each", draw(rng, [6, 6], c))
    yield case("a card with a single row", draw(rng, [7, 1, 4], c))
    yield case("a card without rows", draw(rng, [5, 0, 3], c))
    yield case("a single card", draw(rng, [8], c))
    yield case("another eps", draw(rng, sizes(rng), c), WITH_EPS, help=EPS)
    far = [shard.astype(np.float32) for shard in draw(rng, sizes(rng), c, place=1e4)]
    yield case("float32 far from zero (mean 10 000)", far, tolerance=SINGLE, weight=2, help=FAR)
    single = [shard.astype(np.float32) for shard in draw(rng, sizes(rng), c)]
    typed = {"report": ("y_shards", TALKED), "dtype_of": "shards", "tolerance": SINGLE}
    yield case("y has the dtype of the shards", single, TYPED, **typed)
    yield case(APART, draw(rng, sizes(rng), c), ON_CARDS, weight=2, apart=True, help=PLACES)
    calls: dict[str, Any] = {"report": (CALLS,), "help": ONE_CALL}
    yield case(ALONE, draw(rng, sizes(rng, 4), c), weight=3, **calls)
    after = {"report": ("shards afterwards",), "idle": True, "help": KEEP_ARGUMENTS}
    yield case("the shards are left as they were", draw(rng, sizes(rng), c), KEPT, **after)


def normalising(
    merge: Callable[[list[Any], list[Any], list[int]], tuple[Any, Any]] | None = None,
    *,
    own: bool = False,
    correction: int = 0,
    talks: int = 1,
    scales: bool = True,
) -> Callable[..., Any]:
    """Make an implementation with wrong parts put in.

    Parameters
    ----------
    merge
        From means, variances and counts of all shards to mean and variance; None: the true ones.
    own
        Whether each card normalises by its own statistics.
    correction
        Subtracted from the count in the variance.
    talks
        How often it calls `all_reduce`.
    scales
        Whether gamma and beta are used.
    """

    def sync_batchnorm_forward(
        shards: Any, gamma: Any, beta: Any, all_reduce: Any, eps: float = 1e-5
    ) -> Any:
        import torch

        for _ in range(talks):
            all_reduce([shard.sum(dim=0) for shard in shards])
        filled = [shard for shard in shards if len(shard)]
        count = sum(map(len, shards))
        everything = torch.cat(list(shards))
        mean = everything.mean(dim=0)
        var = ((everything - mean) ** 2).sum(dim=0) / (count - correction)
        if merge is not None:
            means = [shard.mean(dim=0) for shard in filled]
            variances = [shard.var(dim=0, correction=0) for shard in filled]
            mean, var = merge(means, variances, [len(shard) for shard in filled])
        ys = []
        for shard in shards:
            m, v = (mean, var)
            if own and len(shard):
                m, v = shard.mean(dim=0), shard.var(dim=0, correction=0)
            y = (shard - m) / torch.sqrt(v + eps)
            ys.append(y * gamma + beta if scales else y)
        return ys, (mean, var, count)

    return sync_batchnorm_forward


def _plain(means: list[Any], variances: list[Any], counts: list[int]) -> tuple[Any, Any]:
    return sum(means) / len(means), sum(variances) / len(variances)


def _weighted(means: list[Any], variances: list[Any], counts: list[int]) -> tuple[Any, Any]:
    shares = [count / sum(counts) for count in counts]
    mean = sum(s * m for s, m in zip(shares, means, strict=True))
    return mean, sum(s * v for s, v in zip(shares, variances, strict=True))


def _plain_total(means: list[Any], variances: list[Any], counts: list[int]) -> tuple[Any, Any]:
    mean = sum(means) / len(means)
    pairs = zip(means, variances, strict=True)
    return mean, sum(v + (m - mean) ** 2 for m, v in pairs) / len(means)


def _unbiased_each(means: list[Any], variances: list[Any], counts: list[int]) -> tuple[Any, Any]:
    mean, _ = _weighted(means, variances, counts)
    groups = zip(means, variances, counts, strict=True)
    sums = [n * (v * n / v.new_tensor(n - 1.0) + (m - mean) ** 2) for m, v, n in groups]
    return mean, sum(sums) / sum(counts)


def called(times: Callable[[int], bool], where: str = ALONE) -> Callable[..., bool]:
    """Say whether `all_reduce` was called so often, in the case that counts."""

    def signs(case: Case, answer: Answer, _expected: Answer) -> bool:
        found: Any = answer.values.get(CALLS, answer.values.get(TALKED))
        return bool(times(int(found)))

    return signs


# forward and backward alike
COUNTED = (
    Misconception(
        "no-all-reduce",
        "Your function never calls `all_reduce`: it looks at all shards at once, which no card "
        "can. What a card knows of the others has to come through `all_reduce`.",
        signs=called(lambda count: count == 0),
    ),
    Misconception(
        "all-reduce-called-again",
        ONE_CALL,
        signs=called(lambda count: count > 1),
    ),
)

SYNC = Exercise(
    unit=UNIT,
    name="sync_batchnorm_forward",
    points=4,
    minutes=14,
    oracle=reference("sync_batchnorm_forward"),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "each-card-for-itself",
            "Each card normalises by its own statistics. That is plain batch norm on small "
            "batches: the statistics must be those of all rows.",
            normalising(own=True),
        ),
        Misconception(
            "mean-of-means",
            "You took the plain mean over cards. A card with more rows counts more, and the "
            "means' own differences belong into the variance.",
            normalising(_plain),
        ),
        Misconception(
            "cards-weigh-the-same",
            "You gave every card the same weight. Weight each by its number of rows.",
            normalising(_plain_total),
        ),
        Misconception(
            "between-forgotten",
            "You averaged the variances of the cards. Where their means differ, all rows together "
            "spread wider: merge as `merge_stats` does.",
            normalising(_weighted),
        ),
        Misconception(
            "unbiased-variance",
            "Your variance divides by m−1. Batch norm normalises with 1/m, over all cards' rows.",
            normalising(correction=1),
        ),
        Misconception(
            "unbiased-on-each-card",
            "The variance of each card's rows is divided by their number less 1: nan for a single "
            "row. `var(dim=0, correction=0)` divides by their number.",
            normalising(_unbiased_each),
        ),
        Misconception(
            "gamma-beta-forgotten",
            "Scale by gamma and shift by beta at the end.",
            normalising(scales=False),
        ),
        *COUNTED,
    ),
    hints=(
        "A card can hand in any tensor, but only a *sum* comes back. Sums of what give you the "
        "mean and the variance of all rows? (In float32, far from zero, Σx² is no good.)",
        "The sum can carry whole tables: if every card writes into its own row of a table of "
        "zeros, the sum of the tables has all rows. Then merge row by row with `merge_stats`. Or: "
        "count, Σx and Σx² in float64, side by side in one tensor.",
        "Card r: `table = shard.new_zeros(len(shards), 2 * C + 1)`, where the shard lies, "
        "`table[r] = torch.cat([mean, var, count])` if it has rows. `total = all_reduce(tables)`, "
        "and each row of `total` is `(row[:C], row[C:-1], row[-1])`.",
    ),
)
