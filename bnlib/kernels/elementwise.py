"""Kernels that change each number by what its channel has: the second half of either pass.

The blocks are taken from the end of the tensor backwards. Where the reduction was split over images
or places, what it read last is then still in the L2 cache, and need not come from memory again.
"""

import triton
import triton.language as tl


@triton.jit
def place(
    last_tile, rows_in_all, channels, inner, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Return `(offsets, inside, channel, has_channel)` of this program's block of the tensor.

    The tensor is seen as rows of neighbours: (N·C, H·W) or (N·H·W, C).
    """
    tile = last_tile - tl.program_id(0)
    across = tl.cdiv(inner, COLUMNS)
    rows = (tile // across) * ROWS + tl.arange(0, ROWS)
    columns = (tile % across) * COLUMNS + tl.arange(0, COLUMNS)
    row = rows.to(tl.int64) if WIDE else rows
    offsets = (row * inner)[:, None] + columns[None, :]
    inside = (rows < rows_in_all)[:, None] & (columns < inner)[None, :]
    if LAST:
        return offsets, inside, columns[None, :], (columns < inner)[None, :]
    else:
        return offsets, inside, (rows % channels)[:, None], (rows < rows_in_all)[:, None]


@triton.jit
def per_channel(ptr, channel, exists):
    """Load a number for each channel, in float32."""
    return tl.load(ptr + channel, mask=exists, other=0.0).to(tl.float32)


@triton.jit
def normalized(x, stats_ptr, channel, exists, channels):
    """Return x_hat and inv_std."""
    pivot = per_channel(stats_ptr, channel, exists)
    offset = per_channel(stats_ptr + channels, channel, exists)
    inv_std = per_channel(stats_ptr + 2 * channels, channel, exists)
    return ((x - pivot) - offset) * inv_std, inv_std


@triton.jit
def scaled(x_hat, weight_ptr, bias_ptr, channel, exists, AFFINE: tl.constexpr):
    """Return `γ x_hat + β`; written once, so that forward and mask agree."""
    if AFFINE:
        weight = per_channel(weight_ptr, channel, exists)
        return x_hat * weight + per_channel(bias_ptr, channel, exists)
    else:
        return x_hat


@triton.jit
def apply_forward(
    x_ptr, residual_ptr, y_ptr, stats_ptr, weight_ptr, bias_ptr,
    last_tile, rows_in_all, channels, inner_by_vector,
    VECTOR: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr,
    WIDE: tl.constexpr, AFFINE: tl.constexpr, RELU: tl.constexpr, RESIDUAL: tl.constexpr,
):  # fmt: skip
    """Write `y = [relu](γ x_hat + β [+ residual])`, computed in float32 and rounded once."""
    inner = inner_by_vector * VECTOR
    at, inside, channel, exists = place(
        last_tile, rows_in_all, channels, inner, ROWS, COLUMNS, LAST, WIDE
    )
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    x_hat, _ = normalized(x, stats_ptr, channel, exists, channels)
    y = scaled(x_hat, weight_ptr, bias_ptr, channel, exists, AFFINE)
    if RESIDUAL:
        y += tl.load(residual_ptr + at, mask=inside, other=0.0).to(tl.float32)
    if RELU:
        y = tl.where(y < 0.0, 0.0, y)  # and nan stays nan, as in torch
    tl.store(y_ptr + at, y.to(y_ptr.dtype.element_ty), mask=inside)


@triton.jit
def apply_backward(
    dy_ptr, x_ptr, dx_ptr, stats_ptr, means_ptr, weight_ptr, bias_ptr,
    last_tile, rows_in_all, channels, inner_by_vector,
    VECTOR: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr,
    WIDE: tl.constexpr, AFFINE: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """Write `dx = γ inv_std (g − mean(g) − x_hat mean(g x_hat))`; means is (2, C).

    g is dy, where RELU says so masked by `γ x_hat + β`, computed again. In evaluation mode the
    two means are 0: statistics that do not depend on x pass no gradient.
    """
    inner = inner_by_vector * VECTOR
    at, inside, channel, exists = place(
        last_tile, rows_in_all, channels, inner, ROWS, COLUMNS, LAST, WIDE
    )
    x = tl.load(x_ptr + at, mask=inside, other=0.0).to(tl.float32)
    g = tl.load(dy_ptr + at, mask=inside, other=0.0).to(tl.float32)
    x_hat, inv_std = normalized(x, stats_ptr, channel, exists, channels)
    if RELU:
        dead = scaled(x_hat, weight_ptr, bias_ptr, channel, exists, AFFINE) <= 0.0
        g = tl.where(dead, 0.0, g)
    mean_g = per_channel(means_ptr, channel, exists)
    mean_gx = per_channel(means_ptr + channels, channel, exists)
    dx = inv_std * (g - mean_g - x_hat * mean_gx)
    if AFFINE:
        dx *= per_channel(weight_ptr, channel, exists)
    tl.store(dx_ptr + at, dx.to(dx_ptr.dtype.element_ty), mask=inside)
