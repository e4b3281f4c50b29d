"""Ready-made solutions are found in the source, and honest use of the same packages is not."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest

from autograder.shortcuts import find_shortcuts
from autograder.vocabulary import READY_MADE
from autograder.worker.shortcuts import is_forbidden

GIVEN = ("imports", "import numpy as np\nfrom autograder import check, hint, progress")
OWN = "def batch_mean(x):\n    return x.mean(axis=0)\n"


def found(*sources: str, name: str = "batch_mean") -> list[str]:
    """Return the dotted names that a notebook of these cells is caught with."""
    cells = [GIVEN, *((f"cell{i}", dedent(source)) for i, source in enumerate(sources))]
    return [evidence.what for evidence in find_shortcuts(cells, name, READY_MADE)]


CHEATS = {
    "from import, as it is": ("from bnlib import batch_mean", "bnlib.batch_mean"),
    "alias": ("import bnlib\nbatch_mean = bnlib.batch_mean", "bnlib.batch_mean"),
    "alias of an alias": (
        "import bnlib as b\nmean = b.batch_mean\nm = mean\ndef batch_mean(x): return m(x)",
        "bnlib.batch_mean",
    ),
    "submodule": (
        "import bnlib.statistics\ndef batch_mean(x): return bnlib.statistics.batch_mean(x)",
        "bnlib.statistics.batch_mean",
    ),
    "star": ("from bnlib import *", "bnlib.batch_mean"),
    "star, then wrapped": (
        "from bnlib import *\nold = batch_mean\ndef batch_mean(x): return old(x)",
        "bnlib.batch_mean",
    ),
    "import inside": (
        "def batch_mean(x):\n    import bnlib as q\n    return q.batch_mean(x)",
        "bnlib.batch_mean",
    ),
    "from import inside": (
        "def batch_mean(x):\n    from bnlib.statistics import batch_mean as f\n    return f(x)",
        "bnlib.statistics.batch_mean",
    ),
    "in a branch": (
        "def batch_mean(x):\n    try:\n        import bnlib\n        f = bnlib.batch_mean\n"
        "    except ImportError:\n        f = np.mean\n    return f(x)",
        "bnlib.batch_mean",
    ),
    "helper": (
        "import bnlib\ndef h(x): return bnlib.batch_mean(x)\ndef batch_mean(x): return h(x)",
        "bnlib.batch_mean",
    ),
    "helper, defined after": (
        "def batch_mean(x): return h(x)\ndef h(x):\n    import bnlib as b\n    b.batch_mean",
        "bnlib.batch_mean",
    ),
    "method of a class": (
        "import bnlib\nclass H:\n    def f(self, x): return bnlib.batch_mean(x)\n"
        "def batch_mean(x): return H().f(x)",
        "bnlib.batch_mean",
    ),
    "base class": ("import bnlib\nclass batch_mean(bnlib.BatchNorm1d): pass", "bnlib.BatchNorm1d"),
    "class attribute": (
        "import bnlib\nclass batch_mean:\n    f = bnlib.batch_mean",
        "bnlib.batch_mean",
    ),
    "import in a class": (
        "class H:\n    from bnlib import batch_mean as f\ndef batch_mean(x): return H.f(x)",
        "bnlib.batch_mean",
    ),
    "default argument": (
        "import bnlib\ndef batch_mean(x, f=bnlib.batch_mean): return f(x)",
        "bnlib.batch_mean",
    ),
    "decorator": (
        "import bnlib\ndef by(f): return bnlib.batch_mean\n@by\ndef batch_mean(x): pass",
        "bnlib.batch_mean",
    ),
    "lambda": ("import bnlib\nbatch_mean = lambda x: bnlib.batch_mean(x)", "bnlib.batch_mean"),
    "partial": (
        "import bnlib\nfrom functools import partial\nbatch_mean = partial(bnlib.batch_mean)",
        "bnlib.batch_mean",
    ),
    "tuple": ("import bnlib\nbatch_mean, b = bnlib.batch_mean, 3", "bnlib.batch_mean"),
    "table": (
        "import bnlib\nt = {}\nt['f'] = bnlib.batch_mean\ndef batch_mean(x): return t['f'](x)",
        "bnlib.batch_mean",
    ),
    "list that grows": (
        "import bnlib\nt = []\nt.append(bnlib.batch_mean)\ndef batch_mean(x): return t[0](x)",
        "bnlib.batch_mean",
    ),
    "comprehension": (
        "import bnlib\ndef batch_mean(x): return [bnlib.batch_mean(y) for y in [x]][0]",
        "bnlib.batch_mean",
    ),
    "walrus": ("import bnlib\n(batch_mean := bnlib.batch_mean)", "bnlib.batch_mean"),
    "getattr": (
        "import bnlib\ndef batch_mean(x): return getattr(bnlib, 'batch_' + 'mean')(x)",
        "bnlib.batch_mean",
    ),
    "getattr of something unknown": (
        "import bnlib\ndef batch_mean(x): return getattr(bnlib, secret())(x)",
        "bnlib",
    ),
    "attrgetter": (
        "import bnlib, operator\nbatch_mean = operator.attrgetter('batch_mean')(bnlib)",
        "bnlib.batch_mean",
    ),
    "import_module": (
        "import importlib\nn = 'bn'\ndef batch_mean(x):\n"
        "    return importlib.import_module(n + 'lib').batch_mean(x)",
        "bnlib.batch_mean",
    ),
    "import_module, written backwards": (
        "from importlib import import_module\n"
        "def batch_mean(x): return import_module('x').batch_mean(x)"
        "\nb = import_module('bilnb'[::-1])\ndef batch_mean(x): return b.batch_mean(x)",
        "bnlib.batch_mean",
    ),
    "__import__": (
        "def batch_mean(x): return __import__(''.join(['bn', 'lib'])).batch_mean(x)",
        "bnlib.batch_mean",
    ),
    "sys.modules": (
        "import sys\ndef batch_mean(x): return sys.modules['bnlib'].batch_mean(x)",
        "bnlib.batch_mean",
    ),
    "sys.modules.get": (
        "import sys\ndef batch_mean(x): return sys.modules.get('bnlib').batch_mean(x)",
        "bnlib.batch_mean",
    ),
    "vars": (
        "import bnlib\ndef batch_mean(x): return vars(bnlib)['batch_mean'](x)",
        "bnlib.batch_mean",
    ),
    "globals": (
        "from bnlib import batch_mean as f\ndef batch_mean(x): return globals()['f'](x)",
        "bnlib.batch_mean",
    ),
    "globals, set": (
        OWN + "import bnlib\nglobals()['batch_mean'] = bnlib.batch_mean",
        "bnlib.batch_mean",
    ),
    "globals, updated": (
        OWN + "import bnlib\nglobals().update(batch_mean=bnlib.batch_mean)",
        "bnlib.batch_mean",
    ),
    "global": (
        OWN
        + "import bnlib\ndef go():\n    global batch_mean\n    batch_mean = bnlib.batch_mean\ngo()",
        "bnlib.batch_mean",
    ),
    "exec at the top": ("exec('from bnlib import batch_mean')", "bnlib.batch_mean"),
    "exec inside": (
        "def batch_mean(x):\n    ns = {}\n    exec('from bnlib import batch_mean as f', ns)\n"
        "    return ns['f'](x)",
        "bnlib.batch_mean",
    ),
    "eval": (
        "import bnlib\ndef batch_mean(x): return eval('bnlib.batch_mean(x)')",
        "bnlib.batch_mean",
    ),
    "source of the reference": (
        "import bnlib, inspect\nexec(inspect.getsource(bnlib.batch_mean))",
        "bnlib.batch_mean",
    ),
    "file of the reference": (
        "import bnlib\nbatch_mean = eval(open(bnlib.__file__).read())",
        "bnlib.__file__",
    ),
    "path of the reference": (
        "def batch_mean(x): return open('/opt/bnlib/statistics.py').read()",
        "bnlib",
    ),
    "another process": (
        "import subprocess\ndef batch_mean(x):\n"
        "    return subprocess.run(['python', '-c', 'import bnlib; print(3)'])",
        "bnlib",
    ),
    "code exchanged": (
        OWN + "import bnlib\nbatch_mean.__code__ = bnlib.batch_mean.__code__",
        "bnlib.batch_mean.__code__",
    ),
    "method exchanged": (
        "import bnlib\nclass batch_mean: pass\nsetattr(batch_mean, '__call__', bnlib.batch_mean)",
        "bnlib.batch_mean",
    ),
    "NumPy exchanged": (
        "import bnlib\nnp.mean = bnlib.batch_mean\ndef batch_mean(x): return np.mean(x)",
        "bnlib.batch_mean",
    ),
    "torch's function": (
        "import torch\nimport torch.nn.functional as F\n"
        "def batch_mean(x): return F.batch_norm(x, None, None)",
        "torch.nn.functional.batch_norm",
    ),
    "torch's layer": (
        "from torch import nn\nclass batch_mean(nn.BatchNorm1d): pass",
        "torch.nn.BatchNorm1d",
    ),
    "torch's layer, star": (
        "from torch.nn import *\ndef batch_mean(x): return BatchNorm1d(3)(x)",
        "torch.nn.BatchNorm1d",
    ),
    "torch's operator": (
        "import torch\ndef batch_mean(x): return torch.ops.aten.native_batch_norm.default(x)",
        "torch.ops.aten.native_batch_norm.default",
    ),
    "torch's function by getattr": (
        "import torch.nn.functional as F\ndef batch_mean(x): return getattr(F, 'batch_norm')(x)",
        "torch.nn.functional.batch_norm",
    ),
    "the grader's own layer": (
        "from autograder.worker.givens import layers\nclass batch_mean(layers.ReadyLayer): pass",
        "autograder.worker.givens.layers.ReadyLayer",
    ),
    "the grader's oracle": (
        "from autograder.exercises import find\nbatch_mean = find('u02.batch_mean').oracle",
        "autograder.exercises.find",
    ),
    "among magics": (
        "%matplotlib inline\nimport bnlib\n!ls\nfiles = !ls\nbnlib?\nbatch_mean = bnlib.batch_mean",
        "bnlib.batch_mean",
    ),
    "under a cell magic": ("%%time\nfrom bnlib import batch_mean", "bnlib.batch_mean"),
    "after a line magic": ("import bnlib\n%time batch_mean = bnlib.batch_mean", "bnlib.batch_mean"),
}


@pytest.mark.parametrize(("source", "what"), CHEATS.values(), ids=CHEATS)
def test_a_ready_made_solution_is_found(source: str, what: str) -> None:
    """However the reference is reached, it is named."""
    assert what in found(source)


HONEST = {
    "nothing but NumPy": OWN,
    "compared in a cell of one's own": OWN + "import bnlib\nbnlib.batch_mean(np.ones((3, 2)))",
    "asserted below": OWN + "import bnlib\nassert (batch_mean(x) == bnlib.batch_mean(x)).all()",
    "compared in a function of its own": (
        OWN + "import bnlib\ndef compare(x): return batch_mean(x) - bnlib.batch_mean(x)\ncompare(1)"
    ),
    "compared by NumPy's testing": (
        OWN + "import bnlib\nnp.testing.assert_allclose(batch_mean(x), bnlib.batch_mean(x))"
    ),
    "kept in a table of results": (
        OWN + "import bnlib\nt = {}\nt['mine'] = batch_mean(x)\nt['theirs'] = bnlib.batch_mean(x)"
    ),
    "unused import": "import bnlib\nfrom torch.nn.functional import batch_norm\n" + OWN,
    "unused import inside": "def batch_mean(x):\n    import bnlib\n    return x.mean(axis=0)",
    "comment and docstring": (
        "def batch_mean(x):\n    'As bnlib.batch_mean.'\n    return x.mean(0)  # bnlib.batch_mean"
    ),
    "a variable of that name": (
        "bnlib = 3\ndef batch_mean(x):\n    bnlib = x.mean(0)\n    return bnlib"
    ),
    "a parameter of that name": "import bnlib\ndef batch_mean(bnlib): return bnlib.mean(axis=0)",
    "written again": "from bnlib import batch_mean\n" + OWN,
    "written again after a star": "from bnlib import *\n" + OWN,
    "NumPy after a star": "from bnlib import *\nfrom torch import *\n" + OWN,
    "torch without its layers": (
        "import torch\ndef batch_mean(x): return torch.from_numpy(x).mean(dim=0).numpy()"
    ),
    "a figure": (
        "import bnlib.plots.axis\nfrom bnlib.widgets import explore\n"
        "def batch_mean(x):\n    bnlib.plots.axis.draw(x)\n    explore(x)\n    return x.mean(0)"
    ),
    "an error of ours": (
        "import bnlib\ndef batch_mean(x):\n    if not len(x): raise bnlib.BatchSizeError('empty')\n"
        "    return x.mean(axis=0)"
    ),
    "an annotation": (
        "import bnlib.arrays\ndef batch_mean(x: bnlib.arrays.Features):\n"
        "    y: bnlib.arrays.Features = x\n    return y.mean(axis=0)"
    ),
    "a helper that only a comparison uses": (
        "import bnlib\ndef theirs(x): return bnlib.batch_mean(x)\n"
        + OWN
        + "theirs(np.ones((2, 2)))"
    ),
    "layers of torch for a comparison": (
        OWN + "import torch\nlayer = torch.nn.BatchNorm1d(3)\nlayer.eval()"
    ),
    "a magic that is none of ours": "%%bash\npython -c 'import bnlib'\n",
    "no Python at all": "from bnlib import batch_mean (",
    "its own norm": "def batch_norm(x): return x\ndef batch_mean(x): return batch_norm(x).mean(0)",
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_use_is_not_held_against_anybody(source: str) -> None:
    """Comparing with a reference is welcome, and mentioning it is no use of it."""
    assert found(source) == []


def test_the_last_binding_counts() -> None:
    """A cell that takes the place of the student's own function, and the other way round."""
    theirs = "from bnlib import batch_mean"
    assert found(OWN, theirs) == ["bnlib.batch_mean"]
    assert found(theirs, OWN) == []


