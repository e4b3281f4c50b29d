"""Two answers to a batch size that does not suit: ghost batches, and batch renormalization.

Ghost batches make the statistics noisier than the batch would (Hoffer et al. 2017); batch
renormalization makes them lean on the running ones (Ioffe 2017).
"""

import numpy as np

from bnlib.arrays import Batch, PerChannel, narrow, spread, widen_batch, widen_per_channel
from bnlib.errors import BatchSizeError, ParameterError
from bnlib.forward import batchnorm_forward, inverse_std
from bnlib.statistics import batch_mean, batch_var


def ghost_batchnorm(
    x: Batch, gamma: PerChannel, beta: PerChannel, ghost_size: int, eps: float = 1e-5
) -> Batch:
    """Normalise consecutive groups of rows, each as if it were the whole batch.

    Rows 0 … g−1 are the first ghost batch, rows g … 2g−1 the second, and so on:
    `y = gamma · (x − mean_g)/√(var_g + eps) + beta` with the mean and biased variance of the row's
    own group. The last group holds what is left, which may be fewer rows.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    gamma, beta : ndarray of shape (C,)
        Scale and shift, one for all groups.
    ghost_size : int
        Rows in a group, at least 1; N or more gives ordinary batch norm.
    eps : float, default 1e-5
        Inside the square root.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    BatchSizeError
        If ghost_size is less than 1, or x has no rows.
    ShapeError, DtypeError, ParameterError
        As `batchnorm_forward`.

    Notes
    -----
    Hoffer, Hubara & Soudry 2017, Algorithm 1, whose ghost_size divides N. A group of a single row
    without spatial axes gives `y = beta`. The gradient of a row goes through its own group only.

    Examples
    --------
    >>> x = np.array([[0.0], [2.0], [100.0], [102.0]])
    >>> ghost_batchnorm(x, np.ones(1), np.zeros(1), ghost_size=2).round(3).ravel()
    array([-1.,  1., -1.,  1.])
    """
    if ghost_size < 1:
        raise BatchSizeError(f"ghost_size must be at least 1 row; got {ghost_size}.")
    wide = widen_batch(x)
    if not len(wide):
        raise BatchSizeError(f"x must have at least one row; got shape {wide.shape}.")
    ghosts = [wide[start : start + ghost_size] for start in range(0, len(wide), ghost_size)]
    normalised = [batchnorm_forward(ghost, gamma, beta, eps)[0] for ghost in ghosts]
    return narrow(np.concatenate(normalised), x)


def batch_renorm(
    x: Batch,
    running_mean: PerChannel,
    running_var: PerChannel,
    r_max: float,
    d_max: float,
    eps: float = 1e-5,
) -> Batch:
    """Normalise with the batch's statistics, corrected towards the running ones.

    With `σ_B = √(var_B + eps)` and `σ = √(running_var + eps)`:
    `r = clip(σ_B/σ, 1/r_max, r_max)`, `d = clip((mean_B − running_mean)/σ, −d_max, d_max)`,
    `x_hat = (x − mean_B)/σ_B · r + d`.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    running_mean, running_var : ndarray of shape (C,)
        The running statistics; left unchanged.
    r_max : float
        At least 1; 1 allows no correction of the scale.
    d_max : float
        At least 0; 0 allows no correction of the shift.
    eps : float, default 1e-5
        Inside both square roots.

    Returns
    -------
    ndarray
        `x_hat`, in the shape and dtype of `x`, before gamma and beta.

    Raises
    ------
    ParameterError
        If r_max < 1, d_max < 0, or eps is out of range.
    BatchSizeError, ShapeError, DtypeError
        If there is no value per channel, a shape does not fit or an argument is not floating.

    Notes
    -----
    Ioffe 2017, "Batch Renormalization", Algorithm 1. Where nothing is clipped, r and d cancel the
    batch's statistics: x_hat is `(x − running_mean)/σ`, what evaluation mode gives. With r_max = 1
    and d_max = 0 it is batch norm. In training, r and d are constants: no gradient goes through
    them, while mean_B and var_B get theirs. The paper keeps a running σ, here it is a running
    variance, as in torch's layers.

    Examples
    --------
    >>> x = np.array([[0.0], [2.0]])
    >>> running_mean, running_var = np.array([5.0]), np.array([4.0])
    >>> batch_renorm(x, running_mean, running_var, r_max=1.0, d_max=0.0).round(3).ravel()
    array([-1.,  1.])
    >>> batch_renorm(x, running_mean, running_var, r_max=9.0, d_max=9.0).round(3).ravel()
    array([-2.5, -1.5])
    """
    if not r_max >= 1.0:
        raise ParameterError(f"r_max must be at least 1, where r is not corrected; got {r_max!r}.")
    if not d_max >= 0.0:
        raise ParameterError(f"d_max must be at least 0, where d is not corrected; got {d_max!r}.")
    wide = widen_batch(x)
    channels = wide.shape[1]
    mean = batch_mean(wide)
    inv_batch = inverse_std(batch_var(wide, mean), eps)
    inv_running = inverse_std(widen_per_channel(running_var, "running_var", channels), eps)
    off = mean - widen_per_channel(running_mean, "running_mean", channels)
    r = np.clip(inv_running / inv_batch, 1.0 / r_max, r_max)
    d = np.clip(off * inv_running, -d_max, d_max)
    centred = wide - spread(mean, wide.ndim)
    return narrow(centred * spread(inv_batch * r, wide.ndim) + spread(d, wide.ndim), x)
