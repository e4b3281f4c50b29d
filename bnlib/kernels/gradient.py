"""Kernels for the two sums of the backward pass, Σg and Σ g·x_hat: dbeta and dgamma."""

import triton
import triton.language as tl

from bnlib.kernels.tiles import across_block, block_at, channels_at, tiles_of, total


@triton.jit
def load_stats(stats_ptr, here, exists, channels):
    """Return pivot, offset and inv_std of the channels of a program."""
    pivot = tl.load(stats_ptr + here, mask=exists, other=0.0)
    offset = tl.load(stats_ptr + channels + here, mask=exists, other=0.0)
    return pivot, offset, tl.load(stats_ptr + 2 * channels + here, mask=exists, other=0.0)


@triton.jit
def load_affine(weight_ptr, bias_ptr, here, exists, inv_std, AFFINE: tl.constexpr):
    """Return weight and bias in float32, 1 and 0 if there are none."""
    weight = tl.zeros_like(inv_std) + 1.0
    bias = tl.zeros_like(inv_std)
    if AFFINE:
        weight = tl.load(weight_ptr + here, mask=exists, other=0.0).to(tl.float32)
        bias = tl.load(bias_ptr + here, mask=exists, other=0.0).to(tl.float32)
    return weight, bias


@triton.jit
def upstream(
    dy_ptr, y_ptr, dresidual_ptr, at, inside, x_hat, weight, bias,
    RELU: tl.constexpr, RESIDUAL: tl.constexpr, LAST: tl.constexpr,
):  # fmt: skip
    """Return dy in float32 as it stands behind the ReLU, 0 outside of the batch.

    The mask comes from `γ x_hat + β`, which costs no memory; if a residual was added, from y, and
    what is left of dy is the residual's gradient: written here, read by the next kernel in the
    place of dy and y.
    """
    g = tl.load(dy_ptr + at, mask=inside, other=0.0).to(tl.float32)
    if RELU:
        if RESIDUAL:
            y = tl.load(y_ptr + at, mask=inside, other=0.0).to(tl.float32)
            g = tl.where(y <= 0.0, 0.0, g)
            tl.store(dresidual_ptr + at, g.to(dresidual_ptr.dtype.element_ty), mask=inside)
        else:
            y = x_hat * across_block(weight, LAST) + across_block(bias, LAST)
            g = tl.where(y <= 0.0, 0.0, g)
    return g


@triton.jit
def partial_sums(
    dy_ptr, x_ptr, y_ptr, dresidual_ptr, parts_ptr, stats_ptr, weight_ptr, bias_ptr,
    outer, channels, inner_by_vector, tiles_each,
    VECTOR: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr,
    AFFINE: tl.constexpr, RELU: tl.constexpr, RESIDUAL: tl.constexpr,
):  # fmt: skip
    """Reduce one share of one channel to Σg and Σ g·x_hat: parts is (2, splits, C)."""
    channel, split = tl.program_id(0), tl.program_id(1)
    inner = inner_by_vector * VECTOR
    here, exists = channels_at(channel, channels, COLUMNS, LAST)
    pivot, offset, inv_std = load_stats(stats_ptr, here, exists, channels)
    weight, bias = load_affine(weight_ptr, bias_ptr, here, exists, inv_std, AFFINE)
    sum_g = tl.zeros_like(inv_std)
    sum_gx = tl.zeros_like(inv_std)
    first = split * tiles_each
    end = tl.minimum(first + tiles_each, tiles_of(outer, inner, ROWS, COLUMNS, LAST))
    for tile in range(first, end):
        at, inside, _ = block_at(tile, channel, outer, channels, inner, ROWS, COLUMNS, LAST, True)
        x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
        centred = (x - across_block(pivot, LAST)) - across_block(offset, LAST)
        x_hat = centred * across_block(inv_std, LAST)
        g = upstream(
            dy_ptr, y_ptr, dresidual_ptr, at, inside, x_hat, weight, bias, RELU, RESIDUAL, LAST
        )
        sum_g += total(g, LAST)
        sum_gx += total(g * x_hat, LAST)
    parts = parts_ptr + split * channels + here
    tl.store(parts, sum_g, mask=exists)
    tl.store(parts + tl.num_programs(1) * channels, sum_gx, mask=exists)


@triton.jit
def merge_sums(
    parts_ptr, means_ptr, dweight_ptr, dbias_ptr, channels, splits, over_values,
    SPLITS: tl.constexpr, BLOCK: tl.constexpr, AFFINE: tl.constexpr,
):  # fmt: skip
    """Add up the shares of BLOCK channels: dbeta, dgamma, and their means for `apply_backward`.

    `over_values` is 1/m in training mode and 0 in evaluation mode.
    """
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = here < channels
    share = tl.arange(0, SPLITS)
    inside = (share < splits)[:, None] & exists[None, :]
    parts = parts_ptr + share[:, None] * channels + here[None, :]
    sum_g = tl.sum(tl.load(parts, mask=inside, other=0.0), axis=0)
    sum_gx = tl.sum(tl.load(parts + splits * channels, mask=inside, other=0.0), axis=0)
    tl.store(means_ptr + here, sum_g * over_values, mask=exists)
    tl.store(means_ptr + channels + here, sum_gx * over_values, mask=exists)
    if AFFINE:
        tl.store(dweight_ptr + here, sum_gx.to(dweight_ptr.dtype.element_ty), mask=exists)
        tl.store(dbias_ptr + here, sum_g.to(dbias_ptr.dtype.element_ty), mask=exists)
