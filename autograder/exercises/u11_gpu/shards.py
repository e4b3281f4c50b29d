"""Shards of a batch, as the synchronised passes get them, and what is read of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import computer, placed, tensor, tensors
from autograder.vocabulary import Tolerance
from autograder.worker.script import Given, get

TALK = (
    get("all_reduce", "used", into="all_reduce was called"),
    get("all_reduce", "calls", into="calls of all_reduce"),
)
TALKED, CALLS = "all_reduce was called", "calls of all_reduce"
SINGLE = Tolerance(
    2e-3, 2e-3, "float32 at 1e4 holds a value to 1e-3 of the spread; the rest is of order 1"
)
ONE_CALL = (
    "Every call waits for the slowest card. Put all numbers that have to be added into one tensor "
    "(`torch.cat`, `torch.stack`), and add once."
)
APART = "each shard on a card of its own"
PLACES = (
    "Each shard lies on another card. Make tensors there (`shard.new_zeros(...)`), and let no line "
    "mix shards: what has to meet, meets in `all_reduce`."
)
FAR = (
    "So far from zero, E[x²] − E[x]² has lost all its digits in float32. Merge means and variances "
    "(`merge_stats`), or add up in float64."
)


def sizes(rng: np.random.Generator, ranks: int = 3) -> list[int]:
    """Draw how many rows each card has: never equally many."""
    return [int(n) for n in rng.choice(np.arange(2, 9), ranks, replace=False)]


def draw(
    rng: np.random.Generator, rows: Sequence[int], channels: int, place: float = 0.0
) -> list[np.ndarray]:
    """Draw shards whose means and spreads differ from card to card."""
    widths, places = rng.uniform(0.5, 2.0, size=channels), rng.normal(size=channels)
    return [
        place + places + rng.normal(size=channels) + rng.normal(size=(n, channels)) * widths
        for n in rows
    ]


def on_cards(shards: Sequence[np.ndarray]) -> list[Given]:
    """Name shards that lie on a card each."""
    return [placed(tensor(shard), f"cuda:{card}") for card, shard in enumerate(shards)]


def everywhere(value: Given) -> Given:
    """Name a tensor that each card has a copy of."""
    return placed(value, "everywhere")


def inputs(
    rng: np.random.Generator, shards: Sequence[np.ndarray], apart: bool = False, **more: Any
) -> dict[str, Any]:
    """Return the arguments that both passes share; `apart`: the shards lie on different cards."""
    channels, dtype = shards[0].shape[1], shards[0].dtype
    vectors = {
        "gamma": tensor(rng.uniform(0.5, 2.0, (channels,)).astype(dtype)),
        "beta": tensor(rng.normal(size=(channels,)).astype(dtype)),
    }
    return {
        "shards": on_cards(shards) if apart else tensors(shards),
        **{name: everywhere(value) if apart else value for name, value in vectors.items()},
        "computer": computer(cards=len(shards)),
        "all_reduce": Given("all_reduce", {"ranks": len(shards), "apart": apart}),
        "as_doubles": Given("as_doubles"),
        "as_arrays": Given("as_arrays"),
        "as_float": Given("as_float"),
        "as_list": Given("as_list"),
        **more,
    }
