"""How smooth the loss is along its own gradient, at the scale of a training step.

That batch norm makes the loss smoother is the explanation of Santurkar et al. (2018, §3), in the
place of internal covariate shift.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from bnlib.errors import ParameterError
from bnlib.torch.functional import LossFunction, PureLoss, flat, moved


def loss_along_gradient(
    model: nn.Module, loss_fn: LossFunction, x: Tensor, y: Tensor, steps: Iterable[float]
) -> Tensor:
    """Return the loss at ``w − t·g`` for each step t, on one batch.

    g is the gradient at the model's own parameters w, over all of them at once, and is the same
    for all steps: a straight line through w.

    Parameters
    ----------
    model : Module
        Run in the mode it is in. Left unchanged: parameters, buffers, modes, ``.grad``.
    loss_fn : callable
        From ``(model(x), y)`` to a scalar.
    x, y : Tensor
        The batch.
    steps : iterable of float
        Learning rates, in any order; 0 is the loss where the model stands.

    Returns
    -------
    Tensor of shape (len(steps),)
        Detached, in the dtype of the loss.

    Notes
    -----
    Santurkar et al. (2018), §3.1 and Figure 4(a), draw the range of these losses at every step of a
    training run.

    Examples
    --------
    >>> net = nn.Linear(1, 1, bias=False)
    >>> _ = nn.init.constant_(net.weight, 3.0)
    >>> square = lambda p, y: (p**2).sum()  # the loss is w², the gradient at 3 is 6
    >>> loss_along_gradient(net, square, torch.ones(1, 1), torch.ones(1, 1), [0.0, 0.5, 1.0])
    tensor([9., 0., 9.])
    """
    loss = PureLoss(model, loss_fn, x, y)
    start = loss.start()
    gradient = loss.gradient(start)
    with torch.no_grad():
        return torch.stack([loss(moved(start, gradient, float(t))) for t in steps])


def effective_smoothness(
    model: nn.Module, loss_fn: LossFunction, x: Tensor, y: Tensor, steps: Iterable[float]
) -> float:
    """Return the largest change of the gradient along itself, for each unit of way.

    ``max over t of ‖g(w) − g(w − t·g(w))‖ / ‖t·g(w)‖``: the smallest β that makes the gradient
    β-Lipschitz between w and the points looked at. The smaller, the smoother.

    Parameters
    ----------
    model : Module
        Run in the mode it is in. Left unchanged: parameters, buffers, modes, ``.grad``.
    loss_fn : callable
        From ``(model(x), y)`` to a scalar.
    x, y : Tensor
        The batch.
    steps : iterable of float
        Learning rates, none of them 0.

    Returns
    -------
    float
        At least 0; nan where the gradient at w is 0.

    Raises
    ------
    ParameterError
        If there is no step, or one is 0, where the ratio has no value.

    Notes
    -----
    Santurkar et al. (2018), §3.1 and Figure 4(c).

    Examples
    --------
    >>> net = nn.Linear(1, 1, bias=False)
    >>> square = lambda p, y: (p**2).sum()  # the loss is w²: its second derivative is 2
    >>> round(effective_smoothness(net, square, torch.ones(1, 1), torch.ones(1, 1), [0.1, 0.2]), 6)
    2.0
    """
    lengths = [float(t) for t in steps]
    if not lengths or 0.0 in lengths:
        raise ParameterError(
            f"steps must hold at least one number, none of them 0: the change of the gradient is "
            f"divided by the length of the way; got {lengths}."
        )
    loss = PureLoss(model, loss_fn, x, y)
    start = loss.start()
    gradient = loss.gradient(start)
    here = flat(gradient).double()
    ratios = []
    for t in lengths:
        there = flat(loss.gradient(moved(start, gradient, t))).double()
        way = abs(t) * float(here.norm())
        ratios.append(float((here - there).norm()) / way if way > 0 else math.nan)
    return max(ratios)
