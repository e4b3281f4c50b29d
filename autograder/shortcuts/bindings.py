"""What the names of a notebook stand for, and when: the bindings its cells make, in order."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.shortcuts.cell_source import parse_cell, parse_text
from autograder.shortcuts.folding import fold

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MUTATORS = frozenset({"append", "extend", "insert", "add", "update", "setdefault", "__setitem__"})
RUNS_TEXT = frozenset({"exec", "run_cell", "ex"})  # `exec` itself, and IPython's two
MOST_BINDINGS = 50  # of one name that may hold at once
ANY = "*"  # name under which code that may bind anything is kept


@dataclass(frozen=True)
class Bound:
    """What a name is bound to."""

    dotted: str = ""
    """For an import: the dotted name of the module or of what is taken from it."""
    node: ast.AST | None = None
    """Otherwise: the definition or the expression; None if nothing can be said."""


@dataclass(frozen=True)
class Binding:
    """One binding of a global name."""

    bound: Bound
    """To what."""
    position: int
    """Number of the statement, over all cells."""
    cell: str
    """Name of the cell."""
    line: int
    """Line in the cell."""
    maybe: bool
    """Whether what the name stood for before may still hold: a branch, or a change of a part."""


@dataclass(frozen=True)
class Patch:
    """A change of a part of something: ``np.mean = f``, ``table["f"] = f``, ``table.append(f)``."""

    target: ast.expr
    """What is changed."""
    binding: Binding
    """What is put there."""


class Bindings:
    """All bindings that some cells make at their top level.

    Parameters
    ----------
    cells
        Name and source of each, in the order in which they run. What is no Python adds nothing.
    star_names
        Which names ``from module import *`` brings; None if that is not known.
    """

    def __init__(
        self,
        cells: Sequence[tuple[str, str]],
        star_names: Callable[[str], Iterable[str] | None] = lambda _: None,
    ) -> None:
        self._by_name: dict[str, list[Binding]] = defaultdict(list)
        self._star_names = star_names
        self._position, self._cell = 0, ""
        self.stars: list[str] = []
        self.patches: list[Patch] = []
        for name, source in cells:
            tree = parse_cell(source)
            self._cell = name
            self._block(tree.body if tree is not None else [], maybe=False)

    def look_up(self, name: str, before: int | None = None) -> list[Binding]:
        """Return what a name may stand for before a statement, or at the end; the latest first."""
        found = []
        for binding in reversed(self._by_name.get(name, [])):
            if before is None or binding.position < before:
                found.append(binding)
                if not binding.maybe or len(found) == MOST_BINDINGS:
                    break
        return found

    def anything_since(self, position: int) -> list[Binding]:
        """Return the code run since a statement whose text is unknown: it may bind any name."""
        return [b for b in self._by_name.get(ANY, []) if b.position > position]

    def add(self, name: str, bound: Bound, line: int, maybe: bool) -> None:
        """Bind a name in the statement at hand."""
        binding = Binding(bound, self._position, self._cell, line, maybe)
        self._by_name[name].append(binding)

    def _block(self, statements: Iterable[ast.stmt], maybe: bool) -> None:
        for statement in statements:
            self._position += 1
            self._statement(statement, maybe)

    def _statement(self, statement: ast.stmt, maybe: bool) -> None:
        for name, bound in bound_by(statement):
            if name == ANY:
                self._star(bound.dotted, statement.lineno, maybe)
            else:
                changes = isinstance(statement, ast.AugAssign | ast.For)
                self.add(name, bound, statement.lineno, maybe or changes)
        for target, value in _parts_changed(statement):
            key = _global_named(target)
            if key is not None:
                self.add(key, Bound(node=value), statement.lineno, maybe=True)
                continue
            bound = Bound(node=value)
            binding = Binding(bound, self._position, self._cell, statement.lineno, True)
            self.patches.append(Patch(target, binding))
        if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            for call in _calls(statement):
                self._effect_of(call)
        is_branch = not isinstance(statement, ast.With | ast.AsyncWith)
        for block in blocks(statement):
            self._block(block, maybe or is_branch)

    def _star(self, module: str, line: int, maybe: bool) -> None:
        names = self._star_names(module)
        if names is None:
            self.stars.append(module)
        for name in names or ():
            self.add(name, Bound(f"{module}.{name}"), line, maybe)

    def _effect_of(self, call: ast.Call) -> None:
        """Note what a call at the top level binds: through `exec`, or through ``global``."""
        called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        name = call.func.id if isinstance(call.func, ast.Name) else called
        if name in RUNS_TEXT and call.args:
            text = fold(call.args[0])
            tree = parse_text(text, call.lineno) if text is not None else None
            if tree is not None:
                self._block(tree.body, maybe=True)
            elif text is None:
                self.add(ANY, Bound(node=call.args[0]), call.lineno, maybe=True)
        elif isinstance(call.func, ast.Name):
            for binding in self.look_up(name):
                if isinstance(binding.bound.node, FUNCTIONS):
                    for changed in _globals_set_in(binding.bound.node):
                        self.add(changed, binding.bound, call.lineno, maybe=True)


def blocks(statement: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of a compound statement that is no definition."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return
    for field in ("body", "orelse", "finalbody"):
        block = getattr(statement, field, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def bound_by(statement: ast.AST) -> Iterator[tuple[str, Bound]]:
    """Yield the names that one statement binds itself, without the blocks in it."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        yield statement.name, Bound(node=statement)
        return
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            top = alias.name.partition(".")[0]
            yield alias.asname or top, Bound(alias.name if alias.asname else top)
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            whole = alias.name == ANY
            dotted = statement.module or "" if whole else f"{statement.module}.{alias.name}"
            yield alias.asname or alias.name, Bound("." * statement.level + dotted)
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _unpacked(target, statement.value)
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
        yield from _unpacked(statement.target, statement.value)
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from _unpacked(statement.target, statement.iter)
    elif isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from _unpacked(item.optional_vars, item.context_expr)
    elif isinstance(statement, ast.Delete):
        yield from ((t.id, Bound()) for t in statement.targets if isinstance(t, ast.Name))
    for part in own_expressions(statement):
        if isinstance(part, ast.NamedExpr):
            yield part.target.id, Bound(node=part.value)


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Bound]]:
    if isinstance(target, ast.Name):
        yield target.id, Bound(node=value)
    elif isinstance(target, ast.Starred):
        yield from _unpacked(target.value, value)
    elif isinstance(target, ast.Tuple | ast.List):
        values: list[ast.expr] = [value] * len(target.elts)
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            values = value.elts
        for part, its_value in zip(target.elts, values, strict=True):
            yield from _unpacked(part, its_value)


