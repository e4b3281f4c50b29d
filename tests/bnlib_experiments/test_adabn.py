"""Another camera, statistics of the target, and a tiny run."""

import numpy as np
import pytest

from bnlib.experiments import adabn
from bnlib.experiments.vocabulary import Scale


def test_the_other_camera_lowers_contrast_and_adds_light():
    """0 becomes 0.5 and 1 becomes 0.9, on average; the seed decides the noise."""
    x = np.zeros((50, 1, 8, 8), np.float32)
    x[25:] = 1.0
    seen = adabn.other_camera(x, seed=0)
    assert seen.dtype == np.float32
    assert seen[:25].mean() == pytest.approx(0.5, abs=0.02)
    assert seen[25:].mean() == pytest.approx(0.9, abs=0.02)
    np.testing.assert_array_equal(seen, adabn.other_camera(x, seed=0))


def test_statistics_of_the_target_mend_most_of_the_shift():
    """A short training is enough to see it."""
    adapted, source, unshifted = adabn.errors(seed=0, steps=150)
    assert unshifted < adapted < source - 10.0


@pytest.mark.parametrize(
    ("adapted", "verdict"), [(10.0, "supported"), (60.0, "refuted"), (40.0, "undecided")]
)
def test_the_verdict_follows_planted_errors(adapted, verdict, monkeypatch):
    """Against 40 % with the source's statistics."""

    def planted(seed, steps, *, images=False):
        return adapted + 0.2 * seed, 40.8 - 0.2 * seed, 3.0

    monkeypatch.setattr(adabn, "errors", planted)
    assert adabn.EXPERIMENT.run(Scale(seeds=5)).verdict == verdict


def test_a_tiny_run_says_what_it_did():
    """Two networks, two measures each."""
    outcome = adabn.EXPERIMENT.run(Scale(seeds=2, steps_factor=0.01))
    assert [m.decides for m in outcome.measures] == [True, False, True, False]
