"""Cells run in the worker as they do in Jupyter."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from autograder.worker.outputs import FLOOD_BYTES, OUTPUT_BYTES, OUTPUT_COUNT
from tests.worker.conftest import Talk, text_of


def kinds(reply: dict[str, Any]) -> list[str]:
    """Return the types of a cell's outputs."""
    return [output["output_type"] for output in reply["outputs"]]


# --- what Jupyter does ----------------------------------------------------------------------------


def test_the_value_of_the_last_line_is_shown(talk: Talk) -> None:
    """And of no other; a semicolon hides it."""
    assert talk.said("1 + 1\n2 + 2") == "4\n"
    assert talk.said("3;") == ""
    assert talk.said("None") == ""


def test_names_stay_from_cell_to_cell(talk: Talk) -> None:
    """Also `_`, `In` and `Out`, which are IPython's own."""
    talk.cell("x = 20\nx + 1")
    assert talk.said("print(_ + x, Out[1], len(In))") == "41 21 3\n"


def test_streams_are_kept_apart_and_in_order(talk: Talk) -> None:
    """Pieces of one stream in a row are one output."""
    reply = talk.cell("import sys\nprint('a'); print('b')\nprint('c', file=sys.stderr)\nprint('d')")
    told = [(o["name"], o["text"]) for o in reply["outputs"]]
    assert told == [("stdout", "a\nb\n"), ("stderr", "c\n"), ("stdout", "d\n")]


def test_a_warning_is_text_on_stderr(talk: Talk) -> None:
    """It stops nothing."""
    reply = talk.cell("import numpy as np\nnp.array([1.0]) / 0\nprint('on')")
    assert (reply["stopped"], reply["error"]) == ("", "")
    assert [o["name"] for o in reply["outputs"]] == ["stderr", "stdout"]


MAGICS = {
    "%timeit -n1 -r1 1": "loop",
    "%time 7": "7",
    "%%time\nprint('x')": "x",
    "%%capture out\nprint('hidden')": "",
    "%who": "",
    "%matplotlib inline": "",
    "%config InlineBackend.figure_format = 'retina'": "",
    "%load_ext autoreload": "",
    "!echo hello": "hello",
    "lines = !echo a b\nprint(lines[0])": "a b",
    "%%bash\necho from bash": "from bash",
    "print?": "",
    "%pwd": "/home/student",
    "%%writefile f.txt\nhi": "Writing f.txt",
    "%env HOME": "/tmp",
}


@pytest.mark.parametrize("source", MAGICS)
def test_magics_work(talk: Talk, source: str) -> None:
    """Those that students use in notebooks."""
    reply = talk.cell(source)
    assert "error" not in kinds(reply), reply
    assert MAGICS[source] in "".join(map(text_of, reply["outputs"]))


def test_await_works_at_the_top(talk: Talk) -> None:
    """As in any notebook."""
    assert talk.said("import asyncio\nawait asyncio.sleep(0.01)\n'done'") == "'done'\n"


def test_display_shows_what_it_is_given(talk: Talk) -> None:
    """With every form that the object has."""
    source = "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'), 3)"
    first, second = talk.cell(source)["outputs"]
    assert first["data"]["text/html"] == "<b>x</b>"
    assert second["data"]["text/plain"] == "3"


def test_clear_output_forgets_what_was_shown(talk: Talk) -> None:
    """Progress bars use it."""
    source = "from IPython.display import clear_output\nprint('a')\nclear_output()\nprint('b')"
    assert talk.said(source) == "b\n"


@pytest.mark.parametrize("show", ["", "\nplt.show()"])
def test_a_figure_is_a_picture(talk: Talk, show: str) -> None:
    """At the end of the cell or with `show`, once."""
    source = f"import matplotlib.pyplot as plt\nplt.plot([1, 2]);{show}"
    pictures = [o["data"]["image/png"] for o in talk.cell(source)["outputs"] if "data" in o]
    assert len(pictures) == 1
    assert base64.b64decode(pictures[0]).startswith(b"\x89PNG")
    assert kinds(talk.cell("1;")) == []


