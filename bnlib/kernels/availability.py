"""Say whether kernels can run here, and if not, why and what to do."""

import importlib.util
import os
import sys
from functools import cache

import torch
from torch import Tensor

from bnlib.errors import BnlibError

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
"""What the kernels take; sums are float32 for all of them."""


class KernelsUnavailableError(BnlibError, RuntimeError):
    """Kernels were asked for by name where they cannot run."""


def interpreted() -> bool:
    """Return whether kernels run in Triton's interpreter, on the CPU, one block after the other.

    Triton decides it once, when it is first imported, by ``TRITON_INTERPRET=1``.
    """
    if "triton" in sys.modules:
        return bool(sys.modules["triton"].knobs.runtime.interpret)
    return os.environ.get("TRITON_INTERPRET", "0") == "1"


def why_not(x: Tensor) -> str | None:
    """Return why the kernels cannot take this batch, or None if they can.

    Parameters
    ----------
    x : Tensor
        A batch (N, C, *spatial).

    Examples
    --------
    >>> why_not(torch.zeros(2, 3, dtype=torch.float64))
    'the kernels take float32, float16 and bfloat16; got torch.float64'
    """
    if x.dtype not in DTYPES:
        return f"the kernels take float32, float16 and bfloat16; got {x.dtype}"
    if x.ndim < 2 or x.numel() == 0:
        return f"x must have shape (N, C, *spatial) with no empty axis; got {tuple(x.shape)}"
    if not _installed():
        return "Triton is not installed (Linux: pip install triton)"
    if not x.is_cuda and not interpreted():
        return (
            f"not run: no GPU (x is on {x.device}); to try the kernels without one, set "
            "TRITON_INTERPRET=1 before Triton is imported"
        )
    return None


@cache
def _installed() -> bool:
    """Return whether Triton can be found; looked for once, since every call of a layer asks."""
    return importlib.util.find_spec("triton") is not None


def require(x: Tensor) -> None:
    """Raise `KernelsUnavailableError`, with the reason, if the kernels cannot take this batch."""
    reason = why_not(x)
    if reason:
        raise KernelsUnavailableError(f"bnlib.kernels cannot run here: {reason}.")
