"""Let Triton's interpreter look at every address before it is touched.

By itself it reads and writes wherever a kernel points: a missing mask gives a number from somewhere
else, or ends the process. And where a mask leaves a lane out that has no ``other`` it shows 0; on a
GPU the lane is undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import triton.runtime.interpreter as interpreter

from bnlib.errors import BnlibError

Launched = Callable[[str, str], None]


class StrayAddressError(BnlibError, IndexError):
    """A kernel loads from, or stores to, an address outside of all its arrays."""


class Guard:
    """What was seen of the kernels that were launched under guard.

    Parameters
    ----------
    on_launch
        Called with a kernel's name and the name of its module, before it runs; may refuse it by
        an exception.
    """

    def __init__(self, on_launch: Launched | None = None) -> None:
        self.launched: set[str] = set()
        self.stored: set[int] = set()
        self._on_launch = on_launch
        self._spans: list[tuple[int, int, str]] = []

    def launch(self, own: Any, executor: Any, *args: Any, **kwargs: Any) -> None:
        """Stand in for the launch of a grid."""
        name = executor.fn.__name__
        if self._on_launch is not None:
            self._on_launch(name, str(executor.fn.__module__))
        self.launched.add(name)
        handed = [*zip(executor.arg_names, args, strict=False), *kwargs.items()]
        self._spans = [_span(n, value) for n, value in handed if hasattr(value, "data_ptr")]
        try:
            own(executor, *args, **kwargs)
        except interpreter.InterpreterError as error:
            raise _root(error) from None

    def load(self, own: Any, builder: Any, ptrs: Any, mask: Any, other: Any, *more: Any) -> Any:
        """Stand in for a load: nan in the lanes that are undefined."""
        takes_part = self._require_inside("loads from", ptrs, mask)
        loaded = own(builder, ptrs, mask, other, *more)
        if other is None and loaded.data.dtype.kind == "f":
            loaded.data = np.where(takes_part, loaded.data, np.array(np.nan, loaded.data.dtype))
        return loaded

    def store(self, own: Any, builder: Any, ptrs: Any, value: Any, mask: Any, *more: Any) -> Any:
        """Stand in for a store."""
        takes_part = self._require_inside("stores to", ptrs, mask)
        found = ptrs.data[takes_part].astype(np.int64)
        self.stored |= {b for b, e, _ in self._spans if ((found >= b) & (found < e)).any()}
        return own(builder, ptrs, value, mask, *more)

    def _require_inside(self, does: str, ptrs: Any, mask: Any) -> np.ndarray:
        takes_part = np.broadcast_to(np.asarray(mask.data, bool), ptrs.data.shape)
        found = ptrs.data[takes_part].astype(np.int64)
        stray = np.ones(found.shape, bool)
        for begin, end, _ in self._spans:
            stray &= (found < begin) | (found >= end)
        if stray.any():
            address = int(found[stray][0])
            near = min(self._spans, key=lambda s: min(abs(address - s[0]), abs(address - s[1])))
            side = "before the first" if address < near[0] else "beyond the last"
            raise StrayAddressError(
                f"The kernel {does} an address outside of all its arrays, {side} entry of "
                f"{near[2]}. Mask the lanes that have no entry, loads and stores alike, and look "
                "at how the offsets are made, and at the numbers that the launch hands over."
            )
        return takes_part


@contextmanager
def guarded(on_launch: Launched | None = None) -> Iterator[Guard]:
    """Guard the kernels that are interpreted in this block.

    Parameters
    ----------
    on_launch
        As `Guard` takes it.

    Yields
    ------
    Guard
        Names of the kernels launched so far; where the arrays begin that were stored to.

    Raises
    ------
    StrayAddressError
        Out of a launch, before the address is touched. Any error of a kernel's comes as it was
        raised, without Triton's `InterpreterError` around it.
    """
    guard = Guard(on_launch)
    executor: Any = interpreter.GridExecutor
    builder: Any = interpreter.InterpreterBuilder
    own = executor.__call__, builder.create_masked_load, builder.create_masked_store
    executor.__call__ = lambda *args, **kwargs: guard.launch(own[0], *args, **kwargs)
    builder.create_masked_load = lambda *args: guard.load(own[1], *args)
    builder.create_masked_store = lambda *args: guard.store(own[2], *args)
    try:
        yield guard
    finally:
        executor.__call__, builder.create_masked_load, builder.create_masked_store = own


_lasting = ExitStack()
_on: list[Guard] = []


def guard_memory() -> None:
    """Guard all kernels that are interpreted in this process from now on; once is enough."""
    if not _on:
        _on.append(_lasting.enter_context(guarded()))


def _root(error: BaseException) -> BaseException:
    """Return what happened in the kernel, or in a function that it called."""
    while isinstance(error, interpreter.InterpreterError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _span(name: str, tensor: Any) -> tuple[int, int, str]:
    """Return where a tensor begins and ends in memory."""
    if tensor.is_contiguous():
        begin, size = tensor.data_ptr(), tensor.numel() * tensor.element_size()
    else:
        storage = tensor.untyped_storage()
        begin, size = storage.data_ptr(), storage.nbytes()
    return begin, begin + size, name
