"""Only plain data passes from student code to the judge."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from autograder.worker.values import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, Foreign, plain


class LyingArray(np.ndarray):
    """An array that calls itself equal to everything."""

    def __eq__(self, other: object) -> Any:
        return True

    def copy(self, order: Any = "C") -> Any:  # noqa: D102
        return "no array at all"


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "text", [1, [2]], (1, 2), {"a": [1.0]}, np.float32(1), np.int64(2)],
)
def test_plain_data_passes_unchanged(value: object) -> None:
    """Numbers, strings, None, lists, tuples and dicts come through as they are."""
    assert plain(value) == value
    assert type(plain(value)) is type(value)


def test_an_array_is_copied() -> None:
    """What student code does to its array later is not seen."""
    array = np.ones(3)
    passed = plain(array)
    array[:] = 7
    assert np.array_equal(passed, np.ones(3))  # type: ignore[arg-type]


def test_a_subclass_of_array_loses_its_methods() -> None:
    """A lying ndarray subclass arrives as the base array that it really holds."""
    passed = plain(np.arange(3.0).view(LyingArray))
    assert type(passed) is np.ndarray
    assert not (passed == np.ones(3)).all()


def test_a_named_tuple_arrives_as_a_tuple() -> None:
    """Students may return a NamedTuple where a tuple is asked for."""
    pair = namedtuple("pair", "a b")
    assert plain(pair(1, 2)) == (1, 2)
    assert type(plain(pair(1, 2))) is tuple


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: 0,
        {1, 2},
        {1: "key is no string"},
        np.array(["text"]),
        np.array([object()]),
    ],
)
def test_anything_else_is_foreign(value: object) -> None:
    """What is no plain data becomes a name of its type."""
    assert isinstance(plain(value), Foreign)


def test_too_large_an_answer_is_foreign() -> None:
    """Bytes, entries and depth of an answer are bounded."""
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]
    assert isinstance(plain(np.broadcast_to(np.float64(0), MAX_BYTES // 8 + 1)), Foreign)
    assert isinstance(plain([0] * (MAX_ITEMS + 1)), Foreign)
    assert "Foreign" in repr(plain(deep))


def test_a_list_that_holds_itself_ends() -> None:
    """A cycle is cut at the depth limit."""
    cycle: list[Any] = []
    cycle.append(cycle)
    assert "Foreign" in repr(plain(cycle))
