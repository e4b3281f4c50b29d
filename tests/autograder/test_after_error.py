"""The panel appears even where an assert stopped the cell."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.after_error import find_check
from autograder.panel import RESULT_MIME

SETUP = "import numpy as np\nfrom autograder import check"
WRONG = "def center(x):\n    return x - x.mean()"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('assert 1\ncheck("u00.center", center)', ("u00.center", "center")),
        ('check("u00.center", center)\nassert 1', None),
        ('check("u00.center", f(3))', None),
        ("check(", None),
        ("", None),
        ("1 / 0", None),
    ],
)
def test_only_a_check_at_the_end_of_a_cell_counts(
    source: str, found: tuple[str, str] | None
) -> None:
    """Other cells that fail are none of our business."""
    assert find_check(source) == found


@pytest.mark.slow
def test_a_failed_assert_is_followed_by_the_panel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """The error stays for the grader, the panel tells the student why; a stub gets no panel."""
    monkeypatch.setenv("BATCHNORM_COURSE_PROGRESS", f"{tmp_path}/progress.json")
    test = 'assert center(np.eye(2)).sum() == 9, "no"\ncheck("u00.center", center)'
    stub = "def center(x):\n    raise NotImplementedError()"
    cells = [nbformat.v4.new_code_cell(s) for s in (SETUP, WRONG, test, stub, test)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    error, panel = notebook.cells[2].outputs
    assert error.ename == "AssertionError"
    assert panel.data[RESULT_MIME]["score"] == 0.0
    assert [o.output_type for o in notebook.cells[4].outputs] == ["error"]
