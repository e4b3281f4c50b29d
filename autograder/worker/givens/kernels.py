"""What unit 12 does with a program or a kernel: run it on poisoned memory, and look around.

Arrays are handed over with an undefined value in every entry that has to be written. For Triton
they lie far from each other, and every address is looked at before it is touched.

The judge's own references are NumPy functions; they say so by an attribute, `takes_arrays`, and
get the plain arrays. So a judge needs neither torch nor Triton.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograder.worker.givens.registry import given

MARGIN = 2**12  # entries between arrays: who misses one does not find another
INTERPRETED = "TRITON_INTERPRET"
READY_MADE = "bnlib"  # its kernels are nobody's answer

Arguments = Mapping[str, Any]


class KernelError(Exception):
    """A kernel cannot be launched, or was not; the text says what to do."""


class OutOfBoundsError(KernelError):
    """A kernel loads or stores outside of its arrays."""


@given("launch_blocks")
def launch_blocks(
    grid: tuple[int, ...],
    outputs: Sequence[str],
    most_loads: Mapping[str, int],
    schedule: str = "in order",
) -> Callable[..., dict[str, Any]]:
    """Build the launch of a program on the block simulator.

    Parameters
    ----------
    grid
        How many programs there are.
    outputs
        Names of the arguments that the program writes.
    most_loads
        How many entries may be loaded of some arguments, all programs together.
    schedule
        As `bnlib.blocks.launch` takes it.
    """

    def launch(program: Any, arguments: Arguments) -> dict[str, Any]:
        if getattr(program, "takes_arrays", False):
            done = _reference(program, arguments, outputs)
            return done | {"read too often": [], "races in": []}
        from bnlib.blocks import launch as run

        values = dict(arguments)
        report = run(program, tuple(grid), *values.values(), schedule=schedule)  # type: ignore[arg-type]
        arrays = [name for name, value in values.items() if isinstance(value, np.ndarray)]
        names = dict(
            zip(report.traffic, arrays, strict=True)
        )  # the program may call them otherwise
        traffic = {names[own]: seen for own, seen in report.traffic.items()}
        return {
            **{name: values[name] for name in outputs},
            "written": [n for n, t in traffic.items() if n not in outputs and t.stores + t.atomics],
            "never stored": [n for n in outputs if not traffic[n].stores + traffic[n].atomics],
            "read too often": [n for n, most in most_loads.items() if traffic[n].loads > most],
            "races in": sorted({names[race.array] for race in report.races}),
        }

    return launch


@given("launch_kernel")
def launch_kernel(
    grid: tuple[int, ...], outputs: Sequence[str], block: int
) -> Callable[..., dict[str, Any]]:
    """Build the launch of a Triton kernel by Triton's interpreter.

    Parameters
    ----------
    grid
        How many programs there are.
    outputs
        Names of the arguments that the kernel writes.
    block
        Its `BLOCK`.
    """

    def launch(kernel: Any, arguments: Arguments) -> dict[str, Any]:
        if getattr(kernel, "takes_arrays", False):
            return _reference(kernel, {**arguments, "BLOCK": block}, outputs)
        _require_kernel(kernel)
        rooms = {n: _Room(v) for n, v in arguments.items() if isinstance(v, np.ndarray)}
        values = [rooms[n].tensor if n in rooms else v for n, v in arguments.items()]
        watch = _Watch()
        with watch.on():
            _unwrapped(lambda: kernel[tuple(grid)](*values, BLOCK=block))
        written = [n for n, room in rooms.items() if n not in outputs and room.changed()]
        left = [n for n in outputs if rooms[n].tensor.data_ptr() not in watch.stored]
        results = {n: rooms[n].values() for n in outputs}
        return {**results, "written": written, "never stored": left}

    return launch


@given("call_launcher")
def call_launcher(kernels: Sequence[str]) -> Callable[..., dict[str, Any]]:
    """Build the call of a function that launches kernels: those named must be among them."""

    def run(launcher: Any, *arrays: Any) -> dict[str, Any]:
        if getattr(launcher, "takes_arrays", False):
            return {"answer": launcher(*arrays), "changed": []}
        import torch

        given_ = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays]
        before = [np.array(a) for a in arrays if isinstance(a, np.ndarray)]
        watch = _Watch()
        with watch.on(), unwritten_is_nan():
            answer = _unwrapped(lambda: launcher(*given_))
        for name in kernels:
            if name not in watch.launched:
                raise KernelError(
                    f"`{name}` was never launched. The work is the kernels': "
                    f"{name}[grid](..., BLOCK=BLOCK)."
                )
        after = [np.array(a) for a in arrays if isinstance(a, np.ndarray)]
        pairs = enumerate(zip(before, after, strict=True))
        changed = [number for number, (a, b) in pairs if a.tobytes() != b.tobytes()]
        return {"answer": _arrays(answer), "changed": changed}

    return run


class _Room:
    """An array in the middle of larger memory, as a tensor."""

    def __init__(self, array: np.ndarray) -> None:
        import torch

        memory = np.full(array.size + 2 * MARGIN, np.nan, array.dtype)
        self._array = memory[MARGIN : MARGIN + array.size].reshape(array.shape)
        self._array[...] = array
        self._before = array.tobytes()
        self.tensor = torch.from_numpy(self._array)

    def changed(self) -> bool:
        """Say whether anything was written to it."""
        return self._array.tobytes() != self._before

    def values(self) -> np.ndarray:
        """Return what it holds now."""
        return self._array.copy()


def _reference(function: Any, arguments: Arguments, outputs: Sequence[str]) -> dict[str, Any]:
    """Have a NumPy function fill the outputs."""
    values = dict(arguments)
    function(*values.values())
    return {**{name: values[name] for name in outputs}, "written": [], "never stored": []}


def _require_kernel(kernel: Any) -> None:
    """Refuse what Triton's interpreter cannot launch."""
    from triton.runtime.interpreter import InterpretedFunction
    from triton.runtime.jit import JITFunction

    name = getattr(kernel, "__name__", "it")
    if isinstance(kernel, JITFunction):
        raise KernelError(
            f"{INTERPRETED}=1 was not set when Triton was imported, so it wants to compile for a "
            "GPU. Restart the kernel, and run the notebook from its first cell."
        )
    if not isinstance(kernel, InterpretedFunction):
        raise KernelError(f"`{name}` is no Triton kernel: write @triton.jit above its def.")


