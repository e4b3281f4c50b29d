"""The step-size figure: rounding falls as 1/h, truncation rises as h², float32 is far worse."""

import numpy as np
import pytest

from bnlib.plots.step_size import STEPS, difference_errors, draw_step_size


def at(h):
    """Return the position of a step."""
    return int(np.abs(np.log(STEPS / h)).argmin())


def test_truncation_grows_with_the_square_of_h():
    """Ten times the step, a hundred times the error."""
    errors = difference_errors(1.0, "float64")
    assert errors[at(1e-2)] / errors[at(1e-3)] == pytest.approx(100, rel=0.05)


def test_h_1e_5_is_good_in_float64_for_every_width_on_the_slider():
    """The lecture says so; tolerance 1e-4."""
    for sigma in (0.001, 0.01, 0.1, 1.0, 10.0):
        assert difference_errors(sigma, "float64")[at(1e-5)] < 1e-5


def test_float32_at_h_1e_5_is_useless():
    """An error of a percent at σ = 1."""
    assert 1e-3 < difference_errors(1.0, "float32")[at(1e-5)] < 0.1


def test_a_narrow_feature_needs_a_smaller_step():
    """The best step moves with the width."""
    best = [STEPS[difference_errors(sigma, "float64").argmin()] for sigma in (10.0, 1.0, 0.01)]
    assert best[0] > best[1] > best[2]


def test_the_figure_has_both_precisions_and_labels():
    """Two curves, the tolerance, the usual step, and units on both axes."""
    (ax,) = draw_step_size(0.1).axes
    assert [line.get_label() for line in ax.lines][:2] == ["float64", "float32"]
    assert ax.get_xlabel()
    assert ax.get_ylabel()
