"""Signs of an answer that agrees with the right one in its first digits only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.vocabulary import Case
from autograder.worker.interpreter import Answer

FEW = 1e-3  # of the largest entry: rounding to three digits, a small constant, float32 on the way


def few_digits_of(name: str) -> Callable[[Case, Answer, Answer], bool]:
    """Make the signs for the output `name`: of the right shape, and right to three digits."""

    def few_digits(case: Case, answer: Answer, expected: Answer) -> bool:
        got, want = answer.values[name], np.asarray(expected.values[name])
        if not isinstance(got, np.ndarray | np.generic | float) or np.shape(got) != want.shape:
            return False  # a list of right numbers has another fault, and a name for it
        return bool(np.abs(got - want).max() <= FEW * np.abs(want).max())

    return few_digits
