"""Batch norm as a layer with two modes: torch's attributes, torch's buffers, NumPy arrays."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, TypeVar

import numpy as np

from bnlib.arrays import (
    Batch,
    PerChannel,
    check_eps,
    narrow,
    values_per_channel,
    widen,
)
from bnlib.backward_closed import batchnorm_backward_closed, batchnorm_backward_eval
from bnlib.errors import (
    BatchSizeError,
    NoForwardError,
    ParameterError,
    ShapeError,
    StateDictError,
)
from bnlib.forward import batchnorm_forward, normalize, scale_shift
from bnlib.running import bessel, update_running

_VECTORS = ("weight", "bias", "running_mean", "running_var")
_KEYS = (*_VECTORS, "num_batches_tracked")

Layer = TypeVar("Layer", bound="_BatchNorm")
"""The layer itself, as `train` and `eval` return it (`typing.Self` stops the run-time checker)."""

Gradients = tuple[Batch, PerChannel, PerChannel]
"""`(dx, dweight, dbias)`."""


class _BatchNorm:
    """What the layers share; they differ in the shapes they take."""

    _shapes: ClassVar[dict[int, str]]

    weight: PerChannel
    bias: PerChannel
    running_mean: PerChannel
    running_var: PerChannel
    num_batches_tracked: int
    training: bool

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1) -> None:
        if num_features < 1:
            raise ParameterError(f"num_features must be at least 1; got {num_features}.")
        check_eps(eps)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = np.ones(num_features)
        self.bias = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0
        self.training = True
        self._backward: Callable[[Batch], Gradients] | None = None
        self._last_shape: tuple[int, ...] = ()

    def __call__(self, x: Batch) -> Batch:
        """Normalise `x`: with its own statistics in training, with the running ones otherwise.

        Parameters
        ----------
        x : ndarray
            A batch in one of the layer's shapes; float16, float32 or float64. Computed in float64,
            left unchanged.

        Returns
        -------
        ndarray
            In the shape and dtype of `x`.

        Raises
        ------
        BatchSizeError
            In training, if there are fewer than two values per channel: nothing to normalise by.
        ParameterError
            In training, if eps is 0.
        ShapeError, DtypeError
            If `x` has another number of axes or channels or is not floating.

        Notes
        -----
        After an error the layer is as it was before the call.
        """
        self._check_input(x)
        y = self._forward_training(x) if self.training else self._forward_eval(x)
        self._last_shape = y.shape
        return y

    def backward(self, dy: Batch) -> Gradients:
        """Go back through the last call, in the mode and with the numbers it had then.

        Parameters
        ----------
        dy : ndarray
            Upstream gradient, in the shape of the last output.

        Returns
        -------
        dx : ndarray
            In the shape and dtype of `dy`.
        dweight, dbias : ndarray of shape (C,)
            In float64, as weight and bias.

        Raises
        ------
        NoForwardError
            If the layer has not been called yet.
        ShapeError, DtypeError
            If `dy` does not fit the last output or is not floating.
        """
        if self._backward is None:
            raise NoForwardError(
                f"{type(self).__name__}.backward needs a forward pass first: call the layer on a "
                f"batch, then backward(dy)."
            )
        if np.shape(dy) != self._last_shape:
            raise ShapeError(
                f"dy must have the shape of the last output, {self._last_shape}; got "
                f"{np.shape(dy)}."
            )
        return self._backward(dy)

    def train(self: Layer, mode: bool = True) -> Layer:
        """Switch to training mode (or, with False, to evaluation mode) and return the layer."""
        if not isinstance(mode, bool):
            raise ParameterError(f"mode must be True or False; got {mode!r}.")
        self.training = mode
        return self

    def eval(self: Layer) -> Layer:
        """Switch to evaluation mode and return the layer."""
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return a snapshot of parameters and buffers, under torch's five keys.

        Returns
        -------
        dict of str to ndarray
            weight, bias, running_mean, running_var: float64 of shape (C,);
            num_batches_tracked: int64 of shape (). Copies: later steps do not change them.
            `{k: torch.from_numpy(v) for k, v in state.items()}` loads into torch.
        """
        state = {key: np.array(getattr(self, key)) for key in _VECTORS}
        state["num_batches_tracked"] = np.array(self.num_batches_tracked, dtype=np.int64)
        return state

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Copy parameters and buffers from a state dict of this layer or of torch's.

        Parameters
        ----------
        state : mapping of str to array
            With exactly the keys of `state_dict`. Values are NumPy arrays, or anything
            `np.asarray` takes (CPU tensors without gradient do).

        Raises
        ------
        StateDictError
            If a key is missing or unexpected or a shape does not fit. Nothing is copied then.
        """
        missing = [key for key in _KEYS if key not in state]
        unexpected = [key for key in state if key not in _KEYS]
        if missing or unexpected:
            raise StateDictError(
                f"the state dict of {self!r} must have the keys {', '.join(_KEYS)}; missing: "
                f"{', '.join(missing) or 'none'}; unexpected: {', '.join(unexpected) or 'none'}."
            )
        loaded = {key: np.asarray(state[key]) for key in _KEYS}
        for key, value in loaded.items():
            shape = (self.num_features,) if key in _VECTORS else ()
            if value.shape != shape:
                raise StateDictError(
                    f"{key} must have shape {shape} for {self!r}; got {value.shape}."
                )
        for key in _VECTORS:
            setattr(self, key, loaded[key].astype(np.float64))
        self.num_batches_tracked = int(loaded["num_batches_tracked"])

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({self.num_features}, eps={self.eps}, momentum={self.momentum})"

    def _forward_training(self, x: Batch) -> Batch:
        m = values_per_channel(np.shape(x))
        if m < 2:
            raise BatchSizeError(
                f"expected more than 1 value per channel when training, got input of shape "
                f"{np.shape(x)}. One value has no spread to normalise by: use a larger batch, drop "
                f"the last incomplete one, or switch to eval()."
            )
        if self.eps <= 0:
            raise ParameterError(
                f"eps must be positive when training, or a constant channel divides by zero; got "
                f"{self.eps!r}."
            )
        y, cache = batchnorm_forward(x, self.weight, self.bias, self.eps)
        count = self.num_batches_tracked + 1
        # momentum None: the k-th batch weighs 1/k, which is the plain average of all batches
        momentum = 1.0 / count if self.momentum is None else self.momentum
        # normalised with the biased variance, remembered with the unbiased one, as torch does
        unbiased = bessel(cache.var, m)
        self.running_mean = np.asarray(update_running(self.running_mean, cache.mean, momentum))
        self.running_var = np.asarray(update_running(self.running_var, unbiased, momentum))
        self.num_batches_tracked = count
        self._backward = partial(
            batchnorm_backward_closed,
            x_hat=cache.x_hat,
            inv_std=cache.inv_std,
            gamma=cache.gamma,
        )
        return y

    def _forward_eval(self, x: Batch) -> Batch:
        mean, var = self.running_mean, self.running_var
        x_hat = normalize(widen(x, "x"), mean, var, self.eps)
        y = scale_shift(x_hat, self.weight, self.bias)
        self._backward = partial(
            batchnorm_backward_eval,
            x=np.array(x),
            gamma=np.array(self.weight),
            running_mean=np.array(mean),
            running_var=np.array(var),
            eps=self.eps,
        )
        return narrow(y, x)

    def _check_input(self, x: Batch) -> None:
        shape = np.shape(x)
        name = type(self).__name__
        if len(shape) not in self._shapes:
            expected = " or ".join(self._shapes.values())
            raise ShapeError(
                f"{name} expects x of shape {expected}; got {len(shape)} axes, {shape}."
            )
        if shape[1] != self.num_features:
            raise ShapeError(
                f"{name} was made for num_features={self.num_features} channels on axis 1; got x "
                f"of shape {shape} with {shape[1]}."
            )
        widen(x, "x")


class BatchNorm1d(_BatchNorm):
    """Batch norm of `(N, C)` or `(N, C, L)`, as `torch.nn.BatchNorm1d`.

    In training `y = weight · (x − mean)/√(var + eps) + bias` with mean and biased variance of the
    batch, per channel; the running statistics move towards the batch's mean and *unbiased*
    variance. In evaluation the same formula with the running statistics, so that a row's output no
    longer depends on its neighbours.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    eps : float, default 1e-5
        Added to the variance under the square root.
    momentum : float or None, default 0.1
        Weight of the new batch in the running statistics; None takes the plain average of all
        batches so far.

    Attributes
    ----------
    weight, bias : ndarray of shape (C,)
        gamma and beta, float64; start at 1 and 0.
    running_mean, running_var : ndarray of shape (C,)
        float64; start at 0 and 1. Every training step makes new arrays.
    num_batches_tracked : int
        Training steps so far.
    training : bool
        The mode; True at the start.

    Notes
    -----
    Ioffe & Szegedy 2015, Algorithms 1 and 2. Parameters and buffers are float64 whatever the data,
    so many small steps add up without rounding. Two corners differ from torch on purpose: a batch
    that is refused is not counted in num_batches_tracked, and in training a batch without rows is
    refused, too (torch counts it and returns it).

    Examples
    --------
    >>> layer = BatchNorm1d(1)
    >>> layer(np.array([[1.0], [3.0]])).round(3).ravel()
    array([-1.,  1.])
    >>> layer.running_mean, layer.running_var, layer.num_batches_tracked
    (array([0.2]), array([1.1]), 1)
    >>> layer.eval()(np.array([[0.2]])).ravel()
    array([0.])
    """

    _shapes: ClassVar[dict[int, str]] = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(_BatchNorm):
    """Batch norm of `(N, C, H, W)`, as `torch.nn.BatchNorm2d`.

    Everything is as in `BatchNorm1d`, with statistics over N, H and W: `m = N · H · W` values per
    channel.

    Parameters
    ----------
    num_features, eps, momentum
        As in `BatchNorm1d`.

    Examples
    --------
    >>> layer = BatchNorm2d(3)
    >>> y = layer(np.random.default_rng(0).normal(5.0, 2.0, size=(8, 3, 4, 4)))
    >>> y.shape, bool(np.allclose(y.mean(axis=(0, 2, 3)), 0.0))
    ((8, 3, 4, 4), True)
    >>> dx, dweight, dbias = layer.backward(np.ones_like(y))
    >>> bool(np.allclose(dx, 0.0)), dbias
    (True, array([128., 128., 128.]))
    """

    _shapes: ClassVar[dict[int, str]] = {4: "(N, C, H, W)"}
