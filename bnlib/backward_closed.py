"""The backward pass in closed form, and what its formula says about batch norm.

With gamma and inv_std taken out, training mode is a projection: dx is dy without its mean and
without its component along x_hat.
"""

import numpy as np

from bnlib.arrays import (
    Batch,
    Feature,
    FeatureJacobian,
    Features,
    LinearInput,
    LinearWeight,
    PerChannel,
    Wide,
    narrow,
    reduced_axes,
    spread,
    widen,
    widen_batch,
    widen_like,
    widen_per_channel,
)
from bnlib.backward_graph import d_scale_shift
from bnlib.errors import ShapeError
from bnlib.forward import batchnorm_forward, inverse_std, normalize


def batchnorm_backward_closed(
    dy: Batch, x_hat: Batch, inv_std: PerChannel, gamma: PerChannel
) -> tuple[Batch, PerChannel, PerChannel]:
    """Go back through training-mode batch norm in one formula.

    `dx = gamma · inv_std · (dy − mean(dy) − x_hat · mean(dy · x_hat))`, the means over the m values
    of each channel; `dgamma = Σ dy · x_hat`, `dbeta = Σ dy`. Exact for every eps.

    Parameters
    ----------
    dy, x_hat : ndarray of shape (N, C) or (N, C, *spatial)
        Upstream gradient and the normalised batch. Computed in float64.
    inv_std : ndarray of shape (C,)
        `1/√(var + eps)` of the biased batch variance.
    gamma : ndarray of shape (C,)
        The scale.

    Returns
    -------
    dx : ndarray
        In the shape and dtype of `dy`.
    dgamma, dbeta : ndarray of shape (C,)
        In the dtype of `gamma`.

    Raises
    ------
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Notes
    -----
    The graph's six lines (`batchnorm_backward`; Ioffe & Szegedy 2015, §3), collected:

        dcentered_i = dx_hat_i inv_std + dvar · 2 centered_i/m,   dx_hat = gamma dy
        dvar        = −½ inv_std³ Σ_j dx_hat_j centered_j
                    = −½ inv_std² Σ_j dx_hat_j x_hat_j            since centered = x_hat/inv_std
        dcentered_i = inv_std (dx_hat_i − x_hat_i (1/m) Σ_j dx_hat_j x_hat_j)
        dx_i        = dcentered_i − mean(dcentered)               and mean(x_hat) = 0
                    = inv_std (dx_hat_i − mean(dx_hat) − x_hat_i mean(dx_hat · x_hat))

    Examples
    --------
    >>> x, dy = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [0.0], [0.0]])
    >>> _, cache = batchnorm_forward(x, gamma=np.ones(1), beta=np.zeros(1))
    >>> dx, _, _ = batchnorm_backward_closed(dy, cache.x_hat, cache.inv_std, cache.gamma)
    >>> dx.ravel().round(4)
    array([ 0.1763, -0.2204,  0.0441])
    """
    wide = widen_batch(dy, "dy")
    normal = widen_like(x_hat, "x_hat", wide.shape, "dy")
    scale = spread(widen_per_channel(inv_std, "inv_std", wide.shape[1]), wide.ndim)
    dx_hat, dgamma, dbeta = d_scale_shift(wide, normal, gamma)
    axes = reduced_axes(wide.ndim)
    # dx_hat − mean(dx_hat): the part of dx_hat that a common shift of x cannot undo
    shift_free = dx_hat - dx_hat.mean(axis=axes, keepdims=True)
    # mean(dx_hat · x_hat): the part that a common rescaling of x would undo
    along_x_hat = (dx_hat * normal).mean(axis=axes, keepdims=True)
    # dx = inv_std (dx_hat − mean(dx_hat) − x_hat mean(dx_hat · x_hat))
    dx = scale * (shift_free - normal * along_x_hat)
    return narrow(dx, dy), dgamma, dbeta


