"""Find ready-made solutions in a student's source: what a graded function can reach by name.

Nothing is run. From the last binding of the graded name the search follows helpers, classes,
aliases and imports; a reference to something forbidden on that way is evidence. What stands
elsewhere (a comparison in a cell of the student's own, an import that is not used) is not.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.shortcuts.bindings import (
    FUNCTIONS,
    Binding,
    Bindings,
    bound_by,
)
from autograder.shortcuts.cell_source import parse_text
from autograder.shortcuts.resolve import Place, Resolver, Scope
from autograder.worker.shortcuts import is_forbidden

WORD = re.compile(r"[\w.]+")  # a module's name, in a path and in a command too
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
REFERENCES = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.NamedExpr)
RUNS_TEXT = frozenset({"builtins.exec", "builtins.eval", "builtins.compile"})
# functions that take the name of a module, or of a file of it
LOADERS = (
    *("importlib.", "runpy.", "pkgutil.", "imp.", "subprocess.", "os.", "pathlib.", "io."),
    *("builtins.open", "builtins.__import__", "inspect.", "linecache.", "pydoc."),
)


@dataclass(frozen=True, order=True)
class Evidence:
    """One place where a graded function uses what it may not."""

    cell: str
    """Name of the cell."""
    line: int
    """Line in the cell."""
    what: str
    """Dotted name of what is used: `bnlib.batch_mean`."""
    code: str
    """The line."""

    def __str__(self) -> str:
        return f"Cell `{self.cell}`, line {self.line}, uses {self.what}: `{self.code}`."


def find_shortcuts(
    cells: Sequence[tuple[str, str]], name: str, forbidden: Sequence[str]
) -> tuple[Evidence, ...]:
    """Find what a graded function reaches that it may not use.

    Parameters
    ----------
    cells
        Name and source of the code cells up to the exercise's test cell, in order. Given cells
        should be among them: without their imports `np` is a name that nobody knows.
    name
        The graded function or class.
    forbidden
        Dotted prefixes, as `autograder.worker.shortcuts.is_forbidden` takes them.

    Returns
    -------
    tuple of Evidence
        In the order of the cells; empty if nothing was found, or nothing binds the name.
    """
    search = _Search(cells, tuple(forbidden))
    search.start(name)
    order = {cell: i for i, (cell, _) in enumerate(cells)}
    found = sorted(search.found, key=lambda e: (order.get(e.cell, 0), e.line, e.what))
    return tuple(found)


class _Search:
    """One search: a list of bindings that are reached and have not been looked at yet."""

    def __init__(self, cells: Sequence[tuple[str, str]], forbidden: tuple[str, ...]) -> None:
        self._forbidden = forbidden
        self._lines = {cell: source.split("\n") for cell, source in cells}
        self._bindings = Bindings(cells, self._star_names)
        self._resolver = Resolver(self._bindings)
        self._waiting: list[Binding] = []
        self._reached: set[Binding] = set()
        self.found: set[Evidence] = set()

    def start(self, name: str) -> None:
        """Search from the last binding of a name."""
        bound = self._bindings.look_up(name)
        self._push(bound)
        self._push(self._resolver.changes_of(name))
        self._push(self._bindings.anything_since(max((b.position for b in bound), default=0)))
        while self._waiting:
            binding = self._waiting.pop()
            place = Place(binding.cell, binding.position, binding.line)
            try:
                if binding.bound.dotted:
                    self._name_reached({binding.bound.dotted}, place)
                elif binding.bound.node is not None:
                    self._visit(binding.bound.node, place)
            except RecursionError:  # code nested this deep is judged by what it does
                continue

    def _push(self, bindings: Iterable[Binding]) -> None:
        for binding in bindings:
            if binding not in self._reached:
                self._reached.add(binding)
                self._waiting.append(binding)

    def _star_names(self, module: str) -> Iterable[str] | None:
        """Return what `from module import *` brings, for what is ours; nothing else is loaded."""
        top = module.partition(".")[0]
        if top not in ("bnlib", "autograder"):
            return None
        if not is_forbidden(module, self._forbidden):
            return ()
        try:
            names = vars(importlib.import_module(module))
        except ImportError:
            return ()
        public = names.get("__all__") or [n for n in names if not n.startswith("_")]
        ours = (n for n in public if getattr(names[n], "__module__", "").startswith(top))
        return tuple(ours)

    def _name_reached(self, dotted: Iterable[str], place: Place) -> bool:
        """Note evidence, and follow what the notebook itself has put under such a name."""
        guilty = [name for name in dotted if is_forbidden(name, self._forbidden)]
        for what in guilty:
            lines = self._lines[place.cell]
            code = lines[place.line - 1].strip() if place.line <= len(lines) else ""
            self.found.add(Evidence(place.cell, place.line, what, code))
        for name in dotted:
            self._push(self._resolver.patches_of(name))
        return bool(guilty)

    # --- walking ----------------------------------------------------------------------------------

    def _visit(self, node: ast.AST, place: Place) -> None:
        line = getattr(node, "lineno", place.line)
        place = place.at_line(line)
        if isinstance(node, FUNCTIONS):
            self._visit_all([*node.decorator_list, *_defaults(node.args)], place)
            self._visit_all(node.body, place.inside(Scope.of_function(node, place.scope)))
        elif isinstance(node, ast.Lambda):
            self._visit_all(_defaults(node.args), place)
            self._visit(node.body, place.inside(Scope.of_arguments(node.args, place.scope)))
        elif isinstance(node, ast.ClassDef):
            keywords = [keyword.value for keyword in node.keywords]
            self._visit_all([*node.decorator_list, *node.bases, *keywords], place)
            self._visit_class(node, place)
        elif isinstance(node, COMPREHENSIONS):
            inner = place.within(Scope.of_comprehension(node, place.scope))
            self._visit_all(ast.iter_child_nodes(node), inner)
        elif isinstance(node, ast.stmt):
            self._visit_statement(node, place)
        elif not isinstance(node, REFERENCES) or not self._visit_reference(node, place):
            self._visit_all(ast.iter_child_nodes(node), place)

    def _visit_all(self, nodes: Iterable[ast.AST], place: Place) -> None:
        for node in nodes:
            self._visit(node, place)

    def _visit_class(self, node: ast.ClassDef, place: Place) -> None:
        """Visit a class body: what it imports becomes an attribute, so it counts."""
        inner = place.within(Scope.of_class(node, place.scope))
        for statement in node.body:
            imported = {bound.dotted for _, bound in bound_by(statement) if bound.dotted}
            self._name_reached(imported, place.at_line(statement.lineno))
            self._visit(statement, inner)

    def _visit_statement(self, node: ast.stmt, place: Place) -> None:
        if isinstance(node, ast.Assign) and self._is_alias(node, place):
            return  # where the alias is used is where it counts
        if isinstance(node, ast.AnnAssign):  # an annotation is not used
            self._visit_all([node.target, *([node.value] if node.value else [])], place)
        else:
            self._visit_all(ast.iter_child_nodes(node), place)

    def _is_alias(self, node: ast.Assign, place: Place) -> bool:
        scope = place.scope
        if scope is None or scope.is_class or not isinstance(node.value, REFERENCES):
            return False
        local = all(isinstance(t, ast.Name) and t.id in scope.names for t in node.targets)
        return local and bool(self._resolver.names(node.value, place))

    def _visit_reference(self, node: ast.expr, place: Place) -> bool:
        """Look at a name or what can stand for one; True if there is nothing more in it to see."""
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            return True
        names = self._resolver.names(node, place)
        guilty = self._name_reached(names, place)
        if isinstance(node, ast.Name):
            self._push(self._resolver.definitions(node.id, place))
            return True
        if isinstance(node, ast.Call):
            self._visit_call(node, place)
        chain = node
        while isinstance(chain, ast.Attribute):
            chain = chain.value
        return guilty or (bool(names) and isinstance(chain, ast.Name))

    def _visit_call(self, node: ast.Call, place: Place) -> None:
        """Look at calls that take names and programs as text."""
        called = self._resolver.names(node.func, place)
        texts = [t for t in (self._resolver.text(a, place) for a in _texts(node)) if t is not None]
        if called & RUNS_TEXT:
            for text in texts[:1]:
                self._visit_text(text, node.lineno, place)
        elif any(name.startswith(LOADERS) for name in called):
            for text in texts:
                self._name_reached(WORD.findall(text), place)

    def _visit_text(self, text: str, line: int, place: Place) -> None:
        """Look at a program in a string; in it an import alone is telling."""
        tree = parse_text(text, line)
        if tree is None:
            return
        scope = Scope.of_statements(tree.body, place.scope)
        for found in scope.names.values():
            self._name_reached({one.dotted for one in found if one.dotted}, place)
        self._visit_all(tree.body, place.within(scope))


def _texts(call: ast.Call) -> Iterator[ast.expr]:
    """Yield arguments that may be texts, those in lists too."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, ast.List | ast.Tuple):
            yield from argument.elts
        else:
            yield argument


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]
