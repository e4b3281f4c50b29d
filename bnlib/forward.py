"""The forward pass: standardise each channel with given statistics, then scale and shift.

The formulas are those of Ioffe & Szegedy 2015, Algorithm 1; the layer in two modes is in `layers`.
"""

from typing import NamedTuple

import numpy as np

from bnlib.arrays import (
    Batch,
    PerChannel,
    Wide,
    check_eps,
    narrow,
    spread,
    widen,
    widen_batch,
    widen_like,
    widen_per_channel,
)
from bnlib.statistics import batch_mean, batch_var


class BatchNormCache(NamedTuple):
    """What the forward pass keeps for the backward pass, one field per node of the graph.

    `x` is the caller's array; everything computed is float64, so that a float16 forward pass does
    not round what its backward pass needs.
    """

    x: Batch
    """The input, (N, C) or (N, C, *spatial), not copied."""
    mean: PerChannel
    """Batch mean, (C,)."""
    centered: Batch
    """`x − mean`, the shape of x."""
    var: PerChannel
    """Biased batch variance, (C,)."""
    inv_std: PerChannel
    """`1/√(var + eps)`, (C,)."""
    x_hat: Batch
    """`centered · inv_std`, the shape of x."""
    gamma: PerChannel
    """The scale, (C,); a copy."""
    eps: float
    """The number under the square root."""


def inverse_std(var: PerChannel, eps: float) -> PerChannel:
    """Return `1/√(var + eps)`, with eps inside the square root.

    Parameters
    ----------
    var : ndarray of shape (C,)
        Variances of at least 0; biased or not is the caller's choice.
    eps : float
        At least 0.

    Returns
    -------
    ndarray of shape (C,)
        In the dtype of `var`, computed in float64.

    Raises
    ------
    ParameterError
        If eps is negative or not finite.
    DtypeError
        If `var` is not floating.

    Examples
    --------
    >>> inverse_std(np.array([3.0, 0.0]), eps=1.0)
    array([0.5, 1. ])
    """
    check_eps(eps)
    return narrow(1.0 / np.sqrt(widen(var, "var") + eps), var)


def normalize(x: Batch, mean: PerChannel, var: PerChannel, eps: float) -> Batch:
    """Standardise each channel with the statistics given: `(x − mean)/√(var + eps)`.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    mean, var : ndarray of shape (C,)
        Those of the batch in training (var biased), the running ones in evaluation.
    eps : float
        Inside the square root, at least 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError
        If a shape does not fit, an argument is not floating or eps is out of range.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 1, line 3. With the batch's own statistics the result has mean
    0 and biased variance `var/(var + eps)`, a little less than 1.

    Examples
    --------
    >>> normalize(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([1.0]), eps=0.0)
    array([[-1.],
           [ 1.]])
    """
    wide = widen_batch(x)
    channels = wide.shape[1]
    centered = wide - spread(widen_per_channel(mean, "mean", channels), wide.ndim)
    inv_std = inverse_std(widen_per_channel(var, "var", channels), eps)
    return narrow(centered * spread(inv_std, wide.ndim), x)


def scale_shift(x_hat: Batch, gamma: PerChannel, beta: PerChannel) -> Batch:
    """Return `y = gamma · x_hat + beta`, one scale and one shift per channel.

    Parameters
    ----------
    x_hat : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    gamma, beta : ndarray of shape (C,)
        Scale and shift.

    Returns
    -------
    ndarray
        In the shape and dtype of `x_hat`.

    Raises
    ------
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 1, line 4.

    Examples
    --------
    >>> scale_shift(np.array([[-1.0], [1.0]]), np.array([2.0]), np.array([5.0]))
    array([[3.],
           [7.]])
    """
    wide = widen_batch(x_hat, "x_hat")
    scale = widen_per_channel(gamma, "gamma", wide.shape[1])
    shift = widen_per_channel(beta, "beta", wide.shape[1])
    y: Wide = wide * spread(scale, wide.ndim) + spread(shift, wide.ndim)
    return narrow(y, x_hat)


def batchnorm_forward(
    x: Batch, gamma: PerChannel, beta: PerChannel, eps: float = 1e-5
) -> tuple[Batch, BatchNormCache]:
    """Normalise a batch with its own statistics, then scale and shift.

    `y = gamma · (x − mean)/√(var + eps) + beta`, with the mean and the biased variance of the
    batch, per channel.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    gamma, beta : ndarray of shape (C,)
        Scale and shift.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    y : ndarray
        In the shape and dtype of `x`.
    cache : BatchNormCache
        Every node of the graph, in float64, for `batchnorm_backward`.

    Raises
    ------
    BatchSizeError
        If there is no value per channel. One value per channel gives `y = beta`; that this is no
        batch to train on is the layer's business (`BatchNorm1d` raises).
    ShapeError, DtypeError, ParameterError
        If a shape does not fit, an argument is not floating or eps is out of range.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 1. The gradient goes through mean and var: each row's output
    depends on all rows. Running statistics are not touched here.

    Examples
    --------
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> y, cache = batchnorm_forward(x, gamma=np.ones(2), beta=np.zeros(2))
    >>> y.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> cache.var
    array([  1., 100.])
    """
    wide = widen_batch(x)
    mean = batch_mean(wide)
    var = batch_var(wide, mean)
    x_hat = normalize(wide, mean, var, eps)
    y = scale_shift(x_hat, gamma, beta)
    cache = BatchNormCache(
        x=x,
        mean=mean,
        centered=wide - spread(mean, wide.ndim),
        var=var,
        inv_std=inverse_std(var, eps),
        x_hat=x_hat,
        gamma=np.array(gamma),
        eps=eps,
    )
    return narrow(y, x), cache


def identity_affine(mean: PerChannel, var: PerChannel, eps: float) -> tuple[PerChannel, PerChannel]:
    """Return the gamma and beta that make batch norm the identity for these statistics.

    `gamma = √(var + eps)`, `beta = mean`: then `gamma · (x − mean)/√(var + eps) + beta = x`.

    Parameters
    ----------
    mean, var : ndarray of shape (C,)
        The statistics batch norm will use.
    eps : float
        The one batch norm will use, at least 0.

    Returns
    -------
    gamma, beta : ndarray of shape (C,)
        New arrays, in the dtypes of `var` and `mean`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError
        If the shapes differ, an argument is not floating or eps is out of range.

    Notes
    -----
    Ioffe & Szegedy 2015, §3, where gamma and beta are introduced so that the transform can
    represent the identity.

    Examples
    --------
    >>> identity_affine(np.array([7.0]), np.array([3.0]), eps=1.0)
    (array([2.]), array([7.]))
    """
    check_eps(eps)
    beta = widen(mean, "mean")
    gamma = np.sqrt(widen_like(var, "var", beta.shape, "mean") + eps)
    return narrow(gamma, var), np.array(mean)
