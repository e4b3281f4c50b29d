"""Names, tensors, tolerances and readings that the exercises share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.vocabulary import READY_MADE, Tolerance
from autograder.worker.script import Given, Step, call, get

UNIT = "u11_gpu"
FORBIDDEN = READY_MADE
TOLERANCES = {
    "float64": Tolerance(1e-8, 1e-10, "means of some hundred numbers: 1e4 eps64 = 2e-12, with room")
}
SINGLE = Tolerance(
    1e-3, 1e-3, "float32: 1e3 eps32 = 1e-4 of values of order 1; far from zero checked by digits"
)
EXACT = Tolerance(0.0, 0.0, "counted, not rounded")
EPS = "`eps` is an argument here. It is added to the variance, inside the root."
KEEP_ARGUMENTS = (
    "Your function changed an argument in place (`-=`, `[:] =`, a method that ends in `_`). The "
    "caller still needs it: work on new tensors."
)


def reference(name: str) -> Callable[..., Any]:
    """Return a function of `bnlib.gpu`; torch is loaded when it is first called."""

    def oracle(*args: Any, **kwargs: Any) -> Any:
        import bnlib.gpu

        return getattr(bnlib.gpu, name)(*args, **kwargs)

    return oracle


def tensor(array: np.ndarray, **options: Any) -> Given:
    """Name a tensor."""
    return Given("tensor", {"array": array, **options})


def tensors(arrays: Sequence[np.ndarray]) -> list[Given]:
    """Name a list of tensors."""
    return [tensor(array) for array in arrays]


def device(name: str) -> Given:
    """Name a device."""
    return Given("device", {"name": name})


def computer(**options: Any) -> Given:
    """Name a computer with simulated cards, or without."""
    return Given("computer", options)


def theirs(name: str) -> Step:
    """Bind the student's function itself, so that a helper can be given it."""
    return get(name, "__call__", into="theirs")


def placed(value: Any, place: str) -> Given:
    """Name tensors that lie on a card."""
    return Given("placed", {"value": value, "place": place})


def kept(names: Sequence[str]) -> tuple[Step, ...]:
    """Read what arguments hold afterwards."""
    return tuple(call("as_arrays", name, into=f"{name} afterwards") for name in names)
