"""A fingerprint of an experiment's code: when it changes, the old numbers no longer count.

It covers the experiment's module and every module of bnlib that this leads to. Comments,
docstrings and line breaks do not count, so mending a sentence costs no run.
"""

import ast
import hashlib
import io
import tokenize
from functools import lru_cache
from pathlib import Path

PACKAGE = "bnlib"
ROOT = Path(__file__).parents[1]
UNSEEN = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
STARTS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
MARKS = {tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}


def fingerprint(module: str) -> str:
    """Return a hash of what a module of bnlib, and all it imports from bnlib, does.

    Parameters
    ----------
    module : str
        Its dotted name, such as "bnlib.experiments.convergence".

    Returns
    -------
    str
        16 hexadecimal digits, the same on every system and every version of Python.
    """
    parts = [f"{name}\n{_essence(_file(name).read_text('utf-8'))}" for name in closure(module)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def closure(module: str) -> list[str]:
    """Return a module and all modules of bnlib that it leads to, sorted.

    The package's front door, `bnlib` itself, leads everywhere; a name imported from there leads
    to the module that it comes from, and nowhere else.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for imported in _imports(ast.parse(_file(name).read_text("utf-8"))):
            owner = _owner(imported)
            if owner is not None:
                waiting.append(owner)
    return sorted(found)


def _imports(tree: ast.AST) -> list[str]:
    """Return the dotted names that code imports; imports within bnlib are absolute."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.split(".")[0] == PACKAGE]


def _owner(name: str) -> str | None:
    """Return the module that an imported name is, or comes from."""
    if name.count(".") == 1 and not _is_module(name):
        name = _front_door().get(name.split(".")[1], PACKAGE)
    while not _is_module(name):
        name = name.rpartition(".")[0]
    return None if name == PACKAGE else name


@lru_cache(maxsize=1)
def _front_door() -> dict[str, str]:
    """Return where each name that `bnlib` exports comes from."""
    tree = ast.parse(_file(PACKAGE).read_text("utf-8"))
    return {name.rpartition(".")[2]: name.rpartition(".")[0] for name in _imports(tree)}


def _is_module(name: str) -> bool:
    """Say whether a dotted name is a file of the package."""
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _file(name: str) -> Path:
    """Return the file of a module."""
    path = ROOT.parent.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _essence(source: str) -> str:
    """Return code without comments, docstrings and blanks.

    Made of tokens and not of a parsed tree, which is written differently from one version of
    Python to the next; blanks go last, as versions differ in where an f-string is cut.
    """
    kept: list[str] = []
    before = tokenize.NEWLINE
    everything = tokenize.generate_tokens(io.StringIO(source).readline)
    tokens = [token for token in everything if token.type not in UNSEEN]
    at = 0
    while at < len(tokens):
        kinds = [token.type for token in tokens[at : at + 2]]
        if before in STARTS and kinds == [tokenize.STRING, tokenize.NEWLINE]:
            at += 2  # a text that is a statement of its own
            continue
        before = tokens[at].type
        kept.append(MARKS.get(before, tokens[at].string))
        at += 1
    return "".join("\n".join(kept).split())