def test_evidence_names_cell_line_and_code() -> None:
    """The instructor can look it up."""
    (evidence,) = find_shortcuts(
        [("solution", "import bnlib\n\nbatch_mean = bnlib.batch_mean")], "batch_mean", READY_MADE
    )
    assert (evidence.cell, evidence.line) == ("solution", 3)
    assert str(evidence) == (
        "Cell `solution`, line 3, uses bnlib.batch_mean: `batch_mean = bnlib.batch_mean`."
    )


def test_an_exercise_may_allow_more() -> None:
    """What is forbidden is the exercise's to say."""
    cells = [("a", "import bnlib\ndef f(x): return bnlib.batch_mean(x) + bnlib.batch_var(x)")]
    (evidence,) = find_shortcuts(cells, "f", ("bnlib.batch_v*",))
    assert evidence.what == "bnlib.batch_var"


def test_a_name_that_nobody_binds_is_no_evidence() -> None:
    """Nothing written yet is not forbidden."""
    assert found("import bnlib\nbnlib.batch_mean(1)") == []


@pytest.mark.parametrize(
    "source",
    [
        "\n".join(["a = 'b'", *["a = a + a"] * 200, "def batch_mean(x): return getattr(x, a)"]),
        "\n".join(["a = 1", *["a = a or a"] * 200, "batch_mean = a.b"]),
        "\n".join(["a = 1", *["a += a"] * 5000, "batch_mean = a.b"]),
        "batch_mean = " + "(" * 80 + ")" * 80,
        "batch_mean = " + "-" * 5000 + "1",
        "batch_mean = lambda x: " + "x." * 5000 + "y",
        "def batch_mean(x):\n" + "\n".join("    " * i + "if x:" for i in range(1, 60)) + " x",
        "\n".join(f"def f{i}(x): return f{i + 1}(x)" for i in range(3000)) + "\nbatch_mean = f0",
        "batch_mean = batch_mean",
        "\n".join("    " * i + "try:" for i in range(15)) + " x",
        "exec('a' " + "+ 'a'" * 900 + ")\nbatch_mean = 1",
        "exec('-----------------------------------------------------1')\nbatch_mean = 1",
        "exec('exec(\"exec(1)\")')\nbatch_mean = eval('batch_mean')",
    ],
)
def test_a_source_that_is_made_to_be_slow_is_not(source: str) -> None:
    """The search ends, and soon: it runs outside of every sandbox."""
    start = time.process_time()
    assert found(source) == []
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bnlib", True),
        ("bnlib.batch_mean", True),
        ("bnlibrary.batch_mean", False),
        ("bnlib.plots.axis.draw", False),
        ("bnlib.ShapeError", False),
        ("torch.nn.functional.batch_norm", True),
        ("torch.nn.SyncBatchNorm", True),
        ("torch.nn.LazyBatchNorm1d", True),
        ("torch.nn.Linear", False),
        ("torch.nn.functional.normalize", False),
        ("autograder.check", False),
        ("autograder.check.find", True),
        ("autograder.oracle", True),
    ],
)
def test_what_is_ready_made(name: str, expected: bool) -> None:
    """The list that holds unless an exercise has another."""
    assert is_forbidden(name, READY_MADE) is expected
