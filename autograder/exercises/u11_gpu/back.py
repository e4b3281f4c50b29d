"""Exercise `sync_batchnorm_backward`: gradients over several cards, and one sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import (
    EPS,
    KEEP_ARGUMENTS,
    TOLERANCES,
    UNIT,
    reference,
    tensor,
    tensors,
    theirs,
)
from autograder.exercises.u11_gpu.shards import (
    APART,
    CALLS,
    ONE_CALL,
    PLACES,
    SINGLE,
    TALK,
    TALKED,
    draw,
    everywhere,
    inputs,
    on_cards,
    sizes,
)
from autograder.exercises.u11_gpu.together import ALONE, COUNTED
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call, item, method

ARGUMENTS = ("dy_shards", "shards", "gamma", "stats", "all_reduce")
RUN = call("sync_batchnorm_backward", *ARGUMENTS, into="answer")
READ = (
    item("answer", 0, into="part 0"),
    item("answer", 1, into="part 1"),
    item("answer", 2, into="part 2"),
    call("as_doubles", "part 0", into="dx_shards"),
    call("as_doubles", "part 1", into="dgamma"),
    call("as_doubles", "part 2", into="dbeta"),
    *TALK,
)
SCRIPT = (RUN, *READ)
WITH_EPS = (call("sync_batchnorm_backward", *ARGUMENTS, "eps", into="answer"), *READ)
ON_CARDS = (
    theirs("sync_batchnorm_backward"),
    method("computer", "call", "theirs", *ARGUMENTS, into="answer"),
    *READ,
)
KEPT = (
    RUN,
    call("as_arrays", "dy_shards", into="dy_shards afterwards"),
    call("as_arrays", "shards", into="shards afterwards"),
)
REPORT = ("dx_shards", "dgamma", "dbeta", TALKED)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `sync_batchnorm_backward`."""
    c = int(rng.integers(2, 5))

    def case(name: str, rows: Sequence[int], script: Any = SCRIPT, **options: Any) -> Case:
        dtype, place = options.pop("dtype", np.float64), options.pop("place", 0.0)
        shards = [shard.astype(dtype) for shard in draw(rng, rows, c, place)]
        upstream = [(rng.normal(size=shard.shape) + 0.3).astype(dtype) for shard in shards]
        everything = np.concatenate(shards).astype(np.float64)
        mean, var = (f(everything, axis=0).astype(dtype) for f in (np.mean, np.var))
        apart = options.pop("apart", False)
        stats = [tensor(mean), tensor(var)]
        more = {
            "dy_shards": on_cards(upstream) if apart else tensors(upstream),
            "stats": (*(map(everywhere, stats) if apart else stats), len(everything)),
            "eps": 0.5,
        }
        options = {"report": REPORT, "dtype_of": None, **options}
        return Case(name, inputs(rng, shards, apart, **more), script, **options)

    yield _example()
    yield case("three cards, shards of different length", sizes(rng), weight=3)
    yield case("two cards, as many rows on each", [6, 6])
    yield case("a card with a single row", [7, 1, 4])
    yield case("a card without rows", [5, 0, 3])
    yield case("a single card", [8])
    yield case("another eps", sizes(rng), WITH_EPS, help=EPS)
    yield case("float32", sizes(rng), dtype=np.float32, tolerance=SINGLE)
    yield case(APART, sizes(rng), ON_CARDS, weight=2, apart=True, help=PLACES)
    yield case(ALONE, sizes(rng, 4), weight=3, report=(CALLS,), help=ONE_CALL)
    after = ("dy_shards afterwards", "shards afterwards")
    options = {"report": after, "idle": True, "help": KEEP_ARGUMENTS}
    yield case("the arguments are left as they were", sizes(rng), KEPT, **options)


def _example() -> Case:
    """Return the test cell's: three rows, 0 and 2 and 4, on two cards; a gradient of ones."""
    shards = [np.array([[0.0]]), np.array([[2.0], [4.0]])]
    given = inputs(np.random.default_rng(0), shards)
    given |= {
        "gamma": tensor(np.ones(1)),
        "dy_shards": tensors([np.ones_like(shard) for shard in shards]),
        "stats": (tensor(np.array([2.0])), tensor(np.array([8.0 / 3.0])), 3),
    }
    return Case("the example of the test cell", given, SCRIPT, REPORT, dtype_of=None, gate=True)


