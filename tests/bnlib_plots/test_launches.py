"""The timeline of launches: what each way of timing sees."""

import doctest
from itertools import pairwise

import pytest

from bnlib.plots import launches
from bnlib.plots.launches import CALLS, LAUNCH, WAYS, draw_timeline, timeline

NO_WAIT, LATE, BOTH, EVENTS = WAYS


def test_the_examples_in_the_docstrings_are_true():
    """The module's doctests."""
    assert doctest.testmod(launches).failed == 0


@pytest.mark.parametrize("way", [BOTH, EVENTS])
@pytest.mark.parametrize("ms", [0.1, 2.0])
def test_the_right_ways_tell_the_time_of_a_call(way, ms):
    """A clock adds the launch; events do not."""
    extra = LAUNCH if way == BOTH else 0.0
    assert timeline(ms, way, cold=3.0).times == pytest.approx([ms + extra] * CALLS)


def test_without_waiting_the_launch_is_timed():
    """However long the work is."""
    assert timeline(5.0, NO_WAIT).times == pytest.approx([LAUNCH] * CALLS)


def test_waiting_only_at_the_end_counts_the_rest_of_the_warm_up():
    """In the first call; the later ones are right."""
    first, *rest = timeline(1.0, LATE, warmup=4).times
    assert first > 4.0
    assert rest == pytest.approx([1.0 + LAUNCH] * (CALLS - 1))


@pytest.mark.parametrize("way", WAYS)
def test_without_a_warm_up_every_way_counts_the_first_calls_loss(way):
    """Compiling happens in the call."""
    assert timeline(1.0, way, cold=3.0, warmup=0).times[0] >= 3.0


@pytest.mark.parametrize("way", WAYS)
def test_the_card_works_in_order_and_the_host_does_not_go_back(way):
    """No two spans of a lane overlap."""
    found = timeline(0.7, way, cold=1.0)
    for lane in (found.kernels, found.launches):
        assert all(a[1] <= b[0] + 1e-12 for a, b in pairwise(lane))


@pytest.mark.parametrize("warmup", [0, 4])
def test_the_title_says_whether_the_times_are_right(warmup):
    """Right ones only with a warm-up, or if nothing is lost."""
    right = draw_timeline(way=EVENTS, warmup=warmup).axes[1].get_title(loc="left")
    assert right.startswith("right" if warmup else "wrong")
