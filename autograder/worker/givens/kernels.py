"""What unit 12 does with a program or a kernel: run it on poisoned memory, and look around.

Arrays are handed over with an undefined value in every entry that has to be written. For Triton
they lie far from each other, and every address is looked at before it is touched.

The judge's own references are NumPy functions that it registers by `on_arrays`: they get the plain
arrays, and a judge needs neither torch nor Triton. Beside a student's code none is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from autograder.worker.givens.registry import given

MARGIN = 2**12  # entries between arrays: who misses one does not find another
INTERPRETED = "TRITON_INTERPRET"
READY_MADE = "bnlib"  # its kernels are nobody's answer

Arguments = Mapping[str, Any]
Function = TypeVar("Function", bound=Callable[..., Any])

_references: dict[int, Callable[..., Any]] = {}  # by identity: nothing else is sure


class KernelError(Exception):
    """A kernel cannot be launched, or was not; the text says what to do."""


def on_arrays(function: Function) -> Function:
    """Register a reference: a NumPy function of plain arrays."""
    _references[id(function)] = function
    return function


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
        if id(program) in _references:
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
        if id(kernel) in _references:
            return _reference(kernel, {**arguments, "BLOCK": block}, outputs)
        _require_kernel(kernel)
        rooms = {n: _Room(v) for n, v in arguments.items() if isinstance(v, np.ndarray)}
        values = [rooms[n].tensor if n in rooms else v for n, v in arguments.items()]
        from bnlib.kernels.guarded import guarded

        with guarded(_refuse_ready_made) as guard:
            kernel[tuple(grid)](*values, BLOCK=block)
        written = [n for n, room in rooms.items() if n not in outputs and room.changed()]
        left = [n for n in outputs if rooms[n].tensor.data_ptr() not in guard.stored]
        results = {n: rooms[n].values() for n in outputs}
        return {**results, "written": written, "never stored": left}

    return launch


@given("call_launcher")
def call_launcher(kernels: Sequence[str]) -> Callable[..., dict[str, Any]]:
    """Build the call of a function that launches kernels: those named must be among them."""

    def run(launcher: Any, *arrays: Any) -> dict[str, Any]:
        if id(launcher) in _references:
            return {"answer": launcher(*arrays), "changed": []}
        import torch

        from bnlib.kernels.guarded import guarded

        given_ = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays]
        before = [np.array(a) for a in arrays if isinstance(a, np.ndarray)]
        with guarded(_refuse_ready_made) as guard, unwritten_is_nan():
            answer = launcher(*given_)
        for name in kernels:
            if name not in guard.launched:
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

    name = getattr(kernel, "__name__", type(kernel).__name__)
    if isinstance(kernel, JITFunction):
        raise KernelError(
            f"{INTERPRETED}=1 was not set when Triton was imported, so it wants to compile for a "
            "GPU. Restart the kernel, and run the notebook from its first cell."
        )
    if not isinstance(kernel, InterpretedFunction):
        raise KernelError(f"`{name}` is no Triton kernel: write @triton.jit above its def.")


def _refuse_ready_made(name: str, module: str) -> None:
    if module.partition(".")[0] == READY_MADE:
        raise KernelError(f"`{name}` is ready-made: launch a kernel of your own.")


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
