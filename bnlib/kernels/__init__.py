"""Batch norm in Triton: fused kernels for the GPU, and the plans that cut a batch into blocks.

`import bnlib.kernels` loads no Triton; the first use of a kernel does. `bnlib.torch` has the layer,
`FusedBatchNorm2d`; `teaching` has the small kernels of unit 12. Kernels run on a CUDA device, or
anywhere in Triton's interpreter (``TRITON_INTERPRET=1`` in the environment before Triton is
imported).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from bnlib.kernels.plan import Plan, View, plan_apply, plan_reduction, traffic

if TYPE_CHECKING:
    from bnlib.kernels.availability import KernelsUnavailableError, interpreted, why_not
    from bnlib.kernels.launch import Gradients, batch_norm_backward, batch_norm_forward
    from bnlib.kernels.teaching import (
        bn_apply_kernel,
        bn_backward_kernel,
        bn_stats_kernel,
        triton_bn_backward,
        triton_bn_forward,
    )

__all__ = [
    "Gradients",
    "KernelsUnavailableError",
    "Plan",
    "View",
    "batch_norm_backward",
    "batch_norm_forward",
    "bn_apply_kernel",
    "bn_backward_kernel",
    "bn_stats_kernel",
    "interpreted",
    "plan_apply",
    "plan_reduction",
    "traffic",
    "triton_bn_backward",
    "triton_bn_forward",
    "why_not",
]

# where a name lives that is loaded on first use: availability needs torch, the others Triton, too
_LATE = {
    "availability": ("KernelsUnavailableError", "interpreted", "why_not"),
    "launch": ("Gradients", "batch_norm_backward", "batch_norm_forward"),
    "teaching": (
        *("bn_apply_kernel", "bn_backward_kernel", "bn_stats_kernel"),
        *("triton_bn_backward", "triton_bn_forward"),
    ),
}
_HOMES = {name: module for module, names in _LATE.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if error.name != "triton":
            raise
        from bnlib.kernels.availability import KernelsUnavailableError

        raise KernelsUnavailableError(
            f"bnlib.kernels.{name} needs Triton, which is not installed here: it has builds for "
            "Linux only (pip install triton)."
        ) from None
    return getattr(home, name)
