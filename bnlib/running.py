"""Running statistics: how they move, how they are corrected, what they make of the layer."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np

from bnlib.arrays import Chunk, PerChannel, narrow, widen
from bnlib.errors import BatchSizeError, ShapeError
from bnlib.forward import inverse_std
from bnlib.statistics import pooled_moments

Real = float | int | np.floating | np.ndarray
"""A real number or an array of them."""


@runtime_checkable
class RunningStatistics(Protocol):
    """What a layer needs to have for `recalibrate`."""

    running_mean: np.ndarray
    running_var: np.ndarray


@runtime_checkable
class AffineBatchNorm(RunningStatistics, Protocol):
    """What a layer needs to have for `eval_as_affine`."""

    weight: np.ndarray
    bias: np.ndarray
    eps: float


def update_running(running: Real, batch: Real, momentum: float) -> Real:
    """Return the running statistic after one more batch.

    `(1 − momentum) · running + momentum · batch`: momentum is the weight of the *new* value.

    Parameters
    ----------
    running : ndarray or float
        The statistic so far, mean or variance.
    batch : ndarray or float of the same shape
        That of the new batch. For a variance torch hands in the unbiased one: see `bessel`.
    momentum : float
        0 keeps the old value, 1 takes the new one. torch's default is 0.1.

    Returns
    -------
    ndarray or float
        A new value of the shape and dtype of `running`, computed in float64.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Notes
    -----
    A plain update, no gradient goes through it.

    Examples
    --------
    >>> update_running(np.array([0.0]), np.array([10.0]), momentum=0.1)
    array([1.])
    >>> update_running(1.0, 3.0, momentum=0.5)
    2.0
    """
    if np.shape(running) != np.shape(batch):
        raise ShapeError(
            f"running and batch must have the same shape; got {np.shape(running)} and "
            f"{np.shape(batch)}."
        )
    old = np.asarray(running, dtype=np.float64)
    new = np.asarray(batch, dtype=np.float64)
    return _like(running, (1.0 - momentum) * old + momentum * new)


def bessel(var: Real, m: int) -> Real:
    """Return the unbiased variance for a biased one of m values: `var · m/(m − 1)`.

    Parameters
    ----------
    var : ndarray or float
        Biased variance (divided by m).
    m : int
        Number of values it was taken over, `N · ∏spatial`, at least 2.

    Returns
    -------
    ndarray or float
        A new value of the shape and dtype of `var`, computed in float64.

    Raises
    ------
    BatchSizeError
        If m is less than 2: one value has no unbiased variance.

    Notes
    -----
    Ioffe & Szegedy 2015, §3.1 and Algorithm 2, line 10: `Var[x] = m/(m − 1) · E_B[σ_B²]`.

    Examples
    --------
    >>> bessel(np.array([4.0]), 2)
    array([8.])
    """
    if m < 2:
        raise BatchSizeError(
            f"m must be at least 2, the unbiased variance of {m} value(s) does not exist."
        )
    return _like(var, np.asarray(var, dtype=np.float64) * (m / (m - 1)))


def momentum_from_keras(keras_momentum: Real) -> Real:
    """Return torch's momentum for a Keras momentum: `1 − keras_momentum`.

    Keras' momentum is the weight of the *old* value
    (`moving_mean · momentum + mean(batch) · (1 − momentum)`), torch's that of the new one.

    Parameters
    ----------
    keras_momentum : float or ndarray
        For example 0.99, the default of `keras.layers.BatchNormalization`.

    Returns
    -------
    float or ndarray
        A new value of the same shape and dtype.

    Examples
    --------
    >>> round(momentum_from_keras(0.99), 6)
    0.01
    """
    return _like(keras_momentum, 1.0 - np.asarray(keras_momentum, dtype=np.float64))


def recalibrate(layer: RunningStatistics, batches: Iterable[Chunk]) -> None:
    """Set the running statistics of a layer to those of all rows pooled.

    `running_mean` becomes the mean and `running_var` the unbiased variance of all values of all
    batches together: not the average of the batches' variances, which misses how far the batch
    means lie apart.

    Parameters
    ----------
    layer : BatchNorm1d, BatchNorm2d or anything with running_mean and running_var
        Gets new arrays, in the dtype of the old ones. Mode, parameters and num_batches_tracked
        stay as they are.
    batches : iterable of ndarrays of shape (N_i, C) or (N_i, C, *spatial)
        Read once, so a generator will do.

    Raises
    ------
    BatchSizeError
        If there are fewer than two values per channel in all; the layer is unchanged then.
    ShapeError, DtypeError
        If a batch does not have the layer's channels or is not floating; the same.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 2, line 10, ask for the same two expectations, but average over
    mini-batches of one size m: `E[x] = E_B[mean_B]`, `Var[x] = m/(m − 1) · E_B[var_B]`. For rows
    drawn independently both estimate the same; pooling also serves batches that differ in size or
    in their mean. With the data of another domain this is AdaBN (Li et al. 2016).

    Examples
    --------
    >>> from bnlib.layers import BatchNorm1d
    >>> layer = BatchNorm1d(1)
    >>> recalibrate(layer, [np.array([[1.0], [2.0]]), np.array([[6.0]])])
    >>> layer.running_mean, layer.running_var
    (array([3.]), array([7.]))
    """
    mean, var, count = pooled_moments(batches)
    if mean.shape != np.shape(layer.running_mean):
        raise ShapeError(
            f"the batches must have the layer's {np.size(layer.running_mean)} channels on axis 1; "
            f"got {mean.size}."
        )
    unbiased = np.asarray(bessel(var, count))
    layer.running_mean = narrow(mean, layer.running_mean)
    layer.running_var = narrow(unbiased, layer.running_var)


def eval_as_affine(layer: AffineBatchNorm) -> tuple[PerChannel, PerChannel]:
    """Return the scale and shift that the layer amounts to in evaluation mode.

    `scale = weight/√(running_var + eps)`, `shift = bias − running_mean · scale`: then
    `layer.eval()(x) = scale · x + shift`.

    Parameters
    ----------
    layer : BatchNorm1d, BatchNorm2d or anything with their attributes
        Left unchanged.

    Returns
    -------
    scale, shift : ndarray of shape (C,)
        In the dtype of the layer's weight and bias.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithm 2, line 11.

    Examples
    --------
    >>> from bnlib.layers import BatchNorm1d
    >>> layer = BatchNorm1d(1, eps=1.0)
    >>> layer.running_mean, layer.running_var = np.array([4.0]), np.array([3.0])
    >>> eval_as_affine(layer)
    (array([0.5]), array([-2.]))
    """
    weight, bias = widen(layer.weight, "weight"), widen(layer.bias, "bias")
    scale = weight * inverse_std(widen(layer.running_var, "running_var"), layer.eps)
    shift = bias - widen(layer.running_mean, "running_mean") * scale
    return narrow(scale, layer.weight), narrow(shift, layer.bias)


def _like(given: Real, result: np.ndarray) -> Real:
    """Return `result` as the kind of value that was given: float, NumPy scalar or array."""
    if isinstance(given, float | int) and not isinstance(given, np.floating):
        return float(result)
    dtype = np.asarray(given).dtype
    cast = np.asarray(result).astype(dtype if np.issubdtype(dtype, np.floating) else np.float64)
    return cast[()] if isinstance(given, np.generic) else cast
