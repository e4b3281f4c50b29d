"""Batch norm in half precision: 16 bits in memory, 32 in every sum."""

import torch
from torch import Tensor

NARROW = (torch.float16, torch.bfloat16)


def batchnorm_mixed(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
    """Return batch norm of x in x's dtype, computed in float32 where that is a half.

    ``y = gamma · (x − mean)/√(var + eps) + beta``, mean and biased variance over all axes but 1.
    float16 ends at 65504 and has 11 bits: squares overflow, sums stop growing. float32 holds what a
    batch can add up to. bfloat16 has float32's range, and 8 bits.

    Parameters
    ----------
    x : Tensor of shape (N, C) or (N, C, *spatial)
        float16, bfloat16, float32 or float64.
    gamma, beta : Tensor of shape (C,)
        On x's device; usually float32.
    eps : float, default 1e-5
        Inside the square root.

    Returns
    -------
    Tensor
        The shape, dtype, device and memory format of x. Gradients flow through the statistics.

    Notes
    -----
    The same under `torch.autocast`: pointwise operations and means keep the dtype of their inputs.

    Examples
    --------
    >>> x = torch.tensor([[300.0], [900.0]], dtype=torch.float16)
    >>> batchnorm_mixed(x, torch.ones(1), torch.zeros(1))
    tensor([[-1.],
            [ 1.]], dtype=torch.float16)
    """
    wide = x.float() if x.dtype in NARROW else x
    axes = [axis for axis in range(x.ndim) if axis != 1]
    per_channel = (1, -1) + (1,) * (x.ndim - 2)
    centered = wide - wide.mean(dim=axes, keepdim=True)
    var = centered.square().mean(dim=axes, keepdim=True)
    scale, shift = (p.to(wide.dtype).view(per_channel) for p in (gamma, beta))
    return (centered * torch.rsqrt(var + eps) * scale + shift).to(x.dtype)
