"""Freeze batch norm so that it stays frozen, whoever calls `train()` afterwards."""

from typing import TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Model = TypeVar("Model", bound=nn.Module)


class _StaysInEval(nn.Module):
    """What turns a layer into one that cannot be put in training mode."""

    def train(self, mode: bool = True) -> "_StaysInEval":
        """Stay in evaluation mode, whatever is asked for."""
        return super().train(False)


class FrozenBatchNorm1d(_StaysInEval, nn.BatchNorm1d):
    """Frozen ``nn.BatchNorm1d``."""


class FrozenBatchNorm2d(_StaysInEval, nn.BatchNorm2d):
    """Frozen ``nn.BatchNorm2d``."""


class FrozenBatchNorm3d(_StaysInEval, nn.BatchNorm3d):
    """Frozen ``nn.BatchNorm3d``."""


_FROZEN: dict[type, type] = {
    nn.BatchNorm1d: FrozenBatchNorm1d,
    nn.BatchNorm2d: FrozenBatchNorm2d,
    nn.BatchNorm3d: FrozenBatchNorm3d,
}


def freeze_batchnorm(model: Model) -> Model:
    """Freeze every batch norm of a model for good: statistics, and weight and bias.

    Three things keep a batch norm moving, and each needs an end of its own: `requires_grad` is
    what the optimiser goes by, the mode is what the running statistics go by, and `model.train()`
    sets the mode of every layer again.

    Parameters
    ----------
    model : Module
        Changed in place: each batch norm in it, however deep, normalises with its running
        statistics from now on, ``model.train()`` or not; its weight and bias need no gradient.
        Gradients flow *through* it as before. Other layers are not touched.

    Returns
    -------
    Module
        The model itself.

    Notes
    -----
    A frozen layer is still the same object, under its name, with its state dict: only its class is
    exchanged for a subclass whose `train` stays in evaluation mode. So copies are frozen as well.

    Examples
    --------
    >>> net = freeze_batchnorm(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout()))
    >>> [module.training for module in net.train()]
    [True, False, True]
    """
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.requires_grad_(False)
            if not isinstance(module, _StaysInEval):
                module.__class__ = _frozen(type(module))
            module.eval()
    return model


def _frozen(kind: type[_BatchNorm]) -> type[_BatchNorm]:
    """Return the frozen subclass of a batch norm; made up for a class that is not torch's own."""
    return _FROZEN.get(kind) or type(f"Frozen{kind.__name__}", (_StaysInEval, kind), {})
