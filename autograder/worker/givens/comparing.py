"""Questions about two results that only the process which holds them can answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.worker.givens.registry import given


@given("same_numbers")
def same_numbers() -> Callable[[object, object], bool]:
    """Build the question whether two answers hold the same numbers, tuples entry by entry."""

    def same(a: object, b: object) -> bool:
        if isinstance(a, tuple | list) and isinstance(b, tuple | list):
            return len(a) == len(b) and all(map(same, a, b))
        return bool(np.array_equal(np.asarray(a), np.asarray(b)))

    return same
