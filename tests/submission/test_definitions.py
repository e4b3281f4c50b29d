"""What a cell defines is told without running or parsing it."""

from __future__ import annotations

import time

import pytest

from autograder.submission.definitions import (
    PARSE_LIMIT,
    SCAN_LIMIT,
    assigned_names,
    defined_names,
    is_python,
)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x",
        "import numpy as np\n\n@np.vectorize\ndef f(x): return x",
        "%matplotlib inline\n!ls\ndef f(x)\n    retrn x",
        "async def f(): ...",
        "class f:\n    def g(self): ...",
        "text = '''\ndef g(): ...\n'''\ndef f(): ...",
        "it = \"don't\"  # isn't\ndef f(): ...",
        "it's no python\ndef f(): ...",
    ],
)
def test_definition_at_the_top_is_seen(source: str) -> None:
    """Decorated, beside magics, in a cell that does not even parse."""
    assert defined_names(source) == {"f"}


@pytest.mark.parametrize(
    "source",
    [
        "if True:\n    def f(): ...",
        "class g:\n    def f(self): ...",
        "'''\ndef f(): ...\n'''",
        '"""An example:\n\ndef f(): ...\n"""',
        "# def f(): ...",
        "define = f",
        "x = f(1)",
    ],
)
def test_what_only_looks_like_one_is_not(source: str) -> None:
    """Text in strings and comments, methods, and nested functions define nothing here."""
    assert "f" not in defined_names(source)


def test_assignments_at_the_top() -> None:
    """Plain and annotated; a comparison, an item and an indented one are none."""
    source = "f = 1\ng: int = 2\nh == 3\nk[0] = 4\nif f:\n    m = 5\n"
    assert assigned_names(source) == {"f", "g"}


@pytest.mark.parametrize(
    "unit",
    ["'", '"', "\\'", "'''\\", "'\\", "\"'", "def ", "a", " ", "\n'", "a:", "#", "f(", "'''\n'"],
)
def test_no_text_makes_the_scan_slow(unit: str) -> None:
    """Twice the text takes about twice the time, not four times: a second is far above it."""
    source = unit * (SCAN_LIMIT // len(unit))
    start = time.perf_counter()
    defined_names(source)
    assert time.perf_counter() - start < 1


def test_very_long_text_defines_nothing() -> None:
    """An answer is not a quarter of a million characters long."""
    assert defined_names("def f(): ...\n" + "#" * SCAN_LIMIT) == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): ...", True),
        (r"s = '\d'", True),
        ("I tried", False),
        ("%time x", False),
        ("a\0b", False),
        ("x = 1\n" * PARSE_LIMIT, False),
        ("(" * 5000, False),
        ("-" * (PARSE_LIMIT - 1) + "1", False),
        ("f" + "()" * 5000, False),
        ("1" + "+1" * 8000, False),
        ("a" + ".a" * 8000, False),
    ],
)
def test_parsing_never_fails(source: str, expected: bool) -> None:
    """Neither a warning, nor an error, nor a stack that runs out."""
    assert is_python(source) is expected
