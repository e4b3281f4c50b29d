"""A sketch of `MyBatchNorm2d` that is right, with parts that wrong ideas exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograder.exercises.u10_pytorch.building import Lazy

AXES = (0, 2, 3)


def _is_training(layer: Any) -> bool:
    return bool(layer.training)


def of_batch(x: Any) -> tuple[Any, Any]:
    """Return mean and biased variance of each channel."""
    import torch

    var, mean = torch.var_mean(x, AXES, correction=0)
    return mean, var


def standardised(x: Any, mean: Any, var: Any, eps: float) -> Any:
    """Return x_hat."""
    return (x - wide_as_images(mean)) / (wide_as_images(var) + eps).sqrt()


def scaled_and_shifted(layer: Any, x_hat: Any) -> Any:
    """Return the layer's output."""
    return wide_as_images(layer.weight) * x_hat + wide_as_images(layer.bias)


def share_of_the_new(layer: Any) -> Any:
    """Return the weight of the present batch in the running statistics."""
    return 1 / layer.num_batches_tracked if layer.momentum is None else layer.momentum


def _running(layer: Any, mean: Any, var: Any) -> tuple[Any, Any]:
    return layer.running_mean, layer.running_var


def unbiased(var: Any, m: int) -> Any:
    """Return the variance divided by m − 1."""
    return var * (m / (m - 1))


def wide_as_images(value: Any) -> Any:
    """Return one value for each channel in a shape that broadcasts against images."""
    return value.reshape(1, -1, 1, 1) if value.ndim == 1 else value


def made(
    *,
    training: Callable[[Any], bool] = _is_training,
    batch: Callable[[Any], tuple[Any, Any]] = of_batch,
    normaliser: Callable[[Any, Any, int], tuple[Any, Any]] = lambda mean, var, m: (mean, var),
    standardise: Callable[[Any, Any, Any, float], Any] = standardised,
    affine: Callable[[Any, Any], Any] = scaled_and_shifted,
    share: Callable[[Any], Any] = share_of_the_new,
    stored: Callable[[Any, int], Any] = unbiased,
    moves_in_eval: bool = False,
    counts: bool = True,
    counts_in_eval: bool = False,
    running: Callable[[Any, Any, Any], tuple[Any, Any]] = _running,
    start: Mapping[str, float] | None = None,
    counter_dtype: str = "int64",
) -> Lazy:
    """Make the module with wrong parts put in.

    Parameters
    ----------
    training
        Whether a layer takes the batch's statistics.
    batch
        These statistics.
    normaliser
        What of them, with m, a training batch is normalised with.
    standardise
        From (x, mean, var, eps) to x_hat.
    affine
        From (layer, x_hat) to the output.
    share
        The weight of the new in the running statistics.
    stored
        From the batch's variance and m to what is kept.
    moves_in_eval
        Whether the running statistics move in evaluation mode.
    counts, counts_in_eval
        Whether steps are counted in the two modes.
    running
        From (layer, mean, var) of the batch to what is normalised with in evaluation.
    start
        Start values of the running statistics, by name.
    counter_dtype
        Of `num_batches_tracked`.
    """

    def make() -> Any:
        import torch
        from torch import nn

        first = {"running_mean": 0.0, "running_var": 1.0, **(start or {})}

        class MyBatchNorm2d(nn.Module):
            running_mean: Any
            running_var: Any
            num_batches_tracked: Any

            def __init__(self, num_features: int, eps: float = 1e-5, momentum: Any = 0.1) -> None:
                super().__init__()
                self.eps, self.momentum = eps, momentum
                self.weight = nn.Parameter(torch.ones(num_features))
                self.bias = nn.Parameter(torch.zeros(num_features))
                for name, value in first.items():
                    self.register_buffer(name, torch.full((num_features,), value))
                counter = torch.tensor(0, dtype=getattr(torch, counter_dtype))
                self.register_buffer("num_batches_tracked", counter)

            def forward(self, x: Any) -> Any:
                wide, m = x if x.dtype == torch.float64 else x.float(), x.numel() // x.shape[1]
                learning = training(self)
                if learning and m == 1:
                    raise ValueError("one value per channel")
                mean, var = batch(wide)
                if (learning and counts) or (not learning and counts_in_eval):
                    self.num_batches_tracked += 1
                if learning or moves_in_eval:
                    with torch.no_grad():
                        self.remember(mean, stored(var, m))
                mean, var = normaliser(mean, var, m) if learning else running(self, mean, var)
                return affine(self, standardise(wide, mean, var, self.eps)).to(x.dtype)

            def remember(self, mean: Any, var: Any) -> None:
                part = share(self)
                for own, new in ((self.running_mean, mean), (self.running_var, var)):
                    if new.numel() == own.numel():
                        own.copy_((1 - part) * own + part * new)

        return MyBatchNorm2d

    return Lazy(make)
