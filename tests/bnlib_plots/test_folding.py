"""The slider on rounding folded weights: its numbers, and that it moves."""

import doctest

import numpy as np
import pytest

import bnlib.plots.folding
from bnlib.plots import to_png
from bnlib.plots.folding import BITS, draw_rounding, errors, filters, relative_error, rounded


def test_the_examples_are_true():
    """The module's doctests."""
    assert doctest.testmod(bnlib.plots.folding).failed == 0


def test_rounding_is_to_the_nearest_point_of_the_grid():
    """No entry is off by more than half a step, and the largest stays."""
    weights, folded = filters(1.0)
    for each in (True, False):
        largest = np.abs(folded).max(axis=1 if each else None, keepdims=True)
        found = rounded(folded, 5, each=each)
        assert (np.abs(found - folded) <= largest / 15 / 2 + 1e-12).all()
        assert np.abs(found).max() == pytest.approx(np.abs(weights * 0 + folded).max())


def test_without_a_spread_folding_changes_nothing():
    """All scales are 1."""
    weights, folded = filters(0.0)
    np.testing.assert_array_equal(weights, folded)


def test_a_step_a_channel_does_not_care_for_scales():
    """Its error is the same for every spread; with one step for all it grows."""
    few, many = np.array(errors(0.5)), np.array(errors(2.0))
    np.testing.assert_allclose(few[2], many[2])
    assert (many[1] > few[1]).all()
    assert (few[1] > few[2]).all()


def test_one_bit_more_halves_the_error():
    """Where the grid is fine."""
    weights, _ = filters(1.0)
    fine = [relative_error(weights, bits, each=True) for bits in (9, 10)]
    assert fine[0] / fine[1] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("moved", [{"spread": 2.0}, {"bits": int(BITS[0])}])
def test_every_slider_changes_the_picture(moved):
    """Each state has a picture of its own."""
    assert to_png(draw_rounding()) != to_png(draw_rounding(**moved))