def _unwrapped(run: Callable[[], Any]) -> Any:
    """Run, and raise what happened in a kernel itself: its traceback knows the student's line."""
    try:
        return run()
    except Exception as error:
        inner: BaseException = error
        while type(inner).__name__ == "InterpreterError" and inner.__cause__ is not None:
            inner = inner.__cause__
        if inner is error:
            raise
        raise inner from None


class _Watch:
    """Looks at what kernels do, while Triton's interpreter runs them.

    A GPU promises nothing of lanes that a mask leaves out and that have no `other`: they hold nan
    here (the interpreter by itself has 0 there). And an address outside of a kernel's arguments is
    refused before it is touched: it could end the process.
    """

    def __init__(self) -> None:
        self.launched: set[str] = set()
        self.stored: set[int] = set()  # where arrays begin that something was stored to
        self._spans: list[tuple[int, int, str]] = []

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch in this block."""
        from triton.runtime.interpreter import GridExecutor, InterpreterBuilder

        executor: Any = GridExecutor
        builder: Any = InterpreterBuilder
        own = executor.__call__, builder.create_masked_load, builder.create_masked_store
        executor.__call__ = lambda *args, **kwargs: self._launch(own[0], *args, **kwargs)
        builder.create_masked_load = lambda *args: self._load(own[1], *args)
        builder.create_masked_store = lambda *args: self._store(own[2], *args)
        try:
            yield
        finally:
            executor.__call__, builder.create_masked_load, builder.create_masked_store = own

    def _launch(self, own: Any, executor: Any, *args: Any, **kwargs: Any) -> None:
        name = executor.fn.__name__
        if str(executor.fn.__module__).partition(".")[0] == READY_MADE:
            raise KernelError(f"`{name}` is ready-made: launch a kernel of your own.")
        self.launched.add(name)
        handed = [*zip(executor.arg_names, args, strict=False), *kwargs.items()]
        self._spans = [_span(n, value) for n, value in handed if hasattr(value, "data_ptr")]
        own(executor, *args, **kwargs)

    def _load(self, own: Any, builder: Any, ptrs: Any, mask: Any, other: Any, *more: Any) -> Any:
        takes_part = self._require_inside("loads from", ptrs, mask)
        loaded = own(builder, ptrs, mask, other, *more)
        if other is None and loaded.data.dtype.kind == "f":
            loaded.data = np.where(takes_part, loaded.data, np.array(np.nan, loaded.data.dtype))
        return loaded

    def _store(self, own: Any, builder: Any, ptrs: Any, value: Any, mask: Any, *more: Any) -> Any:
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
            raise OutOfBoundsError(
                f"it {does} an address outside of all its arrays, {side} entry of {near[2]}. Mask "
                "the lanes that have no entry, loads and stores alike, and look at the offsets"
            )
        return takes_part


def _span(name: str, tensor: Any) -> tuple[int, int, str]:
    """Return where a tensor begins and ends in memory."""
    if tensor.is_contiguous():
        begin, size = tensor.data_ptr(), tensor.numel() * tensor.element_size()
    else:
        storage = tensor.untyped_storage()
        begin, size = storage.data_ptr(), storage.nbytes()
    return begin, begin + size, name


@contextmanager
def unwritten_is_nan() -> Iterator[None]:
    """Let `torch.empty` hold nan: what no kernel writes is seen."""
    import torch

    # not torch.use_deterministic_algorithms: that loads torch's compiler, which takes two seconds
    switch = torch._C._set_deterministic_algorithms
    was = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    switch(True, warn_only=True)
    try:
        yield
    finally:
        switch(was, warn_only=warn)


def _arrays(value: Any) -> Any:
    """Return tensors as arrays: one, or each of a tuple or list."""
    if isinstance(value, tuple | list):
        return type(value)(map(_arrays, value))
    return value.detach().cpu().numpy().copy() if hasattr(value, "detach") else value
