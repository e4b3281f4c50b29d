"""Decide, in plain Python, how a batch is cut into blocks: no Triton, no GPU, only arithmetic.

Batch norm does a handful of operations for each number it loads, so memory decides its time. A plan
says how often each number is loaded, and how the work is spread over the chip.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bnlib.errors import ParameterError, ShapeError

Direction = Literal["forward", "backward"]

PROCESSORS = 132
"""Streaming multiprocessors of an H100 SXM or H200: what a plan is made for unless told."""
_PROGRAMS_EACH = 4  # programs that one multiprocessor holds at a time, at 8 warps and 64 registers
# what a program loads of a tensor at once: 64 bytes for each of 256 threads. With as much of both
# tensors of the backward pass, a thread would need too many registers
_TILE_BYTES = {"forward": 16384, "backward": 8192}
_WARPS = 8
_RESIDENT = {"forward": 16384, "backward": 8192}  # values that fit into a program's registers
_ROW_BYTES = 256  # of neighbouring channels, where they lie side by side
_SEGMENT_BYTES = 64  # the least of them that memory delivers without waste
_VECTOR = 16  # values: the widest divisor worth telling the compiler about
_MOST_SPLITS = 1024  # the second stage holds all partial results of a channel at once


@dataclass(frozen=True)
class View:
    """How a batch (N, C, *spatial) lies in memory: C channels, and rows that are contiguous."""

    channels: int
    """C."""
    outer: int
    """Rows: N for channels first, N·H·W for channels last."""
    inner: int
    """Length of a row: H·W for channels first, C for channels last."""
    last: bool
    """Whether neighbours in memory are neighbouring channels."""

    @classmethod
    def of(cls, shape: tuple[int, ...], channels_last: bool) -> "View":
        """Return the view of a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            (N, C) or (N, C, *spatial).
        channels_last : bool
            Whether C lies innermost in memory. (N, C) without spatial axes always does.

        Raises
        ------
        ShapeError
            If there are fewer than two axes, or one is empty.
        """
        if len(shape) < 2 or min(shape) < 1:
            raise ShapeError(
                f"x must have shape (N, C, *spatial) with no empty axis; got {tuple(shape)}."
            )
        rows, channels, spatial = shape[0], shape[1], 1
        for length in shape[2:]:
            spatial *= length
        if channels_last or spatial == 1:
            return cls(channels, rows * spatial, channels, last=True)
        return cls(channels, rows, spatial, last=False)

    @property
    def values(self) -> int:
        """Values per channel, m = N·H·W."""
        return self.outer if self.last else self.outer * self.inner

    @property
    def vector(self) -> int:
        """Largest power of two, up to 16, that divides the length of a row."""
        return min(_VECTOR, self.inner & -self.inner)


@dataclass(frozen=True)
class Plan:
    """How one pass over a batch is cut: blocks of rows x columns, and programs."""

    resident: bool
    """Whether a channel stays on the chip between the reduction and what follows it."""
    rows: int
    """Rows of a block, a power of two."""
    columns: int
    """Columns of a block, a power of two."""
    channel_blocks: int
    """Programs along the channels."""
    splits: int
    """Programs that share the values of one channel; 1 if the plan is resident."""
    tiles_each: int
    """Blocks that each program reduces, one after the other."""
    warps: int
    """Groups of 32 threads in a program."""

    @property
    def programs(self) -> int:
        """Programs of the reduction."""
        return self.channel_blocks * self.splits


@lru_cache(maxsize=1024)  # a network asks for the same few in every step
def plan_reduction(
    view: View,
    itemsize: int,
    direction: Direction,
    processors: int = PROCESSORS,
    resident: bool = True,
) -> Plan:
    """Return how statistics (forward) or the two sums (backward) of each channel are taken.

    If a channel fits into one program's registers, that program keeps it and does the whole pass:
    each number is read once. Otherwise the values are split over enough programs to fill the chip,
    each leaves a partial result, and a second kernel merges them: no atomics, so the same bits
    every time.

    Parameters
    ----------
    view : View
        The batch.
    itemsize : int
        Bytes of a number: 2 or 4.
    direction : {"forward", "backward"}
        The backward pass holds two tensors at a time, so its channels must be smaller.
    processors : int, default 132
        Multiprocessors of the GPU.
    resident : bool, default True
        False forbids the first way: for comparison.

    Raises
    ------
    ParameterError
        If `itemsize` or `direction` is unknown.

    Examples
    --------
    >>> plan_reduction(View.of((32, 512, 7, 7), False), 4, "forward").resident
    True
    >>> plan_reduction(View.of((32, 64, 112, 112), False), 4, "forward").splits
    9
    """
    if itemsize not in (2, 4) or direction not in _RESIDENT:
        raise ParameterError(
            "expected an itemsize of 2 or 4 bytes and a direction 'forward' or 'backward'; got "
            f"{itemsize} and {direction!r}."
        )
    whole = _whole_channel(view, itemsize)
    if resident and whole[0] * whole[1] <= _RESIDENT[direction]:
        rows, columns = whole
        blocks = ceil_div(view.channels, columns) if view.last else view.channels
        warps = min(16, max(4, rows * columns // 1024))
        return Plan(True, rows, columns, blocks, 1, 1, warps)
    rows, columns = _tile(view, _TILE_BYTES[direction], itemsize)
    blocks = ceil_div(view.channels, columns) if view.last else view.channels
    tiles = ceil_div(view.outer, rows) * (1 if view.last else ceil_div(view.inner, columns))
    wanted = ceil_div(processors * _PROGRAMS_EACH, blocks)
    tiles_each = ceil_div(tiles, min(wanted, tiles, _MOST_SPLITS))
    return Plan(False, rows, columns, blocks, ceil_div(tiles, tiles_each), tiles_each, _WARPS)


def plan_apply(view: View, itemsize: int, direction: Direction = "forward") -> tuple[int, int, int]:
    """Return `(rows, columns, programs)` of a pass that changes each number by its channel's."""
    rows_in_all = view.outer if view.last else view.outer * view.channels
    whole = View(view.channels, rows_in_all, view.inner, view.last)
    rows, columns = _tile(whole, _TILE_BYTES[direction], itemsize)
    return rows, columns, ceil_div(rows_in_all, rows) * ceil_div(view.inner, columns)


