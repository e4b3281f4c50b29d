"""See at run time that student code calls what it may not: ready-made functions and layers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cache, lru_cache, partial
from inspect import isgeneratorfunction, signature
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

from autograder.worker.givens.backward import batchnorm_forward
from autograder.worker.givens.layers import ReadyLayer
from autograder.worker.script import Given

Watchable = type | Callable[..., Any]
Handler = Callable[[tuple[Any, ...], dict[str, Any]], Any]

MOST_SEEN = 20  # names that are kept of one ask: evidence, not a log
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm")  # families of torch's operators
# what the given helpers themselves use, by the names of the helpers that bring it along
READY_HELPERS: tuple[tuple[Watchable, frozenset[str]], ...] = (
    (ReadyLayer, frozenset({"batchnorm_layer"})),
    (batchnorm_forward, frozenset({"cache", "batch_norm"})),
)


class ShortcutError(BaseException):
    """A forbidden function was called; a `BaseException`, so that `except Exception` lets it pass.

    Whether it is caught does not matter: the call has been recorded before it is raised.
    """


@lru_cache(maxsize=4096)
def is_forbidden(name: str, forbidden: tuple[str, ...]) -> bool:
    """Say whether a dotted name is forbidden.

    Parameters
    ----------
    name
        Dotted name of a function, class or module: ``bnlib.batch_mean``.
    forbidden
        Dotted prefixes, with the wildcards of `fnmatch` (``*`` runs across dots). An entry that
        opens with ``!`` is no prefix, and allows what it matches whatever the others say.
    """
    if _is_allowed(name, forbidden):
        return False
    return any(_lies_in(name, entry) for entry in forbidden if not entry.startswith("!"))


def _is_allowed(name: str, forbidden: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, entry[1:]) for entry in forbidden if entry.startswith("!"))


def _lies_in(name: str, prefix: str) -> bool:
    return fnmatchcase(name, prefix) or fnmatchcase(name, prefix + ".*")


def helpers_not_given(inputs: Mapping[str, Any]) -> tuple[Watchable, ...]:
    """Return the ready-made parts of given helpers that a case with these inputs has no use for."""
    given = set(_given_names(list(inputs.values())))
    return tuple(part for part, bringers in READY_HELPERS if not bringers & given)


def _given_names(values: Sequence[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Given):
            yield value.name
            yield from _given_names(list(value.parameters.values()))
        elif isinstance(value, list | tuple):
            yield from _given_names(value)


class Watch:
    """Watches the functions of some packages, and torch's normalization operators.

    ``with watch(forbidden) as seen:`` around one ask: a call of a forbidden function in the block,
    through whatever name, alias, partial or bound method, is recorded in `seen` and raises
    `ShortcutError`. A function is watched by its code: every reference to it is to the one object
    whose code is exchanged, and put back afterwards.

    Parameters
    ----------
    packages
        Packages whose functions and methods can be watched. They need not be loaded, now or ever.
    stays
        Leave the traps in place between blocks, which then do not nest: one that is called there
        lifts itself and lets the call pass. To set them in every fork would copy the memory that
        all these functions lie in. For where no module of these packages can be loaded again,
        their files being out of reach.
    """

    def __init__(self, packages: Sequence[str] = ("bnlib",), *, stays: bool = False) -> None:
        self._packages = tuple(packages)
        self._stays = stays
        self._standing: tuple[_Trap, ...] = ()  # left in place between blocks
        self._lifted: list[_Trap] = []  # those of them that a call has lifted since
        self._n_modules = -1
        self._modules: dict[str, tuple[ModuleType, object]] = {}
        self._names: dict[FunctionType, tuple[str, ...]] = {}
        self._traps: dict[tuple[str, ...], tuple[_Trap, ...]] = {}
        self._part_traps: dict[Watchable, tuple[_Trap, ...]] = {}
        self.seen: list[str] | None = None
        self._find()

    def __call__(self, forbidden: Sequence[str], also: Sequence[Watchable] = ()) -> Watching:
        """Watch for one block.

        Parameters
        ----------
        forbidden
            Dotted prefixes as `is_forbidden` takes them.
        also
            More functions and classes that may not be called, whatever their names.
        """
        return Watching(self, tuple(forbidden), tuple(also))

    def prepare(self, lists: Sequence[tuple[str, ...]]) -> None:
        """Make the traps of some exercises before a fork, so that no fork has to.

        Of traps that stay, those of the last list are put in place.
        """
        for part, _ in READY_HELPERS:
            self._traps_of(part)
        for forbidden in lists:
            self.traps(forbidden)
        if self._stays and lists:
            self._stand(lists[-1])

    def record(self, name: str) -> None:
        """Note a forbidden call, and stop it."""
        if self.seen is not None and name not in self.seen and len(self.seen) < MOST_SEEN:
            self.seen.append(name)
        raise ShortcutError(f"calls {name}")

    def place(self, forbidden: tuple[str, ...], also: tuple[Watchable, ...]) -> Iterator[_Trap]:
        """Put traps in place one by one; yield those that must be lifted at the block's end."""
        if self._stays:
            self._stand(forbidden)
        else:
            yield from (trap for trap in self.traps(forbidden) if trap.set())
        for part in also:
            yield from (trap for trap in self._traps_of(part) if trap.set())

    def note_lifted(self, trap: _Trap) -> None:
        """Remember a trap that stayed after its block, and then let a call pass."""
        if self._stays:
            self._lifted.append(trap)

    def traps(self, forbidden: tuple[str, ...]) -> tuple[_Trap, ...]:
        """Return the traps for what is loaded by now."""
        self._find()
        if forbidden not in self._traps:
            self._traps[forbidden] = tuple(
                _Trap(self, function, names[0])
                for function, names in self._names.items()
                if any(is_forbidden(name, forbidden) for name in names)
                and not any(_is_allowed(name, forbidden) for name in names)
            )
        return self._traps[forbidden]

    def _traps_of(self, part: Watchable) -> tuple[_Trap, ...]:
        if part not in self._part_traps:
            name = f"{part.__module__}.{part.__qualname__}"
            self._part_traps[part] = tuple(_Trap(self, f, name) for f in _functions_of(part))
        return self._part_traps[part]

    def _stand(self, forbidden: tuple[str, ...]) -> None:
        """Have just these traps in place, and touch none that is."""
        traps = self.traps(forbidden)
        if traps is not self._standing:
            self._stand_down()
            for trap in traps:
                trap.keep_signature()
            self._standing, self._lifted = traps, list(traps)
        while self._lifted:
            self._lifted.pop().set()

    def _stand_down(self) -> None:
        for trap in self._standing:
            trap.lift()
        self._standing = ()

    def _find(self) -> None:
        """Look for functions again if a module was loaded, reloaded or exchanged since."""
        if self._stays and len(sys.modules) == self._n_modules:
            return
        fresh = all(
            sys.modules.get(name) is module and getattr(module, "__spec__", None) is spec
            for name, (module, spec) in self._modules.items()
        )
        if fresh and len(sys.modules) == self._n_modules:
            return
        self._n_modules = len(sys.modules)
        modules = {
            name: module
            for name, module in list(sys.modules.items())
            if isinstance(module, ModuleType) and self._is_ours(name)
        }
        found = {n: (m, getattr(m, "__spec__", None)) for n, m in modules.items()}
        if found == self._modules:
            return  # what was loaded is none of ours
        self._modules = found
        self._stand_down()
        for module in modules.values():
            for value in list(vars(module).values()):
                if self._is_ours(str(getattr(value, "__module__", ""))):
                    for function in _functions_of(value):
                        self._names.setdefault(function, _names_of(function))
        self._traps.clear()

    def _is_ours(self, module: str) -> bool:
        return any(module == p or module.startswith(p + ".") for p in self._packages)


