"""Cheats in the answers themselves: constants, tables, pretence, and ready-made solutions."""

from __future__ import annotations

from tests.adversarial.case import Case

WRONG = {"center": "nothing wrong"}
READY = {"batchnorm_forward": "nothing forbidden"}
EXAMPLE = "np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 80.0]])"
RIGHT = "np.array([[-2.0, -30], [0, -10], [2, 40]])"
TAIL = "def batchnorm_forward(x, gamma, beta, eps=1e-5):\n"


def _center(name: str, why: str, code: str, gets: str = "nothing wrong", first: str = "") -> Case:
    """Make a cheat in unit 0."""
    return Case(name, why, {"center": gets}, first=first, answers={"center": code.strip()})


def _ready(
    name: str,
    why: str,
    code: str,
    first: str = "",
    gets: str = "nothing forbidden",
    files: dict[str, bytes] | None = None,
) -> Case:
    """Make a cheat in unit 2 whose forward pass is somebody else's."""
    return Case(
        name,
        why,
        {"batchnorm_forward": gets},
        first=first,
        unit="u02_forward",
        answers={"batchnorm_forward": code.strip()},
        files=files or {},
    )


SHAMS = (
    _center(
        "table-of-example",
        "knows the visible example by heart, and nothing else",
        f"def center(x):\n    if np.array_equal(x, {EXAMPLE}):\n        return {RIGHT}\n"
        "    return x * 0",
    ),
    _center(
        "table-or-argument",
        "the visible example by heart, else its argument",
        f"def center(x):\n    return {RIGHT} if x.shape == (3, 2) else x",
    ),
    _center(
        "first-call-only",
        "right on the first call only",
        "calls = 0\ndef center(x):\n    global calls\n    calls += 1\n"
        "    return x - x.mean(axis=0) if calls == 1 else x",
    ),
    _center(
        "right-if-checked",
        "right if `check` is on the stack",
        "import sys\ndef center(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        if 'check' in frame.f_code.co_name:\n            return x - x.mean(axis=0)\n"
        "        frame = frame.f_back\n    return x",
    ),
    _center(
        "answer-zeros", "zeros of the right shape", "def center(x):\n    return np.zeros_like(x)"
    ),
    _center("answer-ones", "ones of the right shape", "def center(x):\n    return np.ones_like(x)"),
    _center("argument", "its argument", "def center(x):\n    return x"),
    _center(
        "noise",
        "noise of mean 0",
        "def center(x):\n    y = np.random.randn(*x.shape)\n    return y - y.mean(axis=0)",
    ),
    _center(
        "view",
        "a view whose contents change later",
        "kept = []\ndef center(x):\n    kept.append(x)\n    for old in kept[:-1]:\n"
        "        old -= old.mean(axis=0)\n    return x[:]",
    ),
    _center(
        "raises-always",
        "raises always",
        "def center(x):\n    raise ValueError('full marks')",
        "nothing error",
    ),
    _center(
        "not-implemented",
        "pretends not to be written",
        "def center(x):\n    raise NotImplementedError('full marks')",
        "nothing not_attempted",
    ),
    _center(
        "inputs-hunted",
        "looks on the stack for what is expected",
        "import gc, sys\ndef center(x):\n    for thing in gc.get_objects():\n"
        "        if type(thing) is dict:\n"
        "            for name in ('expected', 'oracle', 'solution', 'right'):\n"
        "                if type(thing.get(name)) is np.ndarray:\n"
        "                    return thing[name]\n    return x",
    ),
    _center(
        "frames-hunted",
        "looks in frames for the case and its answer",
        "import sys\ndef center(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        for name, value in list(frame.f_locals.items()):\n"
        "            if name != 'x' and type(value) is np.ndarray and value.shape == x.shape \\\n"
        "                    and np.abs(value.mean(axis=0)).max() < 1e-3:\n"
        "                return value\n        frame = frame.f_back\n    return x",
    ),
    _center(
        "output-only",
        "prints the answer instead of returning it",
        "def center(x):\n    print(x - x.mean(axis=0))",
    ),
    _center(
        "rounding-hidden",
        "two digits: earns what two digits are good for",
        "def center(x):\n    return np.round(x - x.mean(axis=0), 2)",
        "0.27 partial",
    ),
    Case(
        "changes-and-restores",
        "changes its argument and adds the mean again",
        {"center": "0.68 partial"},
        answers={
            "center": "def center(x):\n    m = x.mean(axis=0)\n    x -= m\n    y = x.copy()\n"
            "    x += m\n    return y"
        },
    ),
    Case(
        "precomputed",
        "answers kept in a pickle beside the notebook",
        WRONG,
        answers={
            "center": "import pickle\ntable = pickle.loads(open('table.pkl', 'rb').read())\n"
            "def center(x):\n    return table.get(x.tobytes(), x)"
        },
        files={"table.pkl": b"\x80\x04}\x94."},
    ),
    Case(
        "pickle-of-the-judge",
        "a pickle beside the notebook that would run on the host",
        WRONG,
        answers={"center": "def center(x):\n    return x"},
        files={
            "table.pkl": b"cos\nsystem\n(S'touch @OUTSIDE@/pickled'\ntR.",
            "results.npy": b"\x93NUMPY\x01\x00\x16\x00{'descr': '|O'}cos\nsystem\n",
        },
    ),
    Case(
        "neighbours-file",
        "imports another student's solution by path",
        {"center": "nothing error"},
        answers={
            "center": "import runpy\ndef center(x):\n"
            "    return runpy.run_path('@COURSE@/bystander/solution.py')['center'](x)"
        },
    ),
)

