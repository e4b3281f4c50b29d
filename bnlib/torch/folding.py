"""Fold batch norm in evaluation mode into the layer beside it: an affine map eats an affine map.

In evaluation mode the statistics are constants, so batch norm is ``s · x + t`` for each channel,
with ``s = gamma / √(running_var + eps)`` and ``t = beta − s · running_mean``. A linear layer or a
convolution before or after it can do that as well.
"""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from bnlib.errors import ParameterError, ShapeError

Layer = TypeVar("Layer", _ConvNd, nn.Linear)


def fold_conv_bn(conv: _ConvNd, bn: _BatchNorm) -> _ConvNd:
    """Return one convolution that does what `conv` and then `bn` do in evaluation mode.

    ``bn(W ∗ x + b) = (s W) ∗ x + (s b + t)``: each output channel's filter is multiplied by its s.

    Parameters
    ----------
    conv : Conv1d, Conv2d, Conv3d, or one of their transposes
        With or without bias, any groups, stride, padding and dilation. Left unchanged.
    bn : BatchNorm1d, BatchNorm2d or BatchNorm3d
        In evaluation mode, one channel for each output channel of `conv`. Left unchanged.

    Returns
    -------
    module of the class of `conv`
        Independent of both, with a bias, in the dtype of `conv`. The arithmetic is done in float64
        and rounded once.

    Raises
    ------
    ParameterError
        If `bn` is in training mode, or keeps no running statistics.
    ShapeError
        If the channels do not match.

    Notes
    -----
    What stays is rounding: in float32 some 1e-6 of the outputs' size. torch has
    `torch.nn.utils.fusion.fuse_conv_bn_eval`.

    Examples
    --------
    >>> conv, bn = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8).eval()
    >>> x = torch.randn(2, 3, 5, 5)
    >>> bool(torch.allclose(fold_conv_bn(conv, bn)(x), bn(conv(x)), atol=1e-5))
    True
    """
    return _scaled_outputs(conv, bn)


def fold_bn_linear(bn: _BatchNorm, linear: nn.Linear) -> nn.Linear:
    """Return one linear layer that does what `bn` and then `linear` do in evaluation mode.

    ``W (s ∘ x + t) + b = (W diag(s)) x + (W t + b)``: each *column* of W is multiplied by its s.

    Parameters
    ----------
    bn : BatchNorm1d
        In evaluation mode, one feature for each input of `linear`. Left unchanged.
    linear : Linear
        With or without bias. Left unchanged.

    Returns
    -------
    Linear
        Independent of both, with a bias, in the dtype of `linear`.

    Raises
    ------
    ParameterError
        If `bn` is in training mode, or keeps no running statistics.
    ShapeError
        If the features do not match.

    Notes
    -----
    Before a *convolution* the same is exact without padding only: padding puts zeros where batch
    norm would have put t.

    Examples
    --------
    >>> bn, linear = nn.BatchNorm1d(4).eval(), nn.Linear(4, 2)
    >>> x = torch.randn(3, 4)
    >>> bool(torch.allclose(fold_bn_linear(bn, linear)(x), linear(bn(x)), atol=1e-5))
    True
    """
    scale, shift = _eval_affine(bn)
    _check_channels(bn, linear.in_features, "inputs of the linear layer")
    weight = linear.weight.detach().double()
    return _with_values(
        linear, weight * scale, _bias_of(linear, linear.out_features) + weight @ shift
    )


def fold_network(model: nn.Module) -> nn.Module:
    """Return a copy of a network in evaluation mode, with its batch norms folded away.

    Looks into every `Sequential`, at modules that follow one another directly: a batch norm after a
    convolution or a linear layer is folded into it, one before a linear layer into that. An
    `Identity` takes its place, so that all other modules keep their names.

    Parameters
    ----------
    model : Module
        Left unchanged, its mode too.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    >>> [type(module).__name__ for module in fold_network(net)]
    ['Conv2d', 'Identity', 'ReLU']
    """
    folded = copy.deepcopy(model).eval()
    for block in [m for m in folded.modules() if isinstance(m, nn.Sequential)]:
        for i in range(1, len(block)):
            first, second = block[i - 1], block[i]
            if isinstance(second, _BatchNorm) and isinstance(first, _ConvNd):
                block[i - 1], block[i] = fold_conv_bn(first, second), nn.Identity()
            elif isinstance(second, _BatchNorm) and isinstance(first, nn.Linear):
                block[i - 1], block[i] = _scaled_outputs(first, second), nn.Identity()
            elif isinstance(first, _BatchNorm) and isinstance(second, nn.Linear):
                block[i - 1], block[i] = nn.Identity(), fold_bn_linear(first, second)
    return folded


def _eval_affine(bn: _BatchNorm) -> tuple[Tensor, Tensor]:
    """Return ``(s, t)``, each (C,) in float64, of batch norm in evaluation mode."""
    if bn.training:
        raise ParameterError(
            "bn must be in evaluation mode: in training it normalises by each batch's own "
            "statistics, which no fixed weights can do. Call `eval()` first."
        )
    if bn.running_mean is None or bn.running_var is None:
        raise ParameterError(
            "bn keeps no running statistics (track_running_stats=False): it uses each batch's own "
            "in evaluation mode, too, and cannot be folded."
        )
    mean, var = bn.running_mean.double(), bn.running_var.double()
    scale = (var + bn.eps).rsqrt()
    if bn.weight is not None:
        scale = scale * bn.weight.detach().double()
    shift = -scale * mean
    return scale, shift + bn.bias.detach().double() if bn.bias is not None else shift


def _scaled_outputs(layer: Layer, bn: _BatchNorm) -> Layer:
    """Return `layer` with every output channel multiplied by its s, and moved by its t."""
    scale, shift = _eval_affine(bn)
    outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    _check_channels(bn, outputs, "outputs of the layer before it")
    weight = layer.weight.detach().double()
    if isinstance(layer, _ConvTransposeNd):  # (in, out / groups, *kernel): group g on rows g
        groups = weight.reshape(layer.groups, -1, *weight.shape[1:])
        factors = scale.reshape(layer.groups, 1, -1, *[1] * (weight.ndim - 2))
        weight = (groups * factors).reshape(weight.shape)
    else:
        weight = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    return _with_values(layer, weight, scale * _bias_of(layer, outputs) + shift)


def _bias_of(layer: _ConvNd | nn.Linear, outputs: int) -> Tensor:
    if layer.bias is None:
        return torch.zeros(outputs, dtype=torch.float64, device=layer.weight.device)
    return layer.bias.detach().double()


def _with_values(layer: Layer, weight: Tensor, bias: Tensor) -> Layer:
    made = copy.deepcopy(layer)
    dtype = layer.weight.dtype
    made.weight, made.bias = nn.Parameter(weight.to(dtype)), nn.Parameter(bias.to(dtype))
    return made


def _check_channels(bn: _BatchNorm, channels: int, what: str) -> None:
    if bn.num_features != channels:
        raise ShapeError(
            f"bn must have one channel for each of the {channels} {what}; got {bn.num_features}."
        )