@pytest.mark.parametrize("show", ["", "\nplt.show()"])
def test_a_figure_is_drawn_once(talk: Talk, show: str) -> None:
    """Drawing is most of what a cell with a figure takes."""
    talk.cell(
        "import matplotlib.pyplot as plt\nfrom matplotlib.figure import Figure\n"
        "drawn, draw = [], Figure.draw\n"
        "Figure.draw = lambda *args: [drawn.append(1), draw(*args)]"
    )
    assert kinds(talk.cell(f"plt.plot([1, 2]);{show}")) == ["display_data"]
    assert talk.said("print(len(drawn))") == "1\n"


def test_a_picture_in_bytes_is_shown_too(talk: Talk) -> None:
    """As Pillow gives them."""
    source = "class P:\n    def _repr_png_(self): return b'\\x89PNG'\nP()"
    (output,) = talk.cell(source)["outputs"]
    assert base64.b64decode(output["data"]["image/png"]) == b"\x89PNG"


def test_a_widget_shows_its_text(talk: Talk) -> None:
    """Without a front end that moves it."""
    source = "import ipywidgets\nipywidgets.IntSlider(3)"
    assert "IntSlider(value=3)" in talk.said(source)
    assert "error" not in kinds(talk.cell("@ipywidgets.interact(n=(0, 5))\ndef f(n=2): print(n)"))


def test_a_display_of_much_data_is_no_attack(talk: Talk) -> None:
    """Plotting packages show JSON of a hundred thousand numbers: their text is kept."""
    source = (
        "from IPython.display import display\n"
        "display({'text/plain': 'chart', 'application/json': {'y': list(range(100_000))}}, "
        "raw=True)"
    )
    assert talk.said(source) == "chart\n"
    assert talk.said("'on'") == "'on'\n"


def test_exit_ends_neither_the_cell_nor_the_notebook(talk: Talk) -> None:
    """In Jupyter it stops the kernel; here the rest is graded."""
    talk.cell("exit()")
    talk.cell("quit")
    talk.cell("import sys; sys.exit(1)")
    assert talk.said("'on'") == "'on'\n"


def test_input_is_an_error_as_in_any_notebook_that_runs_alone(talk: Talk) -> None:
    """Nobody is there to answer, and nothing waits."""
    reply = talk.cell("name = input('who? ')")
    assert kinds(reply)[-1] == "error"
    assert talk.said("'on'") == "'on'\n"


def test_checks_of_the_course_run_nothing(talk: Talk) -> None:
    """And fail nothing."""
    source = "from autograder import check, hint, progress\ncheck('u00.center', print)"
    assert "not run while a notebook is graded" in talk.said(source)


def test_two_runs_of_random_code_are_the_same(open_talk: Any) -> None:
    """A notebook without seeds gives the same output each time."""
    source = "import random, numpy as np\nprint(random.random(), np.random.rand(), hash('a'))"
    first = open_talk()
    said = first.said(source)
    first.end()
    assert open_talk().said(source) == said


# --- errors ---------------------------------------------------------------------------------------


def test_an_error_is_an_output_with_the_students_lines(talk: Talk) -> None:
    """Where it happened, and none of IPython's own places."""
    reply = talk.cell("def f(x):\n    return 1 / x\nf(0)")
    (output,) = reply["outputs"]
    assert (output["ename"], output["evalue"]) == ("ZeroDivisionError", "division by zero")
    text = "\n".join(output["traceback"])
    assert "return 1 / x" in text
    assert "interactiveshell" not in text
    assert reply["error"].startswith("ZeroDivisionError")