@lru_cache(maxsize=4096)  # three readers of each statement, and a search for each exercise
def own_expressions(statement: ast.AST) -> tuple[ast.AST, ...]:
    """Return the expressions that run with a statement: no blocks, no bodies of functions."""
    found = []
    waiting = [n for n in ast.iter_child_nodes(statement) if isinstance(n, ast.expr | ast.withitem)]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.Lambda):
            waiting += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]  # type: ignore[misc]
    return tuple(found)


def _calls(statement: ast.AST) -> Iterator[ast.Call]:
    return (node for node in own_expressions(statement) if isinstance(node, ast.Call))


def _parts_changed(statement: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets and values of what is put into a part of something."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Attribute | ast.Subscript):
                yield target, statement.value
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return
    for call in _calls(statement):
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(call.func, ast.Attribute) and call.func.attr in MUTATORS and values:
            yield call.func.value, ast.Tuple(values, ast.Load())
        elif isinstance(call.func, ast.Name) and call.func.id == "setattr" and len(values) == 3:
            yield ast.Attribute(values[0], fold(values[1]) or ANY, ast.Store()), values[2]


def _globals_set_in(function: ast.AST) -> set[str]:
    """Return the global names that a function may set."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            names.update(filter(None, [_global_named(node)]))
    return names


def _global_named(target: ast.expr) -> str | None:
    """Return the name that ``globals()["name"]`` stands for; `ANY` for one that is not known."""
    holder = target.value if isinstance(target, ast.Subscript) else target
    if not (isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name)):
        return None
    if holder.func.id not in ("globals", "locals", "vars") or holder.args:
        return None
    return (fold(target.slice) if isinstance(target, ast.Subscript) else None) or ANY
