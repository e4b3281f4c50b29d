"""What a network gets right, asked without changing it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

AT_ONCE = 1000  # rows, so that a test set of any size fits in memory


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode for a while; every part gets back the mode it had."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@torch.no_grad()
def accuracy(model: nn.Module, x: np.ndarray | torch.Tensor, y: np.ndarray | torch.Tensor) -> float:
    """Return the share of rows whose largest output is at the right class, in evaluation mode.

    Parameters
    ----------
    model : nn.Module
        Takes `x`, returns (N, classes). Its mode is restored, part by part.
    x : ndarray or tensor of shape (N, …), float32
        Inputs.
    y : ndarray or tensor of shape (N,), int64
        Right classes.

    Returns
    -------
    float
        From 0 to 1. An output with a `nan` in it is wrong.
    """
    inputs, classes = torch.as_tensor(x), torch.as_tensor(y)
    right = 0
    with evaluating(model):
        for start in range(0, len(inputs), AT_ONCE):
            outputs = model(inputs[start : start + AT_ONCE])
            hits = outputs.argmax(1) == classes[start : start + AT_ONCE]
            right += int((hits & ~outputs.isnan().any(1)).sum())
    return right / len(inputs)