def batchnorm_backward_eval(
    dy: Batch,
    x: Batch,
    gamma: PerChannel,
    running_mean: PerChannel,
    running_var: PerChannel,
    eps: float = 1e-5,
) -> tuple[Batch, PerChannel, PerChannel]:
    """Go back through evaluation-mode batch norm, where the statistics are constants.

    With `inv_std = 1/√(running_var + eps)`: `dx = gamma · inv_std · dy`, `dgamma = Σ dy · x_hat`,
    `dbeta = Σ dy`, x_hat normalised with the running statistics.

    Parameters
    ----------
    dy, x : ndarray of shape (N, C) or (N, C, *spatial)
        Upstream gradient and the input. Computed in float64.
    gamma, running_mean, running_var : ndarray of shape (C,)
        Scale and the layer's buffers (running_var is the unbiased one, as stored).
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    dx : ndarray
        In the shape and dtype of `dy`.
    dgamma, dbeta : ndarray of shape (C,)
        In the dtype of `gamma`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError
        If a shape does not fit, an argument is not floating or eps is out of range.

    Notes
    -----
    The layer is affine here (`eval_as_affine`): no row sees its neighbours, and Σ dx is not 0.
    This is also the gradient of a frozen layer during fine-tuning.

    Examples
    --------
    >>> dy, x = np.array([[1.0], [3.0]]), np.array([[4.0], [6.0]])
    >>> one = np.ones(1)
    >>> dx, dgamma, dbeta = batchnorm_backward_eval(dy, x, 2 * one, 4 * one, 3 * one, eps=1.0)
    >>> dx.ravel(), dgamma, dbeta
    (array([1., 3.]), array([3.]), array([4.]))
    """
    wide = widen_batch(dy, "dy")
    inputs = widen_like(x, "x", wide.shape, "dy")
    channels = wide.shape[1]
    mean = widen_per_channel(running_mean, "running_mean", channels)
    var = widen_per_channel(running_var, "running_var", channels)
    # x_hat = (x − running_mean) inv_std, as in the forward pass
    x_hat = normalize(inputs, mean, var, eps)
    # dx_hat = gamma dy, dgamma = Σ dy x_hat, dbeta = Σ dy
    dx_hat, dgamma, dbeta = d_scale_shift(wide, x_hat, gamma)
    # ∂x_hat_i/∂x_j = inv_std δ_ij: nothing flows through the statistics
    dx = dx_hat * spread(inverse_std(var, eps), wide.ndim)
    return narrow(dx, dy), dgamma, dbeta


def normalize_jacobian(x: Feature, eps: float = 1e-5) -> FeatureJacobian:
    """Return the Jacobian of normalising one feature with its own statistics.

    `J[i, j] = ∂x_hat_i/∂x_j = inv_std · (δ_ij − 1/N − x_hat_i x_hat_j/N)`.

    Parameters
    ----------
    x : ndarray of shape (N,)
        One feature across the batch. Computed in float64.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    ndarray of shape (N, N)
        Symmetric, in the dtype of `x`. With eps = 0, `J/inv_std` is the orthogonal projector onto
        the complement of the ones vector and x_hat, of rank N − 2; with eps > 0 the direction of
        x_hat keeps the fraction `eps/(var + eps)`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError
        If `x` has not one axis, is not floating or eps is out of range.

    Examples
    --------
    >>> normalize_jacobian(np.array([-1.0, 1.0]), eps=1.0).round(4)
    array([[ 0.1768, -0.1768],
           [-0.1768,  0.1768]])
    """
    wide = widen(x, "x")
    if wide.ndim != 1:
        raise ShapeError(
            f"x must be one feature of shape (N,); got {wide.shape}. Take a column: x[:, c]."
        )
    n = wide.size
    column = wide[:, np.newaxis]
    _, cache = batchnorm_forward(column, np.ones(1), np.zeros(1), eps)
    # ∂centered_i/∂x_j = δ_ij − 1/N; ∂inv_std/∂x_j = −inv_std² x_hat_j/N; the product rule gives
    # J = inv_std (I − 11ᵀ/N − x_hat x_hatᵀ/N)
    jacobian = cache.inv_std * (np.eye(n) - 1.0 / n - cache.x_hat @ cache.x_hat.T / n)
    return narrow(jacobian, x)


