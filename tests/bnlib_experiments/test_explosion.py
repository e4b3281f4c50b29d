"""The explosion's measure on planted gradients, and a tiny run."""

import numpy as np
import pytest

from bnlib.experiments.explosion import EXPERIMENT, RELU_RATE, off_theory, rate_of, squared_rate
from bnlib.experiments.vocabulary import Scale


def test_the_rate_is_that_of_planted_gradients():
    """Lengths that grow by √1.467 a layer towards the input: 1.467 in the square."""
    planted = RELU_RATE ** (-np.arange(20) / 2)
    assert squared_rate(planted) == pytest.approx(RELU_RATE, rel=1e-12)


def test_layers_next_to_the_input_are_left_out():
    """What has not settled there does not count."""
    planted = RELU_RATE ** (-np.arange(20) / 2)
    planted[:5] = 7.0
    assert squared_rate(planted) == pytest.approx(RELU_RATE, rel=1e-12)


def test_the_distance_from_theory_is_in_per_cent_and_has_no_sign():
    """Two per cent above and below."""
    assert off_theory((1.02 * RELU_RATE, 0.98 * RELU_RATE)) == pytest.approx((2.0, 2.0))


def test_a_network_of_128_units_is_within_six_per_cent():
    """And one without batch norm has a rate of about 1."""
    assert rate_of(0, 128, 128, norm=True) == pytest.approx(RELU_RATE, rel=0.06)
    assert rate_of(0, 128, 128, norm=False) == pytest.approx(1.0, abs=0.1)


def test_a_tiny_run_says_what_it_did():
    """Both measures, one value per seed, the same again for the same scale."""
    outcome = EXPERIMENT.run(Scale(seeds=2, steps_factor=0.05))
    assert outcome == EXPERIMENT.run(Scale(seeds=2, steps_factor=0.05))
    assert [len(m.with_bn) for m in outcome.measures] == [2, 2]
    assert outcome.measures[0].verdict == "supported"
