"""Black boxes: functions of arrays that a student names by asking them.

A box is told by numbers which entries share statistics, and never which norm that is. It has no
attributes, and its name and its text are those of every other box. What it is made of lies beside
it: who digs through memory finds a table that says no more than an honest question does, who
shares with whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import numpy as np

from autograder.worker.givens.registry import given

EPS = 1e-5


@dataclass(frozen=True, eq=False)
class _Inside:
    """What a box is made of, for samples of one shape."""

    labels: np.ndarray
    """Integers in the shape of two samples, (2, C, *spatial): entries of one label share a mean and
    a variance, within a sample and, where both samples have it, with all others. An entry that has
    its label to itself takes stored statistics."""
    mean: np.ndarray
    """The stored means, one for each entry."""
    var: np.ndarray
    """The stored variances."""
    gain: np.ndarray
    """Factor of each entry, at the end."""
    offset: np.ndarray
    """What is added to each entry after that."""
    dtype: str
    """The dtype that is computed in."""


class BlackBox:
    """An unknown function of arrays; the same array, the same answer."""

    __slots__ = ("__weakref__",)

    def __call__(self, x: Any) -> np.ndarray:
        """Answer to a batch of any size, in its dtype; the argument is left as it is."""
        return _answer(_INSIDES[self], x)

    def __repr__(self) -> str:
        """Say nothing."""
        return "<a black box>"

    def __copy__(self) -> BlackBox:
        """Return the box itself: it has nothing that could change."""
        return self

    def __deepcopy__(self, memo: object) -> BlackBox:
        """Return the box itself."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be taken apart."""
        raise TypeError("a black box cannot be pickled")


_INSIDES: WeakKeyDictionary[BlackBox, _Inside] = WeakKeyDictionary()


@given("black_box")
def black_box(**parts: Any) -> BlackBox:
    """Build a box from the fields of `_Inside`."""
    box = BlackBox()
    _INSIDES[box] = _Inside(**parts)
    return box


def _answer(inside: _Inside, x: Any) -> np.ndarray:
    batch = np.asarray(x)
    shape = inside.labels.shape[1:]
    if batch.dtype.kind not in "biuf" or batch.shape[1:] != shape or not len(batch):
        wanted = ", ".join(map(str, shape))
        raise ValueError(
            f"the box takes arrays of numbers of shape (N, {wanted}), N of at least 1; got "
            f"{batch.dtype} of shape {batch.shape}"
        )
    wide = np.array(batch, dtype=inside.dtype).reshape(len(batch), -1)
    with np.errstate(all="ignore"):  # whoever asks with nan or 1e300 gets an answer, no warning
        mean, var = _statistics(inside, wide)
        x_hat = (wide - mean) / np.sqrt(var + np.asarray(EPS, wide.dtype))
        y = x_hat * _row(inside.gain, wide) + _row(inside.offset, wide)
    dtype = batch.dtype if batch.dtype.kind == "f" else np.dtype(np.float64)
    return np.asarray(y.reshape(batch.shape).astype(dtype))


def _statistics(inside: _Inside, wide: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and biased variance for every entry of every sample.

    Each set is summed on its own: what is not in it cannot show, not even as a rounding or a nan.
    """
    mean, var = np.zeros_like(wide), np.zeros_like(wide)
    labels, others = inside.labels.reshape(2, -1)
    axes = (0, 1) if (labels == others).all() else (1,)
    found, counts = np.unique(labels, return_counts=True)
    for label in found[counts > 1]:
        together = labels == label
        values = np.ascontiguousarray(wide[:, together])
        center = values.mean(axis=axes, keepdims=True)
        mean[:, together] = center
        var[:, together] = np.square(values - center).mean(axis=axes, keepdims=True)
    alone = np.isin(labels, found[counts == 1])
    mean = np.where(alone, _row(inside.mean, wide), mean)
    return mean, np.where(alone, _row(inside.var, wide), var)


def _row(entries: np.ndarray, wide: np.ndarray) -> np.ndarray:
    return np.asarray(entries.reshape(1, -1).astype(wide.dtype))
