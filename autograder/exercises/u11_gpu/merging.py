"""Exercise `merge_stats`: mean and variance of two groups together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import (
    KEEP_ARGUMENTS,
    TOLERANCES,
    UNIT,
    kept,
    reference,
    tensor,
)
from autograder.exercises.u11_gpu.shards import SINGLE, draw
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import Given, call, item

RESULT = (
    item("answer", 0, into="first"),
    item("answer", 1, into="second"),
    item("answer", 2, into="third"),
    call("as_doubles", "first", into="mean"),
    call("as_doubles", "second", into="var"),
    call("as_float", "third", into="count"),
)
SCRIPT = (call("merge_stats", "a", "b", into="answer"), *RESULT)
THREE = (
    call("merge_stats", "a", "b", into="both"),
    call("merge_stats", "both", "c", into="answer"),
    *RESULT,
)
KEPT = (call("merge_stats", "a", "b"), *kept(["a", "b"]))
REPORT = ("mean", "var", "count")
FAR = (
    "Large squares may not be subtracted from each other: work with mean_b − mean_a, not with "
    "E[x²]."
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `merge_stats`."""
    c = int(rng.integers(2, 5))

    def stats(rows: np.ndarray, dtype: type = np.float64) -> tuple[Any, ...]:
        double = rows.astype(np.float64)
        mean, var = double.mean(axis=0).astype(dtype), double.var(axis=0).astype(dtype)
        return tensor(mean), tensor(var), len(rows)

    def case(name: str, *groups: Any, script: Any = SCRIPT, **options: Any) -> Case:
        given = {name: Given(name) for name in ("as_doubles", "as_float", "as_arrays")}
        inputs = dict(zip("abc", groups, strict=False)) | given
        options = {"report": REPORT, "dtype_of": None, **options}
        return Case(name, inputs, script, **options)

    def groups(*rows: int, place: float = 0.0, dtype: type = np.float64) -> list[Any]:
        return [stats(shard, dtype) for shard in draw(rng, rows, c, place)]

    example = np.array([[0.0], [2.0]]), np.array([[7.0]])
    yield case("the example of the test cell", *map(stats, example), gate=True)
    yield case("groups of different size", *groups(3, 11), weight=3)
    yield case("groups of the same size", *groups(6, 6))
    yield case("a single row joins many", *groups(9, 1))
    yield case("three groups, one after another", *groups(2, 5, 9), script=THREE)
    (a,) = groups(7)
    none = (tensor(np.zeros(c)), tensor(np.zeros(c)), 0)
    yield case("the second group is empty", a, none, idle=True)
    yield case("the first group is empty", none, a, idle=True)
    far = groups(5, 8, place=1e4, dtype=np.float32)
    yield case("float32 far from zero (mean 10 000)", *far, tolerance=SINGLE, help=FAR)
    after = ("a afterwards", "b afterwards")
    kept_so: dict[str, Any] = {"report": after, "idle": True, "help": KEEP_ARGUMENTS}
    yield case("a and b are left as they were", *groups(3, 4), script=KEPT, **kept_so)


Merge = Callable[..., Any]


def merging(
    mean: Merge = lambda a, b, p, q: p * a[0] + q * b[0],
    between: Merge = lambda d, p, q: p * q * d * d,
    within: Merge = lambda a, b, p, q: p * a[1] + q * b[1],
    count: Merge = lambda m, n: m + n,
) -> Callable[..., Any]:
    """Make an implementation with a wrong part put in; p and q are the groups' shares."""

    def merge_stats(a: Any, b: Any) -> Any:
        total = a[2] + b[2]
        p, q = a[2] / total, b[2] / total
        var = within(a, b, p, q) + between(b[0] - a[0], p, q)
        return mean(a, b, p, q), var, count(a[2], b[2])

    return merge_stats


def _unbiased(a: Any, b: Any) -> Any:
    mean, var, count = merging()(a, b)
    return mean, var * count / max(count - 1, 1), count


def _sum_of_squares_between(a: Any, b: Any) -> Any:
    mean, var, count = merging(between=lambda d, p, q: 0 * d)(a, b)
    return mean, var + a[2] * b[2] / count * (b[0] - a[0]) ** 2, count


MERGE = Exercise(
    unit=UNIT,
    name="merge_stats",
    points=2,
    minutes=8,
    oracle=reference("merge_stats"),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "between-forgotten",
            "You averaged the two variances. Where the groups' means differ, the rows of both "
            "together spread wider: a term with (mean_b − mean_a)² is missing.",
            merging(between=lambda d, p, q: 0 * d),
        ),
        Misconception(
            "plain-means",
            "You gave both groups the same weight. A group of 11 rows counts 11 times.",
            merging(
                lambda a, b, p, q: (a[0] + b[0]) / 2,
                lambda d, p, q: d * d / 4,
                lambda a, b, p, q: (a[1] + b[1]) / 2,
            ),
        ),
        Misconception(
            "plain-averages",
            "You averaged means and variances. A group of 11 rows counts 11 times, and where the "
            "groups' means differ, the rows of both together spread wider.",
            merging(
                lambda a, b, p, q: (a[0] + b[0]) / 2,
                lambda d, p, q: 0 * d,
                lambda a, b, p, q: (a[1] + b[1]) / 2,
            ),
        ),
        Misconception(
            "between-not-divided",
            "nₐ·n_b/n · (mean_b − mean_a)² is a *sum* of squares. A variance is their mean: divide "
            "by n once more.",
            _sum_of_squares_between,
        ),
        Misconception(
            "between-subtracted",
            "The third term is added: two groups apart spread wider together, never less.",
            merging(between=lambda d, p, q: -p * q * d * d),
        ),
        Misconception(
            "mean-unweighted",
            "Your mean is the plain mean of two means. Weight each by its count.",
            merging(lambda a, b, p, q: (a[0] + b[0]) / 2),
        ),
        Misconception(
            "weights-swapped",
            "You weighted each group by the other's count.",
            merging(lambda a, b, p, q: q * a[0] + p * b[0]),
        ),
        Misconception(
            "variance-unweighted",
            "Your variance takes the plain mean of the two variances. Weight each by its count.",
            merging(within=lambda a, b, p, q: (a[1] + b[1]) / 2),
        ),
        Misconception(
            "difference-not-squared",
            "The difference of the means has to be squared.",
            merging(between=lambda d, p, q: p * q * abs(d)),
        ),
        Misconception(
            "one-share-missing",
            "The squared difference is weighted by *both* shares: nₐ·n_b/n².",
            merging(between=lambda d, p, q: q * d * d),
        ),
        Misconception(
            "unbiased-variance",
            "Your variance divides by n−1. The variances here are biased, before and after: 1/n.",
            _unbiased,
        ),
        Misconception(
            "count-kept",
            "The count must be that of both groups together.",
            merging(count=lambda m, n: m),
        ),
    ),
    hints=(
        "Two groups: 0 and 2 (mean 1, variance 1), and a single 7. All three: mean 3, variance "
        "(9 + 1 + 16)/3. How much of that is *within* the groups, how much *between* them?",
        "With shares p = nₐ/n and q = n_b/n: mean = p·meanₐ + q·mean_b; "
        "var = p·varₐ + q·var_b + p·q·(mean_b − meanₐ)².",
        "Far from zero write the mean as meanₐ + q·(mean_b − meanₐ). An empty group: p or q is 0, "
        "which is all there is to it.",
    ),
)
