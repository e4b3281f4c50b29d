"""How a network's error falls while it trains: what several experiments measure."""

import math
from collections.abc import Callable, Sequence
from itertools import takewhile

import numpy as np
from torch import nn

from bnlib.data import Dataset
from bnlib.training import accuracy, batch_order, train

Curve = list[tuple[int, float]]
"""Pairs of a number of steps done and the test error in % then."""


def error_rate(model: nn.Module, data: Dataset) -> float:
    """Return the share of the test set that a model gets wrong, in %, in evaluation mode."""
    return 100 * (1 - accuracy(model, data.test_x, data.test_y))


def error_curve(
    model: nn.Module,
    data: Dataset,
    *,
    steps: int,
    every: int,
    batch_size: int,
    lr: float,
    seed: int,
    stop_at: float = -math.inf,
) -> Curve:
    """Train by plain SGD; return the test error after each `every` steps, up to `stop_at` %."""
    curve: Curve = []
    order = batch_order(len(data.train_x), batch_size, seed)
    wanted = takewhile(lambda _: not curve or curve[-1][1] > stop_at, order)

    def look(step: int, model: nn.Module, loss: float) -> None:
        if (step + 1) % every == 0:
            curve.append((step + 1, error_rate(model, data)))

    train(
        model,
        data,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        batches=wanted,
        on_step=look,
    )
    return curve


def steps_until(curve: Curve, level: float) -> float:
    """Return after how many steps the error was at most `level`; infinite if it never was."""
    return next((float(steps) for steps, error in curve if error <= level), math.inf)


def best(candidates: Sequence[float], cost: Callable[[float], float]) -> float:
    """Return the candidate of least cost; of equal ones, and where all fail, the first."""
    costs = [cost(candidate) for candidate in candidates]
    return candidates[int(np.argmin(np.nan_to_num(costs, nan=np.inf)))]
