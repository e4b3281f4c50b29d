"""Look for what must not reach a student: solutions, hidden tests, traces of the build."""

from __future__ import annotations

import re

from nbformat import NotebookNode

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "HAND OUT")
SHORT_LINE = 15  # characters: a shorter line (`return x`) says nothing about a solution
REGION = re.compile(
    r"### BEGIN SOLUTION\n(?P<solution>.*?)(?:### HAND OUT.*?)?### END SOLUTION", re.S
)


def find_leaks(source: NotebookNode, release: NotebookNode) -> list[str]:
    """List in words what of `source` shows in `release`; empty if nothing does."""
    found = [f"the metadata holds {key!r}" for key in release.metadata if key == "jupytext"]
    for cell in release.cells:
        found += [f"cell {cell.id}: {word!r}" for word in MARKERS if word in cell.source]
        found += [f"cell {cell.id}: jupytext metadata"] if "jupytext" in cell.metadata else []
        found += [f"cell {cell.id}: outputs"] if cell.get("outputs") else []
    released = {line.strip() for cell in release.cells for line in cell.source.splitlines()}
    found += [
        f"solution line {line!r}" for line in sorted(solution_lines(source)) if line in released
    ]
    return found


def solution_lines(source: NotebookNode) -> set[str]:
    """Return the telling lines of all solution regions, stripped."""
    lines = {
        line.strip()
        for cell in source.cells
        for match in REGION.finditer(cell.source)
        for line in match["solution"].splitlines()
    }
    return {line for line in lines if len(line) >= SHORT_LINE and not line.startswith("#")}
