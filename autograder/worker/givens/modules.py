"""What unit 10 does with modules of torch: builds them, trains them, asks them what they hold.

torch is loaded by whoever builds one of these, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.worker.givens.registry import given

Spec = Mapping[str, Any]
NAMES = ("weight", "bias", "running_mean", "running_var")


@given("module")
def module(
    kind: str,
    options: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    modules: Sequence[Spec] = (),
    names: Sequence[str] = (),
    training: bool = True,
) -> Any:
    """Build a layer or a `Sequential` of torch.

    Parameters
    ----------
    kind
        Name of the class in `torch.nn`.
    options
        What it is constructed with.
    state
        Arrays by their names in a state dict; they decide the dtype.
    modules
        The same of the parts of a `Sequential`. One with the key ``same_as`` is the part of that
        number once more, one with ``weight_of`` shares that part's weight.
    names
        Of these parts; numbers if there are none.
    training
        The mode of the whole.
    """
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):  # first weights are drawn for nothing
        if kind == "Sequential":
            made: Any = _sequence(modules, names)
        else:
            made = getattr(nn, kind)(**(options or {}))
    arrays = {name: np.array(value) for name, value in (state or {}).items()}
    for array in arrays.values():
        if array.dtype.kind == "f":
            made.to(torch.from_numpy(array).dtype)
    made.load_state_dict({n: torch.from_numpy(a) for n, a in arrays.items()}, strict=False)
    return made.train(training)


def _sequence(modules: Sequence[Spec], names: Sequence[str]) -> Any:
    from collections import OrderedDict

    from torch import nn

    parts: list[Any] = []
    for spec in modules:
        if "same_as" in spec:
            parts.append(parts[spec["same_as"]])
            continue
        own = {key: value for key, value in spec.items() if key != "weight_of"}
        parts.append(module(**own))
        if "weight_of" in spec:
            parts[-1].weight = parts[spec["weight_of"]].weight
    called = names or [str(number) for number in range(len(parts))]
    return nn.Sequential(OrderedDict(zip(called, parts, strict=True)))


@given("gradients")
def gradients() -> Callable[..., tuple[Any, ...]]:
    """Build the gradients of the sum of dy·y by some tensors; None by what none flows to.

    The sum is written out: `torch.autograd.grad` loads sympy to compare shapes with a dy.
    """

    def read(y: Any, dy: Any, *inputs: Any) -> tuple[Any, ...]:
        import torch

        if not getattr(y, "requires_grad", False):
            return (None,) * len(inputs)
        learning = [t for t in inputs if getattr(t, "requires_grad", False)]
        found = iter(torch.autograd.grad((y * dy).sum(), learning, allow_unused=True))
        return tuple(
            _array(next(found)) if getattr(t, "requires_grad", False) else None for t in inputs
        )

    return read


@given("distance_from_differences")
def distance_from_differences() -> Callable[..., float]:
    """Build the largest distance of a function's gradients from central differences.

    It is 0 if `torch.autograd.gradcheck`, which would load sympy, would find that they agree; else
    it has three digits, more than wrong ideas have in common.
    """

    def compare(function: Any, dy: Any, *inputs: Any) -> float:
        import torch

        learning = [t for t in inputs if isinstance(t, torch.Tensor)]
        found = torch.autograd.grad((function(*inputs) * dy).sum(), learning)
        largest = 0.0
        with torch.no_grad():
            for tensor, slopes in zip(learning, found, strict=True):
                entries, wanted = tensor.view(-1), torch.zeros(tensor.numel(), dtype=tensor.dtype)
                for i in range(len(entries)):
                    middle, values = entries[i].item(), []
                    for step in (1e-6, -1e-6):
                        entries[i] = middle + step
                        values.append((function(*inputs) * dy).sum())
                    entries[i] = middle
                    wanted[i] = (values[0] - values[1]) / 2e-6
                if not torch.allclose(slopes.flatten(), wanted, rtol=1e-3, atol=1e-5):
                    largest = max(largest, (slopes.flatten() - wanted).abs().max().item())
        return float(f"{largest:.3g}")

    return compare


@given("node_name")
def node_name() -> Callable[[Any], str]:
    """Build the name of the node of the graph that a tensor comes from."""
    return lambda y: type(getattr(y, "grad_fn", None)).__name__


@given("late_change_is_harmless")
def late_change_is_harmless() -> Callable[..., bool]:
    """Build the question what becomes of the gradients if x is changed before the backward pass.

    Either torch notices and raises, or the gradients are what they are without the change.
    """

    def ask(function: Any, x: Any, gamma: Any, beta: Any, dy: Any, eps: float) -> bool:
        import torch

        def slopes(change: bool) -> tuple[Any, ...]:
            copy = x.clone()
            y = function(copy, gamma, beta, eps)
            if change:
                copy.mul_(2.0).add_(dy)
            return torch.autograd.grad((y * dy).sum(), (x, gamma, beta), allow_unused=True)

        before = slopes(False)
        try:
            after = slopes(True)
        except RuntimeError:
            return True
        return all(
            a is b if a is None or b is None else torch.equal(a, b)
            for a, b in zip(before, after, strict=True)
        )

    return ask


@given("set_numbers")
def set_numbers() -> Callable[[Any, Mapping[str, Any]], Any]:
    """Build what puts arrays into a layer, under the names that batch norm has for them.

    The layer is brought to their dtype first. Attributes are set one by one: a layer whose state
    dict is wrong can still be asked for its outputs.
    """

    def fill(layer: Any, state: Mapping[str, Any]) -> Any:
        import torch

        tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        layer.to(tensors["weight"].dtype)
        for name, value in tensors.items():
            own = getattr(layer, name)
            if isinstance(own, torch.nn.Parameter):
                own.data = value
            else:
                setattr(layer, name, value)
        return layer

    return fill


@given("numbers_of")
def numbers_of() -> Callable[[Any], dict[str, Any]]:
    """Build the reading of a batch norm's two running statistics and its counter."""

    def read(layer: Any) -> dict[str, Any]:
        counter = layer.num_batches_tracked
        found = {name: _array(getattr(layer, name)) for name in NAMES[2:]}
        return found | {"num_batches_tracked": _whole(counter)}

    return read


