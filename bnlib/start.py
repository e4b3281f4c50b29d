"""The first two functions of the course: one takes out a column's mean, one measures its scale."""

import numpy as np

from bnlib.arrays import Features, PerChannel, narrow, spread, widen_batch
from bnlib.statistics import batch_mean, batch_var


def center(x: Features) -> Features:
    """Return `x` with the mean of every column taken out.

    Parameters
    ----------
    x : ndarray of shape (N, C)
        float16, float32 or float64. Computed in float64.

    Returns
    -------
    ndarray of shape (N, C)
        `x − mean(x, axis 0)`, in the dtype of `x`.

    Raises
    ------
    ShapeError, DtypeError, BatchSizeError
        If `x` has fewer than two axes, is not floating or has no rows.

    Examples
    --------
    >>> center(np.array([[1.0, 10.0], [3.0, 30.0]]))
    array([[ -1., -10.],
           [  1.,  10.]])
    """
    wide = widen_batch(x)
    return narrow(wide - spread(batch_mean(wide), wide.ndim), x)


def column_scale(x: Features) -> PerChannel:
    """Return the biased standard deviation of every column.

    `√((1/N) Σ (x − mean)²)`, the sum over the rows (axis 0).

    Parameters
    ----------
    x : ndarray of shape (N, C)
        float16, float32 or float64. Computed in float64.

    Returns
    -------
    ndarray of shape (C,)
        In the dtype of `x`.

    Raises
    ------
    ShapeError, DtypeError, BatchSizeError
        If `x` has fewer than two axes, is not floating or has no rows.

    Examples
    --------
    >>> column_scale(np.array([[1.0, 10.0], [3.0, 30.0]]))
    array([ 1., 10.])
    """
    wide = widen_batch(x)
    return narrow(np.sqrt(batch_var(wide, batch_mean(wide))), x)
