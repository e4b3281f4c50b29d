"""What is read off a curve, on curves whose answer is known."""

import math

import pytest

from bnlib.data import digits
from bnlib.experiments._curves import best, error_curve, error_rate, steps_until
from bnlib.nets import mlp


@pytest.mark.parametrize(
    ("level", "steps"), [(60.0, 10.0), (50.0, 20.0), (30.0, 30.0), (9.0, math.inf), (95.0, 0.0)]
)
def test_the_first_time_at_a_level_counts(level, steps):
    """A curve that rises again does not matter; one that never gets there is infinite."""
    curve = [(0, 95.0), (10, 60.0), (20, 50.0), (30, 10.0), (40, 55.0)]
    assert steps_until(curve, level) == steps


def test_the_best_is_the_cheapest_that_did_not_fail():
    """Of equal ones, and where all fail, the first."""
    costs = {1.0: math.nan, 2.0: 5.0, 3.0: 4.0, 4.0: 4.0, 5.0: math.inf}
    assert best(list(costs), costs.__getitem__) == 3.0
    assert best([7.0, 8.0], lambda _: math.inf) == 7.0


def test_a_curve_is_looked_at_as_often_as_asked_and_ends_at_its_level():
    """Steps done, and the error of the model as it is then."""
    model = mlp([64, 32, 10], norm="batch")
    settings = {"batch_size": 60, "lr": 0.3, "seed": 0}
    curve = error_curve(model, digits(), steps=25, every=10, **settings)
    assert [steps for steps, _ in curve] == [10, 20]
    late = error_curve(model, digits(), steps=200, every=5, stop_at=50.0, **settings)
    assert late[-1][1] <= 50.0
    assert all(error > 50.0 for _, error in late[:-1])
    assert late[-1][1] == error_rate(model, digits())
