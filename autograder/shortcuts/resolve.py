"""Say which dotted names an expression stands for, and which definitions a name leads to."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from autograder.shortcuts.bindings import FUNCTIONS, Binding, Bindings, Bound, blocks, bound_by
from autograder.shortcuts.folding import fold

DEEPEST = 40  # aliases of aliases; nobody writes more
MODULES = "sys.modules"
GLOBALS = "<globals>"
BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, eq=False)
class Scope:
    """The names of a function, a lambda, a comprehension or a class body."""

    names: Mapping[str, tuple[Bound, ...]]
    """What they are bound to; an empty tuple for a parameter."""
    parent: Scope | None
    """The scope around it; None for the notebook's own."""
    is_class: bool = False
    """Functions inside a class body do not see its names."""

    @classmethod
    def of_function(
        cls, node: ast.FunctionDef | ast.AsyncFunctionDef, parent: Scope | None
    ) -> Scope:
        """Gather parameters and local names of a function."""
        inner = cls.of_statements(node.body, parent)
        outside = {
            name
            for part in _own_statements(node.body)
            if isinstance(part, ast.Global | ast.Nonlocal)
            for name in part.names
        }
        local = {name: found for name, found in inner.names.items() if name not in outside}
        return Scope(dict.fromkeys(_parameters(node.args), ()) | local, _visible(parent))

    @classmethod
    def of_arguments(cls, arguments: ast.arguments, parent: Scope | None) -> Scope:
        """Gather the parameters of a lambda."""
        return Scope(dict.fromkeys(_parameters(arguments), ()), _visible(parent))

    @classmethod
    def of_comprehension(cls, node: ast.expr, parent: Scope | None) -> Scope:
        """Gather the loop variables of a comprehension."""
        loops: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        loop_names: dict[str, tuple[Bound, ...]] = {}
        for loop in loops:
            for name, bound in bound_by(ast.For(loop.target, loop.iter, [], [])):
                loop_names[name] = (bound,)
        return Scope(loop_names, parent)

    @classmethod
    def of_class(cls, node: ast.ClassDef, parent: Scope | None) -> Scope:
        """Gather the names of a class body."""
        inner = cls.of_statements(node.body, parent)
        return Scope(inner.names, parent, is_class=True)

    @classmethod
    def of_statements(cls, statements: Iterable[ast.stmt], parent: Scope | None) -> Scope:
        """Gather the names that some statements bind."""
        names: dict[str, list[Bound]] = defaultdict(list)
        for statement in _own_statements(statements):
            for name, bound in bound_by(statement):
                names[name].append(bound)
        return Scope({name: tuple(found) for name, found in names.items()}, parent)


@dataclass(frozen=True)
class Place:
    """Where in the notebook an expression stands."""

    cell: str
    """Name of the cell."""
    position: int | None
    """Statement before which global names are looked up; None: when all cells have run."""
    line: int
    """Line in the cell."""
    scope: Scope | None = None
    """The scope it stands in; None for the notebook's own."""

    def at_line(self, line: int) -> Place:
        """Return the place in another line."""
        return replace(self, line=line)

    def inside(self, scope: Scope) -> Place:
        """Return the place in a function's body, which runs when all cells have run."""
        return replace(self, scope=scope, position=None)

    def within(self, scope: Scope) -> Place:
        """Return the place in a scope that runs on the spot."""
        return replace(self, scope=scope)