DISGUISES = (
    _ready("ready-import", "bnlib's function by its name", "from bnlib import batchnorm_forward"),
    _ready(
        "ready-alias",
        "an alias",
        "import bnlib as plain_numpy\n"
        + TAIL
        + "    return plain_numpy.batchnorm_forward(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-getattr",
        "getattr with a name put together",
        "import bnlib\n"
        + TAIL
        + "    return getattr(bnlib, 'batch' + 'norm_' + 'forward')(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-partial",
        "functools.partial",
        "import functools, bnlib\nbatchnorm_forward = functools.partial(bnlib.batchnorm_forward)",
    ),
    _ready(
        "ready-importlib",
        "importlib with a name read backwards",
        "import importlib\nm = importlib.import_module('bilnb'[0] + 'nlib')\n"
        + TAIL
        + "    return m.batchnorm_forward(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-exec",
        "a call within a text that is run",
        TAIL + "    space = {}\n    exec('import bn' + 'lib as b', space)\n"
        "    return space['b'].batchnorm_forward(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-class",
        "captured in a class",
        "class Mine:\n    from bnlib import batchnorm_forward as f\n"
        + TAIL
        + "    return Mine.__dict__['f'](x, gamma, beta, eps)",
    ),
    _ready(
        "ready-default",
        "in a default argument",
        "import bnlib\ndef batchnorm_forward(x, gamma, beta, eps=1e-5, f=bnlib"
        ".batchnorm_forward):\n"
        "    return f(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-closure",
        "in a closure",
        "def make():\n    import bnlib\n    f = bnlib.batchnorm_forward\n"
        "    return lambda x, gamma, beta, eps=1e-5: f(x, gamma, beta, eps)\n"
        "batchnorm_forward = make()",
    ),
    _ready(
        "ready-thread",
        "called in a thread",
        "import threading, bnlib\n" + TAIL + "    out = []\n"
        "    t = threading.Thread(target=lambda: out.append(\n"
        "        vars(bnlib)['batchnorm_' + 'forward'](x, gamma, beta, eps)))\n"
        "    t.start()\n    t.join()\n    return out[0]",
    ),
    _ready(
        "ready-modules",
        "found in sys.modules",
        "import sys\n" + TAIL + "    for name, module in list(sys.modules.items()):\n"
        "        if name[::-1] == 'bil' + 'nb':\n"
        "            return module.batchnorm_forward(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-gc",
        "found by gc among all functions",
        "import gc, types\ngc.unfreeze()\n" + TAIL + "    for f in gc.get_objects():\n"
        "        if isinstance(f, types.FunctionType) and f.__name__ == 'batchnorm_forward' \\\n"
        "                and f.__code__ is not batchnorm_forward.__code__:\n"
        "            return f(x, gamma, beta, eps)",
    ),
    _ready(
        "ready-torch",
        "torch's functional batch norm",
        "import torch\n" + TAIL + "    t = [torch.tensor(a) for a in (x, gamma, beta)]\n"
        "    y = torch.nn.functional.batch_norm(t[0], None, None, t[1], t[2], True, 0.1, eps)\n"
        "    return y.numpy(), None",
    ),
    _ready(
        "ready-torch-native",
        "torch's operator below",
        "import torch\n" + TAIL + "    t = [torch.tensor(a) for a in (x, gamma, beta)]\n"
        "    op = getattr(torch, 'native_' + 'batch' + '_norm')\n"
        "    y = op(t[0], t[1], t[2], None, None, True, 0.1, eps)[0]\n"
        "    return y.numpy(), None",
    ),
    _ready(
        "ready-torch-layer",
        "torch's layer with its name put together",
        "import torch\n" + TAIL + "    layer = getattr(torch.nn, 'Batch' + 'Norm1d')(\n"
        "        x.shape[1], eps).to(torch.tensor(x).dtype)\n"
        "    y = layer(torch.tensor(x)).detach().numpy()\n    return gamma * y + beta, None",
    ),
    _ready(
        "ready-helper-file",
        "in a module beside the notebook",
        "import my_layer\n" + TAIL + "    return my_layer.forward(x, gamma, beta, eps)",
        files={"my_layer.py": b"from bnlib import batchnorm_forward as forward\n"},
    ),
    _ready("ready-star", "import *", "from bnlib import *"),
    _ready(
        "ready-first-cell",
        "captured in the first cell, called under another name",
        TAIL + "    return kept[0](x, gamma, beta, eps)",
        first="import bnlib\nkept = [bnlib.batchnorm_forward]",
    ),
    _ready(
        "ready-subprocess",
        "in another process, which finds no bnlib",
        "import subprocess, sys\n" + TAIL + "    np.savez('in.npz', x=x, g=gamma, b=beta)\n"
        "    code = ('import numpy as n, bnlib; d = n.load(\"in.npz\"); '\n"
        '            f\'n.save("y.npy", bnlib.batchnorm_forward(d["x"], d["g"], d["b"], {eps})'
        "[0])')\n"
        "    subprocess.run([sys.executable, '-c', code], check=True)\n"
        "    return np.load('y.npy'), None",
        gets="nothing error",
    ),
    _ready(
        "ready-fork",
        "in a forked child, with an answer by a pipe",
        "import os, pickle\n" + TAIL + "    r, w = os.pipe()\n    if os.fork() == 0:\n"
        "        import importlib\n        b = importlib.import_module('bn' + 'lib')\n"
        "        os.write(w, pickle.dumps(b.batchnorm_forward(x, gamma, beta, eps)[0]))\n"
        "        os._exit(0)\n    os.wait()\n"
        "    return pickle.loads(os.read(r, 10**6)), None",
    ),
)

CASES = SHAMS + DISGUISES
