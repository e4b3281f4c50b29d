"""What the torch units hand to a function: models built from arrays, losses, tensors, generators.

torch is loaded by whoever builds one, and not before: most units have no use for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.worker.givens.registry import given

LayerSpec = Mapping[str, Any]


@given("tensor")
def tensor(array: np.ndarray, requires_grad: bool = False) -> Any:
    """Build a tensor from an array; its own memory, its own dtype."""
    import torch

    return torch.from_numpy(np.array(array)).requires_grad_(requires_grad)


@given("torch_generator")
def torch_generator(seed: int) -> Any:
    """Build a source of random numbers."""
    import torch

    return torch.Generator().manual_seed(seed)


@given("network")
def network(layers: Sequence[LayerSpec], training: bool = True, stale: bool = False) -> Any:
    """Build a `Sequential` from the arrays of its layers.

    Parameters
    ----------
    layers
        One mapping a layer: ``kind`` is `linear`, `batch_norm`, `tanh`, `relu` or `sequential`,
        the rest are the layer's arrays by their names in a state dict.
    training
        The mode it is in.
    stale
        Whether the parameters hold gradients of an earlier backward pass.
    """
    import torch

    model = torch.nn.Sequential(*map(_layer, layers)).train(training)
    if stale:
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 0.5)
    return model


def _layer(spec: LayerSpec) -> Any:
    """Build one layer, in the dtype of its arrays."""
    import torch
    from torch import nn

    arrays = {name: value for name, value in spec.items() if isinstance(value, np.ndarray)}
    match spec["kind"]:
        case "sequential":
            return nn.Sequential(*map(_layer, spec["layers"]))
        case "tanh":
            return nn.Tanh()
        case "relu":
            return nn.ReLU()
        case "linear":
            rows, columns = arrays["weight"].shape
            with torch.random.fork_rng(devices=[]):  # its first weights are drawn for nothing
                layer: Any = nn.Linear(columns, rows, "bias" in arrays)
        case _:
            layer = nn.BatchNorm1d(len(arrays["weight"]))
    layer.to(torch.from_numpy(arrays["weight"]).dtype)
    state = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    layer.load_state_dict(state, strict=False)
    return layer


@given("loss")
def loss(name: str) -> Callable[[Any, Any], Any]:
    """Build a loss of (output, target): `mse`, `cross_entropy`, or `half_squares`, a sum."""
    from torch.nn import functional

    def half_squares(output: Any, target: Any) -> Any:
        return ((output - target) ** 2).sum() / 2

    losses: dict[str, Callable[[Any, Any], Any]] = {
        "mse": functional.mse_loss,
        "cross_entropy": functional.cross_entropy,
        "half_squares": half_squares,
    }
    return losses[name]


@given("model_state")
def model_state() -> Callable[[Any], dict[str, Any]]:
    """Build the reading of everything that a measurement could leave behind in a model."""

    def read(model: Any) -> dict[str, Any]:
        return {
            "parameters": {n: _array(p) for n, p in model.named_parameters()},
            "running statistics": {n: _entry(b) for n, b in model.named_buffers()},
            "gradients": {n: _array(p.grad) for n, p in model.named_parameters()},
            "learns": {n: p.requires_grad for n, p in model.named_parameters()},
            "training mode": {n or "model": m.training for n, m in model.named_modules()},
        }

    return read


@given("as_float")
def as_float() -> Callable[[Any], Any]:
    """Build the reading of a number: a tensor or array of shape () as a float."""

    def read(value: Any) -> Any:
        single = hasattr(value, "item") and getattr(value, "shape", None) == ()
        return float(value.item()) if single else value

    return read


@given("as_arrays")
def as_arrays() -> Callable[[Any], Any]:
    """Build the reading of tensors as arrays: one, or each of a tuple or list."""

    def read(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return (tuple if isinstance(value, tuple) else list)(map(read, value))
        return _array(value)

    return read


@given("as_row")
def as_row() -> Callable[[Any], Any]:
    """Build the reading of a row of numbers: a tensor, an array, or a list of numbers."""
    number = as_float()

    def read(value: Any) -> Any:
        if isinstance(value, tuple | list):
            entries = [number(entry) for entry in value]
            plain = all(isinstance(entry, float | int) for entry in entries)
            return np.array(entries, np.float64) if plain else value
        array = _array(value)
        return array.astype(np.float64) if isinstance(array, np.ndarray) else array

    return read


@given("gradient_of_sum")
def gradient_of_sum() -> Callable[[Any, Any], Any]:
    """Build the gradient of the sum of y by x; None if none flows there."""

    def read(y: Any, x: Any) -> Any:
        import torch

        if not getattr(y, "requires_grad", False):
            return None
        (found,) = torch.autograd.grad(y.sum(), x, allow_unused=True)
        return _array(found)

    return read


@given("global_random_state")
def global_random_state() -> Callable[[], str]:
    """Build the reading of where torch's global generator stands."""
    import torch

    return lambda: torch.random.get_rng_state().numpy().tobytes().hex()


def _array(value: Any) -> Any:
    """Return a tensor as an array of its own; anything else as it is."""
    return value.detach().cpu().numpy().copy() if hasattr(value, "detach") else value


def _entry(buffer: Any) -> Any:
    """Return a buffer: a counter as a whole number, statistics as an array."""
    return buffer.item() if buffer.ndim == 0 else _array(buffer)