@pytest.mark.parametrize("source", ["def f(:", "  x = 1\n y = 2", "'\\ud800'.encode()", "raise"])
def test_cells_that_cannot_run_are_errors(talk: Talk, source: str) -> None:
    """And the next cell runs."""
    assert kinds(talk.cell(source)) == ["error"]
    assert talk.said("'on'") == "'on'\n"


ODD = {
    "no text": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "no end": "def f(): f()\nf()",
    "its own base": "raise BaseException('b')",
    "a very long text": "raise ValueError('x' * 10_000_000)",
    "a chain": "try:\n    1 / 0\nexcept Exception as e:\n    raise ValueError('v') from e",
    "a group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "a repr that fails": "class A:\n    def __repr__(self): raise ValueError('r')\nA()",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_errors_are_outputs_as_well(talk: Talk, name: str) -> None:
    """Of bounded size, and the next cell runs."""
    reply = talk.cell(ODD[name])
    assert "error" in kinds(reply)
    assert sum(len(str(output)) for output in reply["outputs"]) < 400_000
    assert talk.said("'on'") == "'on'\n"


# --- bounds ---------------------------------------------------------------------------------------


def test_long_output_is_cut_with_a_line_that_says_so(talk: Talk) -> None:
    """The cell runs to its end."""
    reply = talk.cell("for i in range(40):\n    print('x' * 99_999)\ny = 1")
    text = "".join(output["text"] for output in reply["outputs"])
    assert OUTPUT_BYTES <= len(text) < OUTPUT_BYTES + 200
    assert "was cut" in text[-200:]
    assert reply["stopped"] == ""
    assert talk.said("y") == "1\n"


def test_many_outputs_are_cut_as_well(talk: Talk) -> None:
    """Each of them small."""
    source = f"for i in range({OUTPUT_COUNT} + 50): display(i)"
    outputs = talk.cell(source)["outputs"]
    assert len(outputs) == OUTPUT_COUNT + 1
    assert "was cut" in outputs[-1]["text"]


def test_a_flood_is_stopped(talk: Talk) -> None:
    """`except Exception` does not hold it up."""
    source = "while True:\n    try: print('x' * 1_000_000)\n    except Exception: pass\n"
    assert talk.cell(source)["stopped"] == "OutputLimit"
    assert FLOOD_BYTES > OUTPUT_BYTES
    assert talk.said("'on'") == "'on'\n"


ENDLESS = {
    "a loop": "while True: pass",
    "a bare except": (
        "import time\ntry: time.sleep(1000)\nexcept: pass\ntry: time.sleep(1000)\nexcept: pass\n"
        "time.sleep(1000)"
    ),
    "a sleep": "import time; time.sleep(1000)",
    "a lock": "import threading; l = threading.Lock(); l.acquire(); l.acquire()",
    "a finally": "try:\n    while True: pass\nfinally:\n    while True: pass",
    "await": "import asyncio; await asyncio.sleep(1000)",
    "another program": "!sleep 1000",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_stopped(talk: Talk, name: str) -> None:
    """After its time, and the next cell runs."""
    assert talk.cell(ENDLESS[name], 0.5)["stopped"] == "TimeLimit"
    assert talk.said("'on'") == "'on'\n"


def test_too_much_memory_is_an_error_of_the_cell(talk: Talk) -> None:
    """Python's own, after which the notebook goes on."""
    assert talk.cell("b = bytearray(1 << 30)")["stopped"] == "MemoryError"
    assert talk.said("'on'") == "'on'\n"


def test_nothing_is_left_of_the_rehearsal(talk: Talk) -> None:
    """What the worker ran before the first submission came is forgotten: names, history, loops."""
    source = "import gc, asyncio\nprint(sorted(n for n in globals() if n[0] != '_'), len(In), Out)"

    assert talk.said(source) == (
        "['In', 'Out', 'asyncio', 'exit', 'gc', 'get_ipython', 'open', 'quit'] 2 {}\n"
    )
