"""Kernels that reduce: mean and variance of each channel, in two stages without atomics.

All statistics are taken of `x − pivot`, the pivot being the channel's first value. In float32 near
1e4 a mean is good to ±5e-4 only; its distance from the pivot is as good as the spread of the data.
What later kernels get is `(pivot, offset, inv_std)`: `x_hat = ((x − pivot) − offset)·inv_std`.
"""

import triton
import triton.language as tl

from bnlib.kernels.tiles import across_block, block_at, channels_at, merge, tiles_of, total


@triton.jit
def pivot_of(x_ptr, here, exists, inner, LAST: tl.constexpr):
    """Return the first value of each channel in float32."""
    if LAST:
        return tl.load(x_ptr + here, mask=exists, other=0.0).to(tl.float32)
    else:
        return tl.load(x_ptr + here.to(tl.int64) * inner).to(tl.float32)


@triton.jit
def moments_of(x, pivot, inside, count, LAST: tl.constexpr):
    """Return mean and Σ(· − mean)² of a block's `x − pivot`, centred before it is squared.

    What lies outside must be put back to 0 after centring: a masked 0 that is centred becomes
    −mean, and its square counts.
    """
    d = tl.where(inside, x - across_block(pivot, LAST), 0.0)
    mean = total(d, LAST) / count
    centred = tl.where(inside, d - across_block(mean, LAST), 0.0)
    return mean, total(centred * centred, LAST)


@triton.jit
def update_running(
    mean_ptr, var_ptr, mean, var, count, momentum, here, exists, RUNNING: tl.constexpr
):
    """Move the running statistics: momentum weighs the new, the variance kept is unbiased."""
    if RUNNING:
        old_mean = tl.load(mean_ptr + here, mask=exists, other=0.0).to(tl.float32)
        old_var = tl.load(var_ptr + here, mask=exists, other=0.0).to(tl.float32)
        unbiased = var * (count / tl.maximum(count - 1.0, 1.0))
        tl.store(mean_ptr + here, old_mean + momentum * (mean - old_mean), mask=exists)
        tl.store(var_ptr + here, old_var + momentum * (unbiased - old_var), mask=exists)


@triton.jit
def partial_moments(
    x_ptr, parts_ptr, outer, channels, inner_by_vector, tiles_each,
    VECTOR: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr,
):  # fmt: skip
    """Reduce one share of one channel (or row of channels) to count, mean, m2.

    Grid (channel blocks, splits); parts is (3, splits, C) in float32.
    """
    channel, split = tl.program_id(0), tl.program_id(1)
    inner = inner_by_vector * VECTOR  # so the compiler knows what divides it
    here, exists = channels_at(channel, channels, COLUMNS, LAST)
    pivot = pivot_of(x_ptr, here, exists, inner, LAST)
    mean = tl.zeros_like(pivot)
    m2 = tl.zeros_like(pivot)
    count = tl.full((), 0.0, tl.float32)
    first = split * tiles_each
    end = tl.minimum(first + tiles_each, tiles_of(outer, inner, ROWS, COLUMNS, LAST))
    for tile in range(first, end):
        at, inside, n = block_at(tile, channel, outer, channels, inner, ROWS, COLUMNS, LAST, True)
        x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
        mean_b, m2_b = moments_of(x, pivot, inside, n, LAST)
        count, mean, m2 = merge(count, mean, m2, n, mean_b, m2_b)
    plane = tl.num_programs(1) * channels
    parts = parts_ptr + split * channels + here
    tl.store(parts, tl.zeros_like(pivot) + count, mask=exists)
    tl.store(parts + plane, mean, mask=exists)
    tl.store(parts + 2 * plane, m2, mask=exists)


@triton.jit
def merge_moments(
    x_ptr, parts_ptr, stats_ptr, running_mean_ptr, running_var_ptr, channels, pivot_stride, splits,
    eps, momentum, SPLITS: tl.constexpr, BLOCK: tl.constexpr, RUNNING: tl.constexpr,
):  # fmt: skip
    """Merge the shares of BLOCK channels into pivot, offset, inv_std: stats is (3, C) in float32.

    Chan's formula for many sets at once: `m2 = Σ m2_i + Σ n_i (mean_i − mean)²`.
    """
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    exists = here < channels
    share = tl.arange(0, SPLITS)
    inside = (share < splits)[:, None] & exists[None, :]
    parts = parts_ptr + share[:, None] * channels + here[None, :]
    plane = splits * channels
    n = tl.load(parts, mask=inside, other=0.0)
    mean_i = tl.load(parts + plane, mask=inside, other=0.0)
    m2_i = tl.load(parts + 2 * plane, mask=inside, other=0.0)
    count = tl.maximum(tl.sum(n, axis=0), 1.0)  # 1 where there is no channel
    offset = tl.sum(n * mean_i, axis=0) / count
    apart = mean_i - offset[None, :]
    var = tl.sum(m2_i + n * apart * apart, axis=0) / count
    pivot = tl.load(x_ptr + here.to(tl.int64) * pivot_stride, mask=exists, other=0.0)
    pivot = pivot.to(tl.float32)
    update_running(
        running_mean_ptr, running_var_ptr, pivot + offset, var, count, momentum, here, exists,
        RUNNING,
    )  # fmt: skip
    tl.store(stats_ptr + here, pivot, mask=exists)
    tl.store(stats_ptr + channels + here, offset, mask=exists)
    tl.store(stats_ptr + 2 * channels + here, 1.0 / tl.sqrt_rn(var + eps), mask=exists)
