"""Read from x and y what noise was put on each feature: a shift and a factor, if it is that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from autograder.vocabulary import Judgement

TOO_CLOSE = 1e-12  # in units of the values: factors of all features that agree to this are one


class Form(Enum):
    """What shares one shift and one factor."""

    FEATURE = "the rows of a feature"
    ROW = "the features of a row"
    ONE = "all entries"
    ENTRY = "nothing"


@dataclass(frozen=True)
class Noise:
    """What was done to x."""

    form: Form
    """What shares one shift and factor."""
    shift: np.ndarray
    """Of each feature, (C,); meaningless if the form is another."""
    factor: np.ndarray
    """Of each feature, (C,)."""
    slack: float
    """How exactly they are known."""


def read(y: Any, x: np.ndarray) -> np.ndarray | Judgement:
    """Return y if it has the form of x, else what is wrong with it."""
    if y is None:
        return Judgement(0.0, "`noisy` returns None. Did you forget the `return`?", "type")
    if not isinstance(y, np.ndarray):
        text = f"`noisy` must return a tensor; it returns a `{getattr(y, 'type_name', type(y))}`."
        return Judgement(0.0, text, "type")
    if y.shape != x.shape:
        text = f"The result must have the shape of x, {x.shape}; it has {y.shape}."
        return Judgement(0.0, text, "shape")
    if y.dtype != x.dtype:
        text = f"The result is {y.dtype} for an x of {x.dtype}. Draw with `dtype=x.dtype`."
        return Judgement(0.0, text, "dtype")
    if not np.isfinite(y).all():
        return Judgement(0.0, "The result is nan or infinite in some entries.", "not-finite")
    return y


def fit(x: np.ndarray, y: np.ndarray, slack: float) -> Noise:
    """Fit a straight line to each feature, and say whether it is one."""
    shift, factor, straight = _lines(x, y, slack)
    if not straight:
        _, _, by_row = _lines(x.T, y.T, slack)
        return Noise(Form.ROW if by_row and x.shape[1] > 2 else Form.ENTRY, shift, factor, slack)
    one = len(shift) > 1 and max(np.ptp(shift), np.ptp(factor)) <= TOO_CLOSE + slack / 100
    silent = np.abs(x - y).max() <= slack  # no noise at all is no question of who shares it
    return Noise(Form.ONE if one and not silent else Form.FEATURE, shift, factor, slack)


def _lines(x: np.ndarray, y: np.ndarray, slack: float) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return shifts and factors of the columns, and whether all entries lie on the lines."""
    wide, high = x.astype(np.float64), y.astype(np.float64)
    centered = wide - wide.mean(axis=0)
    factor = (centered * high).sum(axis=0) / (centered**2).sum(axis=0)
    shift = high.mean(axis=0) - factor * wide.mean(axis=0)
    return shift, factor, bool(np.abs(high - factor * wide - shift).max() <= slack)
