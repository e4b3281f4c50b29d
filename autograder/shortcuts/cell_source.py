"""Read a notebook cell as Python: magics dropped, what is no Python left out."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache

PYTHON_MAGICS = ("time", "timeit", "capture", "prun")  # cell magics whose cell is Python
COMMAND = re.compile(r"^(?P<indent>\s*)(?P<target>[\w\s,.\[\]]+=\s*)?[%!]")
TIMED = re.compile(r"^(\s*)%(?:time|timeit)\s+(?!-)(.+)$")
HELP = re.compile(r"^\s*\?{0,2}[\w.*]*\w\?{0,2}\s*$")


@lru_cache(maxsize=256)  # the cells of one notebook, read once for all of its exercises
def parse_cell(source: str) -> ast.Module | None:
    """Parse a cell; None if it is not Python even without its magics. Line numbers are kept.

    The same text gives the same tree: it is not to be changed.
    """
    tree = _parse(source)
    if tree is not None:
        return tree
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        magic = lines[first][2:].split(None, 1)
        if not magic or magic[0] not in PYTHON_MAGICS:
            return None
        lines[first] = ""
    return _parse("\n".join(_without_magics(line) for line in lines))


def parse_text(text: str, line: int) -> ast.Module | None:
    """Parse a program in a string as if all of it stood in one line: the one of the string."""
    tree = parse_cell.__wrapped__(text)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno = line
    return tree


def _without_magics(line: str) -> str:
    timed = TIMED.match(line)
    if timed:
        return timed[1] + timed[2]
    command = COMMAND.match(line)
    if command:
        if not command["target"]:
            return _pass(line)
        return f"{command['indent']}{command['target'].rstrip()} None"
    return _pass(line) if "?" in line and HELP.match(line) else line


def _pass(line: str) -> str:
    return line[: len(line) - len(line.lstrip())] + "pass"


def _parse(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a student's string is not our matter
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
