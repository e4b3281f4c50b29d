"""The spread over initial scales on planted errors, divergence, and a tiny run."""

from bnlib.experiments.initialisation import EXPERIMENT, FACTORS, GUESSING, error_at, spread
from bnlib.experiments.vocabulary import Scale


def test_the_spread_is_worst_minus_best():
    """Of planted errors, in any order."""
    assert spread([7.0, 3.0, 90.0, 4.0]) == 87.0
    assert spread([5.0, 5.0]) == 0.0


def test_a_run_that_diverges_counts_as_guessing():
    """A hundred times He's scale at a rate of 1 explodes without batch norm."""
    assert error_at(None, 100.0, 1.0, 0, 5) == GUESSING


def test_a_run_that_learns_is_better_than_guessing():
    """With batch norm, at the right scale, after sixty steps."""
    assert error_at("batch", 1.0, 0.1, 0, 60) < 50.0


def test_a_tiny_run_says_what_it_did():
    """One value per seed; scales on both sides of the right one."""
    outcome = EXPERIMENT.run(Scale(seeds=2, steps_factor=0.005))
    assert [len(m.without_bn) for m in outcome.measures] == [2, 2]
    assert min(FACTORS) < 1.0 < max(FACTORS)
