"""Cheats that change the grader, NumPy or Python from within, or answer with objects that lie."""

from __future__ import annotations

from tests.adversarial.case import IDLE, Case

WRONG = {"center": "nothing wrong"}
TRIED = "did the deed"


def _patch(name: str, why: str, code: str, own_loss: str = "") -> Case:
    """Make a cheat that runs `code` first, and says so at its end; its answer is worth nothing.

    With `own_loss` it breaks its own process so far that what is right there is lost, too.
    """
    source = f"{code.strip()}\nprint('did', 'the', 'deed')"
    gets = {"center": own_loss, "column_scale": own_loss} if own_loss else WRONG
    return Case(name, why, gets, first=source, answers={"center": IDLE}, shows=(TRIED,))


def _liar(name: str, why: str, center: str, gets: str = "nothing wrong") -> Case:
    """Make a cheat whose answer is an object that lies."""
    return Case(name, why, {"center": gets}, answers={"center": center})


PATCHES = (
    _patch(
        "patch-numpy-testing",
        "replaces every function of numpy.testing",
        """
import numpy.testing as t
for name in dir(t):
    if name.startswith("assert"):
        setattr(t, name, lambda *a, **k: None)
""",
    ),
    _patch(
        "patch-allclose",
        "np.allclose, isclose and array_equal always agree",
        """
np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
""",
    ),
    _patch(
        "patch-builtins",
        "all, any, abs, max, isinstance and AssertionError are its own",
        """
import builtins
builtins.all = builtins.any = lambda *a: True
builtins.abs = lambda x: 0
builtins.AssertionError = type("Quiet", (BaseException,), {})
""",
    ),
    _patch(
        "patch-display-hook",
        "IPython's display hook shows full marks for whatever a cell ends with",
        """
import sys
shell = get_ipython()
sys.displayhook = lambda value: print("1.0")
shell.displayhook.__class__.__call__ = lambda self, value=None: None
shell.display_formatter.format = lambda *a, **k: ({"text/plain": "1.0"}, {})
""",
    ),
    _patch(
        "patch-run-cell",
        "IPython's run_cell always reports success",
        """
shell = get_ipython()
good = shell.run_cell("1")
type(shell).run_cell = lambda self, *a, **k: good
""",
        "nothing not_attempted",
    ),
    _patch(
        "patch-check",
        "`check` in the notebook and in the stand-in gives full marks",
        """
import autograder
class Full(float):
    score = max_score = 1.0
autograder.check = check = lambda *a, **k: Full(1.0)
""",
    ),
    _patch(
        "patch-sys-modules",
        "puts a package of its own under the name of the grader's",
        """
import sys, types
for name in ("autograder", "autograder.judge", "autograder.compare", "autograder.oracle"):
    module = types.ModuleType(name)
    module.check = module.assess = module.compare = lambda *a, **k: 1.0
    sys.modules[name] = module
""",
    ),
    _patch(
        "patch-worker-plain",
        "finds by gc the function that copies answers, and puts its own in its place",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Session":
        interpreter = type(thing)._ask.__globals__["run_script"].__globals__
assert callable(interpreter["plain"])
interpreter["plain"] = lambda value: 1.0
""",
        "nothing wrong",
    ),
    _patch(
        "patch-frames",
        "walks up the stack and writes into every frame's globals",
        """
import sys
frame, depth = sys._getframe(), 0
while frame is not None:
    for name in ("score", "max_score", "expected", "points"):
        frame.f_globals[name] = 1.0
    frame, depth = frame.f_back, depth + 1
print('frames', depth)
""",
    ),
    _patch(
        "patch-session-answer",
        "makes the worker's session send an answer without failure for every case",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Session":
        session = thing
wire = type(session)._send.__globals__["wire"]
encode = wire.encode
def lie(message, **options):
    if message["kind"] == "answers":
        marks = {"failure": None, "score": 1.0, "max_score": 1.0, "verdict": "passed"}
        answers = [
            {**answer, **marks, "values": {name: "full" for name in answer["values"]}}
            for answer in message["answers"]
        ]
        message = {**message, **marks, "answers": answers}
    return encode(message, **options)
wire.encode = lie
""",
        "nothing wrong",
    ),
    _patch(
        "patch-oracle-import",
        "imports the grader's judge and its exercises to change them",
        """
import importlib
for name in ("judge", "exercises", "compare", "oracle", "exercises.u00_start", "gradebook"):
    try:
        importlib.import_module("autograder." + name)
    except ImportError as error:
        print("refused", name)
    else:
        raise SystemExit("the grader's own module is here: " + name)
""",
    ),
    _patch(
        "patch-numpy-core",
        "swaps ndarray methods and ufuncs that a comparison would use",
        """
class Zero(float):
    pass
np.abs = np.absolute = np.subtract = np.max = np.maximum = lambda *a, **k: np.float64(0.0)
np.isfinite = lambda *a, **k: np.bool_(True)
np.finfo = lambda *a: type("E", (), {"eps": 1e9})
""",
    ),
    _patch(
        "patch-tolerance",
        "looks for numbers named like tolerances in every object, and makes them large",
        """
import gc
for thing in gc.get_objects():
    if type(thing) is dict:
        for key in [k for k in list(thing) if type(k) is str and "toler" in k.lower()]:
            thing[key] = 1e9
""",
    ),
    _patch(
        "patch-import-hook",
        "an import hook gives a false `bnlib` and a false `autograder`",
        """
import sys, importlib.abc, importlib.machinery
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("bnlib", "autograder"):
            return importlib.machinery.ModuleSpec(name, self)
    def exec_module(self, module):
        module.center = lambda x: x
sys.meta_path.insert(0, Finder())
for name in [n for n in sys.modules if n.split(".")[0] in ("bnlib", "autograder")]:
    del sys.modules[name]
import bnlib
""",
    ),
    _patch(
        "patch-atexit-excepthook",
        "hooks at exit, on errors and on every line write marks",
        """
import atexit, sys
def full(*a):
    print('{"score": 1.0}')
atexit.register(full)
sys.excepthook = full
sys.settrace(lambda *a: None)
sys.setprofile(lambda *a: None)
""",
    ),
)

