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
from bnlib.batch_size_cures import batch_renorm, ghost_batchnorm
from bnlib.batch_size_gap import train_eval_gap
from bnlib.batch_size_noise import (
    exact_noise,
    output_noise,
    predicted_mean_noise,
    statistic_noise,
)
from bnlib.claims import claim, difference_interval
from bnlib.errors import (
    BatchSizeError,
    BnlibError,
    DataError,
    DtypeError,
    NoForwardError,
    ParameterError,
    ShapeError,
    StateDictError,
)
from bnlib.family import (
    batchnorm_nd,
    group_norm,
    instance_norm,
    layer_norm,
    normalize_over,
    reduce_axes,
)
from bnlib.family_probe import which_norm
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
from bnlib.signal import (
    critical_scale,
    explosion_rate,
    gradient_norms,
    layer_statistics,
    saturated_fraction,
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
    "DataError",
    "DtypeError",
    "GradientReport",
    "NoForwardError",
    "ParameterError",
    "ShapeError",
    "StateDictError",
    "batch_mean",
    "batch_renorm",
    "batch_var",
    "batchnorm_backward",
    "batchnorm_backward_closed",
    "batchnorm_backward_eval",
    "batchnorm_forward",
    "batchnorm_nd",
    "bessel",
    "center",
    "claim",
    "column_scale",
    "critical_scale",
    "d_center",
    "d_inv_std",
    "d_normalize",
    "d_scale_shift",
    "d_var",
    "design_check",
    "detached_gap",
    "difference_interval",
    "eval_as_affine",
    "exact_noise",
    "explosion_rate",
    "ghost_batchnorm",
    "gradcheck",
    "gradient_norms",
    "group_norm",
    "identity_affine",
    "instance_norm",
    "inverse_std",
    "layer_norm",
    "layer_statistics",
    "linear_bn_weight_grad",
    "merge_stats",
    "momentum_from_keras",
    "normalize",
    "normalize_jacobian",
    "normalize_over",
    "numerical_gradient",
    "output_noise",
    "pooled_moments",
    "predicted_mean_noise",
    "recalibrate",
    "reduce_axes",
    "saturated_fraction",
    "scale_shift",
    "statistic_noise",
    "streaming_mean_var",
    "train_eval_gap",
    "update_running",
    "which_norm",
]