class Watching:
    """The block in which a `Watch` is on; its value is the list of forbidden calls so far."""

    def __init__(
        self, watch: Watch, forbidden: tuple[str, ...], also: tuple[Watchable, ...]
    ) -> None:
        self._watch, self._forbidden, self._also = watch, forbidden, also
        self._set: list[_Trap] = []
        self._mode: Any = None

    def __enter__(self) -> list[str]:
        seen: list[str] = []
        self._outer, self._watch.seen = self._watch.seen, seen
        try:
            for trap in self._watch.place(self._forbidden, self._also):
                self._set.append(trap)
            mode = _torch_mode(self._watch.record, self._forbidden)
            if mode is not None:
                mode.__enter__()
                self._mode = mode
        except BaseException:
            self._leave()
            raise
        return seen

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._watch.seen = self._outer
        for trap in self._set:
            trap.lift()
        self._set = []
        mode, self._mode = self._mode, None
        if mode is not None:
            mode.__exit__(None, None, None)


class _Trap:
    """Code that takes the place of one function's own."""

    def __init__(self, watch: Watch, function: FunctionType, name: str) -> None:
        self._watch, self._function, self._name = watch, function, name
        self._own = function.__code__
        template = _template(len(self._own.co_freevars), isgeneratorfunction(function))
        self._code = _disguised(_with_handler(template, self), self._own)

    def keep_signature(self) -> None:
        """Let `help` and the like show the function's own parameters while the trap is in place."""
        if "__signature__" not in vars(self._function):
            with suppress(ValueError, TypeError):
                vars(self._function)["__signature__"] = signature(self._function)

    def set(self) -> bool:
        """Put the trap in place; False if it is there already, from a block around this one."""
        if self._function.__code__ is self._code:
            return False
        self._own = self._function.__code__
        self._function.__code__ = self._code
        return True

    def lift(self) -> None:
        """Give the function its own code back."""
        self._function.__code__ = self._own

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Be called in the function's place."""
        if self._watch.seen is not None:
            self._watch.record(self._name)
        self.lift()  # it stays between blocks, or an interrupt came while the traps were lifted
        self._watch.note_lifted(self)
        return self._function(*args, **kwargs)


