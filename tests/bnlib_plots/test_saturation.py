"""Saturation: grows with the gain without batch norm, stays at a few per cent with it."""

import numpy as np
import pytest

from bnlib import saturated_fraction
from bnlib.plots import to_png
from bnlib.plots.saturation import draw_saturation, tanh_network


def fraction(gain, norm):
    """Return the saturated fraction of the last layer."""
    return saturated_fraction(tanh_network(gain, norm).outputs[-1])


def test_saturation_grows_with_the_gain():
    """None at 1, a little more than half at 4, most at 16: what the lecture says."""
    assert fraction(1.0, False) == 0.0
    assert 0.5 < fraction(4.0, False) < 0.6
    assert fraction(16.0, False) > 0.8


def test_with_batch_norm_no_gain_saturates():
    """P(|z| > artanh 0.97) = 3.6 % for a normal feature, whatever the gain."""
    for gain in (0.5, 4.0, 32.0):
        assert fraction(gain, True) == pytest.approx(0.036, abs=0.01)


def test_a_saturated_network_does_not_lose_its_gradient():
    """The lecture's surprise: it grows, by more than 1e6 over forty layers."""
    gradients = tanh_network(8.0, False).gradients
    assert gradients[0] > 1e6 * gradients[-1]


def test_the_histogram_holds_all_outputs_and_marks_the_ends():
    """Shares add up to 1, and the outer bins are those that the title counts."""
    left, right = draw_saturation(2.0, layer=7).axes
    inner, ends = (patch.get_data().values for patch in left.patches)
    assert inner.sum() + ends.sum() == pytest.approx(1.0)
    expected = saturated_fraction(tanh_network(2.0, False).outputs[6])
    assert ends.sum() == pytest.approx(expected)
    assert right.lines[0].get_ydata()[6] == pytest.approx(expected)
    assert np.count_nonzero(ends) <= 2


def test_the_axes_are_labelled_and_every_control_moves_the_picture():
    """Pure: the same state gives the same bytes."""
    for ax in draw_saturation().axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    still = to_png(draw_saturation())
    assert still == to_png(draw_saturation())
    for change in ({"gain": 4.0}, {"layer": 1}, {"norm": True}):
        assert to_png(draw_saturation(**change)) != still