def traffic(
    plan: Plan, direction: Direction, relu: bool = False, residual: bool = False
) -> tuple[int, int]:
    """Return how many whole tensors a pass in training mode reads and writes.

    What belongs to channels (statistics, parameters, partial results) is left out: it is smaller
    by the factor m.

    Parameters
    ----------
    plan : Plan
        Of this pass.
    direction : {"forward", "backward"}
        Which.
    relu, residual : bool, default False
        Whether `relu(bn(x) + z)` is computed in place of `bn(x)`. The ReLU alone costs nothing:
        its mask is computed again from x.

    Returns
    -------
    tuple (reads, writes)
        In tensors of the size of x.

    Examples
    --------
    >>> view = View.of((256, 64, 112, 112), False)
    >>> plan = plan_reduction(view, 4, "forward")
    >>> traffic(plan, "forward"), traffic(plan, "backward")
    ((2, 1), (4, 1))
    """
    if direction == "forward":
        return (1 if plan.resident else 2) + residual, 1
    masked = relu and residual  # then y is read for its mask, and z has a gradient of its own
    return (2 if plan.resident else 4) + masked, 1 + masked


def ceil_div(a: int, b: int) -> int:
    """Return a / b, rounded up."""
    return -(-a // b)


def power_of_two(n: int) -> int:
    """Return the smallest power of two that is at least n: blocks have no other lengths."""
    return 1 << max(0, n - 1).bit_length()


def _whole_channel(view: View, itemsize: int) -> tuple[int, int]:
    """Return rows and columns of a block that holds all values of a channel."""
    if not view.last:
        return power_of_two(view.outer), power_of_two(view.inner)
    segment = _SEGMENT_BYTES // itemsize
    return power_of_two(view.outer), min(power_of_two(view.channels), segment)


def _tile(view: View, n_bytes: int, itemsize: int) -> tuple[int, int]:
    """Return rows and columns of a block of the size that is loaded at once."""
    size = n_bytes // itemsize
    if view.last:
        columns = min(power_of_two(view.channels), _ROW_BYTES // itemsize)
    else:
        columns = _columns(view.inner, size)
    return min(size // columns, power_of_two(view.outer)), columns


def _columns(inner: int, size: int) -> int:
    """Return the widest block whose padding wastes little, at least one memory row wide."""
    widths = [1 << k for k in range(7, size.bit_length()) if 1 << k <= power_of_two(inner)]
    if not widths:
        return power_of_two(inner)
    padded = {width: ceil_div(inner, width) * width for width in widths}
    enough = [width for width in widths if padded[width] <= 1.15 * inner]
    return max(enough) if enough else max(w for w in widths if padded[w] == min(padded.values()))
