"""Cheats in the notebook file and in the files beside it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from tests.adversarial.case import IDLE, Case, find

WRONG = {"center": "nothing wrong"}
SCRIPT = "<script>fetch('http://127.0.0.1:@PORT@/')</script>"
FULL_OUTPUT = {
    "output_type": "execute_result",
    "execution_count": 1,
    "metadata": {},
    "data": {"text/plain": "1.0"},
}


def _edited(
    name: str,
    why: str,
    edit: Callable[[NotebookNode], None],
    *shows: str,
    gets: dict[str, str] | None = None,
    answer: str = IDLE,
) -> Case:
    """Make a cheat in the cells: its answer to `center` is worth nothing."""
    return Case(
        name,
        why,
        WRONG if gets is None else gets,
        answers={"center": answer},
        edit=edit,
        shows=shows,
    )


def _duplicate_test(nb: NotebookNode) -> None:
    again = copy.deepcopy(find(nb, "test_center"))
    again.source, again.id = "1.0", "again"
    nb.cells.append(again)


def _delete_test(nb: NotebookNode) -> None:
    nb.cells.remove(find(nb, "test_center"))


def _edit_test(nb: NotebookNode) -> None:
    find(nb, "test_center").source = "1.0"


def _move_test(nb: NotebookNode) -> None:
    test = find(nb, "test_center")
    nb.cells.remove(test)
    nb.cells.insert(1, test)


def _points(nb: NotebookNode) -> None:
    find(nb, "test_center").metadata.nbgrader.points = 1000
    find(nb, "center").metadata.nbgrader.update(grade=True, points=1000)


def _flags(nb: NotebookNode) -> None:
    find(nb, "test_center").metadata.nbgrader.update(grade=False, locked=False, solution=True)


def _rename(nb: NotebookNode) -> None:
    find(nb, "test_center").metadata.nbgrader.grade_id = "test_column_scale"


def _swap(nb: NotebookNode) -> None:
    a, b = find(nb, "test_center"), find(nb, "test_column_scale")
    a.metadata.nbgrader, b.metadata.nbgrader = b.metadata.nbgrader, a.metadata.nbgrader


def _tags(nb: NotebookNode) -> None:
    for cell in nb.cells:
        cell.metadata["tags"] = ["skip-execution", "raises-exception", "remove_cell"]


def _outputs(nb: NotebookNode) -> None:
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(FULL_OUTPUT)]


def _kernel(nb: NotebookNode) -> None:
    nb.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}
    nb.metadata["language_info"] = {"name": "bash"}


def _no_metadata(nb: NotebookNode) -> None:
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({})
    nb.metadata = nbformat.from_dict({})


def _scripts(nb: NotebookNode) -> None:
    nb.cells.append(nbformat.v4.new_markdown_cell(SCRIPT, id="md"))
    nb.cells.append(nbformat.v4.new_raw_cell(SCRIPT, id="raw"))
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT}}
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(shown)]


def _attachments(nb: NotebookNode) -> None:
    cell = nbformat.v4.new_markdown_cell("![x](attachment:x.svg)", id="att")
    cell["attachments"] = {"x.svg": {"image/svg+xml": SCRIPT}}
    nb.cells.append(cell)


def _many_cells(nb: NotebookNode) -> None:
    nb.cells += [nbformat.v4.new_code_cell("", id=f"cell-{n}") for n in range(2000)]


def _task(nb: NotebookNode) -> None:
    cell = nbformat.v4.new_markdown_cell("full marks", id="task")
    cell.metadata["nbgrader"] = {
        "grade": True,
        "task": True,
        "points": 100,
        "grade_id": "bonus",
        "locked": True,
        "solution": False,
        "schema_version": 3,
    }
    nb.cells.append(cell)


CELLS = (
    _edited("test-duplicated", "a second test cell with the same name", _duplicate_test),
    _edited("test-deleted", "no test cell", _delete_test),
    _edited("test-edited", "the test cell is `1.0`", _edit_test, "was edited"),
    _edited(
        "test-moved",
        "the test before the answer",
        _move_test,
        gets={},
        answer="def center(x):\n    return x - x.mean(axis=0)",
    ),
    _edited("points-raised", "1000 points", _points, "grading metadata"),
    _edited("flags-flipped", "the test is a solution", _flags, "grading metadata"),
    _edited("test-renamed", "the test bears another test's name", _rename),
    _edited("tests-swapped", "two tests bear each other's names", _swap),
    _edited("tags-skip", "tags that keep cells from running", _tags, "tags"),
    _edited("outputs-forged", "outputs with full marks in every cell", _outputs),
    _edited("kernel-bash", "another kernel", _kernel, "graded with Python 3"),
    _edited("no-metadata", "no metadata at all", _no_metadata),
    _edited("many-cells", "2 000 empty cells", _many_cells),
    Case(
        "same-ids",
        "all cells with one id",
        WRONG,
        answers={"center": IDLE},
        raw=lambda data: re.sub(rb'"id": "[^"]*"', b'"id": "same"', data),
    ),
    _edited("task-added", "a cell of its own worth 100 points", _task),
    Case(
        "scripts-handed-in",
        "scripts in text and in outputs",
        WRONG,
        answers={"center": IDLE},
        edit=_scripts,
        hides=("<script",),
    ),
    Case(
        "scripts-shown",
        "scripts in what its cells show",
        WRONG,
        answers={"center": IDLE},
        first="from IPython.display import HTML, Javascript, SVG, display\n"
        f'display(HTML("{SCRIPT}"), Javascript("alert(1)"), '
        "HTML('<img src=x onerror=alert(1)><iframe src=x></iframe>'),\n"
        '        SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>\'))',
        hides=("<script", "<img", "<iframe", "onload=", 'alert(1)"'),
    ),
    Case(
        "scripts-in-message",
        "a script in the message of an error",
        {"center": "nothing error"},
        answers={"center": "def center(x):\n    raise ValueError('<script>alert(1)</script>')"},
        hides=("<script>alert(1)</script></",),
    ),
    Case(
        "panel-forged",
        "shows a panel like the grader's, with full marks",
        WRONG,
        answers={"center": IDLE},
        first="display({'application/vnd.batchnorm-course.result+json': {'score': 1.0, "
        "'exercise': 'u00.center', 'verdict': 'passed'}, 'text/plain': 'forged'}, raw=True)",
        shows=("forged",),
    ),
    Case(
        "attachment-svg",
        "a picture that is a script",
        WRONG,
        answers={"center": IDLE},
        edit=_attachments,
    ),
    Case(
        "outputs-huge",
        "50 MB of outputs in the file",
        {"": "no not_graded"},
        answers={"center": IDLE},
        edit=lambda nb: find(nb, "center").update(
            outputs=[
                nbformat.from_dict(
                    {"output_type": "stream", "name": "stdout", "text": "x" * 10_000_000}
                )
            ]
            * 2
        ),
    ),
    Case(
        "keys-twice",
        "every key of the file twice",
        {},
        raw=lambda data: data.replace(b'"nbformat": 4', b'"nbformat": 3,\n "nbformat": 4'),
    ),
    Case(
        "numbers-huge",
        "a number of a hundred thousand digits in the metadata",
        {"": "no not_graded"},
        raw=lambda data: data.replace(b'"nbformat": 4', b'"nbformat": ' + b"9" * 100_000),
    ),
    Case(
        "answer-by-magic",
        "the answer's cell is %%bash",
        {"center": "nothing not_attempted"},
        answers={"center": "%%bash\necho 'def center(x): return 1.0'"},
    ),
    Case(
        "run-magic",
        "%run of a file that patches",
        WRONG,
        answers={"center": IDLE},
        first="%run cheat.py\n%load_ext cheat",
        files={"cheat.py": b"print('ran', 'it')\n"},
        shows=("ran it",),
    ),
)

SHADOWS = tuple(
    Case(
        f"shadow-{name.partition('.')[0].replace('/', '-')}",
        f"{name} beside the notebook",
        WRONG,
        answers={"center": IDLE},
        files={name: b"print('shadow' + 'ed')\nraise SystemExit\n"},
        shows=("left out",),
        hides=("shadowed",),
    )
    for name in (
        "numpy.py",
        "bnlib.py",
        "autograder/__init__.py",
        "sitecustomize.py",
        "usercustomize.py",
        "ipython_config.py",
        "torch/__init__.py",
        "json.py",
        "x.pth",
        "nbgrader_config.py",
        "conftest.py",
    )
)

BESIDE = (
    Case(
        "writefile-numpy",
        "%%writefile numpy.py, and imports it anew",
        WRONG,
        answers={"center": IDLE},
        first="%%writefile numpy.py\nallclose = lambda *a, **k: True",
        after={"given_imports": "%%writefile json.py\nloads = None"},
    ),
    Case(
        "link-passwd",
        "a link to /etc/passwd",
        {},
        links={"notes.txt": "/etc/passwd"},
        first="import os\nprint(sorted(os.listdir('.')))",
        shows=("left out", "[]"),
    ),
    Case(
        "link-source",
        "a link to the solutions",
        {},
        links={"source": "@COURSE@/source"},
        first="import os\nprint(sorted(os.listdir('.')))",
        shows=("left out", "[]"),
    ),
    Case(
        "link-notebook",
        "the notebook itself is a link to the solutions",
        {"": "no not_graded"},
        links={"start.ipynb": "@COURSE@/source/u00_start/start.ipynb"},
    ),
    Case(
        "link-canary",
        "a link to a canary",
        {},
        links={"kept.txt": "@OUTSIDE@/canary.txt"},
        first="import os\nprint(sorted(os.listdir('.')))",
        shows=("left out", "[]"),
    ),
    Case(
        "file-huge",
        "a file of 20 MiB",
        {},
        files={"data.bin": bytes(20 * 2**20)},
        shows=("left out",),
    ),
    Case(
        "files-many",
        "300 files",
        {},
        files={f"f{n}.txt": b"x" for n in range(300)},
        shows=("left out",),
    ),
    Case(
        "file-names",
        "names with control characters and Markdown",
        {},
        files={"a\nb.txt": b"x", "[x](javascript:alert(1)).txt": b"x"},
        shows=("unsafe names",),
        hides=("](javascript",),
    ),
    Case(
        "file-hidden",
        "hidden files of git, IPython and nbgrader",
        {},
        files={".git/config": b"x", ".ipython/startup.py": b"raise SystemExit"},
        shows=(),
    ),
)

CASES = CELLS + SHADOWS + BESIDE
