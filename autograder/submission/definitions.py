"""Which names a cell's code binds at its top level, told without running or compiling it.

Cells hold magics and half-finished lines, so they often do not parse; and a compiler fed with
strangers' text can be made to run out of stack. A scan over lines, strings and comments can not.
"""

from __future__ import annotations

import ast
import re
import warnings

SCAN_LIMIT = 2**18  # characters: no answer is longer, and the scan stays below a tenth of a second
PARSE_LIMIT = 2**14  # characters: as much as the parser can take without a stack to fear for

TOKENS = re.compile(
    r"""
      \#[^\n]*                                             # a comment
    | ('{3}|"{3})(?:\\.|[^\\])*?\1                         # a long string
    | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*"            # a short one
    | \\.                                                  # a quote that opens nothing
    | ^(?:async[ \t]+)?(?:def|class)[ \t]+(?P<defined>\w+)
    | ^(?P<assigned>\w+)[ \t]*(?::[^=\n]*)?=(?!=)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)

DEFINING = ("def ", "def\t", "class ", "class\t")  # without one of these nothing is defined


def defined_names(source: str) -> frozenset[str]:
    """Return the functions and classes that a text of Python defines at its top level."""
    if not any(word in source for word in DEFINING):
        return frozenset()
    return _names(source, "defined")


def assigned_names(source: str) -> frozenset[str]:
    """Return the names that a text of Python assigns to at its top level."""
    return _names(source, "assigned")


def _names(source: str, group: str) -> frozenset[str]:
    if len(source) > SCAN_LIMIT:
        return frozenset()
    return frozenset(m[group] for m in TOKENS.finditer(source) if m[group])


def is_python(source: str) -> bool:
    """Say whether a text of reasonable length parses as Python."""
    if len(source) > PARSE_LIMIT:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
