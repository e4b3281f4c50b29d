"""A model as a pure function of its parameters, so that measuring it leaves it as it was."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

Parameters = dict[str, Tensor]
"""Parameters by their dotted names, as `Module.named_parameters` gives them."""

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""From the model's output and the target to one number."""


class PureLoss:
    """The loss of a model on one batch, as a function of its parameters alone.

    Every call works on fresh copies of the buffers: running statistics that a forward pass in
    training mode moves are thrown away with them. Modes are the model's own.

    Parameters
    ----------
    model : Module
        Only looked at: neither its parameters and buffers, nor its gradients change.
    loss_fn : callable
        From ``(model(x), y)`` to a scalar.
    x, y : Tensor
        The batch.
    """

    def __init__(self, model: nn.Module, loss_fn: LossFunction, x: Tensor, y: Tensor) -> None:
        self._model, self._loss_fn, self._x, self._y = model, loss_fn, x, y

    def start(self) -> Parameters:
        """Return copies of the parameters that learn, ready to be differentiated by."""
        return {
            name: parameter.detach().clone().requires_grad_()
            for name, parameter in self._model.named_parameters()
            if parameter.requires_grad
        }

    def __call__(self, parameters: Parameters) -> Tensor:
        """Return the loss where these parameters take the place of the model's own."""
        buffers = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        output = functional_call(self._model, {**parameters, **buffers}, (self._x,))
        return self._loss_fn(output, self._y)

    def gradient(self, parameters: Parameters) -> Parameters:
        """Return the gradient by each parameter; zeros by one that the loss does not use."""
        leaves = {name: value.detach().requires_grad_() for name, value in parameters.items()}
        with torch.enable_grad():
            loss = self(leaves)
            found = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
        return dict(zip(leaves, found, strict=True))


def moved(parameters: Parameters, gradient: Mapping[str, Tensor], step: float) -> Parameters:
    """Return ``w − step · g`` for the parameters that `gradient` names, the others as they are."""
    return {
        name: value.detach() - step * gradient[name] if name in gradient else value.detach()
        for name, value in parameters.items()
    }


def flat(gradient: Mapping[str, Tensor]) -> Tensor:
    """Return all entries as one vector, parameter after parameter."""
    return torch.cat([part.reshape(-1) for part in gradient.values()])


def parameterised_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the modules that own parameters themselves, in the order of ``model.modules()``.

    Parameters
    ----------
    model : Module
        Any model. A linear layer counts, and so does a batch norm with weight and bias; a
        `Sequential` and an activation own no parameters.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1))
    >>> [name for name, _ in parameterised_layers(net)]
    ['0', '1', '3']
    """
    return [
        (name, module)
        for name, module in model.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    ]


def layer_inputs(model: nn.Module, x: Tensor, kinds: Sequence[type] = (nn.Linear,)) -> list[Tensor]:
    """Return what each layer of some kinds gets as its input, in the order of the forward pass.

    Parameters
    ----------
    model : Module
        Run in the mode it is in; left unchanged, running statistics too.
    x : Tensor
        The model's input.
    kinds : sequence of type, default ``(Linear,)``
        Which layers to look at.

    Returns
    -------
    list of Tensor
        Detached, one for each call of such a layer.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> [tuple(found.shape) for found in layer_inputs(net, torch.zeros(5, 2, 2))]
    [(5, 4), (5, 3)]
    """
    seen: list[Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
        for module in model.modules()
        if isinstance(module, tuple(kinds))
    ]
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        with torch.no_grad():
            functional_call(model, buffers, (x,))
    finally:
        for hook in hooks:
            hook.remove()
    return seen
