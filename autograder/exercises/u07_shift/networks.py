"""Networks, batches and losses as data, and the scripts that measure them, for all exercises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.vocabulary import READY_MADE, Case, Tolerance
from autograder.worker.script import Given, Script, call

UNIT = "u07_shift"
# batch norm itself is nobody's exercise here: models hold torch's own
FORBIDDEN = (*(name for name in READY_MADE if not name.startswith("torch.")), "!bnlib.data*")
TOLERANCES = {
    "float64": Tolerance(
        1e-7, 1e-9, "a forward and a backward pass of four layers: 1e4 eps64 = 2e-12, with room"
    ),
    "float32": Tolerance(
        2e-3, 2e-4, "the same in float32: 1e4 eps32 = 1e-3, and gradients of order 1"
    ),
}
EXACT = Tolerance(0.0, 0.0, "what must not change must not change in its last bit")
HELPERS = {
    name: Given(name) for name in ("model_state", "as_float", "as_arrays", "as_row")
}  # what reads an answer, by the name it has in scripts


def reference(name: str) -> Callable[..., Any]:
    """Return a function of `bnlib.torch`; torch is loaded when it is first called."""

    def oracle(*args: Any, **kwargs: Any) -> Any:
        import bnlib.torch

        return getattr(bnlib.torch, name)(*args, **kwargs)

    return oracle


def linear(
    rng: np.random.Generator, inputs: int, outputs: int, bias: bool = True
) -> dict[str, Any]:
    """Draw a linear layer whose weights neither vanish nor saturate what follows."""
    spec: dict[str, Any] = {
        "kind": "linear",
        "weight": rng.normal(size=(outputs, inputs)) * 1.2 / np.sqrt(inputs),
    }
    return spec | ({"bias": rng.normal(size=outputs) * 0.5} if bias else {})


def batch_norm(rng: np.random.Generator, width: int) -> dict[str, Any]:
    """Draw a batch norm layer in the middle of its life, far from any batch's statistics."""
    return {
        "kind": "batch_norm",
        "weight": rng.uniform(0.6, 1.6, width),
        "bias": rng.normal(size=width) * 0.3,
        "running_mean": rng.normal(size=width),
        "running_var": rng.uniform(1.5, 3.0, width),
    }


def plain_layers(rng: np.random.Generator, width: int = 4) -> list[dict[str, Any]]:
    """Draw a network of three linear layers: 3 features in, 2 out."""
    return [
        linear(rng, 3, width),
        {"kind": "tanh"},
        linear(rng, width, width),
        {"kind": "tanh"},
        linear(rng, width, 2),
    ]


def normed_layers(rng: np.random.Generator, width: int = 4) -> list[dict[str, Any]]:
    """Draw the same with batch norm: five layers that own parameters."""
    return [
        linear(rng, 3, width),
        batch_norm(rng, width),
        {"kind": "tanh"},
        linear(rng, width, width),
        batch_norm(rng, width),
        {"kind": "tanh"},
        linear(rng, width, 2),
    ]


def nested_layers(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Draw a network whose layers lie in blocks: one of the blocks has no parameters."""
    return [
        {"kind": "sequential", "layers": [linear(rng, 3, 5), {"kind": "tanh"}]},
        {"kind": "sequential", "layers": [{"kind": "tanh"}]},
        {
            "kind": "sequential",
            "layers": [linear(rng, 5, 4, bias=False), {"kind": "tanh"}, linear(rng, 4, 2)],
        },
    ]


def as_float32(value: Any) -> Any:
    """Return layers or arrays with every array in float32."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32)
    if isinstance(value, dict):
        return {key: as_float32(item) for key, item in value.items()}
    return [as_float32(item) for item in value] if isinstance(value, list) else value


def model(layers: list[dict[str, Any]], **options: Any) -> Given:
    """Name a network that is built from these layers."""
    return Given("network", {"layers": layers, **options})


def tensor(array: np.ndarray, **options: Any) -> Given:
    """Name a tensor."""
    return Given("tensor", {"array": array, **options})


def batch(rng: np.random.Generator, rows: int = 6) -> dict[str, Any]:
    """Draw inputs and targets that fit the networks, with their loss."""
    x, y = rng.normal(size=(rows, 3)) * [1.0, 2.0, 0.5], rng.normal(size=(rows, 2)) * 2.0
    return {"loss_fn": Given("loss", {"name": "mse"}), "x": tensor(x), "y": tensor(y)}


def classes(rng: np.random.Generator, rows: int = 7) -> dict[str, Any]:
    """Draw inputs and class numbers, with their loss."""
    x, y = rng.normal(size=(rows, 3)), np.arange(rows) % 2
    return {"loss_fn": Given("loss", {"name": "cross_entropy"}), "x": tensor(x), "y": tensor(y)}


def kept_cases(
    rng: np.random.Generator, measure: Script, others: Callable[[], dict[str, Any]]
) -> Iterator[Case]:
    """Yield the cases in which the model must be, afterwards, what it was.

    Parameters
    ----------
    rng
        Source of the draws.
    measure
        Calls of the exercise's function on `model`, `loss_fn`, `x`, `y` and the others.
    others
        Draws the arguments beside the model, its loss and its batch.
    """
    script = (*measure, call("model_state", "model", into="model afterwards"))
    for name, given in (
        ("the model is left as it was", model(plain_layers(rng), stale=True)),
        ("a model with batch norm is left as it was", model(normed_layers(rng), stale=True)),
        (
            "a model in evaluation mode is left as it was",
            model(normed_layers(rng), training=False),
        ),
    ):
        inputs = {"model": given, **batch(rng), **others(), **HELPERS}
        report = ("model afterwards",)
        yield Case(
            name, inputs, script, report, dtype_of=None, idle=True, tolerance=EXACT, help=KEEP
        )


KEEP_ARGUMENTS = (
    "Your function changed an argument in place (`-=`, `[:] =`, a method that ends in `_`). The "
    "caller still needs it: work on new tensors."
)
KEEP = (
    "Work on a copy (`copy.deepcopy(model)`), or put everything back: parameters, running "
    "statistics, `.grad`, the mode."
)
