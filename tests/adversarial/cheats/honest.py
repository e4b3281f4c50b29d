"""Odd but honest: every one of these keeps all its points."""

from __future__ import annotations

import re

from tests.adversarial.case import Case


def _cell(name: str, why: str, code: str, *shows: str) -> Case:
    """Make an honest submission with a cell of its own before the exercises."""
    return Case(name, why, first=code.strip(), shows=shows)


def _answer(name: str, why: str, center: str, first: str = "") -> Case:
    """Make an honest submission that answers in an unusual way."""
    return Case(name, why, first=first, answers={"center": center.strip()})


CELLS = (
    _cell(
        "warnings",
        "warnings on stderr",
        "import sys, warnings\nwarnings.warn('mind')\nprint('e', file=sys.stderr)\nnp.ones(1) / 0",
        "mind",
    ),
    _cell("prints", "much printing", "for i in range(5000):\n    print('line', i)", "line 100"),
    _cell(
        "plots",
        "a figure",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "Figure size",
    ),
    _cell(
        "plots-many",
        "30 figures at once",
        "import matplotlib.pyplot as plt\nfor _ in range(30):\n    plt.figure()\n"
        "    plt.plot([1])\n"
        "plt.show()",
    ),
    _cell(
        "plot-style",
        "another style, font and backend for figures",
        "import matplotlib as mpl, matplotlib.pyplot as plt\nplt.style.use('ggplot')\n"
        "mpl.rcParams['font.family'] = 'serif'\nmpl.use('agg')\nplt.plot([1])\n"
        "plt.savefig('f.png')",
    ),
    _cell(
        "matplotlib-magic",
        "%matplotlib inline and widget",
        "%matplotlib inline\n%matplotlib widget",
    ),
    _cell("slow", "a cell that takes two seconds", "import time\ntime.sleep(2)"),
    _cell(
        "magic-time",
        "%timeit and %time",
        "%timeit -n 2 -r 2 np.ones(3).sum()\n%time np.ones(3)",
        "loop",
    ),
    _cell("magic-cell", "%%time and %%capture", "%%capture kept\nprint('not seen')"),
    _cell(
        "magic-shell",
        "a command of the shell",
        "!echo hello from the shell\nnames = !ls",
        "hello from the shell",
    ),
    _cell(
        "magic-config",
        "%config, %autoreload, %env, %who, %history, %pip",
        "%config InlineBackend.figure_format = 'retina'\n%load_ext autoreload\n%autoreload 2\n"
        "%env A=1\n%who\n%pwd",
    ),
    _cell("magic-bash", "%%bash", "%%bash\necho from bash", "from bash"),
    _cell("magic-writefile", "%%writefile of a helper", "%%writefile helper.py\nONE = 1"),
    _cell(
        "imports-missing",
        "an import that is not installed",
        "import pandas_of_my_own",
        "ModuleNotFoundError",
    ),
    _cell(
        "imports-torch",
        "a comparison with torch",
        "import torch\nx = torch.ones(4, 2)\nprint(torch.nn.functional.batch_norm(x, None, None, "
        "training=True).shape)",
        "torch.Size([4, 2])",
    ),
    _cell(
        "imports-bnlib",
        "a comparison with bnlib",
        "import bnlib\nprint(bnlib.batch_mean(np.ones((3, 2))))",
        "[1. 1.]",
    ),
    _cell(
        "await",
        "await in a cell",
        "import asyncio\nawait asyncio.sleep(0.1)\n"
        "print(await asyncio.gather(asyncio.to_thread(int, 3)))",
        "[3]",
    ),
    _cell(
        "display",
        "display, HTML, Markdown and Math",
        "from IPython.display import HTML, Markdown, Math, display\ndisplay(HTML('<b>bold</b>'), "
        "Markdown('*m*'), Math('x'))",
        "<b>bold</b>",
    ),
    _cell(
        "widgets",
        "sliders without anybody to move them",
        "import ipywidgets as w\nw.interact(lambda a: print('slid', a), a=3)\nw.IntSlider()",
    ),
    _cell(
        "tqdm", "a progress bar", "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)):\n    pass"
    ),
    _cell(
        "logging",
        "logging set up anew",
        "import logging\nlogging.basicConfig(level=logging.DEBUG, force=True)\n"
        "logging.info('told')",
        "told",
    ),
    _cell(
        "threads",
        "threads that are joined",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool:\n"
        "    print(sum(pool.map(int, '123')))",
        "6",
    ),
    _cell(
        "processes",
        "a pool of processes",
        "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as pool:\n"
        "    print(sum(pool.map(int, '123')))",
        "6",
    ),
    _cell(
        "subprocess",
        "another Python",
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(6*7)'], "
        "capture_output=True, text=True).stdout)",
        "42",
    ),
    _cell(
        "files",
        "files in the working directory and temporary ones",
        "import tempfile\nnp.save('a.npy', np.ones(3))\nprint(np.load('a.npy').sum())\n"
        "with tempfile.TemporaryDirectory() as d:\n    open(d + '/b', 'w').write('b')",
        "3.0",
    ),
    _cell(
        "redirect",
        "contextlib.redirect_stdout",
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as kept:\n"
        "    print('kept')\nprint(kept.getvalue().upper())",
        "KEPT",
    ),
    _cell(
        "doctest",
        "runs doctests",
        'import doctest\ndef f():\n    """\n    >>> f()\n    1\n    """\n    return 1\n'
        "doctest.run_docstring_examples(f, globals(), verbose=True)",
        "ok",
    ),
    _cell("error-own", "a cell of its own that fails", "1 / 0", "ZeroDivisionError"),
    _cell("syntax-error-own", "a cell of its own that is no Python", "def f(:", "SyntaxError"),
    _cell("input", "input() in a cell", "input('name? ')"),
    _cell(
        "seeds",
        "global generators seeded from the clock",
        "import random, time\nnp.random.seed(int(time.time()))\nrandom.seed()",
    ),
    _cell(
        "state",
        "global numpy settings",
        "np.set_printoptions(precision=1, legacy='1.13')\nnp.seterr(all='ignore')",
    ),
    _cell(
        "clear-output",
        "clear_output",
        "from IPython.display import clear_output\nprint('x')\nclear_output(wait=True)",
    ),
    _cell("help", "help and ?", "help(len)\nlen?\nnp.mean??"),
    _cell(
        "garbage", "gc switched off and on", "import gc\ngc.disable()\ngc.collect()\ngc.enable()"
    ),
)

