"""The largest learning rate that works, where it is known."""

import math

import pytest

import bnlib.experiments.learning_rate as learning_rate
from bnlib.experiments import Scale
from bnlib.experiments.learning_rate import largest_that_learns, learns


@pytest.mark.parametrize(
    ("works", "power"),
    [
        (lambda lr: lr <= 4, 2.0),
        (lambda lr: lr == 0.5, -1.0),
        (lambda lr: lr != 4 and lr < 16, 3.0),  # a gap does not matter
        (lambda lr: True, 4.0),
    ],
)
def test_the_largest_of_those_that_work_counts(works, power):
    """As a power of two."""
    assert largest_that_learns(range(-4, 5), works) == power


def test_a_network_that_learns_at_no_rate_has_none():
    """So it counts as diverged."""
    assert math.isnan(largest_that_learns(range(-4, 5), lambda lr: False))


def test_the_verdict_follows_the_rates(monkeypatch):
    """Four times the rate with batch norm, then a quarter of it."""
    for factor, verdict in ((4.0, "supported"), (0.25, "refuted")):
        monkeypatch.setattr(
            learning_rate,
            "learns",
            lambda norm, lr, seed, steps, f=factor: lr <= 2 ** (seed / 4) * (f if norm else 1),
        )
        outcome = learning_rate.run(Scale(seeds=3))
        assert outcome.verdict == verdict
        assert outcome.measures[0].without_bn == (0.0, 0.25, 0.5)


def test_a_rate_that_is_far_too_large_does_not_work():
    """And a usual one does, within a second."""
    assert learns("batch", 0.3, 0, 60)
    assert not learns(None, 1e4, 0, 60)
    assert not learns(None, 1e-6, 0, 20)
