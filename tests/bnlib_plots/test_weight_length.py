"""The figures of length and direction: right angles, 1/length, and lr/length²."""

import numpy as np
import pytest

from bnlib.gradient_check import numerical_gradient
from bnlib.plots import to_png
from bnlib.plots.weight_length import (
    angles_to_target,
    descend,
    direction,
    draw_descent,
    draw_weight_length,
    gradient_lengths,
    weight_gradient,
)

ANGLES = (0.0, 105.0, 240.0)
CRUMB = 1e-4  # a step along W of lr · 1e-5 may be left where the length is near 1


def loss(w):
    """Return the loss of the figures as an array of one entry, written out once more."""
    x = np.random.default_rng(3).normal(size=(64, 2)) * [1.0, 1.6]
    z, goal = x @ w, x @ np.array([0.6, 0.8])
    target = (goal - goal.mean()) / goal.std()
    x_hat = (z - z.mean()) / np.sqrt(z.var() + 1e-5)
    return np.array([0.5 * np.mean((x_hat - target) ** 2)])


@pytest.mark.parametrize("angle", ANGLES)
def test_the_gradient_is_that_of_the_loss(angle):
    """Central differences agree."""
    w = 1.3 * direction(angle)
    expected = numerical_gradient(loss, w, np.ones(1))
    np.testing.assert_allclose(weight_gradient(w), expected, atol=1e-8)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("length", [0.125, 1.0, 4.0])
def test_the_gradient_is_at_right_angles_and_as_1_over_length(angle, length):
    """Exactly so for eps = 0."""
    unit = weight_gradient(direction(angle), eps=0.0)
    w = length * direction(angle)
    np.testing.assert_allclose(weight_gradient(w, eps=0.0), unit / length, rtol=1e-9, atol=1e-12)
    assert abs(w @ weight_gradient(w, eps=0.0)) < 1e-12
    # eps/(v + eps) of ⟨x_hat, dy⟩: the variance v is at least length²/2, |⟨x_hat, dy⟩| at most 2
    assert abs(w @ weight_gradient(w)) < 2e-5 / (0.5 * length**2)


def test_eps_bends_the_line_for_tiny_weights_only():
    """The blue line leaves the dashed one on the left and nowhere else."""
    with_eps, without = gradient_lengths(0.0, 1e-5), gradient_lengths(0.0, 0.0)
    assert with_eps[0] < 0.1 * without[0]
    np.testing.assert_allclose(with_eps[-15:], without[-15:], rtol=1e-3)


def test_the_length_grows_and_the_direction_arrives():
    """Every step lengthens w, and the angle to the target falls to nearly 0."""
    path = descend(1.0, 0.1)
    assert (np.diff(np.linalg.norm(path, axis=1)) > -CRUMB).all()
    assert angles_to_target(path)[-1] < 1.0 < 90.0 < angles_to_target(path)[0]


def test_lr_over_squared_length_is_what_counts():
    """Start and learning rate scaled by k and k² give the same directions."""
    reference = angles_to_target(descend(1.0, 0.1))
    np.testing.assert_allclose(angles_to_target(descend(10.0, 10.0)), reference, atol=0.05)
    assert np.abs(angles_to_target(descend(10.0, 0.1)) - reference).max() > 50.0


@pytest.mark.parametrize("draw", [draw_weight_length, draw_descent])
def test_the_axes_are_labelled_and_the_sliders_move_the_picture(draw):
    """What the slider moves is what one sees."""
    for ax in draw().axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    assert to_png(draw(4.0)) != to_png(draw(1.0))
    assert to_png(draw(1.0)) == to_png(draw(1.0))