@given("state_numbers")
def state_numbers() -> Callable[[Any], dict[str, Any]]:
    """Build the reading of a state dict: arrays, and whole numbers."""
    return lambda layer: {name: _whole(value) for name, value in layer.state_dict().items()}


@given("state_dtypes")
def state_dtypes() -> Callable[[Any], dict[str, str]]:
    """Build the reading of the dtypes in a state dict."""
    return lambda layer: {name: str(value.dtype) for name, value in layer.state_dict().items()}


@given("what_learns")
def what_learns() -> Callable[[Any], dict[str, bool]]:
    """Build the question which of a batch norm's tensors gradients flow to."""

    def read(layer: Any) -> dict[str, bool]:
        return {name: bool(getattr(layer, name).requires_grad) for name in NAMES}

    return read


@given("places_of")
def places_of() -> Callable[[Any], dict[str, str]]:
    """Build the question where a module keeps each of a batch norm's tensors."""

    def read(layer: Any) -> dict[str, str]:
        places = {
            "a parameter": dict(layer.named_parameters()),
            "a buffer": dict(layer.named_buffers()),
        }
        return {
            name: next((place for place, kept in places.items() if name in kept), "an attribute")
            for name in NAMES
        }

    return read


@given("into_torch")
def into_torch() -> Callable[[Any], dict[str, Any]]:
    """Build the loading of a state dict into torch's own layer, and what that then holds."""

    def load(layer: Any) -> dict[str, Any]:
        from torch import nn

        state = layer.state_dict()
        theirs = nn.BatchNorm2d(len(layer.weight)).to(layer.weight.dtype)
        theirs.load_state_dict(state)
        return state_numbers()(theirs)

    return load


