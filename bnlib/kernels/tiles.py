"""What all kernels share: where a block lies in memory, sums over it, and Chan's merge.

Kernels are Triton: Python's syntax, another language. Everything here runs inside them.
Upper-case parameters are known when a kernel is compiled.
"""

import triton
import triton.language as tl


@triton.jit
def block_at(
    tile, channel, outer, channels, inner, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    LAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Return `(offsets, inside, count)` of a channel's block number `tile`.

    Channels first: rows are images, `offset = (n·C + c)·S + s`; channels last: rows are positions,
    `offset = p·C + c`. WIDE offsets have 64 bits, which a batch of 2³¹ numbers needs; with 32 a
    kernel that keeps its block has more registers for it. `count` is the number of values that each
    channel has inside.
    """
    across = 1 if LAST else tl.cdiv(inner, COLUMNS)
    first_row = (tile // across) * ROWS
    first_column = (channel if LAST else tile % across) * COLUMNS
    rows = first_row + tl.arange(0, ROWS)
    columns = first_column + tl.arange(0, COLUMNS)
    count = tl.minimum(ROWS, outer - first_row)
    row = rows.to(tl.int64) if WIDE else rows
    if LAST:
        starts = row * inner
    else:
        starts = (row * channels + channel) * inner
        count *= tl.minimum(COLUMNS, inner - first_column)
    offsets = starts[:, None] + columns[None, :]
    inside = (rows < outer)[:, None] & (columns < inner)[None, :]
    return offsets, inside, tl.cast(count, tl.float32)


@triton.jit
def tiles_of(outer, inner, ROWS: tl.constexpr, COLUMNS: tl.constexpr, LAST: tl.constexpr):
    """Return how many blocks a channel has (a block of channels, if they lie innermost)."""
    if LAST:
        return tl.cdiv(outer, ROWS)
    else:
        return tl.cdiv(outer, ROWS) * tl.cdiv(inner, COLUMNS)


@triton.jit
def channels_at(channel, channels, COLUMNS: tl.constexpr, LAST: tl.constexpr):
    """Return the channels of program `channel`, and which of them exist: one, or a row of them."""
    if LAST:
        here = channel * COLUMNS + tl.arange(0, COLUMNS)
        return here, here < channels
    else:
        return channel, channel < channels


@triton.jit
def total(block, LAST: tl.constexpr):
    """Return the sum over a channel's values in a block."""
    if LAST:
        return tl.sum(block, axis=0)
    else:
        return tl.sum(tl.sum(block, axis=1), axis=0)


@triton.jit
def across_block(values, LAST: tl.constexpr):
    """Return a channel's numbers in a form that goes with a block of its values."""
    if LAST:
        return values[None, :]
    else:
        return values


@triton.jit
def merge(count, mean, m2, count_b, mean_b, m2_b):
    """Return the moments of two sets pooled (Chan, Golub & LeVeque 1982).

    `m2 = Σ(x − mean)²`. No large squares are subtracted, so nothing cancels.
    """
    both = count + count_b
    delta = mean_b - mean
    mean += delta * (count_b / both)
    m2 += m2_b + delta * delta * (count * count_b / both)
    return both, mean, m2
