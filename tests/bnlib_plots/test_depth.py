"""Depth and gain: powers of the gain forward and backward, and none with batch norm."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.depth import ACTIVATIONS, draw_depth, sent


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_a_linear_network_follows_the_power_of_its_gain(gain):
    """The gain to the number of layers, forward; the same for every layer's gradient."""
    signal, reference = sent(20, gain, "linear", False), sent(20, 1.0, "linear", False)
    powers = gain ** np.arange(1, 21)
    np.testing.assert_allclose(signal.stds, reference.stds * powers, rtol=1e-9)
    np.testing.assert_allclose(signal.gradients, reference.gradients * gain**19, rtol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_with_batch_norm_the_gain_moves_nothing_forward(activation):
    """Every layer's output is the same for a gain of 0.5 and of 2."""
    small, large = (sent(20, gain, activation, True).stds for gain in (0.5, 2.0))
    np.testing.assert_allclose(small, large, rtol=1e-9)


def test_tanh_holds_the_signal_and_not_the_gradient():
    """At gain 2: outputs of order 1, and a gradient that grows towards the input."""
    signal = sent(40, 2.0, "tanh", False)
    assert (signal.stds < 1.0).all()
    assert signal.gradients[0] > 30 * signal.gradients[-1]


def test_what_leaves_the_axes_is_drawn_at_their_edge():
    """Sixty ReLU layers at gain 2 reach 1e18; the axes end at 1e16 and stay there."""
    left, right = draw_depth(60, 2.0, "relu").axes
    assert left.get_ylim() == right.get_ylim() == draw_depth(10, 1.0).axes[0].get_ylim()
    assert left.lines[0].get_ydata().max() == left.get_ylim()[1]


def test_the_axes_are_labelled_and_every_control_moves_the_picture():
    """Pure: the same state gives the same bytes."""
    for ax in draw_depth().axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    still = to_png(draw_depth())
    assert still == to_png(draw_depth())
    for change in ({"depth": 20}, {"gain": 1.5}, {"activation": "relu"}, {"norm": True}):
        assert to_png(draw_depth(**change)) != still