ANSWERS = (
    _answer(
        "type-hints",
        "type hints and a docstring",
        "from __future__ import annotations\nimport numpy.typing as npt\n"
        'def center(x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:\n    """Centre."""\n'
        "    return x - x.mean(axis=0)",
    ),
    _answer(
        "decorator",
        "a decorator with functools.wraps",
        "import functools\ndef loud(f):\n    @functools.wraps(f)\n    def g(*a, **k):\n"
        "        print('called')\n        return f(*a, **k)\n    return g\n@loud\n"
        "def center(x):\n    return x - x.mean(axis=0)",
    ),
    _answer("lambda", "a lambda", "center = lambda x: x - x.mean(axis=0)"),
    _answer(
        "callable-object",
        "an object with __call__",
        "class Center:\n    def __call__(self, x):\n        return x - x.mean(axis=0)\n"
        "center = Center()",
    ),
    _answer(
        "partial",
        "functools.partial",
        "import functools\ndef around(axis, x):\n    return x - x.mean(axis=axis)\n"
        "center = functools.partial(around, 0)",
    ),
    _answer(
        "exec", "a function made by exec", 'exec("def center(x):\\n    return x - x.mean(axis=0)")'
    ),
    _answer(
        "loop-defined",
        "a function made in a loop",
        "for axis in (1, 0):\n    def center(x, axis=axis):\n        return x - x.mean(axis=axis)",
    ),
    _answer(
        "recursive",
        "recursion over columns",
        "def center(x):\n    if x.shape[1] == 1:\n        return x - x.mean(axis=0)\n"
        "    return np.hstack([center(x[:, :1]), center(x[:, 1:])])",
    ),
    _answer(
        "loops",
        "plain Python loops",
        "def center(x):\n    y = np.empty_like(x)\n    n, c = x.shape\n    for j in range(c):\n"
        "        m = sum(float(v) for v in x[:, j]) / n\n        for i in range(n):\n"
        "            y[i, j] = float(x[i, j]) - m\n    return y",
    ),
    _answer(
        "prints-asked",
        "prints and warns when asked",
        "import warnings\ndef center(x):\n    print(x)\n    warnings.warn('odd')\n"
        "    return x - x.mean(axis=0)",
    ),
    _answer(
        "plots-asked",
        "draws when asked",
        "import matplotlib.pyplot as plt\ndef center(x):\n    plt.plot(x)\n    plt.show()\n"
        "    return x - x.mean(axis=0)",
    ),
    _answer(
        "counter",
        "counts its calls",
        "calls = 0\ndef center(x):\n    global calls\n    calls += 1\n"
        "    return x - x.mean(axis=0)",
    ),
    _answer(
        "asserts-below",
        "asserts of its own below",
        "def center(x):\n    return x - x.mean(axis=0)\n"
        "assert np.allclose(center(np.eye(3)).sum(axis=0), 0)",
    ),
    _answer(
        "dataclass",
        "dataclass, match, walrus",
        "import dataclasses\n@dataclasses.dataclass\nclass Moments:\n    mean: object\n"
        "def center(x):\n    match Moments(m := x.mean(axis=0)):\n"
        "        case Moments(mean=mean):\n"
        "            return x - m",
    ),
    _answer(
        "unicode",
        "Greek names and emoji",
        "def center(x):\n    μ = x.mean(axis=0)  # 🙂 Mittelwert für jede Spalte\n    return x - μ",
    ),
    _answer("tabs", "tabs and form feeds", "def center(x):\n\treturn x - x.mean(axis=0)\n"),
    _answer(
        "thread-asked",
        "works in a thread",
        "from concurrent.futures import ThreadPoolExecutor\ndef center(x):\n"
        "    with ThreadPoolExecutor(1) as pool:\n"
        "        return pool.submit(lambda: x - x.mean(axis=0)).result()",
    ),
    _answer(
        "asyncio-asked",
        "runs a coroutine",
        "import asyncio\nasync def work(x):\n    await asyncio.sleep(0)\n"
        "    return x - x.mean(axis=0)\ndef center(x):\n    return asyncio.run(work(x))",
    ),
    _answer(
        "process-asked",
        "works in another process",
        "import multiprocessing as mp\ndef work(x):\n    return x - x.mean(axis=0)\n"
        "def center(x):\n    with mp.get_context('fork').Pool(1) as pool:\n"
        "        return pool.apply(work, (x,))",
    ),
    _answer(
        "file-asked",
        "goes through a file",
        "import os\ndef center(x):\n    np.save('x.npy', x)\n    y = np.load('x.npy')\n"
        "    os.remove('x.npy')\n    return (y - y.mean(axis=0))",
    ),
    _answer(
        "cache",
        "keeps results by content",
        "import functools\n@functools.cache\ndef work(data, dtype, shape):\n"
        "    x = np.frombuffer(data, dtype).reshape(shape)\n    return x - x.mean(axis=0)\n"
        "def center(x):\n    return work(x.tobytes(), x.dtype.str, x.shape).copy()",
    ),
    _answer(
        "subclass",
        "an ndarray subclass that holds the right numbers",
        "class Mine(np.ndarray):\n    pass\ndef center(x):\n"
        "    return (x - x.mean(axis=0)).view(Mine)",
    ),
    _answer(
        "helper-class",
        "a class with a static method",
        "class Tools:\n    @staticmethod\n    def center(x):\n        return x - x.mean(axis=0)\n"
        "center = Tools.center",
    ),
    _answer(
        "errstate",
        "errors for floating point within",
        "def center(x):\n    with np.errstate(all='raise'):\n        return x - x.mean(axis=0)",
    ),
)

