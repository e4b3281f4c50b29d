"""Submissions that run alike have one digest, and others have another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from autograder.submission import Cell, Clean, Finding, code_digest

SOLUTION = Cell("solution", "f", "code", "def f(): ...", "f")
TEST = Cell("test", "test_f", "code", "check(f)", "test_f", 2.0)
OWN = Cell("own", "", "code", "x = 1", "own")
TEXT = Cell("own", "", "markdown", "Some text", "text")
MADE = Clean("u00_start", (SOLUTION, TEXT, OWN, TEST), files={"a.csv": b"1", "b.csv": b"2"})


@pytest.mark.parametrize(
    "other",
    [
        replace(MADE, findings=(Finding("line-ends", "..."),)),
        replace(MADE, cells=(SOLUTION, OWN, TEST)),
        replace(MADE, cells=(SOLUTION, replace(TEXT, source="Other"), OWN, TEST)),
        replace(MADE, cells=(replace(SOLUTION, id="other"), TEXT, OWN, TEST)),
        replace(MADE, cells=(SOLUTION, OWN, replace(TEST, source="check(f, 1)", points=9.0))),
        replace(MADE, files={"b.csv": b"2", "a.csv": b"1"}),
    ],
    ids=["findings", "text-gone", "text-edited", "ids", "test-text", "file-order"],
)
def test_what_does_not_run_does_not_matter(other: Clean) -> None:
    """Text, findings, ids, points, and the text of a test, whose place alone counts."""
    assert code_digest(other) == code_digest(MADE)


@pytest.mark.parametrize(
    "other",
    [
        replace(MADE, unit="u02_forward"),
        replace(MADE, cells=(OWN, TEXT, SOLUTION, TEST)),
        replace(MADE, cells=(SOLUTION, TEXT, TEST, OWN)),
        replace(MADE, cells=(SOLUTION, TEXT, OWN)),
        replace(MADE, cells=(replace(SOLUTION, source="def f(): pass"), TEXT, OWN, TEST)),
        replace(MADE, cells=(replace(SOLUTION, role="own", name=""), TEXT, OWN, TEST)),
        replace(MADE, cells=(SOLUTION, replace(TEXT, kind="code"), OWN, TEST)),
        replace(MADE, files={"a.csv": b"1"}),
        replace(MADE, files={"a.csv": b"1", "b.csv": b"3"}),
        replace(MADE, files={"a.csv": b"1", "c.csv": b"2"}),
    ],
    ids=lambda made: "",
)
def test_what_runs_matters(other: Clean) -> None:
    """Unit, order, text, roles, and the files beside."""
    assert code_digest(other) != code_digest(MADE)


def test_the_format_is_as_documented() -> None:
    """Another program can make the same number, and a new layout has to raise `FORMAT`."""
    files = [[p, hashlib.sha256(c).hexdigest()] for p, c in (("a.csv", b"1"), ("b.csv", b"2"))]
    cells = [["solution", "f", "def f(): ..."], ["own", "", "x = 1"], ["test", "test_f", None]]
    line = json.dumps([1, "u00_start", cells, files], separators=(",", ":"))
    assert code_digest(MADE) == hashlib.sha256(line.encode()).hexdigest()
