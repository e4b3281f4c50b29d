"""Batch normalization, from the formulas: the reference functions of every exercise, and layers.

The core is NumPy in float64. What needs torch, matplotlib or ipywidgets lives in submodules that
are not imported from here.
"""

from bnlib.backward_closed import (
    batchnorm_backward_closed,
    batchnorm_backward_eval,
    detached_gap,
    linear_bn_weight_grad,
    normalize_jacobian,
)
from bnlib.backward_graph import (
    batchnorm_backward,
    d_center,
    d_inv_std,
    d_normalize,
    d_scale_shift,
    d_var,
)
from bnlib.errors import (
    BatchSizeError,
    BnlibError,
    DtypeError,
    NoForwardError,
    ParameterError,
    ShapeError,
    StateDictError,
)
from bnlib.forward import (
    BatchNormCache,
    batchnorm_forward,
    identity_affine,
    inverse_std,
    normalize,
    scale_shift,
)
from bnlib.gradient_check import GradientReport, design_check, gradcheck, numerical_gradient
from bnlib.layers import BatchNorm1d, BatchNorm2d
from bnlib.running import (
    bessel,
    eval_as_affine,
    momentum_from_keras,
    recalibrate,
    update_running,
)
from bnlib.start import center, column_scale
from bnlib.statistics import (
    batch_mean,
    batch_var,
    merge_stats,
    pooled_moments,
    streaming_mean_var,
)

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNormCache",
    "BatchSizeError",
    "BnlibError",
    "DtypeError",
    "GradientReport",
    "NoForwardError",
    "ParameterError",
    "ShapeError",
    "StateDictError",
    "batch_mean",
    "batch_var",
    "batchnorm_backward",
    "batchnorm_backward_closed",
    "batchnorm_backward_eval",
    "batchnorm_forward",
    "bessel",
    "center",
    "column_scale",
    "d_center",
    "d_inv_std",
    "d_normalize",
    "d_scale_shift",
    "d_var",
    "design_check",
    "detached_gap",
    "eval_as_affine",
    "gradcheck",
    "identity_affine",
    "inverse_std",
    "linear_bn_weight_grad",
    "merge_stats",
    "momentum_from_keras",
    "normalize",
    "normalize_jacobian",
    "numerical_gradient",
    "pooled_moments",
    "recalibrate",
    "scale_shift",
    "streaming_mean_var",
    "update_running",
]
