"""Batch norm as one node of torch's graph: forward and backward written by hand, side by side."""

from typing import Protocol

import torch
from torch import Tensor

from bnlib.errors import ShapeError


class Context(Protocol):
    """What the forward pass hands to the backward pass."""

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    eps: float
    beta_dtype: torch.dtype

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Keep tensors; a change of one of them in place is noticed then."""


class BatchNormFunction(torch.autograd.Function):
    """Batch norm of a batch by its own statistics, with its gradient.

    ``y = gamma · x_hat + beta`` with ``x_hat = (x − mean) / √(var + eps)``, mean and *biased*
    variance over all axes but axis 1. Call it as ``BatchNormFunction.apply(x, gamma, beta, eps)``;
    `eps` may be left out.

    Parameters
    ----------
    x : Tensor of shape (N, C) or (N, C, *spatial)
        Floating; not modified. float16 and bfloat16 are computed in float32 and rounded once.
    gamma, beta : Tensor of shape (C,)
        Scale and shift, one for each channel.
    eps : float, default 1e-5
        Inside the root. Nothing is differentiated by it.

    Returns
    -------
    Tensor
        In the shape and dtype of `x`. Gradients flow to `x`, `gamma` and `beta`.

    Raises
    ------
    ShapeError
        If `x` has no channel axis, or `gamma` or `beta` is not of shape (C,).

    Notes
    -----
    The backward pass is that of `bnlib.batchnorm_backward_closed`. Kept for it are x, gamma and two
    numbers a channel: one tensor of the size of x, where autograd keeps three of the formula
    written line by line. Where second derivatives are asked for (``create_graph=True``), the
    statistics are taken anew: those that were kept are numbers, to which no gradient flows.

    Examples
    --------
    >>> x = torch.tensor([[1.0], [3.0]], dtype=torch.float64, requires_grad=True)
    >>> gamma, beta = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    >>> BatchNormFunction.apply(x, gamma, beta, 0.0).tolist()
    [[-1.0], [1.0]]
    """

    @staticmethod
    def forward(ctx: Context, x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
        """Normalise, scale and shift; keep what the backward pass needs."""
        _check(x, gamma, beta)
        mean, inv_std = _statistics(x, eps)
        y = per_channel(gamma, x) * ((widened(x) - mean) * inv_std) + per_channel(beta, x)
        ctx.save_for_backward(x, gamma, mean, inv_std)
        ctx.eps, ctx.beta_dtype = eps, beta.dtype
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: Context, dy: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        """Return the gradients by x, gamma and beta, and None for eps."""
        x, gamma, mean, inv_std = ctx.saved_tensors
        if torch.is_grad_enabled():  # the graph of this pass itself is recorded
            mean, inv_std = _statistics(x, ctx.eps)
        axes, wide = channel_axes(x), widened(dy)
        x_hat = (widened(x) - mean) * inv_std
        dbeta = wide.sum(axes)
        dgamma = (wide * x_hat).sum(axes)
        dx = None
        if ctx.needs_input_grad[0]:
            m = x.numel() // x.shape[1]
            # both directions that batch norm cannot see are taken out of dy
            kept = wide - (per_channel(dbeta, x) + x_hat * per_channel(dgamma, x)) / m
            dx = (per_channel(gamma, x) * inv_std * kept).to(x.dtype)
        return dx, dgamma.to(gamma.dtype), dbeta.to(ctx.beta_dtype), None


def channel_axes(x: Tensor) -> tuple[int, ...]:
    """Return the axes that statistics run over: all but axis 1."""
    return (0, *range(2, x.ndim))


def per_channel(value: Tensor, x: Tensor) -> Tensor:
    """Return a vector (C,) in a shape that broadcasts against x, wide enough to compute in."""
    return widened(value).reshape(1, -1, *[1] * (x.ndim - 2))


def widened(x: Tensor) -> Tensor:
    """Return half precision in float32, anything else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _statistics(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return mean and inverse standard deviation of the batch, in shapes that broadcast."""
    var, mean = torch.var_mean(widened(x), channel_axes(x), correction=0, keepdim=True)
    return mean, (var + eps).rsqrt()


def _check(x: Tensor, gamma: Tensor, beta: Tensor) -> None:
    if x.ndim < 2:
        raise ShapeError(
            "x must have shape (N, C) or (N, C, *spatial), channels on axis 1; got "
            f"{tuple(x.shape)}."
        )
    for name, value in (("gamma", gamma), ("beta", beta)):
        if value.shape != (x.shape[1],):
            raise ShapeError(
                f"{name} must have shape (C,) = ({x.shape[1]},) to match x of shape "
                f"{tuple(x.shape)}; got {tuple(value.shape)}. Batch norm keeps one number per "
                "channel (axis 1)."
            )
