"""What every formula needs before it starts: the working dtype, the shapes, the channel axis.

The convention is torch's: `(N, C)` or `(N, C, *spatial)`, channels on axis 1, one statistic per
channel taken over the batch axis and all spatial axes. The aliases below name these shapes in
signatures; the tests check them at run time with jaxtyping.
"""

import math

import numpy as np
from jaxtyping import Float, Float64

from bnlib.errors import DtypeError, ParameterError, ShapeError

CHANNEL_AXIS = 1
"""The axis that keeps its own statistics, as in `torch.nn.BatchNorm*`."""

Batch = Float[np.ndarray, "n c *spatial"]
"""A batch `(N, C)` or `(N, C, *spatial)` of any floating dtype."""

Chunk = Float[np.ndarray, "_ c ..."]
"""One batch of several, `(N_i, C)` or `(N_i, C, *spatial)`: only C has to be the same."""

Features = Float[np.ndarray, "n c"]
"""A batch `(N, C)` without spatial axes."""

PerChannel = Float[np.ndarray, "c"]
"""One number per channel, `(C,)`."""

Feature = Float[np.ndarray, "n"]
"""One feature across the batch, `(N,)`."""

FeatureJacobian = Float[np.ndarray, "n n"]
"""Derivatives of one normalised feature by the raw one, `(N, N)`."""

LinearInput = Float[np.ndarray, "n d"]
"""Input of a linear layer, `(N, D)`."""

LinearWeight = Float[np.ndarray, "d c"]
"""Weight of a linear layer, `(D, C)`, applied as `x @ w`."""

AnyShape = Float[np.ndarray, "..."]
"""A floating array of any shape."""

Wide = Float64[np.ndarray, "..."]
"""An array in the working precision, of any shape."""


def widen(array: np.ndarray, name: str) -> Wide:
    """Return `array` in float64, the precision in which every formula of bnlib is computed.

    The result may share memory with the argument: treat it as read-only.

    Parameters
    ----------
    array : ndarray
        float16, float32 or float64, any shape, any memory layout.
    name : str
        The argument's name, for the error message.

    Raises
    ------
    DtypeError
        If `array` is not floating: an integer result would be cut off on the way back.

    Examples
    --------
    >>> widen(np.ones(2, np.float16), "x").dtype
    dtype('float64')
    """
    array = np.asarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise DtypeError(
            f"{name} must be a floating-point array (float16, float32 or float64); got dtype "
            f"{array.dtype}. Convert it first: {name}.astype(np.float64)."
        )
    return array.astype(np.float64, copy=False)


def narrow(result: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return `result` in the dtype of the argument it answers, the last step of every formula.

    Examples
    --------
    >>> narrow(np.array([0.5]), np.ones(2, np.float32))
    array([0.5], dtype=float32)
    """
    answer: np.ndarray = result.astype(np.asarray(like).dtype, copy=False)
    return answer


def widen_batch(x: Batch, name: str = "x") -> Wide:
    """Widen a batch and check that it has a channel axis.

    Raises
    ------
    ShapeError
        If `x` has fewer than two axes.
    DtypeError
        If `x` is not floating.

    Examples
    --------
    >>> widen_batch(np.zeros((4, 3), np.float32)).shape
    (4, 3)
    """
    wide = widen(x, name)
    if wide.ndim < 2:
        raise ShapeError(
            f"{name} must have shape (N, C) or (N, C, *spatial), channels on axis "
            f"{CHANNEL_AXIS}; got {wide.shape}. Add the missing axis, for example "
            f"{name}[:, np.newaxis] for one channel."
        )
    return wide


def widen_per_channel(v: PerChannel, name: str, channels: int) -> Wide:
    """Widen one number per channel and check that there are as many as channels.

    Raises
    ------
    ShapeError
        If the shape is not `(channels,)`; broadcasting would hide the mistake.
    DtypeError
        If `v` is not floating.

    Examples
    --------
    >>> widen_per_channel(np.ones(3), "gamma", 3)
    array([1., 1., 1.])
    """
    wide = widen(v, name)
    if wide.shape != (channels,):
        raise ShapeError(
            f"{name} must have shape (C,) = ({channels},), one number per channel "
            f"(axis {CHANNEL_AXIS}); got {wide.shape}."
        )
    return wide


def widen_like(array: AnyShape, name: str, shape: tuple[int, ...], other: str) -> Wide:
    """Widen an array that must have exactly the shape of another one.

    Raises
    ------
    ShapeError
        If the shapes differ.
    DtypeError
        If `array` is not floating.

    Examples
    --------
    >>> widen_like(np.ones((2, 3)), "dy", (2, 3), "x").shape
    (2, 3)
    """
    wide = widen(array, name)
    if wide.shape != shape:
        raise ShapeError(
            f"{name} must have the shape of {other}, {shape}; got {wide.shape}. "
            f"Broadcasting is not wanted here."
        )
    return wide


def reduced_axes(ndim: int) -> tuple[int, ...]:
    """Return the axes a channel's statistics are taken over: all but the channel axis.

    Examples
    --------
    >>> reduced_axes(2), reduced_axes(4)
    ((0,), (0, 2, 3))
    """
    return tuple(axis for axis in range(ndim) if axis != CHANNEL_AXIS)


def values_per_channel(shape: tuple[int, ...]) -> int:
    """Return m, the number of values each channel's statistics are taken over.

    Examples
    --------
    >>> values_per_channel((8, 3)), values_per_channel((8, 3, 5, 5))
    (8, 200)
    """
    return math.prod(shape[axis] for axis in reduced_axes(len(shape)))


def spread(v: Wide, ndim: int) -> Wide:
    """Return `v` of shape (C,) as (1, C, 1, …), ready to meet a batch with `ndim` axes.

    Examples
    --------
    >>> spread(np.ones(3), 4).shape
    (1, 3, 1, 1)
    """
    return v.reshape([-1 if axis == CHANNEL_AXIS else 1 for axis in range(ndim)])


def check_eps(eps: float) -> None:
    """Raise unless eps is a number that can stand under the square root.

    Raises
    ------
    ParameterError
        If eps is negative or not finite.

    Examples
    --------
    >>> check_eps(1e-5)
    """
    if not (math.isfinite(eps) and eps >= 0):
        raise ParameterError(
            f"eps must be a finite number of at least 0, added to the variance under the square "
            f"root; got {eps!r}. The usual value is 1e-5."
        )
