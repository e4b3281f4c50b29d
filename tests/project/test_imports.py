"""Who may import whom (CONTRIBUTING.md, "Architecture"), read from the source."""

import ast
import json
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.utils import canonicalize_name

from tests.project.places import ROOT, requirements

OURS = ("bnlib", "autograder")
STDLIB = frozenset(sys.stdlib_module_names)
CORE_MAY_USE = {"numpy", "jaxtyping"}
WORKER_MAY_USE = {"numpy", "matplotlib", "IPython", "torch", "triton"} | {"traitlets"}  # IPython's
MACHINES = ("bnlib.blocks", "bnlib.kernels.guarded")  # what runs unit 12's kernels: no answers
# which parts of bnlib may use which heavy package
HEAVY = {
    "torch": (
        *("bnlib.torch", "bnlib.gpu", "bnlib.kernels"),
        *("bnlib.nets", "bnlib.training", "bnlib.experiments"),
        "bnlib.plots.live_training",  # late: a slider that trains
    ),
    "matplotlib": ("bnlib.plots", "bnlib.widgets"),
    "ipywidgets": ("bnlib.widgets",),
    "triton": ("bnlib.kernels",),
}
# what lets a program reach beyond its arguments: none of it is in the judge, or under it
OUTSIDE = {
    *("os", "pathlib", "io", "shutil", "tempfile", "subprocess", "socket", "urllib", "http"),
    *("sqlite3", "pickle", "shelve", "ctypes", "multiprocessing", "threading", "asyncio", "signal"),
    *("logging", "requests", "nbformat", "nbclient", "nbconvert", "nbgrader", "jupytext"),
    *("IPython", "click", "sqlalchemy"),
}
NOTEBOOKS_MAY_USE = {"bnlib", "autograder", "numpy", "torch", "triton", "matplotlib", "ipywidgets"}


def modules(package):
    """Return the files of a package by module name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = {name: path for package in OURS for name, path in modules(package).items()}


def imports(source, module="", is_package=False, top_only=False):
    """Return the dotted names that a source imports; with ``top_only`` when it is loaded."""
    found = set()
    for node in _nodes(ast.parse(source), top_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) - node.level + is_package] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    return found


def _nodes(tree, top_only):
    """Walk all nodes, or only those that run when the module is loaded."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if top_only and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        waiting.extend(ast.iter_child_nodes(node))


def imports_of(name, top_only=False):
    """Return what one of our modules imports."""
    path = MODULES[name]
    source = path.read_text(encoding="utf-8")
    return imports(source, name, path.name == "__init__.py", top_only)


def own_module(name):
    """Return our module that an imported name is, or lies in; None if it is not ours."""
    while name:
        if name in MODULES:
            return name
        name = name.rpartition(".")[0]
    return None


def closure(*start):
    """Return our modules that loading ``start`` loads through its imports."""
    found, waiting = set(), list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [own for i in imports_of(name, top_only=True) if (own := own_module(i))]
    return found


def roots(names):
    """Return the top-level packages of dotted names, the standard library left out."""
    return {name.split(".")[0] for name in names} - STDLIB - {""}


def within(name, packages):
    """Say whether a module is one of the packages or lies in one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_the_reader_sees_every_kind_of_import():
    """Otherwise the tests below would pass on anything."""
    source = "import a.b\nfrom c import d\nfrom . import e\nfrom .f import g\ndef h():\n import i\n"
    everything = {"a.b", "c.d", "p.e", "p.f.g", "i"}
    assert imports(source, "p.q") == everything
    assert imports(source, "p.q", top_only=True) == everything - {"i"}
    assert {"bnlib", "bnlib.forward", "autograder.judge", "autograder.worker"} <= set(MODULES)


@pytest.mark.parametrize("name", [n for n in MODULES if within(n, ["bnlib"])])
def test_bnlib_does_not_know_the_grader(name):
    """The reference package is of use without it; not even a late import leads there."""
    assert "autograder" not in roots(imports_of(name))


@pytest.mark.parametrize("name", [n for n in MODULES if within(n, ["bnlib"])])
def test_heavy_packages_stay_where_they_are_needed(name):
    """Each part of bnlib names the heavy packages it may use."""
    used = roots(imports_of(name))
    allowed = {heavy for heavy, places in HEAVY.items() if within(name, places)}
    assert used & set(HEAVY) <= allowed


def test_the_core_needs_numpy_alone():
    """All that ``import bnlib`` loads."""
    used = {root for name in closure("bnlib") for root in roots(imports_of(name, top_only=True))}
    assert "numpy" in used
    assert used - {"bnlib"} <= CORE_MAY_USE


def test_importing_bnlib_loads_neither_torch_nor_matplotlib():
    """The same seen at run time: a student's first import is quick."""
    code = "import sys, json, bnlib; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "matplotlib", "ipywidgets", "IPython", "autograder"}


@pytest.mark.parametrize("name", [n for n in MODULES if within(n, ["autograder.worker"])])
def test_the_worker_knows_nothing_of_the_grader(name):
    """It lives with the student's code: no exercise, no oracle, no expected value."""
    found = imports_of(name)
    assert all(within(i, ["autograder.worker", *MACHINES]) for i in found if own_module(i))
    assert roots(i for i in found if not within(i, MACHINES)) - {"autograder"} <= WORKER_MAY_USE


def test_the_judge_is_pure():
    """No file, no process, no network, no notebook: in it or in anything it uses."""
    used = closure("autograder.judge")
    assert "autograder.compare" in used
    for name in used:
        reached = {i.split(".")[0] for i in imports_of(name)} & OUTSIDE
        tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
        called = {n.func.id for n in ast.walk(tree) if _is_call_by_name(n)}
        assert not reached, name
        assert not called & {"open", "print", "input", "exec", "eval", "__import__"}, name


def _is_call_by_name(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def test_every_package_in_use_is_declared():
    """What works only because something else installs it breaks one day."""
    declared = {
        canonicalize_name(requirement.name)
        for extra in ("", "dask", "postgres")
        for requirement in requirements(*filter(None, [extra]))
    }
    distributions = packages_distributions()
    for name in MODULES:
        for root in roots(imports_of(name)) - set(OURS) - {"triton"}:
            found = {canonicalize_name(d) for d in distributions.get(root, [root])}
            assert found & declared, f"{name} imports {root}, which pyproject.toml does not name"


def _texts():
    """Return the code of every authored notebook by its path."""
    texts = {}
    for path in sorted(ROOT.glob("course/**/*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.lstrip().startswith(("%", "!"))]
        texts[str(path.relative_to(ROOT))] = "\n".join(kept)
    return texts


@pytest.mark.parametrize(("path", "text"), _texts().items(), ids=_texts().keys())
def test_notebooks_use_public_names_only(path, text):
    """A student can import the same: bnlib, and from the grader what its front door offers."""
    import autograder

    found = imports(text)
    assert roots(found) <= NOTEBOOKS_MAY_USE
    from_grader = {i for i in found if i.startswith("autograder")}
    assert from_grader <= {f"autograder.{name}" for name in autograder.__all__} | {"autograder"}