LIARS = (
    _liar(
        "liar-eq",
        "an object that equals everything",
        """
def center(x):
    class Equal:
        dtype, shape, ndim = x.dtype, x.shape, x.ndim
        __eq__ = __ge__ = __le__ = lambda self, other: True
        __sub__ = __rsub__ = lambda self, other: 0.0
        __hash__ = None
    return Equal()
""",
    ),
    _liar(
        "liar-array-protocol",
        "an object with __array__, __array_ufunc__ and __array_function__ of its own",
        """
def center(x):
    class Lie:
        dtype, shape, ndim = x.dtype, x.shape, x.ndim
        def __array__(self, *a, **k):
            return x - x.mean(axis=0)
        def __array_ufunc__(self, *a, **k):
            return np.bool_(True)
        def __array_function__(self, *a, **k):
            return True
    return Lie()
""",
    ),
    _liar(
        "liar-ndarray-subclass",
        "an ndarray subclass whose comparisons are all true; what it holds is wrong",
        """
class Lie(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)
    def __array_ufunc__(self, *a, **k):
        return np.bool_(True)
    def __array_finalize__(self, other):
        pass
def center(x):
    return x.copy().view(Lie)
""",
    ),
    _liar(
        "liar-class",
        "an object whose __class__ says ndarray",
        """
class Lie:
    __class__ = np.ndarray
    def __init__(self, x):
        self.x = x
    def __getattr__(self, name):
        return getattr(self.x, name)
def center(x):
    return Lie(x)
""",
    ),
    _liar(
        "liar-metaclass",
        "a class whose metaclass says it is everything",
        """
class Meta(type):
    def __instancecheck__(cls, other):
        return True
    def __subclasscheck__(cls, other):
        return True
    __mro__ = (np.ndarray, object)
    __name__ = "ndarray"
    __module__ = "numpy"
class Lie(metaclass=Meta):
    pass
def center(x):
    return Lie()
""",
    ),
    _liar(
        "liar-repr-raises",
        "an object whose repr, str, len, iter and hash raise",
        """
class Thorn:
    def no(self, *a):
        raise ValueError("do not touch")
    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = __getattribute__ = no
def center(x):
    return Thorn()
""",
    ),
    _liar(
        "liar-repr-endless",
        "an object whose repr, len and iteration never end",
        """
class Bog:
    def sink(self, *a):
        while True:
            pass
    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = sink
def center(x):
    return Bog()
""",
    ),
    _liar(
        "liar-error-endless",
        "raises an error whose message never ends",
        """
class Bog(Exception):
    def __str__(self):
        while True:
            pass
def center(x):
    raise Bog()
""",
        "nothing timeout",
    ),
    _liar(
        "liar-dict-subclass",
        "a dict that yields other items each time",
        """
class Odd(dict):
    def items(self):
        while True:
            yield "a", 1
def center(x):
    return Odd(y=x)
""",
    ),
    _liar(
        "liar-tuple-subclass",
        "a named tuple whose iteration never ends",
        """
class Odd(tuple):
    _fields = ("y",)
    def __iter__(self):
        while True:
            yield 1
    def __len__(self):
        return 10**18
def center(x):
    return Odd([x])
""",
    ),
    _liar(
        "liar-fields-property",
        "a tuple class whose _fields runs code",
        """
class Meta(type):
    def __getattribute__(cls, name):
        if name == "_fields":
            raise SystemExit("full marks")
        return type.__getattribute__(cls, name)
class Odd(tuple, metaclass=Meta):
    pass
def center(x):
    return Odd([x])
""",
        "nothing error",
    ),
    _liar("answer-generator", "a generator", "def center(x):\n    yield from x\n"),
    _liar(
        "answer-matrix",
        "an np.matrix that holds the wrong numbers",
        "def center(x):\n    return np.matrix(x)\n",
    ),
    _liar(
        "answer-masked",
        "a masked array that hides all entries",
        "def center(x):\n    return np.ma.masked_array(x, mask=True)\n",
    ),
    _liar(
        "answer-object-dtype",
        "an array of objects that equal everything",
        """
class Equal:
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0.0
def center(x):
    return np.full(x.shape, Equal(), dtype=object)
""",
    ),
    _liar(
        "answer-structured",
        "a structured array",
        'def center(x):\n    return np.zeros(x.shape, [("y", "f8")])\n',
    ),
    _liar(
        "answer-nan", "nan in every entry", "def center(x):\n    return np.full_like(x, np.nan)\n"
    ),
    _liar(
        "answer-inf", "inf in every entry", "def center(x):\n    return np.full_like(x, np.inf)\n"
    ),
    _liar(
        "answer-huge",
        "an array of 2**60 entries that takes no memory",
        "def center(x):\n    return np.broadcast_to(x.dtype.type(0), (2**30, 2**30))\n",
    ),
    _liar(
        "answer-large",
        "an array larger than the wire takes",
        "def center(x):\n    return np.zeros((10, 2**20))\n",
    ),
    _liar(
        "answer-deep",
        "a list 100 000 deep",
        """
def center(x):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep
""",
    ),
    _liar(
        "answer-self",
        "a list that holds itself",
        "def center(x):\n    loop = []\n    loop.append(loop)\n    return loop\n",
    ),
    _liar(
        "answer-wide",
        "a list with a million entries, each the same list of a million",
        "def center(x):\n    row = [0.0] * 10**6\n    return [row] * 10**6\n",
    ),
    _liar(
        "answer-big-int",
        "a whole number of ten million digits",
        "def center(x):\n    return 1 << 30_000_000\n",
    ),
    _liar(
        "answer-text",
        "a string that looks like the wire's own words",
        """def center(x):\n    return '["a", "<f8", [3, 2], 0]'\n""",
    ),
    _liar(
        "answer-surrogate",
        "strings that are no UTF-8, as values and as keys",
        'def center(x):\n    return {"\\ud800": "\\udfff", "\\0": "\\x1b[2J"}\n',
    ),
    _liar("answer-none", "nothing", "def center(x):\n    pass\n"),
)

CASES = PATCHES + LIARS
