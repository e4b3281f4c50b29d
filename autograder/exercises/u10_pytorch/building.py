"""Tensors and modules as data, the references, and what is forbidden, for all exercises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.vocabulary import READY_MADE, Tolerance
from autograder.worker.script import Given, Script

UNIT = "u10_pytorch"
# What works on a batch norm of torch names its classes, and may: only fusing it is ready-made.
AROUND_BATCHNORM = (
    *(name for name in READY_MADE if not name.startswith("torch.")),
    *("torch.nn.utils.fus*", "torch.ao*", "torch.quantization*", "torch.fx*"),
)
EXACT = Tolerance(0.0, 0.0, "what must not change must not change in its last bit")
EXAMPLE_TOLERANCE = Tolerance(1e-4, 1e-4, "that of the assert in the test cell")
WORDS = {"float64": Tolerance(0.0, 0.0, "the answer is made of words and whole numbers")}


FAR_HELP = (
    "So far from zero, E[x²] − E[x]² has lost all its digits in float32: take the mean of the "
    "squared deviations (`torch.var_mean` does)."
)


class Lazy:
    """Something made with torch, made when it is first used: the judge of other units has none."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.__qualname__ = getattr(make, "__qualname__", "reference")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._make()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Read an attribute of it."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._make(), name)


def reference(name: str) -> Lazy:
    """Return a name of `bnlib.torch`."""

    def make() -> Any:
        import bnlib.torch

        return getattr(bnlib.torch, name)

    return Lazy(make)


def tensor(array: np.ndarray, *, learns: bool = False) -> Given:
    """Name a tensor."""
    return Given("tensor", {"array": array, "requires_grad": learns})


def helpers(script: Script, names: tuple[str, ...]) -> dict[str, Given]:
    """Return the given helpers among `names` that a script calls."""
    called = {step.target for step in script}
    return {name: Given(name) for name in names if name in called}


def spec(kind: str, **parts: Any) -> dict[str, Any]:
    """Describe a module as the given helper `module` builds it."""
    return {"kind": kind, **parts}


def sequence(*modules: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Describe a `Sequential`."""
    return spec("Sequential", modules=list(modules), **parts)


def built(described: dict[str, Any]) -> Given:
    """Name a module that is built from its description."""
    return Given("module", described)


def linear(
    rng: np.random.Generator, inputs: int, outputs: int, *, bias: bool = True
) -> dict[str, Any]:
    """Draw a linear layer."""
    state = {"weight": rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)}
    state |= {"bias": rng.normal(size=outputs)} if bias else {}
    options = {"in_features": inputs, "out_features": outputs, "bias": bias}
    return spec("Linear", options=options, state=state)


def conv(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    kernel: int = 3,
    *,
    bias: bool = True,
    groups: int = 1,
    **options: Any,
) -> dict[str, Any]:
    """Draw a convolution of images."""
    shape = (outputs, inputs // groups, kernel, kernel)
    state = {"weight": rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))}
    state |= {"bias": rng.uniform(0.5, 1.5, outputs)} if bias else {}
    named = {"in_channels": inputs, "out_channels": outputs, "kernel_size": kernel}
    options = {**named, "bias": bias, "groups": groups, **options}
    return spec("Conv2d", options=options, state=state)


def batch_norm(
    rng: np.random.Generator,
    width: int,
    axes: int = 2,
    *,
    affine: bool = True,
    training: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Draw a batch norm in the middle of its life: none of its numbers is 0 or 1."""
    state: dict[str, Any] = {
        "running_mean": rng.uniform(0.5, 1.5, width) * rng.choice([-1.0, 1.0], width),
        "running_var": rng.permutation(np.linspace(0.3, 3.0, width)),
        "num_batches_tracked": np.array(int(rng.integers(3, 9))),
    }
    if affine:
        state["weight"] = rng.uniform(0.5, 2.0, width) * rng.choice([-1.0, 1.0], width)
        state["bias"] = rng.uniform(1.0, 2.0, width)
    options = {"num_features": width, "affine": affine, **options}
    return spec(f"BatchNorm{axes}d", options=options, state=state, training=training)


def as_float32(value: Any) -> Any:
    """Return a description with every floating array in float32."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32) if value.dtype.kind == "f" else value
    if isinstance(value, dict):
        return {key: as_float32(item) for key, item in value.items()}
    return [as_float32(item) for item in value] if isinstance(value, list) else value
