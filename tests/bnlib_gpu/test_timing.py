"""Timing on a device that works while the host goes on."""

import time

import pytest
import torch

from bnlib.errors import ParameterError
from bnlib.gpu import peak_memory, time_op
from tests.bnlib_gpu.computers import on_card

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
MS = [4.0, 2.0, 7.0, 3.0, 5.0]


def test_times_on_a_card_are_those_of_the_card():
    """One for each measured call, in order, whatever the warm-up left in the queue."""
    times, machine = on_card(time_op, CUDA, 2, 3, ms=MS, first_ms=[50.0, 50.0])
    assert times == pytest.approx(MS[2:], abs=0.02)
    assert machine.calls == 5


def test_a_card_by_its_number_is_timed_too():
    """`cuda:1` is a device like any other."""
    times, _ = on_card(time_op, torch.device("cuda:1"), 1, 2, ms=MS, cards=2)
    assert times == pytest.approx(MS[1:3], abs=0.02)


def test_times_on_a_cpu_need_no_card():
    """Nothing of torch.cuda is asked there, where asking is an error."""
    times, _ = on_card(time_op, CPU, 1, 3, ms=MS, cards=0, on_card=False)
    assert times == pytest.approx(MS[1:4])


def test_a_clock_that_is_set_back_does_no_harm():
    """The wall clock jumps, the times do not."""
    times, _ = on_card(time_op, CPU, 0, 3, ms=MS, cards=0, on_card=False, set_back=2.0)
    assert times == pytest.approx(MS[:3])


def test_times_of_real_work_are_at_least_what_it_takes():
    """On this computer, with its own clock."""
    assert all(t >= 2 for t in time_op(lambda: time.sleep(0.003), CPU, 1, 3))


@pytest.mark.parametrize(("warmup", "repeats"), [(-1, 1), (0, 0)])
def test_too_few_calls_are_refused(warmup, repeats):
    """And nothing is called."""
    with pytest.raises(ParameterError, match="at least"):
        time_op(lambda: 1 / 0, CPU, warmup, repeats)


def test_peak_memory_is_the_worst_moment_beyond_what_was_there():
    """Freed memory counts, earlier peaks do not, and the card is the one that is asked for."""
    options = {
        "held": [100, 7000],
        "highest": [10**9, 10**9],
        "steps": [50, 30, -30, 10],
        "place": 1,
    }
    peak, machine = on_card(peak_memory, torch.device("cuda:1"), cards=2, **options)
    assert (peak, machine.calls) == (80, 1)


def test_peak_memory_of_a_cpu_is_not_known():
    """The call is made all the same."""
    peak, machine = on_card(peak_memory, CPU, cards=0, on_card=False)
    assert (peak, machine.calls) == (None, 1)


@pytest.mark.gpu
def test_a_real_card_is_timed_by_its_events():
    """A copy of 1 GB takes its time, far longer than its launch."""
    x = torch.empty(2**28, device="cuda")
    times = time_op(x.clone, CUDA, 3, 5)
    assert min(times) > 0.2


@pytest.mark.gpu
def test_a_real_card_counts_its_bytes():
    """Two tensors of 4 MB at the worst moment, of which one is freed."""
    x = torch.empty(2**20, device="cuda")
    assert peak_memory(lambda: (x + 1) + 1, CUDA) == 2 * 4 * 2**20
