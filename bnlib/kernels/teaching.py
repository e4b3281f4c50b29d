"""The kernels of unit 12: batch norm in Triton, one program per channel, written to be read.

x has shape (N, C, L), contiguous: L is the number of places of an image, 1 for (N, C). Entry
(n, c, l) lies at ``(n·C + c)·L + l``; channel c has ``m = N·L`` values, and value i of them lies at
``(i // L)·C·L + c·L + i % L``. All sums are taken in float32, whatever the dtype of x.

Without a GPU the environment needs ``TRITON_INTERPRET=1`` before Triton is imported.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024  # lanes of a program: a power of two; 4 to 8 entries for each thread of 128 to 256


@triton.jit  # type: ignore[untyped-decorator]
def bn_stats_kernel(x_ptr, mean_ptr, var_ptr, N, C, L, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """Store mean and biased variance of channel `program_id(0)`: two passes over the channel.

    The second pass sums ``(x − mean)²``. One pass with E[x²] − E[x]² would read half as much, and
    lose everything at mean 1e4: `bnlib.kernels` merges blocks by Chan's formula instead.
    """
    c = tl.program_id(0)
    m = N * L
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        total += tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
    mean = tl.sum(total) / m

    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        centered = tl.where(i < m, x - mean, 0.0)  # a masked lane would add mean²
        squares += centered * centered
    tl.store(mean_ptr + c, mean)
    tl.store(var_ptr + c, tl.sum(squares) / m)


@triton.jit  # type: ignore[untyped-decorator]
def bn_apply_kernel(  # type: ignore[no-untyped-def]
    x_ptr, mean_ptr, var_ptr, gamma_ptr, beta_ptr, y_ptr, C, L, size, eps, BLOCK: tl.constexpr
):
    """Store ``y = gamma·(x − mean)/√(var + eps) + beta`` for one block of the `size` entries.

    An entry needs nothing but its channel's four numbers, so any block of entries will do.
    """
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    c = (at // L) % C
    mean = tl.load(mean_ptr + c, mask=inside, other=0.0)
    var = tl.load(var_ptr + c, mask=inside, other=1.0)
    gamma = tl.load(gamma_ptr + c, mask=inside, other=0.0)
    beta = tl.load(beta_ptr + c, mask=inside, other=0.0)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    y = gamma * (x - mean) / tl.sqrt(var + eps) + beta
    tl.store(y_ptr + at, y, mask=inside)  # cast to y's dtype


@triton.jit  # type: ignore[untyped-decorator]
def bn_backward_kernel(  # type: ignore[no-untyped-def]
    dy_ptr,
    x_ptr,
    mean_ptr,
    var_ptr,
    gamma_ptr,
    dx_ptr,
    dgamma_ptr,
    dbeta_ptr,
    N,
    C,
    L,
    eps,
    BLOCK: tl.constexpr,
):
    """Store dx, dgamma and dbeta of channel `program_id(0)`: one pass for the sums, one for dx.

    ``dx = gamma/√(var + eps) · (dy − dbeta/m − x_hat·dgamma/m)``, with ``dbeta = Σdy`` and
    ``dgamma = Σdy·x_hat`` over the channel.
    """
    c = tl.program_id(0)
    m = N * L
    mean = tl.load(mean_ptr + c)
    inv_std = 1 / tl.sqrt(tl.load(var_ptr + c) + eps)

    sum_dy = tl.zeros((BLOCK,), tl.float32)
    sum_dy_x_hat = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        sum_dy += dy
        sum_dy_x_hat += dy * (x - mean) * inv_std  # dy is 0 in masked lanes
    dbeta = tl.sum(sum_dy)
    dgamma = tl.sum(sum_dy_x_hat)

    factor = tl.load(gamma_ptr + c) * inv_std
    for start in range(0, m, BLOCK):
        i = start + tl.arange(0, BLOCK)
        at = (i // L) * C * L + c * L + i % L
        dy = tl.load(dy_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + at, mask=i < m, other=0.0).to(tl.float32)
        x_hat = (x - mean) * inv_std
        tl.store(dx_ptr + at, factor * (dy - dbeta / m - x_hat * dgamma / m), mask=i < m)
    tl.store(dgamma_ptr + c, dgamma)
    tl.store(dbeta_ptr + c, dbeta)


def triton_bn_forward(
    x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise x by its own statistics, in two launches.

    Parameters
    ----------
    x
        Tensor of shape (N, C) or (N, C, *spatial), float16, bfloat16 or float32; any strides.
    gamma, beta
        Scale and shift of each channel, float32 of shape (C,).
    eps
        Added to the variance, inside the square root.

    Returns
    -------
    y, mean, var
        y in the shape and dtype of x; mean and biased variance in float32, of shape (C,).
    """
    data = x.contiguous()
    n, c = data.shape[:2]
    places = data.numel() // (n * c)
    mean, var = (torch.empty(c, dtype=torch.float32, device=x.device) for _ in range(2))
    y = torch.empty_like(data)
    bn_stats_kernel[(c,)](data, mean, var, n, c, places, BLOCK=BLOCK)
    grid = (triton.cdiv(data.numel(), BLOCK),)
    bn_apply_kernel[grid](
        data, mean, var, gamma, beta, y, c, places, data.numel(), eps, BLOCK=BLOCK
    )
    return y, mean, var


def triton_bn_backward(
    dy: Tensor, x: Tensor, mean: Tensor, var: Tensor, gamma: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of `triton_bn_forward`, in one launch.

    Parameters
    ----------
    dy
        Upstream gradient, of the shape and dtype of x; any strides.
    x
        The input of the forward pass.
    mean, var
        What the forward pass returned.
    gamma
        Scale of each channel, float32 of shape (C,).
    eps
        The forward pass's.

    Returns
    -------
    dx, dgamma, dbeta
        dx in the shape and dtype of x; dgamma and dbeta in float32, of shape (C,).
    """
    data, upstream = x.contiguous(), dy.contiguous()
    n, c = data.shape[:2]
    places = data.numel() // (n * c)
    dgamma, dbeta = (torch.empty(c, dtype=torch.float32, device=x.device) for _ in range(2))
    dx = torch.empty_like(data)
    bn_backward_kernel[(c,)](
        upstream, data, mean, var, gamma, dx, dgamma, dbeta, n, c, places, eps, BLOCK=BLOCK
    )
    return dx, dgamma, dbeta
