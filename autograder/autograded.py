"""The autograded notebook: the clean submission with what it showed, its marks and our findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import nbformat

from autograder.panel import Panel
from autograder.shown import Output
from autograder.submission import Cell, Clean, Master, render
from autograder.vocabulary import Result, Verdict

FINDINGS_ID = "autograder-findings"


def autograded(
    clean: Clean,
    master: Master,
    results: Mapping[str, Result],
    outputs: Mapping[int, list[Output]],
) -> nbformat.NotebookNode:
    """Return the notebook that formgrader shows; the same for the same input.

    Parameters
    ----------
    clean, master
        The submission, and what was handed out.
    results
        By the exercise's name: each goes into the exercise's test cell, as a panel and as the
        number that nbgrader reads.
    outputs
        What the other cells showed, by index.
    """
    shown = dict(outputs)
    for index, cell in enumerate(clean.cells):
        result = results.get(cell.name.removeprefix("test_")) if cell.role == "test" else None
        if result is not None:
            shown[index] = test_outputs(result)
    if clean.findings:
        clean = replace(clean, cells=(_findings_cell(clean), *clean.cells))
        shown = {index + 1: items for index, items in shown.items()}
    return render(clean, shown, master)


def test_outputs(result: Result) -> list[Output]:
    """Return what a test cell shows: the panel, and the points as nbgrader reads them.

    Of times nothing is said: the same work gives the same notebook.
    """
    panel = Panel(replace(result, seconds=0.0))._repr_mimebundle_()
    display: Output = {"output_type": "display_data", "data": panel, "metadata": {}}
    if result.verdict is Verdict.NOT_GRADED:
        error = {"ename": "NotGraded", "evalue": result.message, "traceback": [result.message]}
        return [{"output_type": "error", **error}]
    points = {"text/plain": repr(float(result.score))}
    value = {"output_type": "execute_result", "data": points, "metadata": {}}
    return [display, {**value, "execution_count": None}]


def to_bytes(notebook: nbformat.NotebookNode) -> bytes:
    """Return the file's content: JSON with a line for each cell.

    nbformat's own writer indents, copies and validates, which takes longer than the grading.
    """
    cells = ",\n".join(_line(cell) for cell in notebook.cells)
    rest = _line({key: value for key, value in notebook.items() if key != "cells"})
    return f'{{"cells": [\n{cells}\n],\n{rest.removeprefix("{")}\n'.encode()


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _findings_cell(clean: Clean) -> Cell:
    lines = [f"- {_plain(finding.text)}" for finding in clean.findings]
    text = "**What the grader had to repair in this notebook**\n\n" + "\n".join(lines)
    taken = {cell.id for cell in clean.cells}
    name = FINDINGS_ID
    while name in taken:
        name += "-1"
    return Cell("own", "", "markdown", text, name)


def _plain(text: str) -> str:
    """Keep what a student chose, a name of a file say, from being read as Markdown or HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("](", "] (")
