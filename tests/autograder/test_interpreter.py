"""The interpreter runs plain operations and reports plain data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.worker.interpreter import run_script
from autograder.worker.script import Given, call, get, item, method, put, snapshot


class Counter:
    """A small object with state."""

    def __init__(self, start: int = 0) -> None:
        self.count = start

    def add(self, n: int) -> Counter:
        """Count up."""
        if n < 0:
            raise ValueError("n must not be negative")
        self.count += n
        return self


def test_every_operation_does_what_its_name_says() -> None:
    """Construct, call a method, set and read an attribute, read an item, keep a snapshot."""
    script = (
        call("Counter", "three", into="counter"),
        method("counter", "add", "three", into="same"),
        get("same", "count", into="six"),
        put("counter", "count", "ten"),
        get("counter", "count", into="after"),
        item("pair", 1, into="second"),
    )
    answer = run_script(
        script,
        {"three": 3, "ten": 10, "pair": (1, 2)},
        ("six", "after", "second"),
        {"Counter": Counter},
    )
    assert answer.failure is None
    assert answer.values == {"six": 6, "after": 10, "second": 2}


def test_a_changed_argument_is_seen_and_does_not_reach_the_case() -> None:
    """Inputs are copied for the run, and reported as they are afterwards."""
    x = np.ones(3)

    def shift(x: np.ndarray) -> None:
        x += 1

    answer = run_script((call("f", "x"),), {"x": x}, ("x",), {"f": shift})
    assert np.array_equal(answer.values["x"], np.full(3, 2.0))  # type: ignore[arg-type]
    assert np.array_equal(x, np.ones(3))


def test_a_snapshot_shows_the_value_before_a_later_change() -> None:
    """What a later step changes is kept as it was."""

    def shift(x: np.ndarray) -> None:
        x += 1

    script = (snapshot("x", into="before"), call("f", "x"))
    answer = run_script(script, {"x": np.zeros(2)}, ("before",), {"f": shift})
    assert np.array_equal(answer.values["before"], np.zeros(2))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(24.0).reshape(6, 4)[::2],
        np.arange(24.0).reshape(4, 6).T[::-2],
    ],
    ids=["C", "Fortran", "strided", "reversed"],
)
def test_the_memory_layout_of_an_input_is_kept(array: np.ndarray) -> None:
    """Student code gets the strides that the case asks for, writable and with the same numbers."""
    seen: list[Any] = []
    run_script((call("f", "x"),), {"x": array}, (), {"f": seen.append})
    assert seen[0].strides == array.strides
    assert seen[0].flags.writeable
    assert np.array_equal(seen[0], array)
    assert not np.shares_memory(seen[0], array)


def test_an_expected_error_is_a_value() -> None:
    """With `expect`, the answer is which error was raised, or that none was."""
    cases = {
        -1: "ValueError",
        1: "no error",
        "x": "TypeError",
    }
    for argument, expected in cases.items():
        script = (
            call("Counter", into="counter"),
            method("counter", "add", "n", into="error", expect="ValueError"),
        )
        answer = run_script(script, {"n": argument}, ("error",), {"Counter": Counter})
        assert answer.values["error"] == expected


def test_an_error_of_student_code_is_described() -> None:
    """Kind, text and failing step are kept; what was reported before is, too."""
    script = (call("Counter", into="c"), get("c", "count", into="n"), method("c", "add", "minus"))
    answer = run_script(script, {"minus": -1}, ("n",), {"Counter": Counter})
    assert answer.failure is not None
    assert (answer.failure.kind, answer.failure.step) == ("ValueError", 2)
    assert "negative" in answer.failure.message
    assert answer.values == {"n": 0}


def test_an_error_that_cannot_be_printed_is_described_all_the_same() -> None:
    """A student's exception whose text raises is no crash of the interpreter."""

    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def fail() -> None:
        raise UnspeakableError

    answer = run_script((call("f"),), {}, (), {"f": fail})
    assert answer.failure is not None
    assert answer.failure.kind == "UnspeakableError"


def test_leaving_the_interpreter_is_an_error_of_the_answer() -> None:
    """`exit()` in an answer ends its case, neither the check nor the notebook."""

    def leave() -> None:
        raise SystemExit(3)

    answer = run_script((call("f"),), {}, (), {"f": leave})
    assert answer.failure is not None
    assert (answer.failure.kind, answer.failure.message) == ("SystemExit", "3")


def test_a_missing_function_is_named() -> None:
    """A name that the student has not defined is no `KeyError`."""
    answer = run_script((call("batch_mean"),), {}, (), {})
    assert answer.failure is not None
    assert (answer.failure.kind, answer.failure.message) == ("MissingName", "batch_mean")


def test_given_helpers_are_built_where_the_code_runs() -> None:
    """A generator argument can be walked once, and a random one is seeded."""
    script = (call("list", "items", into="first"), call("list", "items", into="second"))
    items = Given("generator", {"items": [1, 2]})
    answer = run_script(script, {"items": items}, ("first", "second"), {"list": list})
    assert answer.values == {"first": [1, 2], "second": []}


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        (None, "None"),
        (3.0, "a `float`"),
        (np.float64(3.0), "a `float64`"),
        ((), "a `tuple` of length 0"),
    ],
)
def test_a_result_without_parts_is_no_error_of_the_student(returned: object, named: str) -> None:
    """A forgotten return is said as such, not as a `TypeError` in our script."""
    script = (call("f", into="out"), item("out", 0, into="first"))
    answer = run_script(script, {}, ("first",), {"f": lambda: returned})
    assert answer.failure is not None
    assert (answer.failure.kind, answer.failure.message) == ("NoItems", named)


def test_a_function_of_the_students_can_be_an_argument() -> None:
    """A helper launches a kernel, or watches a call: it gets the function by its name."""
    inputs = {"twice": Given("identity"), "three": 3}
    script = (call("twice", "double", into="f"), call("f", "three", into="six"))
    answer = run_script(script, inputs, ("six",), {"double": lambda x: 2 * x})
    assert answer.values == {"six": 6}
    missing = run_script(script, inputs, ("six",), {})
    assert missing.failure is not None
    assert (missing.failure.kind, missing.failure.message) == ("MissingName", "double")
