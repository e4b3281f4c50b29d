"""Cells that go past IPython's own reading must be those that it would leave as they are."""

from __future__ import annotations

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from autograder.worker.notebook import is_plain
from tests.course.test_notebooks import ROOT
from tests.worker.conftest import Talk

LINES = (
    *("x = 1", "    y = x", "", "   ", "# a remark?", "s = 'a?'", "def f(x):", "  return x", ")"),
    *("%time x", "!ls", "x?", "?x", "x??", ">>> x", "... x", "In [1]: x", "%%timeit", "  %pwd"),
    *(
        "a = %time x",
        "a = !ls",
        "a = \\",
        "%pwd",
        "a != b",
        "a % b",
        "b %= 2",
        ",f a",
        ";f a",
        "/f a",
    ),
    *('"""', "%d", "!r", "print(f'{x!r}')", "x = [", "  1 % 2,", "]", "...", "@f", "a, b = !ls"),
    *("lambda: %x", "x; y", "ls", "f(x) ?", "x ? ", "a =", "=%ls", "\\", "\f", "\tx", "…?"),
)


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=6), st.sampled_from(["", "\n"]))
def test_ipython_leaves_a_plain_cell_as_it_is(lines: list[str], end: str) -> None:
    """Whatever the lines: what is called plain, IPython would not have changed."""
    cell = "\n".join(lines) + end

    if is_plain(cell):
        try:
            changed = TransformerManager().transform_cell(cell)
        except IndentationError:  # which it is for Python as well
            with pytest.raises(IndentationError):
                compile(cell, "<cell>", "exec")
        else:
            assert changed == cell.removesuffix("\n") + "\n"


def test_the_course_is_mostly_plain() -> None:
    """The short cut would be of no use if it was hardly ever taken."""
    book = nbformat.read(ROOT / "source" / "u02_forward" / "forward.ipynb", as_version=4)
    cells = [c.source for c in book.cells if c.cell_type == "code" and "\n" in c.source]

    assert sum(map(is_plain, cells)) > 0.8 * len(cells)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_transform_of_the_notebooks_own_is_used(talk: Talk, end: str) -> None:
    """A cell may add a transform; from then on all cells go through it."""
    talk.cell(
        "def shout(lines):\n    return [line.replace('quiet', 'loud') for line in lines]\n"
        "get_ipython().input_transformers_post.append(shout)"
    )

    assert "loud" in talk.said("x = 1\nprint('quiet')" + end)
