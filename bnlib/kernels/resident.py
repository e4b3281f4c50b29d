"""Kernels for a channel that fits on the chip: one program does its whole pass, one read each."""

import triton
import triton.language as tl

from bnlib.kernels.gradient import load_affine, load_stats, upstream
from bnlib.kernels.reduction import moments_of, pivot_of, update_running
from bnlib.kernels.tiles import across_block, block_at, channels_at, total


@triton.jit
def forward_resident(
    x_ptr, residual_ptr, y_ptr, stats_ptr, weight_ptr, bias_ptr, running_mean_ptr, running_var_ptr,
    outer, channels, inner_by_vector, eps, momentum,
    VECTOR: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr,
    WIDE: tl.constexpr,
    AFFINE: tl.constexpr, RELU: tl.constexpr, RESIDUAL: tl.constexpr, RUNNING: tl.constexpr,
):  # fmt: skip
    """Statistics and output of one channel (or row of channels) from a single block.

    The variance takes two passes, as it should; the second one is over registers.
    """
    channel = tl.program_id(0)
    inner = inner_by_vector * VECTOR
    here, exists = channels_at(channel, channels, COLUMNS, LAST)
    at, inside, count = block_at(0, channel, outer, channels, inner, ROWS, COLUMNS, LAST, WIDE)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    pivot = pivot_of(x_ptr, here, exists, inner, LAST)
    offset, m2 = moments_of(x, pivot, inside, count, LAST)
    var = m2 / count
    inv_std = 1.0 / tl.sqrt_rn(var + eps)
    update_running(
        running_mean_ptr, running_var_ptr, pivot + offset, var, count, momentum, here, exists,
        RUNNING,
    )  # fmt: skip
    tl.store(stats_ptr + here, pivot, mask=exists)
    tl.store(stats_ptr + channels + here, offset, mask=exists)
    tl.store(stats_ptr + 2 * channels + here, inv_std, mask=exists)
    weight, bias = load_affine(weight_ptr, bias_ptr, here, exists, inv_std, AFFINE)
    centred = (x - across_block(pivot, LAST)) - across_block(offset, LAST)
    x_hat = centred * across_block(inv_std, LAST)
    y = x_hat * across_block(weight, LAST) + across_block(bias, LAST)
    if RESIDUAL:
        y += tl.load(residual_ptr + at, mask=inside, other=0.0).to(tl.float32)
    if RELU:
        y = tl.where(y < 0.0, 0.0, y)
    tl.store(y_ptr + at, y.to(y_ptr.dtype.element_ty), mask=inside)


@triton.jit
def backward_resident(
    dy_ptr, x_ptr, y_ptr, dx_ptr, dresidual_ptr, stats_ptr, weight_ptr, bias_ptr,
    dweight_ptr, dbias_ptr, outer, channels, inner_by_vector, over_values,
    VECTOR: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr,
    WIDE: tl.constexpr,
    AFFINE: tl.constexpr, RELU: tl.constexpr, RESIDUAL: tl.constexpr,
):  # fmt: skip
    """All gradients of one channel (or row of channels) from one block of dy and one of x."""
    channel = tl.program_id(0)
    inner = inner_by_vector * VECTOR
    here, exists = channels_at(channel, channels, COLUMNS, LAST)
    pivot, offset, inv_std = load_stats(stats_ptr, here, exists, channels)
    weight, bias = load_affine(weight_ptr, bias_ptr, here, exists, inv_std, AFFINE)
    at, inside, _ = block_at(0, channel, outer, channels, inner, ROWS, COLUMNS, LAST, WIDE)
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    centred = (x - across_block(pivot, LAST)) - across_block(offset, LAST)
    x_hat = centred * across_block(inv_std, LAST)
    g = upstream(
        dy_ptr, y_ptr, dresidual_ptr, at, inside, x_hat, weight, bias, RELU, RESIDUAL, LAST
    )
    sum_g = total(g, LAST)
    sum_gx = total(g * x_hat, LAST)
    if AFFINE:
        tl.store(dweight_ptr + here, sum_gx.to(dweight_ptr.dtype.element_ty), mask=exists)
        tl.store(dbias_ptr + here, sum_g.to(dbias_ptr.dtype.element_ty), mask=exists)
    mean_g = across_block(sum_g * over_values, LAST)
    mean_gx = across_block(sum_gx * over_values, LAST)
    dx = across_block(weight * inv_std, LAST) * (g - mean_g - x_hat * mean_gx)
    tl.store(dx_ptr + at, dx.to(dx_ptr.dtype.element_ty), mask=inside)
