"""What needs PyTorch: measures of shift and smoothness, and the noise that tests an explanation.

`import bnlib` does not load this package, so that it stays free of torch.
"""

from bnlib.claims import claim
from bnlib.torch.functional import layer_inputs, parameterised_layers
from bnlib.torch.noise import NoisyBatchNorm1d, noisy
from bnlib.torch.shift import distribution_shift, shift_of_gradient, upstream_update_gradients
from bnlib.torch.smoothness import effective_smoothness, loss_along_gradient

__all__ = [
    "NoisyBatchNorm1d",
    "claim",
    "distribution_shift",
    "effective_smoothness",
    "layer_inputs",
    "loss_along_gradient",
    "noisy",
    "parameterised_layers",
    "shift_of_gradient",
    "upstream_update_gradients",
]
