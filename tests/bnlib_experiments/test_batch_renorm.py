"""Batch renormalization against batch norm, on planted errors and in a tiny run."""

import pytest
from torch import nn

from bnlib.experiments import batch_renorm
from bnlib.experiments._norm_layers import Renorm
from bnlib.experiments.vocabulary import Scale


def test_the_limits_open_after_a_tenth_of_the_steps():
    """And batch norm is torch's own."""
    norm = batch_renorm.norm_of("renorm", 200)(5)
    assert isinstance(norm, Renorm)
    assert norm.plain == 20
    assert isinstance(batch_renorm.norm_of("batch norm", 200)(5), nn.BatchNorm1d)


@pytest.mark.parametrize(
    ("renorm", "verdict"), [(2.0, "supported"), (6.0, "refuted"), (4.0, "undecided")]
)
def test_the_verdict_follows_planted_errors_on_small_batches(renorm, verdict, monkeypatch):
    """Against 4 % with batch norm; what large batches say does not count."""

    def planted(kind, batch_size, seed, steps):
        if batch_size == 32:
            return 9.0 if kind == "renorm" else 1.0
        return renorm + 0.1 * seed if kind == "renorm" else 4.4 - 0.1 * seed

    monkeypatch.setattr(batch_renorm, "error", planted)
    assert batch_renorm.EXPERIMENT.run(Scale(seeds=5)).verdict == verdict


def test_a_tiny_run_says_what_it_did():
    """Batches of 4 decide, batches of 32 stand beside them."""
    outcome = batch_renorm.EXPERIMENT.run(Scale(seeds=2, steps_factor=0.01))
    assert [m.decides for m in outcome.measures] == [True, False]
