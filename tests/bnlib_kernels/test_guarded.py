"""Kernels under guard: stray addresses are errors before they are touched, undefined lanes nan."""

import pytest
import torch
import triton
import triton.language as tl

from bnlib.kernels.guarded import StrayAddressError, guard_memory, guarded
from tests.bnlib_kernels.problems import DEVICE

pytestmark = pytest.mark.skipif(DEVICE != "cpu", reason="guards the interpreter: no GPU has one")


@triton.jit
def copy(x_ptr, y_ptr, n, LOAD: tl.constexpr, STORE: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=0.0) if LOAD else tl.load(x_ptr + at)
    if STORE:
        tl.store(y_ptr + at, x, mask=at < n)
    else:
        tl.store(y_ptr + at, x)


@triton.jit
def total(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(y_ptr, tl.sum(tl.load(x_ptr + at, mask=at < n)))


@triton.jit
def unwritten(x_ptr):
    raise NotImplementedError


@triton.jit
def calls_unwritten(x_ptr):
    unwritten(x_ptr)


def launch(n=6, load=True, store=True):
    """Copy in the middle of larger memory, so that a stray address would do no harm."""
    memory = torch.zeros(3, 4096)
    x, y = memory[0, 1000 : 1000 + n], memory[2, 1000 : 1000 + n]
    x.copy_(torch.arange(1.0, n + 1))
    copy[(2,)](x, y, n, load, store, BLOCK=4)
    return x, y


def test_what_stays_inside_runs_as_ever():
    """The result is there, and the guard has seen the kernel and where it stored."""
    with guarded() as guard:
        x, y = launch()
    assert torch.equal(x, y)
    assert guard.launched == {"copy"}
    assert guard.stored == {y.data_ptr()}


@pytest.mark.parametrize(
    ("masks", "told"),
    [
        ({"load": False}, "loads from an address.*beyond the last entry of x_ptr"),
        ({"store": False}, "stores to an address.*beyond the last entry of y_ptr"),
    ],
)
def test_a_missing_mask_is_named(masks, told):
    """Which array, which end, and what to do."""
    with guarded(), pytest.raises(StrayAddressError, match=told):
        launch(**masks)


def test_nothing_is_touched_before_the_error():
    """A store that would leave the array leaves none of its lanes behind."""
    memory = torch.zeros(4096)
    with guarded(), pytest.raises(StrayAddressError, match="stores to"):
        copy[(1,)](torch.ones(8), memory[1000:1006], 6, True, False, BLOCK=8)
    assert not memory.any()


def test_an_undefined_lane_is_nan_under_guard_alone():
    """The interpreter by itself shows 0, and a sum looks right that no GPU would give."""
    y = torch.zeros(1)
    total[(1,)](torch.ones(3), y, 3, BLOCK=4)
    assert y.item() == 3
    with guarded():
        total[(1,)](torch.ones(3), y, 3, BLOCK=4)
    assert torch.isnan(y).all()


def test_a_kernel_s_error_comes_as_it_was_raised():
    """From a function that the kernel calls, too: Triton would wrap each level in its own."""
    with guarded(), pytest.raises(NotImplementedError):
        calls_unwritten[(1,)](torch.ones(1))


def test_guards_nest_and_go():
    """A grader's guard works inside a notebook's; afterwards the interpreter is as it was."""
    with guarded() as outer:
        with guarded() as inner:
            launch()
        launch()
    assert outer.launched == inner.launched == {"copy"}
    guard_memory()
    guard_memory()
    try:
        with pytest.raises(StrayAddressError, match="loads from"):
            launch(load=False)
    finally:
        _end_guard()


def test_a_launch_can_be_refused():
    """By name, or by where the kernel was written."""

    def refuse(name, module):
        raise PermissionError(f"{name} of {module}")

    with guarded(refuse), pytest.raises(PermissionError, match=f"copy of {__name__}"):
        launch()


def _end_guard():
    from bnlib.kernels import guarded as module

    module._lasting.close()
    module._on.clear()
