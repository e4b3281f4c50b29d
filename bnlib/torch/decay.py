"""Which parameters weight decay is for, as groups for an optimiser."""

from typing import TypedDict

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)  # batch and instance norm first


class ParameterGroup(TypedDict):
    """A group as optimisers of torch take it."""

    params: list[nn.Parameter]
    weight_decay: float


def split_decay_groups(model: nn.Module, weight_decay: float) -> list[ParameterGroup]:
    """Return two groups: what decays, and what does not (biases, and all of a norm's parameters).

    Parameters
    ----------
    model : Module
        Only looked at.
    weight_decay : float
        Of the first group; the second has 0.

    Returns
    -------
    list of two dicts
        Each with the keys ``params``, a list, and ``weight_decay``. Every parameter of the model is
        there once, in the order of ``model.parameters()``. One that two layers share is there
        once; if one of them is a norm, or calls it a bias, it is not decayed.

    Notes
    -----
    Decay of a weight before batch norm does not change the function at all (unit 5): it acts on the
    effective learning rate. Decay of gamma does: it pulls the scale of every channel to 0. Whether
    that harms is a question for an experiment; what to leave out is a convention, that of
    Goyal et al. (2017, §5.1: no decay on gamma and beta) and He et al. (2019, §3.1: nor on biases).

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    >>> [[tuple(p.shape) for p in group["params"]] for group in split_decay_groups(net, 1e-4)]
    [[(3, 2)], [(3,), (3,), (3,)]]
    """
    spared = {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if isinstance(module, NORMS) or "bias" in name
    }
    parameters = list(model.parameters())
    return [
        {
            "params": [p for p in parameters if id(p) not in spared],
            "weight_decay": weight_decay,
        },
        {"params": [p for p in parameters if id(p) in spared], "weight_decay": 0.0},
    ]