@given("out_of_torch")
def out_of_torch() -> Callable[[Any, Any], None]:
    """Build the loading of a state dict of torch's own layer into another."""

    def load(layer: Any, theirs: Any) -> None:
        layer.to(theirs.weight.dtype).load_state_dict(theirs.state_dict())

    return load


@given("without_gradients")
def without_gradients() -> Callable[[Any, Any], Any]:
    """Build a call under `torch.no_grad()`."""

    def run(layer: Any, x: Any) -> Any:
        import torch

        with torch.no_grad():
            return layer(x)

    return run


@given("options_of")
def options_of() -> Callable[[Any], dict[str, Any]]:
    """Build the reading of a layer's class and options, the bias among them."""
    seen = ("stride", "padding", "dilation", "groups", "padding_mode")

    def read(layer: Any) -> dict[str, Any]:
        from torch import nn

        names = [k.__name__ for k in (nn.Conv2d, nn.Linear) if isinstance(layer, k)]
        found = {"class": (names or [type(layer).__name__])[0]}
        return found | {name: getattr(layer, name) for name in seen if hasattr(layer, name)}

    return read


@given("weights_of")
def weights_of() -> Callable[[Any], tuple[Any, Any]]:
    """Build the reading of a layer's weight and bias."""

    def read(layer: Any) -> tuple[Any, Any]:
        from torch import nn

        if isinstance(layer, nn.Sequential):  # it has none: what it is, `options_of` tells
            return None, None
        return _array(layer.weight), _array(layer.bias)

    return read


@given("step_in_tensors")
def step_in_tensors() -> Callable[[Any], None]:
    """Build what an optimiser does to a module: it writes into its parameters."""

    def step(layer: Any) -> None:
        import torch

        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.add_(1.0)

    return step


@given("trained")
def trained() -> Callable[..., dict[str, Any]]:
    """Build three steps of training as people do them, and the model's state dict after them.

    A step is that of `torch.optim.SGD`, written out: its first use loads torch's whole compiler.
    """

    def steps(model: Any, x: Any, y: Any, lr: float, weight_decay: float) -> dict[str, Any]:
        import torch

        model.train()
        for number in range(1, 4):
            model.zero_grad()
            loss = torch.nn.functional.mse_loss(model(number * x), y)
            if loss.requires_grad:  # of a model that is frozen as a whole there is no gradient
                loss.backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.grad is not None:
                        parameter -= lr * (parameter.grad + weight_decay * parameter)
        return state_numbers()(model)

    return steps


@given("modes_of")
def modes_of() -> Callable[[Any, Sequence[str]], dict[str, bool]]:
    """Build the reading of the modes of some modules of a model, by their names."""

    def read(model: Any, names: Sequence[str]) -> dict[str, bool]:
        return {name: model.get_submodule(name).training for name in names}

    return read


@given("groups_by_name")
def groups_by_name() -> Callable[[Any, Any], Any]:
    """Build the reading of an optimiser's parameter groups, by the names of the parameters."""

    def read(groups: Any, model: Any) -> Any:
        if not isinstance(groups, list | tuple) or not all(isinstance(g, dict) for g in groups):
            return groups
        names = {id(p): name for name, p in model.named_parameters()}
        found = []
        for group in groups:
            params = [names.get(id(p), "not of the model") for p in group["params"]]
            found.append({"params": sorted(params), "weight_decay": float(group["weight_decay"])})
        return found

    return read


def _array(value: Any) -> Any:
    """Return a tensor as an array of its own; anything else as it is."""
    return value.detach().cpu().numpy().copy() if hasattr(value, "detach") else value


def _whole(value: Any) -> Any:
    """Return a tensor of shape () as a number, any other as an array."""
    return value.item() if getattr(value, "ndim", None) == 0 else _array(value)
