"""How many bytes a pass of batch norm moves: arithmetic alone, for any machine.

What is counted is what a kernel reads from memory and writes to it, each of its tensors once. A
kernel is one run over the data; what one kernel leaves behind, the next one reads again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

from bnlib.errors import ParameterError, ShapeError

STATISTIC_BYTES = 4  # of a mean, variance, gamma, beta: float32, or the data's dtype if wider


class Sized(Protocol):
    """A dtype: `torch.float16`, `np.dtype("float32")`."""

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""


@dataclass(frozen=True)
class Kernel:
    """One run over the data."""

    name: str
    """What it computes."""
    reads: tuple[str, ...]
    """Tensors it reads, by name; `BIG` says which have an entry for each of x's."""
    writes: tuple[str, ...]
    """Tensors it writes."""


BIG = frozenset({"x", "x_hat", "y", "dy", "dx"})  # of the shape of x; all others are (C,)

#: The kernels of a pass, unfused and fused, by (pass, fused).
KERNELS: dict[tuple[str, bool], tuple[Kernel, ...]] = {
    ("train", False): (
        Kernel("mean", ("x",), ("mean",)),
        Kernel("var", ("x", "mean"), ("var",)),
        Kernel("normalize", ("x", "mean", "var"), ("x_hat",)),
        Kernel("scale and shift", ("x_hat", "gamma", "beta"), ("y",)),
    ),
    ("train", True): (
        Kernel("statistics", ("x",), ("mean", "var")),
        Kernel("apply", ("x", "mean", "var", "gamma", "beta"), ("y",)),
    ),
    ("eval", False): (
        Kernel("normalize", ("x", "mean", "var"), ("x_hat",)),
        Kernel("scale and shift", ("x_hat", "gamma", "beta"), ("y",)),
    ),
    ("eval", True): (Kernel("apply", ("x", "mean", "var", "gamma", "beta"), ("y",)),),
    ("backward", False): (
        Kernel("dbeta", ("dy",), ("dbeta",)),
        Kernel("dgamma", ("dy", "x_hat"), ("dgamma",)),
        Kernel("dx", ("dy", "x_hat", "var", "gamma", "dgamma", "dbeta"), ("dx",)),
    ),
    ("backward", True): (
        Kernel("sums", ("dy", "x", "mean", "var"), ("dgamma", "dbeta")),
        Kernel("dx", ("dy", "x", "mean", "var", "gamma", "dgamma", "dbeta"), ("dx",)),
    ),
}
PASSES = ("train", "eval", "backward")


def big_accesses(pass_: str, fused: bool) -> int:
    """Return how often a pass touches a tensor of x's size, reads and writes together.

    Parameters
    ----------
    pass_ : "train", "eval" or "backward"
        The forward pass in either mode, or the backward pass of training.
    fused : bool
        Whether it runs as few kernels as it can.

    Raises
    ------
    ParameterError
        If there is no such pass.

    Examples
    --------
    >>> big_accesses("train", fused=False), big_accesses("train", fused=True)
    (6, 3)
    """
    return sum(name in BIG for name in _touched(pass_, fused))


def bytes_moved(shape: Sequence[int], dtype: Sized, pass_: str, fused: bool) -> int:
    """Return the bytes that a pass of batch norm reads and writes, exactly.

    ``accesses · numel · itemsize + vector accesses · C · max(4, itemsize)``: a tensor of x's shape
    is kept in `dtype`, one of shape (C,) in float32, or in `dtype` where that is wider.

    Parameters
    ----------
    shape : sequence of int
        Of x: (N, C) or (N, C, *spatial).
    dtype : dtype
        Of x, y and their gradients: anything with an `itemsize`, torch's and NumPy's.
    pass_ : "train", "eval" or "backward"
        The forward pass in either mode, or the backward pass of training.
    fused : bool
        Whether it runs as the few kernels of `KERNELS[pass_, True]`, or as those of the formulas,
        `KERNELS[pass_, False]`.

    Raises
    ------
    ShapeError
        If the shape has fewer than two axes.
    ParameterError
        If there is no such pass.

    Examples
    --------
    >>> import numpy as np
    >>> bytes_moved((2, 3), np.dtype("float32"), "eval", fused=True)  # 2·6·4 + 4·3·4
    96
    """
    if len(shape) < 2:
        raise ShapeError(
            f"shape must be (N, C) or (N, C, *spatial); got {tuple(shape)}. Channels are axis 1."
        )
    touched = _touched(pass_, fused)
    big = sum(name in BIG for name in touched)
    vector = max(STATISTIC_BYTES, dtype.itemsize)
    return big * prod(shape) * dtype.itemsize + (len(touched) - big) * shape[1] * vector


def achieved_bandwidth(n_bytes: float, ms: float) -> float:
    """Return ``n_bytes / time`` in GB/s: 10⁹ bytes a second.

    Parameters
    ----------
    n_bytes : float
        Bytes that were moved.
    ms : float
        Time it took, in milliseconds; above 0.

    Raises
    ------
    ParameterError
        If the time is not above 0.

    Examples
    --------
    >>> achieved_bandwidth(2_000_000_000, 1000.0)
    2.0
    """
    if not ms > 0:
        raise ParameterError(f"ms must be above 0; got {ms}. Was the end read before the start?")
    return float(n_bytes / (ms * 1e6))


def _touched(pass_: str, fused: bool) -> tuple[str, ...]:
    if pass_ not in PASSES:
        raise ParameterError(f"pass_ must be one of {', '.join(PASSES)}; got {pass_!r}.")
    kernels = KERNELS[pass_, bool(fused)]
    return tuple(name for kernel in kernels for name in (*kernel.reads, *kernel.writes))
