"""Mean and variance per channel: of one batch, of two batches merged, of a stream of batches.

Every variance here is biased (divided by m) and taken from centred values. E[x²] − E[x]² appears
nowhere: in float32 at mean 1e4 it gives −8 or 16 where the variance is 1.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from bnlib.arrays import (
    Batch,
    Chunk,
    PerChannel,
    narrow,
    reduced_axes,
    spread,
    values_per_channel,
    widen,
    widen_batch,
    widen_like,
    widen_per_channel,
)
from bnlib.errors import BatchSizeError, ParameterError, ShapeError

Moments = tuple[PerChannel, PerChannel, int]
"""`(mean, var, count)`: mean and biased variance of shape (C,), and the values per channel."""


def batch_mean(x: Batch) -> PerChannel:
    """Return the mean of each channel.

    `mean_c = (1/m) Σ x_c`, the sum over the batch axis and all spatial axes.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Summed in float64.

    Returns
    -------
    ndarray of shape (C,)
        In the dtype of `x`.

    Raises
    ------
    BatchSizeError
        If there is no value per channel to average.
    ShapeError, DtypeError
        If `x` has fewer than two axes or is not floating.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 1, line 1.

    Examples
    --------
    >>> batch_mean(np.array([[1.0, 10.0], [3.0, 30.0]]))
    array([ 2., 20.])
    """
    wide = widen_batch(x)
    _require_values(wide.shape)
    return narrow(wide.mean(axis=reduced_axes(wide.ndim)), x)


def batch_var(x: Batch, mean: PerChannel) -> PerChannel:
    """Return the biased variance of each channel.

    `var_c = (1/m) Σ (x_c − mean_c)²`: the second pass of a two-pass variance.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    mean : ndarray of shape (C,)
        The batch's own mean, as `batch_mean` returns it. What it lost by being rounded to the
        dtype of `x` is taken out by centring once more: float16 near 1e4 is good to ±4 only,
        which would add up to 16 to the variance.

    Returns
    -------
    ndarray of shape (C,)
        In the dtype of `x`. Divided by m, not m − 1: see `bessel` for the other one.

    Raises
    ------
    BatchSizeError
        If there is no value per channel.
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 1, line 2.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> batch_var(x, batch_mean(x))
    array([  1., 100.])
    """
    wide = widen_batch(x)
    _require_values(wide.shape)
    axes = reduced_axes(wide.ndim)
    centred = wide - spread(widen_per_channel(mean, "mean", wide.shape[1]), wide.ndim)
    centred = centred - centred.mean(axis=axes, keepdims=True)
    return narrow(np.square(centred).mean(axis=axes), x)


def merge_stats(a: Moments, b: Moments) -> Moments:
    """Return the statistics of two sets of rows pooled, from the statistics of each.

    With `n = n_a + n_b` and `δ = mean_b − mean_a`:
    `mean = mean_a + δ n_b/n`, `n var = n_a var_a + n_b var_b + δ² n_a n_b / n`.

    Parameters
    ----------
    a, b : tuple (mean, var, count)
        mean and biased var of shape (C,), count the number of values per channel. A count of 0
        contributes nothing, whatever its mean and variance are.

    Returns
    -------
    tuple (mean, var, count)
        In the wider of the two dtypes; var is biased. New arrays.

    Raises
    ------
    ShapeError, DtypeError
        If the channels differ or an array is not floating.

    Notes
    -----
    Chan, Golub & LeVeque 1982, "Updating formulae and a pairwise algorithm for computing sample
    variances", with means in place of their sums. The difference of the means is squared, never
    two large squares subtracted.

    Examples
    --------
    >>> merge_stats((np.array([0.0]), np.array([1.0]), 2), (np.array([3.0]), np.array([1.0]), 1))
    (array([1.]), array([3.]), 3)
    """
    if np.shape(a[0]) != np.shape(b[0]):
        raise ShapeError(
            f"the two sets must have the same channels; got a mean of shape {np.shape(a[0])} in a "
            f"and {np.shape(b[0])} in b."
        )
    dtype = np.result_type(np.asarray(a[0]).dtype, np.asarray(b[0]).dtype)
    mean, var, count = _merge(_widen_moments(a, "a"), _widen_moments(b, "b"))
    return mean.astype(dtype), var.astype(dtype), count


def pooled_moments(batches: Iterable[Chunk]) -> Moments:
    """Return mean, biased variance and count of all batches pooled, in float64.

    Each batch is reduced once and merged (`merge_stats`), so memory does not grow with the number
    of batches, and no precision is lost to a large mean or to batches of unequal size.

    Parameters
    ----------
    batches : iterable of ndarrays of shape (N_i, C) or (N_i, C, *spatial)
        Read once, so a generator will do. Batches without a value are skipped.

    Returns
    -------
    tuple (mean, var, count)
        float64 arrays of shape (C,), and the number of values per channel.

    Raises
    ------
    BatchSizeError
        If there is no value at all.
    ShapeError, DtypeError
        If the batches differ in their number of channels or one is not floating.

    Examples
    --------
    >>> pooled_moments(np.array([[v]]) for v in (1.0, 2.0, 6.0))
    (array([3.]), array([4.66666667]), 3)
    """
    total: Moments | None = None
    for batch in batches:
        wide = widen_batch(batch, "every batch")
        count = values_per_channel(wide.shape)
        if count == 0:
            continue
        mean = batch_mean(wide)
        if total is not None and mean.shape != total[0].shape:
            raise ShapeError(
                f"every batch must have the same number of channels on axis 1; got "
                f"{total[0].size} and then {mean.size}."
            )
        moments = (mean, batch_var(wide, mean), count)
        total = moments if total is None else merge_stats(total, moments)
    if total is None:
        raise BatchSizeError("expected at least one row in at least one batch; got none.")
    return total


def streaming_mean_var(chunks: Iterable[Chunk]) -> Moments:
    """Return the mean and biased variance of all chunks pooled, in one pass over them.

    Parameters
    ----------
    chunks : iterable of ndarrays of shape (N_i, C)
        Read once, so a generator will do; the N_i may differ, empty chunks count nothing.

    Returns
    -------
    tuple (mean, var, count)
        mean and var of shape (C,) in the dtype of the chunks (the widest of them, if they differ),
        accumulated in float64; count is an int, the number of rows.

    Raises
    ------
    BatchSizeError
        If there is no row at all.
    ShapeError, DtypeError
        If the chunks differ in their number of channels or one is not floating.

    Notes
    -----
    See `merge_stats` for the formula. Adding up Σx and Σx² in one pass would be shorter and wrong.

    Examples
    --------
    >>> chunks = [np.full((2, 1), 1e4, np.float32), np.full((1, 1), 1e4 + 3, np.float32)]
    >>> streaming_mean_var(chunks)
    (array([10001.], dtype=float32), array([2.], dtype=float32), 3)
    """
    dtypes: set[np.dtype] = set()

    def seen() -> Iterator[Chunk]:
        for chunk in chunks:
            dtypes.add(np.asarray(chunk).dtype)
            yield chunk

    mean, var, count = pooled_moments(seen())
    dtype = np.result_type(*dtypes)
    return mean.astype(dtype), var.astype(dtype), count


def _merge(a: Moments, b: Moments) -> Moments:
    """Merge two sets of moments that are already in float64."""
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = a, b
    if n_a == 0 or n_b == 0:
        mean, var, n = a if n_b == 0 else b
        return mean, var, n
    n = n_a + n_b
    delta = mean_b - mean_a
    mean = mean_a + delta * (n_b / n)
    var = (n_a * var_a + n_b * var_b + np.square(delta) * (n_a * n_b / n)) / n
    return mean, var, n


def _widen_moments(moments: Moments, name: str) -> Moments:
    """Widen one `(mean, var, count)` and check that its parts fit together."""
    mean, var, count = moments
    wide = widen(mean, f"the mean of {name}")
    other = widen_like(var, f"the var of {name}", wide.shape, "its mean")
    if count < 0:
        raise ParameterError(f"the count of {name} must be at least 0; got {count}.")
    return wide, other, int(count)


def _require_values(shape: tuple[int, ...]) -> None:
    """Raise if there is nothing to average."""
    if values_per_channel(shape) == 0:
        raise BatchSizeError(
            f"expected at least one value per channel to average; got x of shape {shape}."
        )