class Resolver:
    """Resolves names and expressions against the bindings of a notebook."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._known: dict[object, tuple[set[str], ast.AST, Scope | None]] = {}
        self._patches: dict[str, list[Binding]] = defaultdict(list)
        for patch in bindings.patches:
            place = Place(patch.binding.cell, patch.binding.position, patch.binding.line)
            root = _root(patch.target)
            dotted = self.names(patch.target, place)
            for name in dotted or ({f"<{root}>"} if root else set()):
                self._patches[name].append(patch.binding)

    def patches_of(self, name: str) -> list[Binding]:
        """Return what the notebook has put in the place of a dotted name."""
        return self._patches.get(name, [])

    def changes_of(self, name: str) -> list[Binding]:
        """Return what the notebook has put into parts of what a global name stands for."""
        return self._patches.get(f"<{name}>", [])

    def definitions(self, name: str, place: Place) -> list[Binding]:
        """Return the global bindings a name leads to that are no dotted names."""
        if _local(name, place.scope) is not None:
            return []
        found = self._bindings.look_up(name, place.position)
        unnamed = [b for b in found if not self._names_of(b.bound, _place_of(b), 0)]
        return unnamed + self.changes_of(name)

    def text(self, node: ast.expr, place: Place) -> str | None:
        """Return the text an expression stands for, or None."""

        def value_of(name: str) -> ast.expr | None:
            local = _local(name, place.scope)
            bounds = local[0] if local else ()
            if local is None:
                bounds = tuple(b.bound for b in self._bindings.look_up(name, place.position))
            value = bounds[0].node if len(bounds) == 1 else None
            return value if isinstance(value, ast.expr) else None

        return fold(node, value_of)

    def names(self, node: ast.AST | None, place: Place, depth: int = 0) -> set[str]:
        """Return the dotted names an expression may stand for; none if it is something else."""
        if depth > DEEPEST or node is None:
            return set()
        key = (id(node), place.position, id(place.scope))
        if key not in self._known:
            self._known[key] = (set(), node, place.scope)  # asked again on the way: nothing to add
            self._known[key] = (self._names(node, place, depth), node, place.scope)
        return self._known[key][0]

    def _names(self, node: ast.AST, place: Place, depth: int) -> set[str]:
        if isinstance(node, ast.Name):
            return self._of_name(node.id, place, depth)
        if isinstance(node, ast.Attribute):
            return {f"{base}.{node.attr}" for base in self.names(node.value, place, depth + 1)}
        if isinstance(node, ast.Call):
            return self._of_call(node, place, depth)
        if isinstance(node, ast.Subscript):
            entry = self.text(node.slice, place)
            bases = self.names(node.value, place, depth + 1) if entry else set()
            return {n for base in bases for n in self._entry(base, str(entry), place, depth)}
        if isinstance(node, ast.NamedExpr):
            return self.names(node.value, place, depth + 1)
        parts: list[ast.expr] = []
        if isinstance(node, ast.IfExp):
            parts = [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            parts = node.values
        return {name for part in parts for name in self.names(part, place, depth + 1)}

    def _of_name(self, name: str, place: Place, depth: int) -> set[str]:
        local = _local(name, place.scope)
        if local is not None:
            bounds, scope = local
            inner = replace(place, scope=scope)
            return {n for b in bounds for n in self._names_of(b, inner, depth)}
        found = self._bindings.look_up(name, place.position)
        if found:
            return {n for b in found for n in self._names_of(b.bound, _place_of(b), depth)}
        if name in BUILTINS:
            return {f"builtins.{name}"}
        return {f"{module}.{name}" for module in self._bindings.stars}

    def _names_of(self, bound: Bound, place: Place, depth: int) -> set[str]:
        if bound.dotted:
            return {bound.dotted}
        if bound.node is None or isinstance(bound.node, (*FUNCTIONS, ast.ClassDef)):
            return set()
        return self.names(bound.node, place, depth + 1)

    def _of_call(self, node: ast.Call, place: Place, depth: int) -> set[str]:
        """Resolve calls that give back a module or what is in it."""
        if isinstance(node.func, ast.Call):
            return self._of_getter(node, node.func, place, depth)
        found: set[str] = set()
        for called in self.names(node.func, place, depth + 1):
            if called in ("builtins.globals", "builtins.locals") or (
                called == "builtins.vars" and not node.args
            ):
                found.add(GLOBALS)
            elif not node.args:
                continue
            elif called == "builtins.getattr" and len(node.args) > 1:
                key = self.text(node.args[1], place)
                bases = self.names(node.args[0], place, depth + 1) if key else set()
                found |= {f"{base}.{key}" for base in bases}
            elif called == "builtins.vars":
                found |= {f"{b}.__dict__" for b in self.names(node.args[0], place, depth + 1)}
            elif called == "importlib.reload":
                found |= self.names(node.args[0], place, depth + 1)
            else:
                found |= self._of_text(called, self.text(node.args[0], place), place, depth)
        return found

    def _of_text(self, called: str, text: str | None, place: Place, depth: int) -> set[str]:
        """Resolve calls whose first argument is a name as text."""
        if not text:
            return set()
        if called == "importlib.import_module":
            return {text}
        if called in ("builtins.__import__", "importlib.__import__"):
            return {text.partition(".")[0]}
        base, _, method = called.rpartition(".")
        if method in ("get", "__getitem__", "pop", "setdefault"):
            return self._entry(base, text, place, depth)
        if method in ("__getattribute__", "__getattr__"):
            return {f"{base}.{text}"}
        return set()

    def _of_getter(self, node: ast.Call, getter: ast.Call, place: Place, depth: int) -> set[str]:
        """Resolve ``operator.attrgetter("name")(module)``."""
        if "operator.attrgetter" not in self.names(getter.func, place, depth + 1):
            return set()
        key = self.text(getter.args[0], place) if getter.args else None
        bases = self.names(node.args[0], place, depth + 1) if node.args and key else set()
        return {f"{base}.{key}" for base in bases}

    def _entry(self, base: str, key: str, place: Place, depth: int) -> set[str]:
        """Resolve an entry of a dictionary of modules or of names."""
        if base == MODULES:
            return {key}
        if base == GLOBALS:
            return self._of_name(key, replace(place, scope=None), depth + 1)
        if base.endswith(".__dict__"):
            return {f"{base.removesuffix('.__dict__')}.{key}"}
        return set()


def _local(name: str, scope: Scope | None) -> tuple[tuple[Bound, ...], Scope] | None:
    while scope is not None:
        if name in scope.names:
            return scope.names[name], scope
        scope = scope.parent
    return None


def _visible(scope: Scope | None) -> Scope | None:
    """Return the scope that a function defined in another sees: not that of a class body."""
    while scope is not None and scope.is_class:
        scope = scope.parent
    return scope


def _place_of(binding: Binding) -> Place:
    return Place(binding.cell, binding.position, binding.line)


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    more = (arguments.vararg, arguments.kwarg)
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *filter(None, more))
    return (argument.arg for argument in every)


def _own_statements(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Walk statements and the blocks in them, but no functions and no classes."""
    for statement in statements:
        yield statement
        for block in blocks(statement):
            yield from _own_statements(block)


def _root(target: ast.AST) -> str:
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Call):
        target = target.func if isinstance(target, ast.Call) else target.value
    return target.id if isinstance(target, ast.Name) else ""