SPLIT = (
    Case(
        "split-over-cells",
        "the work stands in a helper cell",
        first="def column_means(x):\n    return x.mean(axis=0)",
        answers={"center": "def center(x):\n    return x - column_means(x)"},
    ),
    Case(
        "defined-elsewhere",
        "the function stands in a cell above, and its own cell is empty",
        first="def center(x):\n    return x - x.mean(axis=0)",
        answers={"center": "# see above"},
    ),
    Case(
        "magic-in-answer",
        "%time in the answer's cell",
        answers={
            "center": "def center(x):\n    return x - x.mean(axis=0)\n%time center(np.eye(2))"
        },
    ),
    Case(
        "cell-magic-answer",
        "%%time over the answer's cell",
        answers={"center": "%%time\ndef center(x):\n    return x - x.mean(axis=0)"},
    ),
    Case(
        "helper-file",
        "a helper module beside the notebook",
        files={"my_helpers.py": b"def take_out(x):\n    return x - x.mean(axis=0)\n"},
        answers={
            "center": "from my_helpers import take_out\n\ndef center(x):\n    return take_out(x)"
        },
    ),
    Case(
        "data-file",
        "a data file beside the notebook",
        files={"data/axis.txt": b"0"},
        answers={
            "center": "axis = int(open('data/axis.txt').read())\n\ndef center(x):\n"
            "    return x - x.mean(axis=axis)"
        },
    ),
    Case(
        "crlf",
        "Windows line ends",
        answers={"center": "def center(x):\r\n    return x - x.mean(axis=0)\r\n"},
    ),
    Case("bom", "a byte order mark before the file", raw=lambda data: b"\xef\xbb\xbf" + data),
    Case(
        "ascii-escapes",
        "written by another tool: no indentation, all ASCII",
        raw=lambda data: re.sub(rb"\n +", b"\n", data),
    ),
    Case("untouched-u02", "all of unit 2 solved", unit="u02_forward"),
    Case(
        "compared-u02",
        "bnlib and torch compared with its own in cells of its own",
        unit="u02_forward",
        after={
            "test_batchnorm_forward": "import bnlib, torch\nx = np.random.randn(8, 3)\n"
            "y, _ = batchnorm_forward(x, np.ones(3), np.zeros(3))\n"
            "t = torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True)\n"
            "print('apart', np.abs(y - t.numpy()).max() < 1e-9, bnlib.batch_mean(x).shape)"
        },
        shows=("apart True",),
    ),
    Case("untouched-u03", "all of unit 3 solved", unit="u03_modes"),
)

CASES = CELLS + ANSWERS + SPLIT
