"""The backward pass through the computational graph, node by node.

Forward, per channel, with m values:

    mean     = (1/m) Σ x
    centered = x − mean
    var      = (1/m) Σ centered²
    inv_std  = (var + eps)^(−1/2)
    x_hat    = centered · inv_std
    y        = gamma · x_hat + beta

Each function takes the gradient of the loss L by a node's output (`dx_hat` for ∂L/∂x_hat) and
returns the gradient by its inputs. `centered` feeds two nodes, so its gradient has two parts, which
`batchnorm_backward` adds. Ioffe & Szegedy 2015, §3, list these gradients after Algorithm 1.
"""

import numpy as np

from bnlib.arrays import (
    Batch,
    PerChannel,
    check_eps,
    narrow,
    reduced_axes,
    spread,
    values_per_channel,
    widen,
    widen_batch,
    widen_like,
    widen_per_channel,
)
from bnlib.forward import BatchNormCache, inverse_std


def d_scale_shift(
    dy: Batch, x_hat: Batch, gamma: PerChannel
) -> tuple[Batch, PerChannel, PerChannel]:
    """Go back through `y = gamma · x_hat + beta`.

    Parameters
    ----------
    dy, x_hat : ndarray of shape (N, C) or (N, C, *spatial)
        Upstream gradient and the normalised batch.
    gamma : ndarray of shape (C,)
        The scale.

    Returns
    -------
    dx_hat : ndarray
        `gamma · dy`, in the shape and dtype of `dy`.
    dgamma : ndarray of shape (C,)
        `Σ dy · x_hat`, in the dtype of `gamma`.
    dbeta : ndarray of shape (C,)
        `Σ dy`, in the dtype of `gamma`.

    Raises
    ------
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Examples
    --------
    >>> dy, x_hat = np.array([[1.0], [3.0]]), np.array([[-1.0], [1.0]])
    >>> dx_hat, dgamma, dbeta = d_scale_shift(dy, x_hat, np.array([2.0]))
    >>> dx_hat.ravel(), dgamma, dbeta
    (array([2., 6.]), array([2.]), array([4.]))
    """
    wide = widen_batch(dy, "dy")
    normal = widen_like(x_hat, "x_hat", wide.shape, "dy")
    scale = widen_per_channel(gamma, "gamma", wide.shape[1])
    axes = reduced_axes(wide.ndim)
    # ∂y_i/∂x_hat_i = gamma, so each entry of dy is scaled by its channel's gamma.
    dx_hat = spread(scale, wide.ndim) * wide
    # ∂y_i/∂gamma = x_hat_i; gamma is shared by all m values, so their parts add up.
    dgamma = (wide * normal).sum(axis=axes)
    # ∂y_i/∂beta = 1, shared likewise.
    dbeta = wide.sum(axis=axes)
    return narrow(dx_hat, dy), narrow(dgamma, gamma), narrow(dbeta, gamma)


def d_normalize(dx_hat: Batch, centered: Batch, inv_std: PerChannel) -> tuple[Batch, PerChannel]:
    """Go back through `x_hat = centered · inv_std`.

    Parameters
    ----------
    dx_hat, centered : ndarray of shape (N, C) or (N, C, *spatial)
        Gradient by x_hat, and `x − mean`.
    inv_std : ndarray of shape (C,)
        `1/√(var + eps)`.

    Returns
    -------
    dcentered : ndarray
        `dx_hat · inv_std`, the direct path only, in the shape and dtype of `dx_hat`.
    dinv_std : ndarray of shape (C,)
        `Σ dx_hat · centered`, in the dtype of `inv_std`.

    Raises
    ------
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Examples
    --------
    >>> dx_hat, centered = np.array([[2.0], [6.0]]), np.array([[-2.0], [2.0]])
    >>> dcentered, dinv_std = d_normalize(dx_hat, centered, np.array([0.5]))
    >>> dcentered.ravel(), dinv_std
    (array([1., 3.]), array([8.]))
    """
    wide = widen_batch(dx_hat, "dx_hat")
    deviation = widen_like(centered, "centered", wide.shape, "dx_hat")
    scale = widen_per_channel(inv_std, "inv_std", wide.shape[1])
    # ∂x_hat_i/∂centered_i = inv_std, with inv_std held fixed: its own path is dinv_std.
    dcentered = wide * spread(scale, wide.ndim)
    # ∂x_hat_i/∂inv_std = centered_i; inv_std is shared by all m values, so their parts add up.
    dinv_std = (wide * deviation).sum(axis=reduced_axes(wide.ndim))
    return narrow(dcentered, dx_hat), narrow(dinv_std, inv_std)


