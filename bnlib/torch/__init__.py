"""What needs PyTorch: measures and noise of unit 7; batch norm in a framework, unit 10.

`FusedBatchNorm2d` takes the kernels of `bnlib.kernels` where there is a GPU.

`import bnlib` does not load this package, so that it stays free of torch.
"""

from bnlib.claims import claim
from bnlib.torch.autograd import BatchNormFunction
from bnlib.torch.decay import split_decay_groups
from bnlib.torch.folding import fold_bn_linear, fold_conv_bn, fold_network
from bnlib.torch.freezing import freeze_batchnorm
from bnlib.torch.functional import layer_inputs, parameterised_layers
from bnlib.torch.fused import FusedBatchNorm2d
from bnlib.torch.module import MyBatchNorm2d
from bnlib.torch.noise import NoisyBatchNorm1d, noisy
from bnlib.torch.shift import distribution_shift, shift_of_gradient, upstream_update_gradients
from bnlib.torch.smoothness import effective_smoothness, loss_along_gradient

__all__ = [
    "BatchNormFunction",
    "FusedBatchNorm2d",
    "MyBatchNorm2d",
    "NoisyBatchNorm1d",
    "claim",
    "distribution_shift",
    "effective_smoothness",
    "fold_bn_linear",
    "fold_conv_bn",
    "fold_network",
    "freeze_batchnorm",
    "layer_inputs",
    "loss_along_gradient",
    "noisy",
    "parameterised_layers",
    "shift_of_gradient",
    "split_decay_groups",
    "upstream_update_gradients",
]
