"""Multilayer perceptrons, with or without a norm in each hidden layer."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn

from bnlib.errors import ParameterError
from bnlib.nets.norms import Norm, arranged, norm_module
from bnlib.nets.weights import linear

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


def mlp(
    sizes: Sequence[int],
    *,
    norm: Norm = None,
    activation: str = "relu",
    placement: str = "before",
    gain: float | None = None,
    dropout: float = 0.0,
    seed: int = 0,
) -> nn.Sequential:
    """Return a network `flatten, [linear, norm, activation, dropout]…, linear`.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden widths, outputs: `[64, 100, 100, 10]` has two hidden layers.
    norm : "batch", "layer", "group", None or function width -> module, default None
        What normalises each hidden layer. The output layer is never normalised.
    activation : "relu", "tanh", "sigmoid" or "linear", default "relu"
        After each hidden layer.
    placement : "before" or "after", default "before"
        The norm before the activation (Ioffe & Szegedy 2015, §3.2) or after it.
    gain : float or None, default None
        Hidden weights are normal with standard deviation gain/√fan_in, biases 0. None: √2 for ReLU
        and 1 otherwise. The output layer always has gain 1.
    dropout : float, default 0.0
        Probability that a hidden output is dropped in training. It draws from torch's global
        generator, as every dropout does; `bnlib.training.train` seeds that for its own duration.
    seed : int, default 0
        Of the weights. They do not depend on `norm`, `placement` or `dropout`.

    Returns
    -------
    nn.Sequential
        Takes (N, …) with `sizes[0]` values a row, returns (N, sizes[-1]).

    Raises
    ------
    ParameterError
        If an argument is none of its choices, or there are fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ParameterError(f"sizes must name inputs and outputs at least; got {list(sizes)}.")
    if activation not in ACTIVATIONS:
        raise ParameterError(
            f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}."
        )
    if gain is None:
        gain = 2**0.5 if activation == "relu" else 1.0
    generator = torch.Generator().manual_seed(seed)
    modules: list[nn.Module] = [nn.Flatten()]
    for n_in, n_out in pairwise(sizes[:-1]):
        modules.append(linear(n_in, n_out, gain, generator))
        layer_norm = norm_module(norm, n_out, spatial=False)
        modules += arranged(layer_norm, ACTIVATIONS[activation](), placement)
        if dropout:
            modules.append(nn.Dropout(dropout))
    modules.append(linear(sizes[-2], sizes[-1], 1.0, generator))
    return nn.Sequential(*modules)
