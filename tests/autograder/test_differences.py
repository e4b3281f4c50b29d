"""Differences are said in words that point to the fault and show no expected number."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.differences import describe, error_map, within

E = np.random.default_rng(0).normal(size=(5, 3)) + 2.0


def said(answer: np.ndarray, expected: np.ndarray = E) -> str:
    """Describe the difference."""
    return describe("dx", answer, expected, within(answer, expected, 1e-9, 1e-9))


def one_column(x: np.ndarray) -> np.ndarray:
    """Break column 1."""
    out = x.copy()
    out[:, 1] += np.arange(1, 6)
    return out


def one_row(x: np.ndarray) -> np.ndarray:
    """Break row 4."""
    out = x.copy()
    out[4] += [1, 2, 3]
    return out


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0 * E, "zero everywhere"),
        (-E, "wrong sign"),
        (3 * E, "3 times"),
        (E + 0.5, "off by the same amount everywhere"),
        (one_column(E), "column 1"),
        (one_row(E), "row 4"),
        (np.random.default_rng(1).normal(size=E.shape), "every entry"),
    ],
)
def test_the_pattern_is_named(answer: np.ndarray, words: str) -> None:
    """A constant factor, an offset, a sign, a row, a column."""
    assert words in said(answer)


def test_a_transposed_answer_is_named() -> None:
    """Rows and columns exchanged in a square matrix."""
    square = np.random.default_rng(2).normal(size=(4, 4))
    assert "transposed" in said(square.T, square)


def test_the_map_shows_where_and_only_where_words_do_not() -> None:
    """A picture for scattered errors, none for a constant factor."""
    answer = E.copy()
    answer[2, 1] += 1
    answer[0, 0] -= 0.5
    drawn = error_map(answer, E, within(answer, E, 1e-9, 1e-9))
    assert drawn is not None
    assert drawn[2][1] == 1.0
    assert drawn[0][0] == 0.5
    assert sum(value > 0 for row in drawn for value in row) == 2
    assert error_map(3 * E, E, within(3 * E, E, 1e-9, 1e-9)) is None


def test_a_factor_of_one_is_no_explanation() -> None:
    """An error just above the tolerance is not called a constant factor."""
    assert "times" not in said(E * (1 + 1e-6))


def test_a_symmetric_matrix_is_not_called_transposed() -> None:
    """Where rows and columns may be exchanged, an error has another reason."""
    square = np.random.default_rng(3).normal(size=(4, 4))
    symmetric = square + square.T
    assert "transposed" not in said(symmetric + 1e-6 * square, symmetric)
