"""In which order a training set is gone through."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64

from bnlib.errors import BatchSizeError

Rows = Int64[np.ndarray, " batch"]
"""Indices into a training set: one batch."""


def batch_order(n: int, batch_size: int, seed: int) -> Iterator[Rows]:
    """Yield batches of indices without end: epoch after epoch, each in a new random order.

    The incomplete batch at the end of an epoch is left out, so that every batch has the size that
    was asked for: a last batch of one row would stop a batch norm.

    Parameters
    ----------
    n : int
        Rows of the training set.
    batch_size : int
        From 1 to `n`.
    seed : int
        Of the orders.

    Raises
    ------
    BatchSizeError
        If `batch_size` is not between 1 and `n`.

    Examples
    --------
    >>> batches = batch_order(5, 2, seed=0)
    >>> [next(batches).shape for _ in range(3)]
    [(2,), (2,), (2,)]
    """
    if not 1 <= batch_size <= n:
        raise BatchSizeError(f"batch_size must be from 1 to n = {n}; got {batch_size}.")
    return _orders(n, batch_size, np.random.default_rng(seed))


def _orders(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield the batches; apart from `batch_order` so that its errors come at once."""
    while True:
        order = rng.permutation(n)
        for start in range(0, n - batch_size + 1, batch_size):
            yield order[start : start + batch_size]
