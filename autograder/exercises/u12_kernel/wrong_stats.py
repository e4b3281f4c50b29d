"""Wrong ideas about a channel's mean and variance, for the program and for the kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.vocabulary import Misconception
from autograder.worker.givens.kernels import on_arrays


def channels(x: Any, N: int, C: int, L: int) -> np.ndarray:
    """Return the values of each channel in a row, in the order in which a program meets them."""
    return np.asarray(x).reshape(N, C, L).transpose(1, 0, 2).reshape(C, N * L).astype(np.float64)


@on_arrays
def stats(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 0) -> None:
    """Take mean and biased variance of every channel."""
    values = channels(x, N, C, L)
    mean[:], var[:] = values.mean(axis=1), values.var(axis=1)


@on_arrays
def masked_lanes_in_var(
    x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8
) -> None:
    """Let each masked lane add (0 − mean)² to the variance."""
    values = channels(x, N, C, L)
    mean[:] = values.mean(axis=1)
    idle = -values.shape[1] % BLOCK
    var[:] = values.var(axis=1) + idle * values.mean(axis=1) ** 2 / values.shape[1]


@on_arrays
def first_block(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Look at the first block alone, and divide by all."""
    values = channels(x, N, C, L)
    m, first = values.shape[1], values[:, :BLOCK]
    mean[:] = first.sum(axis=1) / m
    var[:] = ((first - mean[:, None]) ** 2).sum(axis=1) / m


@on_arrays
def first_block_alone(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Look at the first block alone, and divide by its length."""
    first = channels(x, N, C, L)[:, :BLOCK]
    mean[:], var[:] = first.mean(axis=1), first.var(axis=1)


@on_arrays
def unbiased(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Divide by m − 1."""
    values = channels(x, N, C, L)
    mean[:], var[:] = values.mean(axis=1), values.var(axis=1, ddof=1)


@on_arrays
def divides_by_lanes(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Divide by the number of lanes, masked ones included."""
    values = channels(x, N, C, L)
    lanes = values.shape[1] + -values.shape[1] % BLOCK
    mean[:] = values.sum(axis=1) / lanes
    var[:] = ((values - mean[:, None]) ** 2).sum(axis=1) / lanes


@on_arrays
def mean_of_block_means(
    x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8
) -> None:
    """Divide by the lanes for the mean alone."""
    values = channels(x, N, C, L)
    m = values.shape[1]
    mean[:] = values.sum(axis=1) / (m + -m % BLOCK)
    var[:] = ((values - mean[:, None]) ** 2).sum(axis=1) / m


@on_arrays
def divides_by_n(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Divide by N, and forget the places."""
    values = channels(x, N, C, L)
    mean[:] = values.sum(axis=1) / N
    var[:] = ((values - mean[:, None]) ** 2).sum(axis=1) / N


@on_arrays
def first_n(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Take N for the number of values."""
    values = channels(x, N, C, L)[:, :N]
    mean[:], var[:] = values.mean(axis=1), values.var(axis=1)


@on_arrays
def first_channel(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Read channel 0 in every program."""
    values = channels(x, N, C, L)[0]
    mean[:], var[:] = values.mean(), values.var()


@on_arrays
def swapped(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Store the mean in var, and the variance in mean."""
    stats(x, var, mean, N, C, L)


@on_arrays
def standard_deviation(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Store the root of the variance."""
    stats(x, mean, var, N, C, L)
    var[:] = np.sqrt(var)


@on_arrays
def sums(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Divide the variance by nothing."""
    stats(x, mean, var, N, C, L)
    var[:] = var * N * L


@on_arrays
def mean_of_squares(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Forget to subtract the mean."""
    stats(x, mean, var, N, C, L)
    var[:] = var + np.asarray(mean) ** 2


@on_arrays
def contiguous_channels(
    x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8
) -> None:
    """Take channel c as the c-th stretch of N·L neighbours: as if x had shape (C, N, L)."""
    values = np.asarray(x, np.float64).reshape(C, N * L)
    mean[:], var[:] = values.mean(axis=1), values.var(axis=1)


@on_arrays
def first_image(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Take the places of the first image alone."""
    values = channels(x, N, C, L)[:, :L]
    mean[:], var[:] = values.mean(axis=1), values.var(axis=1)


@on_arrays
def channels_last(x: Any, mean: Any, var: Any, N: int, C: int, L: int, BLOCK: int = 8) -> None:
    """Take every C-th entry: as if the channel were the last axis."""
    values = np.asarray(x, np.float64).reshape(N * L, C)
    mean[:], var[:] = values.mean(axis=0), values.var(axis=0)


_Variant = Callable[..., None]
_IDEAS: tuple[tuple[str, str, _Variant], ...] = (
    (
        "masked-lanes-in-variance",
        "The mean is right, but masked lanes count in your variance: `other=0.0` minus the mean is "
        "not 0. Put `where(i < m, x - mean, 0.0)` before you square.",
        masked_lanes_in_var,
    ),
    (
        "first-block-only",
        "Only the first block of each channel is read. A channel has N·L values: loop over it in "
        "steps of BLOCK.",
        first_block,
    ),
    (
        "first-block-only",
        "Only the first block of each channel is read. A channel has N·L values: loop over it in "
        "steps of BLOCK.",
        first_block_alone,
    ),
    (
        "divides-by-m-minus-1",
        "Your variance divides by m − 1. The batch is normalised with the biased variance, 1/m.",
        unbiased,
    ),
    (
        "divides-by-lanes",
        "You divided by the number of lanes, masked ones included (so does the mean of a block). "
        "Divide the sums by m = N·L, whatever BLOCK is.",
        divides_by_lanes,
    ),
    (
        "divides-by-lanes",
        "You divided by the number of lanes, masked ones included (so does the mean of a block). "
        "Divide the sums by m = N·L, whatever BLOCK is.",
        mean_of_block_means,
    ),
    (
        "divides-by-n",
        "You divided by N. A channel has m = N·L values: those of all places of all images.",
        divides_by_n,
    ),
    (
        "divides-by-n",
        "You took N for the number of a channel's values. It is m = N·L: those of all places of "
        "all images.",
        first_n,
    ),
    (
        "first-channel-only",
        "Every program reads channel 0. `c * L` belongs in the place of a value, with "
        "`c = program_id(0)`.",
        first_channel,
    ),
    (
        "mean-and-variance-swapped",
        "Mean and variance are in each other's place.",
        swapped,
    ),
    (
        "standard-deviation-for-variance",
        "You stored the standard deviation. The variance is asked for.",
        standard_deviation,
    ),
    (
        "variance-not-divided",
        "Your variance is the sum of the squares. Divide it by m.",
        sums,
    ),
    (
        "mean-not-subtracted",
        "Your variance is the mean of x². Subtract the channel's mean before you square.",
        mean_of_squares,
    ),
    (
        "wrong-channel-stride",
        "You read N·L neighbours as one channel. In (N, C, L) a channel's values of one image lie "
        "together, and those of the next image C·L entries further on.",
        contiguous_channels,
    ),
    (
        "first-image-only",
        "Only the first image is read. The statistics are those of the whole batch: value i lies "
        "in image i // L.",
        first_image,
    ),
    (
        "channels-last",
        "You took every C-th entry, as if the channel were the last axis. In (N, C, L) the places "
        "of a channel lie side by side.",
        channels_last,
    ),
)
MISCONCEPTIONS = tuple(Misconception(*idea) for idea in _IDEAS)
