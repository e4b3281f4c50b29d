"""Helpers that any unit may use: a random generator, an iterable that is walked once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.worker.givens.registry import given


@given("rng")
def rng(seed: int) -> np.random.Generator:
    """Build a random generator as the notebook makes one."""
    return np.random.default_rng(seed)


@given("generator")
def generator(items: list[Any]) -> Iterator[Any]:
    """Build an iterable that can be walked only once."""
    return iter(items)
