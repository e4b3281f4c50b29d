"""A made-up class of u02_forward: 24 kinds of honest work, as often as asked, never twice the same.

None of them waits for a time limit, and none uses a ready-made solution.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.exercises import exercises_of
from tests.variants import Variant, load

UNIT = "u02_forward"
PRINTS = 'for row in range(40):\n    print("row", row, np.linspace(0.0, row, 6))'
PLOT = """\
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5, 3))
grid = np.linspace(-3.0, 3.0, 200)
axes.plot(grid, np.tanh(grid), label="squashed")
axes.hist(np.sin(np.arange(400.0)), bins=30, density=True, alpha=0.5, label="a sample")
axes.set_xlabel("x")
axes.legend()
plt.show()"""
TORCH = "import torch\n\ntorch.arange(6.0).reshape(3, 2).mean(dim=0)"
SYNTAX_ERROR = "def batch_var(x, mean):\n    return ((x - mean) ** 2).mean(axis=0"
NAME_ERROR = "batchnorm_forwards(np.ones((4, 2)), 1.0, 0.0)"
NO_SUCH_PACKAGE = "import batchnorm_helpers_of_mine as helpers"
NOT_HONEST = ("ready-made",)
BY_HEART = "by heart"


@dataclass(frozen=True)
class Kind:
    """One kind of work."""

    wrong: tuple[str, ...] = ()
    """Exercises with a mistake."""
    missing: tuple[str, ...] = ()
    """Exercises left as handed out."""
    own_cells: tuple[str, ...] = ()
    """Cells of the student's own."""
    broken: tuple[tuple[str, str], ...] = ()
    """Exercises with a text that is no answer at all."""


NAMES = tuple(exercise.name for exercise in exercises_of(UNIT))
MEAN, VAR, NORMALIZE, FORWARD, AFFINE, STREAMING = NAMES
KINDS = (
    *(Kind(), Kind(own_cells=(PRINTS,)), Kind(own_cells=(PLOT,)), Kind(own_cells=(TORCH,))),
    *(Kind(), Kind(own_cells=(PRINTS, PLOT)), Kind(), Kind(own_cells=(PLOT, PLOT))),
    *(Kind(wrong=(MEAN,)), Kind(wrong=(VAR, STREAMING)), Kind(wrong=(NORMALIZE,))),
    *(Kind(wrong=(FORWARD,), own_cells=(PRINTS,)), Kind(wrong=(AFFINE,), own_cells=(PLOT,))),
    *(Kind(wrong=(STREAMING,)), Kind(wrong=(FORWARD, AFFINE)), Kind(wrong=NAMES)),
    *(Kind(missing=(STREAMING,)), Kind(missing=(AFFINE, STREAMING), own_cells=(PRINTS,))),
    *(Kind(missing=NAMES[2:], wrong=(VAR,)), Kind(missing=NAMES[1:], own_cells=(TORCH,))),
    *(Kind(broken=((VAR, SYNTAX_ERROR),)), Kind(own_cells=(NAME_ERROR,))),
    *(Kind(own_cells=(NO_SUCH_PACKAGE, PLOT)), Kind(missing=NAMES)),
)


def hand_in(course: Path, first: int, number: int) -> list[str]:
    """Put the work of students `first`, `first` + 1, ... under ``submitted``; return their names.

    Student ``n`` does the ``n % 24``-th kind of work. Every text differs from everyone else's.
    """
    name = UNIT.partition("_")[2]
    released = nbformat.read(course / "release" / UNIT / f"{name}.ipynb", as_version=4)
    students = []
    for place, notebook in enumerate(_notebooks(released, first, number), start=first):
        students.append(f"student{place:05}")
        path = course / "submitted" / students[-1] / UNIT / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return students


def _notebooks(released: NotebookNode, first: int, number: int) -> Iterator[NotebookNode]:
    variants = [v for v in load(UNIT) if v.names not in NOT_HONEST and BY_HEART not in v.title]
    for place in range(first, first + number):
        yield _worked_on(released, variants, place)


def _worked_on(released: NotebookNode, variants: list[Variant], place: int) -> NotebookNode:
    """Return one student's notebook: the kind decides what is in it, the place makes it unique."""
    kind = KINDS[place % len(KINDS)]
    draw = random.Random(place % len(KINDS))
    notebook = copy.deepcopy(released)
    sources = _sources(kind, variants, draw)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in sources:
            cell.source = f"# attempt {place}\n{sources[name]}"
    after = next(i for i, c in enumerate(notebook.cells) if c.cell_type == "code") + 1
    own = (f"attempt = {place}", *kind.own_cells)
    notebook.cells[after:after] = [
        nbformat.v4.new_code_cell(text, id=f"own-{place}-{n}") for n, text in enumerate(own)
    ]
    return notebook


def _sources(kind: Kind, variants: list[Variant], draw: random.Random) -> dict[str, str]:
    broken = dict(kind.broken)
    sources = {}
    for name in NAMES:
        found = [v for v in variants if v.exercise == name and v.right is (name not in kind.wrong)]
        if "torch" not in "".join(kind.own_cells):  # torch takes a cell of its own to load
            found = [v for v in found if "torch" not in v.source]
        if name not in kind.missing:
            sources[name] = broken.get(name) or draw.choice(found).source.strip()
    return sources
