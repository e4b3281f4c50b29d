"""The layer that exercises get which take one: a working one, in the middle of its life."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.vocabulary import Tolerance
from autograder.worker.script import Given

BUFFERS = ("running_mean", "running_var")
SINGLE = Tolerance(1e-4, 1e-4, "sums of 100 float32 numbers of order 10: 100 eps32 = 1.2e-5")


def layer_of(rng: np.random.Generator, c: int, dtype: str = "float64", **options: Any) -> Given:
    """Draw a layer in the middle of its life."""
    parameters: dict[str, Any] = {
        "weight": rng.uniform(0.5, 2.0, c) * rng.choice([-1.0, 1.0], c),
        "bias": rng.normal(size=c),
        "running_mean": rng.normal(size=c) * 3.0,
        "running_var": rng.uniform(0.5, 4.0, c),
    }
    arrays = {name: array.astype(dtype) for name, array in parameters.items()}
    count = {"num_batches_tracked": int(rng.integers(3, 9))}
    return Given("batchnorm_layer", arrays | count | options)
