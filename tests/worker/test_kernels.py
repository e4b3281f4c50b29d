"""How unit 12's programs and kernels are run: on poisoned memory, under guard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

from autograder.sandbox import Limits, WarmWorker
from autograder.worker import wire
from autograder.worker.givens import build_given
from autograder.worker.givens.kernels import KernelError
from bnlib import blocks as bl
from bnlib.kernels import triton_bn_forward
from bnlib.kernels.guarded import StrayAddressError


@triton.jit
def twice(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + at, 2 * tl.load(x_ptr + at, mask=at < n, other=0.0), mask=at < n)


@triton.jit
def twice_unmasked(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + at, 2 * tl.load(x_ptr + at))


@triton.jit
def in_place(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + at, 2 * tl.load(x_ptr + at, mask=at < n, other=0.0), mask=at < n)


def arguments() -> dict[str, Any]:
    """Six entries, and a result that is undefined yet."""
    return {"x": np.arange(6.0, dtype=np.float32), "y": np.full(6, np.nan, np.float32), "n": 6}


def launch(kernel: Any) -> dict[str, Any]:
    """Run a kernel on two blocks of four lanes."""
    helper = build_given("launch_kernel", {"grid": (2,), "outputs": ["y"], "block": 4})
    return helper(kernel, arguments())


def test_a_kernel_s_results_come_back() -> None:
    """And word that it wrote what it should, and nothing else."""
    done = launch(twice)
    assert done.pop("y").tolist() == [0, 2, 4, 6, 8, 10]
    assert done == {"written": [], "never stored": []}


def test_writing_into_an_input_and_storing_nothing_are_seen() -> None:
    """Both at once, here."""
    done = launch(in_place)
    assert (done["written"], done["never stored"]) == (["x"], ["y"])
    assert np.isnan(done["y"]).all()


def test_a_stray_address_is_the_kernel_s_own_error() -> None:
    """Not Triton's: so the student's line can be named."""
    with pytest.raises(StrayAddressError, match="beyond the last entry of x_ptr") as caught:
        launch(twice_unmasked)
    assert "twice_unmasked" in [entry.name for entry in caught.traceback]


def test_what_is_no_kernel_is_refused() -> None:
    """With what to write."""
    with pytest.raises(KernelError, match=r"plain` is no Triton kernel: write @triton.jit"):
        launch(plain)


def plain(x_ptr: Any, y_ptr: Any, n: Any, BLOCK: Any) -> None:
    """Look like a kernel, without the decorator."""


def test_a_ready_made_kernel_is_refused() -> None:
    """By where it was written, whatever its name in the notebook."""
    from bnlib.kernels.teaching import bn_stats_kernel

    helper = build_given("launch_kernel", {"grid": (1,), "outputs": ["mean", "var"], "block": 4})
    nan = np.full(1, np.nan, np.float32)
    given_ = {"x": np.ones(4, np.float32), "mean": nan, "var": nan, "N": 4, "C": 1, "L": 1}
    with pytest.raises(KernelError, match="ready-made"):
        helper(bn_stats_kernel, given_)
    run = build_given("call_launcher", {"kernels": ["bn_stats_kernel"]})
    x, one = np.ones((4, 1), np.float32), np.ones(1, np.float32)
    with pytest.raises(KernelError, match="ready-made"):
        run(triton_bn_forward, x, one, one)


def test_a_launcher_has_to_launch() -> None:
    """Right numbers from torch alone are not what is asked."""
    run = build_given("call_launcher", {"kernels": ["twice"]})
    with pytest.raises(KernelError, match="`twice` was never launched"):
        run(lambda x: 2 * x, np.ones(3, np.float32))


def test_a_launcher_s_new_memory_is_undefined() -> None:
    """Entries that no program writes are nan, and a changed argument is named by its number."""

    def half_a_grid(x: torch.Tensor) -> torch.Tensor:
        y = torch.empty_like(x)
        twice[(1,)](x, y, 6, BLOCK=4)
        x.zero_()
        return y

    run = build_given("call_launcher", {"kernels": ["twice"]})
    done = run(half_a_grid, np.ones(6, np.float32))
    assert np.isnan(done["answer"]).tolist() == [False] * 4 + [True] * 2
    assert done["changed"] == [0]
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_program_s_report_becomes_names() -> None:
    """Which arrays are read too often, raced for, written, never stored to."""

    def bad(a: Any, b: Any, n: int, BLOCK: int) -> None:
        bl.load(a + bl.arange(0, 4))
        bl.store(a, 1.0)

    given_ = {"grid": (2,), "outputs": ["y"], "most_loads": {"x": 6}}
    done = build_given("launch_blocks", given_)(bad, arguments() | {"BLOCK": 4})
    assert done["read too often"] == ["x"]
    assert done["races in"] == ["x"]
    assert done["written"] == ["x"]
    assert done["never stored"] == ["y"]


@pytest.mark.slow
def test_a_kernel_runs_in_the_sandbox() -> None:
    """Written and launched in cells, without a GPU, a compiler, or a file outside."""
    cells = [
        "import torch, triton, triton.language as tl\n"
        "from bnlib.kernels.guarded import guard_memory\nguard_memory()",
        "@triton.jit\ndef k(x_ptr, BLOCK: tl.constexpr):\n"
        "    tl.store(x_ptr + tl.arange(0, BLOCK), tl.program_id(0) + 7.0)",
        "x = torch.zeros(4)\nk[(1,)](x, BLOCK=4)\nprint(x.sum().item())",
    ]
    worker = WarmWorker()
    try:
        channel = worker.open(Limits(), ("torch", "triton"))
        for cell in cells:
            channel.send(wire.encode({"kind": "cell", "source": cell, "seconds": 20.0}), 5.0)
            ran = channel.receive(30.0)
            assert ran["error"] == ""
        assert [output["text"] for output in ran["outputs"]] == ["28.0\n"]
        channel.close()
        worker.end()
    finally:
        worker.close()


def test_a_student_s_object_is_no_reference() -> None:
    """Whatever it claims to equal: plain arrays go to what the judge has registered alone."""

    class Equal:
        """Equal to everything, and of everything's hash."""

        takes_arrays = True

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 0

    with pytest.raises(KernelError, match="no Triton kernel"):
        launch(Equal())
