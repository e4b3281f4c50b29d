"""Errors with and without dropout, where they are known."""

import numpy as np
import pytest

import bnlib.experiments.regularisation as regularisation
from bnlib.data import digits
from bnlib.experiments import Scale
from bnlib.experiments.regularisation import few, final_error


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        # (with batch norm, with both), (with neither, with dropout)
        (((4.0, 3.9), (8.0, 5.0)), "supported"),
        (((8.0, 5.0), (4.0, 3.9)), "refuted"),
        (((4.0, 1.0), (8.0, 7.9)), "undecided"),  # it regularises, but dropout helps it more
    ],
)
def test_both_halves_of_the_claim_have_to_hold(monkeypatch, errors, verdict):
    """A smaller error without dropout, and less to gain from it."""
    table = {("batch", 0.0): 0, ("batch", 0.5): 1, (None, 0.0): 2, (None, 0.5): 3}
    flat = [*errors[0], *errors[1]]

    def planted(norm, dropout, seed, steps):
        return flat[table[norm, dropout]] + 0.01 * (seed % 3) * (1 + table[norm, dropout])

    monkeypatch.setattr(regularisation, "final_error", planted)
    outcome = regularisation.run(Scale(seeds=3))
    assert outcome.verdict == verdict
    assert outcome.seeds == 6
    gain = outcome.measures[1]
    assert gain.with_bn[0] == pytest.approx(errors[0][0] - errors[0][1])
    assert gain.without_bn[0] == pytest.approx(errors[1][0] - errors[1][1])


def test_a_few_images_are_drawn_once_each_and_the_test_set_stays():
    """Others for another seed."""
    data = digits()
    found = few(data, 50, seed=1)
    assert found.train_x.shape == (50, 1, 8, 8)
    assert len({x.tobytes() for x in found.train_x}) == 50
    np.testing.assert_array_equal(found.test_x, data.test_x)
    assert not np.array_equal(found.train_x, few(data, 50, seed=2).train_x)


def test_the_real_thing_runs():
    """A few steps: an error in %, the same for the same seed, dropout included."""
    first = final_error("batch", 0.5, 0, 10)
    assert 0 < first < 100
    assert first == final_error("batch", 0.5, 0, 10)
