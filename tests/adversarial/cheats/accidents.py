"""Accidents: what goes wrong without a bad thought costs no more than itself."""

from __future__ import annotations

from tests.adversarial.case import Case

RIGHT = "def center(x):\n    return x - x.mean(axis=0)\n"
LOST = "nothing not_attempted"
NO_CELL = "nothing error"  # and the message says that its cell failed


def _cell(name: str, why: str, code: str, *shows: str) -> Case:
    """Make a submission with a clumsy cell before the exercises: it costs nothing."""
    return Case(name, why, first=code.strip(), shows=shows)


CASES = (
    Case(
        "syntax-error",
        "a syntax error in one answer",
        {"center": NO_CELL},
        answers={"center": "def center(x)\n    return x"},
        shows=("SyntaxError",),
    ),
    Case(
        "name-error",
        "an answer with a slip",
        {"center": "nothing error"},
        answers={"center": "def center(x):\n    return x - meen(x)"},
    ),
    Case(
        "import-error",
        "an answer whose cell fails at its import",
        {"center": NO_CELL},
        answers={"center": "import pandas_of_my_own\n" + RIGHT},
    ),
    Case(
        "not-started",
        "handed in as it was handed out",
        {"center": LOST},
        answers={"center": "def center(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"},
    ),
    Case(
        "deleted-name",
        "a later cell deletes the function",
        {"center": LOST},
        after={"center": "del center"},
    ),
    Case(
        "reset",
        "%reset -f between answer and test",
        {"center": LOST},
        after={"center": "%reset -f"},
    ),
    Case(
        "code-in-markdown",
        "the answer was turned into text",
        edit=lambda nb: next(c for c in nb.cells if c.id == "center").update(cell_type="markdown"),
    ),
    _cell(
        "restart",
        "restarts the kernel by script",
        "import IPython\nIPython.Application.instance().kernel.do_shutdown(True)",
    ),
    _cell(
        "warnings-as-errors",
        "warnings become errors",
        "import warnings\nwarnings.simplefilter('error')",
    ),
    _cell("seterr-raise", "np.seterr(all='raise')", "np.seterr(all='raise')"),
    _cell("changes-directory", "changes the working directory", "import os\nos.chdir('/')"),
    _cell("removes-directory", "removes everything it may", "!rm -rf ./* /tmp/* ~ 2>/dev/null"),
    _cell(
        "changes-locale",
        "changes locale and time zone",
        "import locale, os, time\nlocale.setlocale(locale.LC_ALL, 'C')\n"
        "os.environ['TZ'] = 'Asia/Tokyo'\n"
        "time.tzset()",
    ),
    _cell("clears-environment", "empties the environment", "import os\nos.environ.clear()"),
    _cell(
        "name-main",
        "sets __name__ and __file__",
        "__name__ = 'mine'\n__file__ = 'x.py'\n__builtins__",
    ),
    _cell(
        "shadows-print",
        "names of its own: print, list, str, type",
        "print = str = list = type = dict = len = None",
    ),
    Case(
        "shadows-np",
        "np is a number from the second cell on",
        {"center": "nothing error", "column_scale": "full passed"},
        first="np = 3",
        answers={"center": "def center(x):\n    return x - np.mean(x, axis=0)"},
    ),
    _cell(
        "closes-stdout",
        "closes stdout and stderr",
        "import sys\nsys.stdout.close()\nsys.stderr.close()\n",
    ),
    _cell(
        "replaces-stdout",
        "replaces stdout and forgets",
        "import io, sys\nsys.stdout = sys.stderr = io.StringIO()\nprint('gone')",
    ),
    _cell("stdout-none", "sets stdout to None", "import sys\nsys.stdout = sys.stderr = None"),
    _cell(
        "closes-descriptors",
        "closes descriptors 0, 1 and 2",
        "import os\nfor fd in (0, 1, 2):\n    os.close(fd)",
    ),
    _cell(
        "recursion-limit", "a very low limit of recursion", "import sys\nsys.setrecursionlimit(120)"
    ),
    _cell("gc-threshold", "a collection at every allocation", "import gc\ngc.set_threshold(1)"),
    _cell("trace", "leaves a tracer on", "import sys\nsys.settrace(lambda *a: None)"),
    _cell(
        "thread-left",
        "a thread that goes on printing",
        "import threading, time\ndef tell():\n    while True:\n        print('still here')\n"
        "        time.sleep(0.05)\nthreading.Thread(target=tell, daemon=True).start()",
    ),
    _cell(
        "signal-handler",
        "a handler for Ctrl-C, and one for the alarm",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGALRM, lambda *a: None)",
    ),
    _cell(
        "alarm-left",
        "an alarm of its own that is still to come",
        "import signal\nsignal.signal(signal.SIGALRM, lambda *a: 1 / 0)\nsignal.alarm(1)",
    ),
    _cell(
        "default-dtype",
        "torch's defaults changed",
        "import torch\ntorch.set_default_dtype(torch.float16)\ntorch.set_num_threads(4)",
    ),
    _cell("uninstalls", "pip uninstall and install", "%pip uninstall -y numpy\n!pip install numpy"),
    _cell("long-output", "one line of two million characters", "print('x' * 2_000_000)"),
    _cell(
        "null-characters",
        "control characters, NUL and broken Unicode in its output",
        "print('\\0\\x1b[2J\\x07\\ud800'"
        ".encode('utf-8', 'surrogatepass').decode('utf-8', 'replace'))\n"
        "import sys\nsys.stdout.buffer.write(b'\\xff\\xfe')\n'\\ud800'",
    ),
    Case("empty-cells", "empties its other cells", {"center": LOST}, answers={"center": ""}),
    Case(
        "whole-other-unit",
        "the notebook of another unit",
        {"": "no not_graded"},
        edit=lambda nb: nb.update(cells=[nb.cells[0]]),
    ),
    Case(
        "not-json",
        "a file that is no notebook",
        {"": "no not_graded"},
        raw=lambda data: b"PK\x03\x04",
    ),
    Case("cut-off", "half a file", {"": "no not_graded"}, raw=lambda data: data[: len(data) // 2]),
    Case("empty-file", "an empty file", {"": "no not_graded"}, raw=lambda data: b""),
    Case(
        "zeros",
        "a file of zeros, as a full disk leaves",
        {"": "no not_graded"},
        raw=lambda data: bytes(1000),
    ),
    Case(
        "deep-file",
        "JSON nested a hundred thousand deep",
        {"": "no not_graded"},
        raw=lambda data: b"[" * 100_000,
    ),
)
