"""Batch, layer, instance and group norm: one formula, and the axes its statistics run over.

Every function standardises with `(x − mean)/√(var + eps)`; which values share a mean and a variance
is all they differ in.
"""

import math
from typing import Literal

import numpy as np

from bnlib.arrays import (
    CHANNEL_AXIS,
    AnyShape,
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
from bnlib.errors import BatchSizeError, ParameterError, ShapeError

Kind = Literal["batch", "layer", "instance"]
"""A norm whose statistics run over whole axes; group norm divides an axis first."""

KINDS: tuple[Kind, ...] = ("batch", "layer", "instance")


def reduce_axes(kind: Kind, ndim: int, channel_axis: int = CHANNEL_AXIS) -> tuple[int, ...]:
    """Return the axes that a norm takes its mean and variance over.

    Axis 0 is the batch. Batch norm keeps the channel axis and averages over all others; layer norm
    keeps axis 0; instance norm keeps both.

    Parameters
    ----------
    kind : "batch", "layer" or "instance"
        Which norm.
    ndim : int
        Axes of the input, at least 2.
    channel_axis : int, default 1
        Counted from the front, or from the back if negative. Layer norm does not ask for it.

    Returns
    -------
    tuple of int
        Sorted, none of them negative; empty for instance norm of (N, C), where every value would
        be a set of its own.

    Raises
    ------
    ParameterError
        If kind is none of the three, or instance norm is to keep axis 0 twice.
    ShapeError
        If there are fewer than two axes, or no axis `channel_axis`.

    Notes
    -----
    Wu & He 2018, Figure 2 and Eq. 3 to 5.

    Examples
    --------
    >>> [reduce_axes(kind, 4) for kind in ("batch", "layer", "instance")]
    [(0, 2, 3), (1, 2, 3), (2, 3)]
    >>> reduce_axes("batch", 4, channel_axis=-1)
    (0, 1, 2)
    """
    if kind not in KINDS:
        raise ParameterError(f'kind must be "batch", "layer" or "instance"; got {kind!r}.')
    if ndim < 2:
        raise ShapeError(f"ndim must be at least 2, a batch axis and another one; got {ndim}.")
    channel = _from_front(channel_axis, ndim)
    if kind == "instance" and channel == 0:
        raise ParameterError(
            "channel_axis must not be 0 for instance norm: axis 0 is the batch, and each sample's "
            "channels are normalised on their own. Move the batch to the front."
        )
    kept = {"batch": {channel}, "layer": {0}, "instance": {0, channel}}[kind]
    return tuple(axis for axis in range(ndim) if axis not in kept)


def normalize_over(x: AnyShape, axes: tuple[int, ...], eps: float) -> AnyShape:
    """Standardise over some axes: `(x − mean)/√(var + eps)`, mean and biased variance over `axes`.

    Parameters
    ----------
    x : ndarray
        float16, float32 or float64. Computed in float64.
    axes : tuple of int
        What shares a mean and a variance, as `reduce_axes` gives it.
    eps : float
        Inside the square root, at least 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    BatchSizeError
        If there is no value to average over.
    DtypeError, ParameterError
        If x is not floating or eps is out of range.

    Examples
    --------
    >>> x = np.array([[0.0, 2.0], [10.0, 50.0]])
    >>> normalize_over(x, axes=(1,), eps=0.0)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    check_eps(eps)
    wide = widen(x, "x")
    if not math.prod(wide.shape[axis] for axis in axes):
        raise BatchSizeError(f"x must have a value to average over axes {axes}; got {wide.shape}.")
    centered = wide - wide.mean(axis=axes, keepdims=True)
    var = np.square(centered).mean(axis=axes, keepdims=True)
    return narrow(centered / np.sqrt(var + eps), x)


def batchnorm_nd(
    x: AnyShape,
    gamma: PerChannel,
    beta: PerChannel,
    channel_axis: int = CHANNEL_AXIS,
    eps: float = 1e-5,
) -> AnyShape:
    """Normalise each channel over all other axes, wherever the channel axis is.

    `y = gamma_c · (x − mean_c)/√(var_c + eps) + beta_c`, with the mean and biased variance of all
    values of channel c: over the batch, and over every position.

    Parameters
    ----------
    x : ndarray with at least two axes
        float16, float32 or float64. Computed in float64.
    gamma, beta : ndarray of shape (C,)
        Scale and shift, `C = x.shape[channel_axis]`.
    channel_axis : int, default 1
        1 for (N, C), (N, C, L) and NCHW; −1 for (N, T, C) and NHWC. Any axis will do.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError, BatchSizeError
        If a shape or an axis does not fit, an argument is not floating, eps is out of range or
        there is no value per channel.

    Notes
    -----
    Ioffe & Szegedy 2015, §3.2: in a convolutional layer "different elements of the same feature
    map, at different locations, are normalized in the same way". With the channels on axis 1 this
    is `batchnorm_forward`. Gradients go through mean and var.

    Examples
    --------
    >>> x = np.array([[[0.0, 5.0], [2.0, 5.0]]])  # one sequence of two steps with two channels
    >>> batchnorm_nd(x, np.ones(2), np.zeros(2), channel_axis=-1, eps=0.25).round(2)
    array([[[-0.89,  0.  ],
            [ 0.89,  0.  ]]])
    """
    wide = widen_batch(x)
    channel = _from_front(channel_axis, wide.ndim)
    shape = [-1 if axis == channel else 1 for axis in range(wide.ndim)]
    per_channel = (wide.shape[channel],), f"the channel axis, axis {channel} of x"
    scale = widen_like(gamma, "gamma", *per_channel).reshape(shape)
    shift = widen_like(beta, "beta", *per_channel).reshape(shape)
    x_hat = normalize_over(wide, reduce_axes("batch", wide.ndim, channel), eps)
    return narrow(scale * x_hat + shift, x)


def layer_norm(x: AnyShape, gamma: AnyShape, beta: AnyShape, eps: float = 1e-5) -> AnyShape:
    """Normalise each sample over all that it holds, then scale and shift each entry.

    `y_n = gamma · (x_n − mean_n)/√(var_n + eps) + beta`, mean and biased variance over every axis
    but 0.

    Parameters
    ----------
    x : ndarray with at least two axes
        float16, float32 or float64. Computed in float64.
    gamma, beta : ndarray of shape `x.shape[1:]`
        One scale and one shift for each entry of a sample, the same for all samples.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    ShapeError, DtypeError, ParameterError, BatchSizeError
        If a shape does not fit, an argument is not floating, eps is out of range or a sample is
        empty.

    Notes
    -----
    Ba, Kiros & Hinton 2016, Eq. 3 and 4; `torch.nn.LayerNorm(x.shape[1:])`. No batch is needed: a
    row's answer is the same in any company, in training and in use. A transformer calls it on
    tokens, (N·T, C), so that a token's C features share their statistics and nothing else does.

    Examples
    --------
    >>> x = np.array([[0.0, 2.0], [10.0, 50.0]])
    >>> layer_norm(x, gamma=np.array([1.0, 3.0]), beta=np.zeros(2)).round(3)
    array([[-1.,  3.],
           [-1.,  3.]])
    """
    wide = widen_batch(x)
    scale = widen_like(gamma, "gamma", wide.shape[1:], "one sample, x.shape[1:]")
    shift = widen_like(beta, "beta", wide.shape[1:], "one sample, x.shape[1:]")
    x_hat = normalize_over(wide, reduce_axes("layer", wide.ndim), eps)
    return narrow(scale * x_hat + shift, x)


def instance_norm(x: Batch, eps: float = 1e-5) -> Batch:
    """Normalise each channel of each sample over its own positions.

    `x_hat_nc = (x_nc − mean_nc)/√(var_nc + eps)`, mean and biased variance over the spatial axes.

    Parameters
    ----------
    x : ndarray of shape (N, C, *spatial)
        With at least one spatial axis; float16, float32 or float64. Computed in float64.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    ShapeError
        If there is no spatial axis: every value would be its own mean, and all answers 0.
    DtypeError, ParameterError, BatchSizeError
        If x is not floating, eps is out of range or a channel has no positions.

    Notes
    -----
    Ulyanov, Vedaldi & Lempitsky 2016, Eq. 6; `torch.nn.InstanceNorm2d` with its defaults. It is
    batch norm of a batch of one, image by image, and group norm with as many groups as channels.

    Examples
    --------
    >>> instance_norm(np.array([[[0.0, 2.0], [10.0, 50.0]]])).round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    wide = widen_batch(x)
    if wide.ndim < 3:
        raise ShapeError(
            f"x must have shape (N, C, *spatial) with at least one spatial axis; got {wide.shape}. "
            "Without positions every value would be its own mean, and the answer 0."
        )
    return narrow(normalize_over(wide, reduce_axes("instance", wide.ndim), eps), x)


def group_norm(
    x: Batch, num_groups: int, gamma: PerChannel, beta: PerChannel, eps: float = 1e-5
) -> Batch:
    """Normalise groups of neighbouring channels of each sample, then scale and shift each channel.

    Channels 0 … C/G−1 are the first group, and so on. A group's values at all positions share one
    mean and one biased variance: `y = gamma_c · (x − mean_ng)/√(var_ng + eps) + beta_c`.

    Parameters
    ----------
    x : ndarray of shape (N, C) or (N, C, *spatial)
        float16, float32 or float64. Computed in float64.
    num_groups : int
        G, which divides C. 1 is layer norm's set of values, C is instance norm's.
    gamma, beta : ndarray of shape (C,)
        Scale and shift of each channel: not of each group.
    eps : float, default 1e-5
        Inside the square root, at least 0.

    Returns
    -------
    ndarray
        In the shape and dtype of `x`.

    Raises
    ------
    ParameterError
        If num_groups does not divide C, or eps is out of range.
    ShapeError, DtypeError, BatchSizeError
        If a shape does not fit, an argument is not floating or a group is empty.

    Notes
    -----
    Wu & He 2018, Eq. 7 and Figure 3; `torch.nn.GroupNorm`. Where layer norm learns a scale for each
    entry of a sample, this learns one for each channel.

    Examples
    --------
    >>> x = np.array([[0.0, 2.0, 10.0, 50.0]])
    >>> group_norm(x, 2, gamma=np.ones(4), beta=np.zeros(4)).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    wide = widen_batch(x)
    channels = wide.shape[CHANNEL_AXIS]
    if num_groups < 1 or channels % num_groups:
        raise ParameterError(
            f"num_groups must be at least 1 and divide the {channels} channels of axis "
            f"{CHANNEL_AXIS}, so that all groups are of one size; got {num_groups}."
        )
    split = (wide.shape[0], num_groups, channels // num_groups, *wide.shape[2:])
    groups: Wide = wide.reshape(split)
    x_hat = normalize_over(groups, tuple(range(2, groups.ndim)), eps).reshape(wide.shape)
    scale = spread(widen_per_channel(gamma, "gamma", channels), wide.ndim)
    shift = spread(widen_per_channel(beta, "beta", channels), wide.ndim)
    return narrow(scale * x_hat + shift, x)


def _from_front(axis: int, ndim: int) -> int:
    """Count an axis from the front."""
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"channel_axis must be from {-ndim} to {ndim - 1} for {ndim} axes; got {axis}."
        )
    return axis % ndim
