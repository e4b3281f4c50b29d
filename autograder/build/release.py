"""Make what students get from what instructors have, with nbgrader's own preprocessors."""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from autograder.errors import BuildError

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
HAND_OUT = "### HAND OUT"
REGION = re.compile(
    rf"^[ \t]*### {BEGIN}\n(?:(?!.*{END}).*\n)*?[ \t]*{HAND_OUT}\n"
    rf"(?P<lines>(?:.*\n)*?)[ \t]*### {END}(?:\n|$)",
    re.M,
)


class HandOut(ClearSolutions):  # type: ignore[misc]
    """Clear solutions; where a region holds ``### HAND OUT``, leave the lines below it instead.

    Those lines stand commented out in the source, and reach the student without the ``#``: that is
    how an exercise hands out code with a planted bug.
    """

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        handed_out = REGION.search(cell.source) is not None
        if handed_out:
            cell.source = REGION.sub(_without_comment_signs, cell.source).rstrip("\n")
        return bool(super()._replace_solution_region(cell, language)) or handed_out


def _without_comment_signs(region: re.Match[str]) -> str:
    return re.sub(r"(?m)^([ \t]*)# ?", r"\1", region["lines"])


# generate_assignment's own list without the gradebook (SaveCells) and the header notebook
PREPROCESSORS = (
    LockCells,
    HandOut,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)


def to_release(source: NotebookNode) -> NotebookNode:
    """Return the student's version of a source notebook; the argument is not changed.

    Raises
    ------
    BuildError
        If a preprocessor of nbgrader's refuses the notebook: a region without an end, say.
    """
    notebook = copy.deepcopy(source)
    resources: dict[str, object] = {}
    try:
        for preprocessor in PREPROCESSORS:
            notebook, resources = preprocessor().preprocess(notebook, resources)
    except (RuntimeError, ValueError) as error:
        raise BuildError(f"The release cannot be made: {error}.") from error
    return notebook
