"""The simulated card, its clocks, and tensors that say where they lie."""

import threading
import time
from types import FunctionType

import pytest
import torch

from autograder.worker.givens import build_given
from autograder.worker.givens.card import LAUNCH, NO_CARD, Card, Event, Memory, Work
from autograder.worker.givens.placed import Copies, on_cards, place_of, put
from autograder.worker.givens.standins import simulated


def test_the_host_goes_on_while_the_card_works():
    """A launch costs microseconds; only waiting costs what the work takes."""
    card = Card(works=[Work(5.0)])
    card.operation()
    assert card.host == pytest.approx(LAUNCH)
    card.synchronize()
    assert card.host == pytest.approx(5e-3, abs=5e-5)


def test_marks_in_the_queue_tell_the_time_between_them():
    """Whatever was in the queue before."""
    card = Card(works=[Work(5.0), Work(2.0)])
    start, end = Event(card, enable_timing=True), Event(card, enable_timing=True)
    card.operation()
    start.record()
    card.operation()
    end.record()
    card.synchronize()
    assert start.elapsed_time(end) == pytest.approx(2.0, abs=0.02)
    assert end.elapsed_time(start) < 0


def test_marks_raise_what_cuda_raises():
    """Without timing, not recorded, not reached."""
    card = Card(works=[Work(5.0)])
    timed = [Event(card, enable_timing=True) for _ in range(2)]
    with pytest.raises(ValueError, match="enable_timing=True"):
        Event(card).elapsed_time(Event(card))
    with pytest.raises(ValueError, match="must be recorded"):
        timed[0].elapsed_time(timed[1])
    timed[0].record()
    card.operation()
    timed[1].record()
    with pytest.raises(RuntimeError, match="must be completed"):
        timed[0].elapsed_time(timed[1])


def test_without_a_card_torch_says_so():
    """In the words of a torch without CUDA."""
    with simulated(Card(present=False), []), pytest.raises(AssertionError, match=NO_CARD):
        torch.cuda.synchronize()


def test_without_a_card_no_tensor_goes_to_one():
    """Neither made there nor moved."""
    require = Card(present=False).require
    for put_there in (lambda: torch.zeros(1, device="cuda"), torch.ones(1).cuda):
        with on_cards(Copies(), require), pytest.raises(AssertionError, match=NO_CARD):
            put_there()


@pytest.mark.parametrize("name", ["synchronize", "memory_allocated"])
def test_a_card_is_not_asked_about_the_cpu(name):
    """CUDA refuses the question, where there is a card as well."""
    with simulated(Card(), [Memory()]), pytest.raises(ValueError, match="Expected a cuda device"):
        getattr(torch.cuda, name)(torch.device("cpu"))


def test_memory_remembers_its_peak_and_what_was_reserved():
    """Until it is told to forget the first."""
    memory = Memory(held=100, highest=700)
    memory.change(50)
    memory.change(-30)
    assert (memory.allocated, memory.peak, memory.reserved) == (120, 700, 2**21)
    memory.reset_peak()
    assert memory.peak == 120


def _names():
    return {
        "cuda": {name: getattr(torch.cuda, name) for name in ("synchronize", "Event", "device")},
        "time": {name: getattr(time, name) for name in ("perf_counter", "time", "sleep")},
    }


def test_everything_is_put_back_also_after_an_error():
    """In torch, in time, and in the namespace of the function."""
    before, names = _names(), {"clock": time.perf_counter, "other": 3}
    own = dict(names)
    function = FunctionType((lambda: clock).__code__, names, None, (time.perf_counter,))  # noqa: F821

    def fail():
        with simulated(Card(), [Memory()], function):
            assert names["clock"] is time.perf_counter is not own["clock"]
            assert function.__defaults__ == (time.perf_counter,)
            assert torch.cuda.is_available()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _names() == before
    assert {name: names[name] for name in own} == own
    assert function.__defaults__ == (time.perf_counter,)


def test_clocks_in_a_closure_are_exchanged_too():
    """Wherever a function has its clock from."""
    clock = time.perf_counter

    def function():
        return clock()

    with simulated(Card(), [Memory()], function):
        assert clock is time.perf_counter
    assert clock is time.perf_counter


