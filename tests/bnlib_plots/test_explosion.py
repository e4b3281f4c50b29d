"""The explosion figure: the rate by batch size, and what a skip connection makes of it."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.explosion import (
    BATCHES,
    KINDS,
    NORMED,
    PLAIN,
    SKIP,
    draw_explosion,
    rate,
    rates_by_batch,
    squared_gradients,
)
from bnlib.signal_network import RELU_RATE


def test_the_rate_comes_near_theory_for_large_batches_and_is_larger_for_small_ones():
    """Within 5 % at 128 rows of 96 units; a batch of 8 has 1.8, one of 4 more than 2.5."""
    rates = dict(zip(BATCHES, rates_by_batch(NORMED), strict=True))
    assert rates[128] == pytest.approx(RELU_RATE, rel=0.05)
    assert rates[8] == pytest.approx(1.8, abs=0.1)
    assert rates[4] > 2.5


def test_without_batch_norm_nothing_grows():
    """At He's scale, for every batch size."""
    assert rate(PLAIN, 64) == pytest.approx(1.0, abs=0.1)


def test_with_skip_connections_the_growth_follows_the_power_law():
    """Within a factor of two, over sixty layers; without them it is beyond 1e8."""
    squares = squared_gradients(SKIP, 60, 64)
    law = ((60 + RELU_RATE) / (1 + RELU_RATE)) ** RELU_RATE
    assert 0.5 < squares[0] / law < 2.0
    assert squared_gradients(NORMED, 60, 64)[0] > 1e8


def test_the_last_layer_is_the_unit():
    """And what is cached cannot be written to."""
    squares = squared_gradients(NORMED, 10, 16)
    assert squares[-1] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        squares[0] = 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_batch_size_can_be_drawn(kind):
    """And the marked point is the one of the slider."""
    for batch in (BATCHES[0], BATCHES[-1]):
        _, right = draw_explosion(20, batch, kind).axes
        line, point = right.lines[:2]
        assert point.get_xdata()[0] == np.log2(batch)
        assert point.get_ydata()[0] == line.get_ydata()[BATCHES.index(batch)]


def test_the_axes_are_labelled_and_every_control_moves_the_picture():
    """Pure: the same state gives the same bytes."""
    for ax in draw_explosion().axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    still = to_png(draw_explosion())
    assert still == to_png(draw_explosion())
    for change in ({"depth": 20}, {"batch": 8}, {"kind": SKIP}):
        assert to_png(draw_explosion(**change)) != still
