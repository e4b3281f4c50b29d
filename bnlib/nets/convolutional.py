"""Small convolutional networks, with or without a norm in each block."""

from collections.abc import Sequence

import torch
from torch import nn

from bnlib.errors import ParameterError
from bnlib.nets.norms import Norm, arranged, norm_module
from bnlib.nets.weights import conv3x3, linear

GAIN = 2**0.5  # He et al. 2015, for ReLU


def cnn(
    channels: Sequence[int],
    classes: int,
    *,
    in_channels: int = 1,
    norm: Norm = "batch",
    placement: str = "before",
    seed: int = 0,
) -> nn.Sequential:
    """Return `[conv 3×3, norm, ReLU]…, mean over space, linear`.

    Parameters
    ----------
    channels : sequence of int
        Output channels of each block. Every block but the first halves height and width.
    classes : int
        Outputs.
    in_channels : int, default 1
        Channels of the images: 1 for digits and MNIST, 3 for CIFAR-10.
    norm : "batch", "layer", "group", None or function width -> module, default "batch"
        What normalises each block. "group" takes 8 groups, or the most below that divide the
        channels; "layer" takes all channels and positions of an image together.
    placement : "before" or "after", default "before"
        The norm before the ReLU or after it.
    seed : int, default 0
        Of the weights (He et al. 2015). They do not depend on `norm` or `placement`.

    Returns
    -------
    nn.Sequential
        Takes (N, in_channels, H, W) of any size, returns (N, classes).

    Raises
    ------
    ParameterError
        If there is no block, or `norm` or `placement` is none of its choices.
    """
    if not channels:
        raise ParameterError("channels must name at least one block; got none.")
    generator = torch.Generator().manual_seed(seed)
    modules: list[nn.Module] = []
    n_in = in_channels
    for block, n_out in enumerate(channels):
        modules.append(conv3x3(n_in, n_out, 2 if block else 1, GAIN, generator))
        modules += arranged(norm_module(norm, n_out, spatial=True), nn.ReLU(), placement)
        n_in = n_out
    modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear(n_in, classes, 1.0, generator)]
    return nn.Sequential(*modules)