def differentiating(
    total: Callable[[list[Any]], Any] = sum,
    *,
    local_sums: bool = False,
    count: Callable[[int, int, int], float] = lambda own, everyone, cards: everyone,
    first: bool = True,
    second: bool = True,
    gamma_used: bool = True,
    root_used: bool = True,
    swapped: bool = False,
    averaged: bool = False,
) -> Callable[..., Any]:
    """Make an implementation with wrong parts put in.

    Parameters
    ----------
    total
        From what the cards hand in to what comes back.
    local_sums
        Whether each card uses its own two sums in dx.
    count
        From the card's rows, all rows and the number of cards to what dx divides by.
    first, second
        Whether the path through the mean, and that through the variance, is there.
    gamma_used, root_used
        Whether dx has the factor gamma, and that of 1/√(σ²+ε).
    swapped
        Whether dgamma and dbeta change places.
    averaged
        Whether dgamma and dbeta are means over cards.
    """

    def sync_batchnorm_backward(
        dy_shards: Any, shards: Any, gamma: Any, stats: Any, all_reduce: Any, eps: float = 1e-5
    ) -> Any:
        import torch

        mean, var, rows = stats
        inv_std = 1 / torch.sqrt(var + eps)
        x_hats = [(shard - mean) * inv_std for shard in shards]
        pairs = list(zip(dy_shards, x_hats, strict=True))
        sums = [torch.stack([dy.sum(0), (dy * x_hat).sum(0)]) for dy, x_hat in pairs]
        all_reduce(sums)
        everyone = total(sums)
        dxs = []
        for (dy, x_hat), mine in zip(pairs, sums, strict=True):
            dbeta, dgamma = mine if local_sums else everyone
            m = max(count(len(dy), rows, len(shards)), 1)
            dx = dy - first * dbeta / m - second * x_hat * dgamma / m
            dxs.append((gamma if gamma_used else 1.0) * (inv_std if root_used else 1.0) * dx)
        dbeta, dgamma = everyone / len(shards) if averaged else everyone
        return (dxs, dbeta, dgamma) if swapped else (dxs, dgamma, dbeta)

    return sync_batchnorm_backward


SYNC_BACKWARD = Exercise(
    unit=UNIT,
    name="sync_batchnorm_backward",
    points=3,
    minutes=12,
    oracle=reference("sync_batchnorm_backward"),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "each-card-for-itself",
            "The two sums in your dx are those of one card. A row moves mean and variance of *all* "
            "cards' rows: use the sums that come back from `all_reduce`.",
            differentiating(local_sums=True, count=lambda own, everyone, cards: own),
        ),
        Misconception(
            "local-sums",
            "You divide by the count of all rows, but the sums in your dx are those of one card.",
            differentiating(local_sums=True),
        ),
        Misconception(
            "local-count",
            "The sums are those of all cards, so they are divided by the count of all rows, not of "
            "the card's own.",
            differentiating(count=lambda own, everyone, cards: own),
        ),
        Misconception(
            "divided-by-cards",
            "You divided the sums by the number of cards. They are sums over rows: divide by the "
            "count of all rows.",
            differentiating(count=lambda own, everyone, cards: cards),
        ),
        Misconception(
            "statistics-constant",
            "Your dx takes mean and variance for constants. Both depend on every row.",
            differentiating(first=False, second=False),
        ),
        Misconception(
            "mean-path-forgotten",
            "The path through the mean is missing: Σ dy / m.",
            differentiating(first=False),
        ),
        Misconception(
            "variance-path-forgotten",
            "The path through the variance is missing: x_hat · Σ dy·x_hat / m.",
            differentiating(second=False),
        ),
        Misconception(
            "gamma-forgotten",
            "dx has the factor gamma.",
            differentiating(gamma_used=False),
        ),
        Misconception(
            "root-forgotten",
            "dx has the factor 1/√(σ²+ε).",
            differentiating(root_used=False),
        ),
        Misconception(
            "order-of-results",
            "You returned dbeta before dgamma.",
            differentiating(swapped=True),
        ),
        Misconception(
            "averaged-over-cards",
            "dgamma and dbeta are sums over all rows here, not means over cards.",
            differentiating(averaged=True),
        ),
        *COUNTED,
    ),
    hints=(
        "Write the closed formula of unit 5 for dx. Which quantities in it are sums over rows? "
        "Those, and only those, have to travel.",
        "dx = gamma · inv_std · (dy − (Σdy + x_hat · Σ dy·x_hat) / m), with sums over all cards "
        "and m = the count in `stats`. Both sums fit into one tensor.",
        "`parts = [torch.stack([dy.sum(0), (dy * x_hat).sum(0)]) for …]`, "
        "`dbeta, dgamma = all_reduce(parts)`; then dx card by card.",
    ),
)