def test_clocks_and_sleep_are_the_simulated_hosts():
    """A second of sleep takes no time at all, and every clock has seen it."""
    card, real = Card(), time.perf_counter
    start = real()
    with simulated(card, [Memory()]):
        shown = time.perf_counter(), time.perf_counter_ns(), time.process_time()
        time.sleep(1.0)
        assert time.perf_counter() - shown[0] == pytest.approx(1.0)
        assert time.perf_counter_ns() - shown[1] == pytest.approx(1e9, rel=1e-6)
        assert time.process_time() == shown[2]
    assert real() - start < 0.5


def test_other_threads_see_the_real_clock():
    """A notebook's kernel has threads of its own, which go on meanwhile."""
    found = []
    with simulated(Card(), [Memory()]):
        time.sleep(1000.0)
        thread = threading.Thread(target=lambda: found.append(time.perf_counter()))
        thread.start()
        thread.join()
        assert time.perf_counter() - found[0] > 900


@pytest.mark.parametrize(
    "mixed",
    [
        lambda there: there + torch.ones(3),
        lambda there: torch.cat([there, torch.ones(3)]),
        lambda there: there * torch.zeros(3, device="cuda:1"),
        lambda there: torch.stack([there, there.cpu()]),
    ],
)
def test_mixed_places_raise_what_cuda_raises(mixed):
    """Two devices in one operation."""
    there = put(torch.ones(3), "cuda:0")
    with on_cards(Copies()), pytest.raises(RuntimeError, match="found at least two devices"):
        mixed(there)


@pytest.mark.parametrize(
    "works",
    [
        lambda there: there * 2 + torch.tensor(1.0),
        lambda there: there + torch.zeros(3, device=there.device),
        lambda there: there + torch.zeros(3).to(there.device),
        lambda there: there + torch.zeros(3).to(there),
        lambda there: there + torch.zeros_like(there),
        lambda there: there.new_zeros(3) + torch.ones(3).cuda(),
        lambda there: torch.cat([there, there])[:3].float().view(3),
        lambda there: torch.empty(3, device="cuda").copy_(torch.ones(3)),
    ],
)
def test_results_lie_where_their_inputs_lie(works):
    """And what is made or moved there goes with them."""
    with on_cards(Copies()):
        result = works(put(torch.ones(3), "cuda:0"))
        assert result.device == torch.device("cuda:0")
        assert result.is_cuda
    assert place_of(result) == "cuda:0"


def test_numbers_on_a_card_do_not_become_arrays():
    """They have to come to the CPU first."""
    there = put(torch.ones(3), "cuda:0")
    with on_cards(Copies()):
        with pytest.raises(TypeError, match=r"Use Tensor\.cpu"):
            there.numpy()
        assert there.cpu().numpy().sum() == 3


def test_gradients_flow_to_a_tensor_that_moved():
    """A copy is an operation like any other."""
    x = torch.ones(3, requires_grad=True)
    with on_cards(Copies()):
        (x.to("cuda") * 2).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_a_sum_over_cards_counts_and_lies_everywhere():
    """One tensor from each card, all of one shape; anything else is an error."""
    add = build_given("all_reduce", {"ranks": 2})
    parts = [put(torch.ones(2), f"cuda:{card}") for card in range(2)]
    with on_cards(Copies()):
        total = add(parts)
        assert (total + parts[1]).tolist() == [3, 3]
        with pytest.raises(ValueError, match="each of the 2 cards"):
            add(parts[:1])
    assert add.calls == 1


@pytest.mark.parametrize("place", ["cpu", "cuda:0"])
def test_a_sum_over_cards_that_are_apart_takes_from_each_its_own(place):
    """A tensor that lies elsewhere cannot be handed in."""
    add = build_given("all_reduce", {"ranks": 2, "apart": True})
    parts = [put(torch.ones(2), "cuda:0"), put(torch.ones(2), place)]
    with on_cards(Copies()), pytest.raises(RuntimeError, match=f"on {place} from the card cuda:1"):
        add(parts)