def d_inv_std(dinv_std: PerChannel, var: PerChannel, eps: float) -> PerChannel:
    """Go back through `inv_std = (var + eps)^(−1/2)`.

    Parameters
    ----------
    dinv_std, var : ndarray of shape (C,)
        Gradient by inv_std, and the biased variance.
    eps : float
        The one of the forward pass, at least 0.

    Returns
    -------
    ndarray of shape (C,)
        `dvar = −½ (var + eps)^(−3/2) · dinv_std`, in the dtype of `dinv_std`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError
        If the shapes differ, an argument is not floating or eps is out of range.

    Examples
    --------
    >>> d_inv_std(np.array([8.0]), np.array([3.0]), eps=1.0)
    array([-0.5])
    """
    check_eps(eps)
    wide = widen(dinv_std, "dinv_std")
    inv_std = inverse_std(widen_like(var, "var", wide.shape, "dinv_std"), eps)
    # d(v^(−1/2))/dv = −½ v^(−3/2) = −½ inv_std³
    dvar = -0.5 * inv_std**3 * wide
    return narrow(dvar, dinv_std)


def d_var(dvar: PerChannel, centered: Batch) -> Batch:
    """Go back through `var = (1/m) Σ centered²`.

    Parameters
    ----------
    dvar : ndarray of shape (C,)
        Gradient by the variance.
    centered : ndarray of shape (N, C) or (N, C, *spatial)
        `x − mean`.

    Returns
    -------
    ndarray
        The part of dcentered that comes through the variance, `dvar · 2 centered/m`, in the shape
        and dtype of `centered`.

    Raises
    ------
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Examples
    --------
    >>> d_var(np.array([-0.5]), np.array([[-2.0], [2.0]])).ravel()
    array([ 1., -1.])
    """
    wide = widen_batch(centered, "centered")
    upstream = widen_per_channel(dvar, "dvar", wide.shape[1])
    # ∂var/∂centered_i = 2 centered_i / m
    dcentered = spread(upstream, wide.ndim) * 2.0 * wide / values_per_channel(wide.shape)
    return narrow(dcentered, centered)


def d_center(dcentered: Batch) -> Batch:
    """Go back through `centered = x − mean(x)`.

    Parameters
    ----------
    dcentered : ndarray of shape (N, C) or (N, C, *spatial)
        Gradient by centered, both paths added.

    Returns
    -------
    ndarray
        `dx = dcentered − mean(dcentered)`, in the shape and dtype of `dcentered`. Sums to 0 over
        each channel: a shift of the whole batch changes nothing.

    Raises
    ------
    ShapeError, DtypeError
        If there are fewer than two axes or the argument is not floating.

    Examples
    --------
    >>> d_center(np.array([[1.0], [5.0]])).ravel()
    array([-2.,  2.])
    """
    wide = widen_batch(dcentered, "dcentered")
    # ∂centered_i/∂x_j = δ_ij − 1/m, so dx_j = dcentered_j − (1/m) Σ_i dcentered_i
    dx = wide - wide.mean(axis=reduced_axes(wide.ndim), keepdims=True)
    return narrow(dx, dcentered)


def batchnorm_backward(dy: Batch, cache: BatchNormCache) -> tuple[Batch, PerChannel, PerChannel]:
    """Go back through training-mode batch norm, from the output to x, gamma and beta.

    Parameters
    ----------
    dy : ndarray of shape (N, C) or (N, C, *spatial)
        Upstream gradient, in the shape of x. Computed in float64.
    cache : BatchNormCache
        From `batchnorm_forward`.

    Returns
    -------
    dx : ndarray
        In the shape and dtype of `dy`.
    dgamma, dbeta : ndarray of shape (C,)
        In the dtype of gamma.

    Raises
    ------
    ShapeError, DtypeError
        If `dy` does not have the shape of x or is not floating.

    Notes
    -----
    The gradient goes through the batch mean and variance, so Σ dx = 0 in every channel and a `dy`
    that is constant over a channel gives `dx = 0`. The one-line form is
    `batchnorm_backward_closed`. Ioffe & Szegedy 2015, §3, the six gradients after Algorithm 1.

    Examples
    --------
    >>> from bnlib.forward import batchnorm_forward
    >>> x, dy = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [0.0], [0.0]])
    >>> y, cache = batchnorm_forward(x, gamma=np.ones(1), beta=np.zeros(1))
    >>> dx, dgamma, dbeta = batchnorm_backward(dy, cache)
    >>> dx.ravel().round(4), dgamma.round(4), dbeta
    (array([ 0.1763, -0.2204,  0.0441]), array([-0.9258]), array([1.]))
    """
    wide = widen_like(dy, "dy", np.shape(cache.x_hat), "x")
    dx_hat, dgamma, dbeta = d_scale_shift(wide, cache.x_hat, cache.gamma)
    direct, dinv_std = d_normalize(dx_hat, cache.centered, cache.inv_std)
    dvar = d_inv_std(dinv_std, cache.var, cache.eps)
    through_var = d_var(dvar, cache.centered)
    # centered is used twice, in x_hat and in var: the two gradients add up.
    dx = d_center(direct + through_var)
    return narrow(dx, dy), dgamma, dbeta
