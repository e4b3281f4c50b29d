"""Layers that exercises take as arguments, and small things one does with a layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.worker.givens.registry import given


class ReadyLayer:
    """A batch norm layer that works: what an exercise gets whose subject is not the layer itself.

    It has torch's attribute names, and can be called in both modes.
    """

    def __init__(self, num_features: int, eps: float, momentum: float | None) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked = 0
        self.training = True

    def train(self, mode: bool = True) -> ReadyLayer:
        """Switch the mode."""
        self.training = mode
        return self

    def eval(self) -> ReadyLayer:
        """Switch to evaluation."""
        return self.train(False)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Normalise a batch of shape (N, C)."""
        wide = np.asarray(x, dtype=np.float64)
        mean, var = self.running_mean, self.running_var
        if self.training:
            if len(wide) < 2:
                raise ValueError("expected more than 1 value per channel when training")
            mean, var = wide.mean(axis=0), wide.var(axis=0)
            self.num_batches_tracked += 1
            share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            unbiased = wide.var(axis=0, ddof=1)
            self.running_mean = (1 - share) * self.running_mean + share * mean
            self.running_var = (1 - share) * self.running_var + share * unbiased
        x_hat = (wide - mean) / np.sqrt(var + self.eps)
        return np.asarray((self.weight * x_hat + self.bias).astype(x.dtype))


@given("batchnorm_layer")
def batchnorm_layer(
    weight: np.ndarray,
    bias: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float = 1e-5,
    momentum: float | None = 0.1,
    num_batches_tracked: int = 0,
    training: bool = True,
) -> ReadyLayer:
    """Build a layer in the middle of its life."""
    layer = ReadyLayer(len(weight), eps, momentum)
    layer.weight, layer.bias = weight, bias
    layer.running_mean, layer.running_var = running_mean, running_var
    layer.num_batches_tracked = num_batches_tracked
    layer.training = training
    return layer


@given("is_same")
def is_same() -> Callable[[object, object], bool]:
    """Build the question whether two names stand for one object."""
    return lambda a, b: a is b


@given("as_number")
def as_number() -> Callable[[object], object]:
    """Build the reading of a counter, be it an int, a NumPy integer or an array of shape ()."""

    def read(counter: object) -> object:
        if isinstance(counter, bool) or not isinstance(counter, int | np.integer | np.ndarray):
            return counter
        return float(counter) if np.ndim(counter) == 0 else counter

    return read


@given("entry")
def entry() -> Callable[[object, int], object]:
    """Build the reading of one entry of a tuple; what is no tuple is given back as it is."""
    return lambda answer, index: answer[index] if isinstance(answer, tuple | list) else answer


@given("in_place_step")
def in_place_step() -> Callable[[object], None]:
    """Build what an optimizer does to a parameter: it writes into the array itself."""

    def step(array: object) -> None:
        if isinstance(array, np.ndarray) and array.flags.writeable:
            array += 1.0

    return step
