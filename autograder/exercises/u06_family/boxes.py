"""Black boxes as plain numbers: which entries share statistics, and what is done afterwards."""

from __future__ import annotations

import numpy as np

from autograder.worker.script import Given

BATCH, LAYER, INSTANCE, GROUP, NONE = KINDS = ("batch", "layer", "instance", "group", "none")
Shape = tuple[int, ...]


def box(rng: np.random.Generator, kind: str, shape: Shape, dtype: str = "float64") -> Given:
    """Draw a box of a kind for arrays of a shape (N, C, *spatial).

    All boxes have the same parts, filled with numbers whether they are used or not, so that the
    kind does not show in what is there. Scale and shift are left out of a third of them; a box of
    kind "none" without is the identity, one with is batch norm in evaluation mode.
    """
    sample = shape[1:]
    stored_var = _per_channel(rng.uniform(0.25, 4.0, shape[1]), sample)
    gain, offset, mean = _affine(rng, kind, sample)
    if kind == NONE and (gain == 1.0).all() and not offset.any():
        mean, stored_var = np.zeros(sample), np.full(sample, 1.0 - 1e-5)
    parts = {
        "labels": _labels(rng, kind, sample),
        "mean": mean,
        "var": stored_var,
        "gain": gain,
        "offset": offset,
        "dtype": dtype,
    }
    return Given("black_box", parts)


def _labels(rng: np.random.Generator, kind: str, sample: Shape) -> np.ndarray:
    """Label the sets that share statistics, in the shape of two samples, with random numbers."""
    size = int(np.prod(sample))
    if kind == NONE:
        sets = np.arange(size).reshape(sample)
    else:
        sets = _per_channel(_group_of_channel(rng, kind, sample[0]), sample)
    both = np.stack([sets, sets if kind == BATCH else sets + size])
    return np.asarray(rng.permutation(2 * size)[both])


def _group_of_channel(rng: np.random.Generator, kind: str, channels: int) -> np.ndarray:
    """Return the number of each channel's set."""
    proper = [g for g in range(2, channels) if channels % g == 0]
    groups = {LAYER: 1, GROUP: int(rng.choice(proper))}.get(kind, channels)
    return np.arange(channels) // (channels // groups)


def _affine(
    rng: np.random.Generator, kind: str, sample: Shape
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw scale, shift and stored means: for each channel, or none; for layer norm each entry."""
    mean = _per_channel(rng.normal(size=sample[0]), sample)
    if rng.random() < 1 / 3:
        return np.ones(sample), np.zeros(sample), mean
    each = kind == LAYER and rng.random() < 1 / 2
    shape = sample if each else sample[:1]
    gain = rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
    offset = rng.normal(size=shape)
    if each:
        return gain, offset, mean
    return _per_channel(gain, sample), _per_channel(offset, sample), mean


def _per_channel(v: np.ndarray, sample: Shape) -> np.ndarray:
    return np.broadcast_to(v.reshape(-1, *[1] * (len(sample) - 1)), sample).copy()
