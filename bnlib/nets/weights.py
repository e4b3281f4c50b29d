"""Layers with weights from a given generator, instead of torch's global one."""

from typing import TypeVar

import torch
from torch import nn

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


def drawn(layer: Layer, gain: float, generator: torch.Generator) -> Layer:
    """Fill a layer: weights normal with standard deviation gain/√fan_in, biases 0. Return it.

    Notes
    -----
    He, Zhang, Ren & Sun 2015, arXiv:1502.01852, equation 10, with gain √2 for ReLU.
    """
    fan_in = layer.weight[0].numel()
    with torch.no_grad():
        layer.weight.normal_(0.0, gain / fan_in**0.5, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def linear(n_in: int, n_out: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """Return a linear layer with weights from the generator; the global one is not touched."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out)
    return drawn(layer, gain, generator)


def conv3x3(
    n_in: int, n_out: int, stride: int, gain: float, generator: torch.Generator
) -> nn.Conv2d:
    """Return a 3 × 3 convolution, padded by 1, with weights from the generator."""
    layer: nn.Conv2d = nn.utils.skip_init(nn.Conv2d, n_in, n_out, 3, stride=stride, padding=1)
    return drawn(layer, gain, generator)
