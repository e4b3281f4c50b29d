"""Where locked cells stand: back in their place, and each test after its solution."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.clean import Cell, Finding
from autograder.submission.master import Master


def put_back(master: Master, cells: Sequence[Cell]) -> tuple[list[Cell], list[Finding]]:
    """Insert missing locked and manually graded cells right after the cell they followed."""
    placed, findings, place = list(cells), [], 0
    for cell in master.cells:
        found = next((i for i, other in enumerate(placed) if _is_same(cell, other)), None)
        if found is not None:
            place = found + 1
        elif cell.role in ("test", "given", "manual"):
            placed.insert(place, cell)
            place += 1
            text = f"The cell `{cell.name}` was missing; it was put back as it was handed out."
            findings.append(Finding(f"{cell.role}-cell-put-back", text, cell.name))
        elif cell.role == "solution":
            text = f"No cell answers `{cell.name}`: its cell is missing, and no other defines it."
            findings.append(Finding("solution-missing", text, cell.name))
    return placed, findings


def _is_same(cell: Cell, other: Cell) -> bool:
    if cell.role == "own":
        return other.role == "own" and other.id == cell.id
    return other.name == cell.name


def tests_after_solutions(
    master: Master, cells: Sequence[Cell]
) -> tuple[list[Cell], list[Finding]]:
    """Move each test that stands before its solution to right after it."""
    placed, findings = list(cells), []
    for exercise in master.exercises:
        at = {cell.name: i for i, cell in enumerate(placed) if cell.role != "own"}
        test = master.test_of(exercise)
        if test is None or exercise not in at or at[test] > at[exercise]:
            continue
        placed.insert(at[exercise], placed.pop(at[test]))
        text = f"The test cell `{test}` stood before `{exercise}`; it was moved behind it."
        findings.append(Finding("test-cell-moved", text, test))
    return placed, findings
