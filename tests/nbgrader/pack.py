"""Pack every variant of a unit into one notebook, each with the unit's own test cell behind it."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.variants import Variant

MARKERS = re.compile(
    r"^ *### .*(\n|\Z)", re.M
)  # BEGIN SOLUTION and the like, for solution cells only
REMEMBER = "_right = dict(globals())"
FORGET = """\
for _name in [n for n in globals() if not n.startswith("_") and n not in _right]:
    del globals()[_name]
globals().update({{n: v for n, v in _right.items() if not n.startswith("_")}})
del {name}"""


def test_cell_id(number: int, variant: Variant) -> str:
    """Name of the test cell behind a variant."""
    return f"test_{variant.exercise}__{number}"


test_cell_id.__test__ = False  # type: ignore[attr-defined]


def pack(source: Path, variants: list[Variant]) -> NotebookNode:
    """Return a notebook that runs all variants, one after the other, in a unit's own namespace.

    First the source notebook's given cells and solutions run. Then, for each variant: the names
    are put back to what they were, without the exercise's own; the variant is defined; the
    exercise's test cell, copied word for word, marks it.
    """
    notebook = nbformat.read(source, as_version=4)
    cells = {_grade_id(cell): cell for cell in notebook.cells if _grade_id(cell)}
    notebook.cells = [
        nbformat.v4.new_code_cell(MARKERS.sub("", cell.source).strip())
        for name, cell in cells.items()
        if not name.startswith("test_") and cell.cell_type == "code"
    ]
    notebook.cells.append(nbformat.v4.new_code_cell(REMEMBER))
    for number, variant in enumerate(variants):
        test = copy.deepcopy(cells[f"test_{variant.exercise}"])
        test.metadata["nbgrader"]["grade_id"] = test_cell_id(number, variant)
        test.id = f"test-{number}"
        notebook.cells += [
            nbformat.v4.new_code_cell(FORGET.format(name=variant.exercise)),
            nbformat.v4.new_code_cell(variant.source.strip()),
            test,
        ]
    return notebook


def _grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