def detached_gap(dy: Batch, x_hat: Batch, inv_std: PerChannel, gamma: PerChannel) -> float:
    """Return how wrong dx is if mean and variance are taken for constants.

    `‖dx_detached − dx‖/‖dx‖`, where `dx_detached = gamma · inv_std · dy` and dx is the true
    gradient, over all entries.

    Parameters
    ----------
    dy, x_hat : ndarray of shape (N, C) or (N, C, *spatial)
        Upstream gradient and the normalised batch.
    inv_std, gamma : ndarray of shape (C,)
        `1/√(var + eps)` and the scale.

    Returns
    -------
    float
        0 if the two are equal, infinite if only the true gradient is zero.

    Raises
    ------
    ShapeError, DtypeError
        If a shape does not fit or an argument is not floating.

    Notes
    -----
    What one gets by computing the statistics under `no_grad`, or by differentiating evaluation
    mode. For a `dy` that is constant over the batch the true gradient is 0 up to rounding and the
    gap is enormous.

    Examples
    --------
    >>> x_hat = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    >>> dy = np.array([[1.0], [-1.0], [-1.0], [1.0]])  # orthogonal to ones and to x_hat
    >>> detached_gap(dy, x_hat, np.ones(1), np.ones(1))
    0.0
    """
    wide = widen_batch(dy, "dy")
    dx, _, _ = batchnorm_backward_closed(wide, x_hat, inv_std, gamma)
    dx_hat, _, _ = d_scale_shift(wide, x_hat, gamma)
    detached: Wide = dx_hat * spread(widen(inv_std, "inv_std"), wide.ndim)
    difference = float(np.linalg.norm(detached - dx))
    norm = float(np.linalg.norm(dx))
    if norm == 0.0:
        return 0.0 if difference == 0.0 else float("inf")
    return difference / norm


def linear_bn_weight_grad(
    x: LinearInput, w: LinearWeight, dy: Features, eps: float = 1e-5
) -> LinearWeight:
    """Return dW of `normalize(x @ w)`, a linear layer followed by batch norm without affine part.

    Parameters
    ----------
    x : ndarray of shape (N, D)
        Input of the linear layer. Computed in float64.
    w : ndarray of shape (D, C)
        Its weight, one column per output feature.
    dy : ndarray of shape (N, C)
        Upstream gradient, of the normalised output.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    ndarray of shape (D, C)
        In the dtype of `w`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError
        If a shape does not fit, an argument is not floating or eps is out of range.

    Notes
    -----
    The output does not change if a column of w is scaled (but for eps), so `⟨w_c, dw_c⟩ ≈ 0` and
    `‖dw_c‖ ∝ 1/‖w_c‖`: length and direction decouple (Ioffe & Szegedy 2015, §3.3; Kohler et al.
    2019).

    Examples
    --------
    >>> x, w = np.array([[0.0], [1.0], [5.0]]), np.array([[2.0]])
    >>> bool(abs(linear_bn_weight_grad(x, w, np.array([[1.0], [0.0], [0.0]]))[0, 0]) < 1e-5)
    True
    """
    inputs, weight = widen(x, "x"), widen(w, "w")
    if inputs.ndim != 2 or weight.ndim != 2 or inputs.shape[1] != weight.shape[0]:
        raise ShapeError(
            f"x and w must have shapes (N, D) and (D, C); got {inputs.shape} and {weight.shape}."
        )
    # z = x w, so ∂z_nc/∂w_dc = x_nd
    z = inputs @ weight
    channels = weight.shape[1]
    _, cache = batchnorm_forward(z, np.ones(channels), np.zeros(channels), eps)
    upstream = widen_like(dy, "dy", z.shape, "x @ w")
    dz, _, _ = batchnorm_backward_closed(upstream, cache.x_hat, cache.inv_std, cache.gamma)
    # dw_dc = Σ_n x_nd dz_nc
    return narrow(inputs.T @ dz, w)