def _functions_of(value: object) -> Iterator[FunctionType]:
    """Yield a function, or those that a class, a property or a wrapper is made of."""
    if isinstance(value, type):
        for part in list(vars(value).values()):
            if not isinstance(part, type):
                yield from _functions_of(part)
    elif isinstance(value, property):
        for part in (value.fget, value.fset, value.fdel):
            yield from _functions_of(part)
    elif isinstance(value, FunctionType):
        yield value
        yield from _functions_of(value.__dict__.get("__wrapped__"))
    elif isinstance(value, staticmethod | classmethod | partial) or hasattr(value, "__wrapped__"):
        inner = value.func if isinstance(value, partial) else getattr(value, "__wrapped__", None)
        yield from _functions_of(inner)


def _names_of(function: FunctionType) -> tuple[str, ...]:
    """Return the dotted names of a function, first the one a student would write."""
    package, _, _ = function.__module__.partition(".")
    first, _, rest = function.__qualname__.partition(".")
    full = f"{function.__module__}.{function.__qualname__}"
    exported = vars(sys.modules[package]).get(first) if package in sys.modules else None
    if getattr(exported, "__module__", None) == function.__module__:
        return (f"{package}.{first}{'.' + rest if rest else ''}", full)
    return (full,)


@cache
def _template(n_free: int, yields: bool) -> CodeType:
    """Compile ``def trap(*args, **kwargs): return HANDLER(args, kwargs)`` with free variables.

    A function takes another code only with as many free variables as it has, and without a
    warning only if both or none of them yield.
    """
    names = [f"free_{i}" for i in range(n_free)]
    lines = [
        "def outer():",
        *(f" {name} = None" for name in names),
        " def trap(*args, **kwargs):",
        f"  ({''.join(name + ', ' for name in names)})",
        "  handler = 'HANDLER'",
        f"  return ({'yield from ' if yields else ''}handler(args, kwargs))",
    ]
    code = compile("\n".join(lines), "<watch>", "exec")
    for _ in ("outer", "trap"):
        code = next(part for part in code.co_consts if isinstance(part, CodeType))
    return code


def _with_handler(template: CodeType, handler: Handler) -> CodeType:
    consts = tuple(handler if const == "HANDLER" else const for const in template.co_consts)
    return template.replace(co_consts=consts)


def _disguised(code: CodeType, own: CodeType) -> CodeType:
    """Return the code with the name and the place in a file that another has."""
    return code.replace(
        co_filename=own.co_filename,
        co_firstlineno=own.co_firstlineno,
        co_name=own.co_name,
        co_qualname=own.co_qualname,
    )


def _torch_mode(record: Callable[[str], None], forbidden: tuple[str, ...]) -> Any:
    """Make what sees torch's operators, below every name they have; None without torch."""
    if "torch.utils._python_dispatch" not in sys.modules:
        return None  # torch is not loaded, or not yet to the end
    norms = frozenset(norm for norm in NORMS if is_forbidden(f"torch.{norm}", forbidden))
    return _mode_class()(record, norms) if norms else None


@cache
def _mode_class() -> Any:
    """Make the class when torch is there: this module never loads it."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class NormMode(TorchDispatchMode):
        """Records torch's normalization operators."""

        def __init__(self, record: Callable[[str], None], norms: frozenset[str]) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self._record, self._norms = record, norms

        def see(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = str(func)
            for norm in self._norms:
                if norm in name:
                    self._record(f"torch.{norm}")
            return func(*args, **(kwargs or {}))

    # Not defined in the class: torch would wrap it, and at the first call load its whole compiler.
    NormMode.__torch_dispatch__ = NormMode.see  # type: ignore[assignment]
    return NormMode
