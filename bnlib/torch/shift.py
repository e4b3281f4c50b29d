"""Internal covariate shift, measured twice: in the inputs of a layer, and in its gradient.

Ioffe & Szegedy (2015, §2) mean "the change in the distribution of network activations due to the
change in network parameters during training", and that batch norm reduces it is their claim.
Santurkar et al. (2018, §2.2) give the shift a second meaning, by gradients (Definition 2.1), and
find it as large with batch norm as without, often larger.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.errors import ParameterError, ShapeError
from bnlib.torch.functional import LossFunction, PureLoss, flat, moved, parameterised_layers


def distribution_shift(before: Tensor | np.ndarray, after: Tensor | np.ndarray) -> float:
    """Return how far the features' means moved, in standard deviations of before.

    ``mean over features of |mean_after − mean_before| / std_before``, the standard deviation
    biased (1/N). Only the first moment is looked at: a distribution may change otherwise, too.

    Parameters
    ----------
    before, after : Tensor or ndarray of shape (N, C) and (M, C)
        One activation of a layer for each row and feature, at two times. Floating; computed in
        float64.

    Returns
    -------
    float
        At least 0. Infinite or nan if a feature of `before` is constant.

    Raises
    ------
    ShapeError
        If an argument has not two axes, or C differs.

    Notes
    -----
    Our measure of what Ioffe & Szegedy (2015, §2) describe in words; they give no formula.

    Examples
    --------
    >>> before = torch.tensor([[0.0, 10.0], [2.0, 30.0]])
    >>> distribution_shift(before, before + torch.tensor([1.0, 5.0]))  # 1/1 and 5/10
    0.75
    """
    first, second = _features(before, "before"), _features(after, "after")
    if first.shape[1] != second.shape[1]:
        raise ShapeError(
            f"before and after must have the same number of features (axis 1); got "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    distance = (second.mean(0) - first.mean(0)).abs()
    return float((distance / first.std(0, correction=0)).mean())


def _features(value: Tensor | np.ndarray, name: str) -> Tensor:
    tensor = torch.as_tensor(value).detach().to(torch.float64)
    if tensor.ndim != 2:
        raise ShapeError(
            f"{name} must have shape (N, C): a row for each example, a column for each feature; "
            f"got {tuple(tensor.shape)}."
        )
    return tensor


def shift_of_gradient(g_before: Tensor, g_after: Tensor) -> tuple[float, float]:
    """Return the distance of two gradients, and the cosine of the angle between them.

    ``(‖g_after − g_before‖₂, ⟨g_before, g_after⟩ / (‖g_before‖ ‖g_after‖))``, over all entries.

    Parameters
    ----------
    g_before, g_after : Tensor
        Gradients by the same parameters, of one shape, whatever it is. Computed in float64.

    Returns
    -------
    l2 : float
        At least 0; 0 if nothing moved.
    cosine : float
        Between −1 and 1; 1 if the direction did not change. nan if one of them is 0.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Notes
    -----
    Santurkar et al. (2018), Definition 2.1, calls l2 the internal covariate shift of a layer; their
    Figure 2 shows it next to the cosine.

    Examples
    --------
    >>> shift_of_gradient(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0]))
    (5.0, 0.0)
    """
    first, second = torch.as_tensor(g_before), torch.as_tensor(g_after)
    if first.shape != second.shape:
        raise ShapeError(
            "g_before and g_after must be gradients by the same parameters, of one shape; got "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    a, b = (g.detach().to(torch.float64).reshape(-1) for g in (first, second))
    lengths = float(a.norm() * b.norm())
    cosine = float(a @ b) / lengths if lengths > 0 else math.nan
    return float((b - a).norm()), cosine


def upstream_update_gradients(
    model: nn.Module, index: int, loss_fn: LossFunction, x: Tensor, y: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    """Return a layer's gradient before and after an SGD step of the layers before it only.

    ``g_before = ∂L/∂W_i (W_1, …, W_k)`` and
    ``g_after = ∂L/∂W_i (W_1 − lr·g_1, …, W_{i−1} − lr·g_{i−1}, W_i, …, W_k)``: the same batch, the
    same layer, and only what stands before it has moved.

    Parameters
    ----------
    model : Module
        Run in the mode it is in. Left unchanged: parameters, buffers (running statistics among
        them), modes and ``.grad``.
    index : int
        Which of the layers that own parameters (`parameterised_layers`), from 0. Batch norm with
        weight and bias is one of them.
    loss_fn : callable
        From ``(model(x), y)`` to a scalar.
    x, y : Tensor
        The batch.
    lr : float
        Learning rate of the step.

    Returns
    -------
    g_before, g_after : Tensor
        One axis: the entries of the layer's parameters in the order of ``layer.parameters()``,
        weight first, then bias.

    Raises
    ------
    ParameterError
        If there is no such layer.

    Notes
    -----
    Santurkar et al. (2018), Definition 2.1.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    >>> for layer, weight in zip(net, (2.0, 3.0)):
    ...     _ = nn.init.constant_(layer.weight, weight)
    >>> x = torch.ones(1, 1)
    >>> before, after = upstream_update_gradients(net, 1, lambda p, y: p.sum(), x, x, lr=0.5)
    >>> before.item(), after.item()  # h = w1·x is 2, and after w1 − 0.5·w2 it is 0.5
    (2.0, 0.5)
    """
    layers = [name for name, _ in parameterised_layers(model)]
    if not 0 <= index < len(layers):
        raise ParameterError(
            f"index must name one of the {len(layers)} layers that own parameters, from 0 to "
            f"{len(layers) - 1}; got {index}."
        )
    loss = PureLoss(model, loss_fn, x, y)
    start = loss.start()
    gradient = loss.gradient(start)
    upstream = {n: g for n, g in gradient.items() if n.rpartition(".")[0] in layers[:index]}
    own = [name for name in start if name.rpartition(".")[0] == layers[index]]
    changed = loss.gradient(moved(start, upstream, lr))
    return flat({n: gradient[n] for n in own}), flat({n: changed[n] for n in own})
