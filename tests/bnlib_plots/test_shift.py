"""The sliders on shift: their numbers are those of the reference, and they move."""

import numpy as np
import pytest
import torch

from bnlib.plots import to_png
from bnlib.plots.shift import (
    FEATURES,
    MEAN_SCALE,
    MODES,
    STD_SCALE,
    draw_input_shift,
    draw_noise,
    mean_shift,
    noise_of,
    outputs,
    shift_of_noise,
)
from bnlib.torch import distribution_shift


def test_the_shift_is_that_of_the_reference():
    """The plot needs no torch, and says the same."""
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(2, 30, 4))
    assert mean_shift(before, after) == pytest.approx(distribution_shift(before, after))


def test_noise_grows_with_its_level_and_stays_in_its_ranges():
    """No noise, no shift; level 1 is the paper's."""
    assert shift_of_noise(0.0) == 0.0
    assert shift_of_noise(0.5) < shift_of_noise(1.0) < shift_of_noise(2.0)
    shift, factor = noise_of(1.0, 3)
    assert np.abs(shift).max() <= MEAN_SCALE
    assert 1 <= factor.min() <= factor.max() <= STD_SCALE
    assert not np.array_equal(shift, noise_of(1.0, 4)[0])


def test_the_curve_is_what_two_noisy_samples_show():
    """Normalised features with noise on them, measured by the reference."""
    x = np.random.default_rng(1).normal(size=(400, FEATURES))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    found = []
    for step in range(40):
        (m, s), (m_next, s_next) = noise_of(1.0, step), noise_of(1.0, step + 1)
        found.append(distribution_shift(torch.tensor(s * x + m), torch.tensor(s_next * x + m_next)))
    assert np.mean(found) == pytest.approx(shift_of_noise(1.0))


def test_training_mode_does_not_notice_a_moved_input():
    """Nor a rescaled one; evaluation mode and no batch norm do, by as much as it moved."""
    shifts = {mode: mean_shift(*outputs(1.5, 2.0, mode)) for mode in MODES}
    assert shifts["training"] < 1e-6
    assert shifts["evaluation"] == pytest.approx(shifts["no batch norm"], rel=1e-3)
    same_spread = mean_shift(*outputs(1.5, 1.0, "no batch norm"))
    assert same_spread == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("draw", "moved"),
    [
        (draw_noise, {"level": 2.0}),
        (draw_noise, {"step": 5}),
        (draw_input_shift, {"shift": 2.0}),
        (draw_input_shift, {"mode": "evaluation"}),
        (draw_input_shift, {"scale": 2.0}),
    ],
)
def test_the_axes_are_labelled_and_the_sliders_move_the_picture(draw, moved):
    """What the slider moves is what one sees."""
    for ax in draw().axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    assert to_png(draw(**moved)) != to_png(draw())
    assert to_png(draw()) == to_png(draw())
