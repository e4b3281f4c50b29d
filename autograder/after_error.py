"""Show an exercise's panel even if an assert above the check stopped the test cell.

A test cell holds a few plain asserts and then the check. Whoever fails an assert needs to be told
what is wrong most of all, so the panel is shown below the error. The error stays: a grader that
reads the cell still sees it.
"""

from __future__ import annotations

import ast
from typing import Any

from autograder.errors import AutograderError

SILENT = (NotImplementedError, NameError, SyntaxError, KeyboardInterrupt, AutograderError)


def register() -> None:
    """Watch the cells of the running notebook, once; do nothing outside of IPython."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None and _show_panel not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _show_panel)


def _show_panel(outcome: Any) -> None:
    error = outcome.error_in_exec
    if error is None or isinstance(error, SILENT):
        return
    found = find_check(outcome.info.raw_cell)
    if found is None:
        return
    from IPython import get_ipython

    from autograder.check import check

    exercise_id, name = found
    answer = get_ipython().user_ns.get(name)
    if callable(answer):
        check(exercise_id, answer)


def find_check(source: str) -> tuple[str, str] | None:
    """Return exercise and function of the ``check("u02.f", f)`` that a cell ends in, if it does."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    match body[-1] if body else None:
        case ast.Expr(
            ast.Call(
                func=ast.Name(id="check"),
                args=[ast.Constant(value=str(exercise_id)), ast.Name(id=name)],
            )
        ):
            return exercise_id, name
    return None
