"""Ghost batches against whole ones, on planted errors and in a tiny run."""

import pytest

from bnlib.experiments import ghost_batches
from bnlib.experiments._norm_layers import GhostNorm
from bnlib.experiments.vocabulary import Scale


@pytest.mark.parametrize(
    ("ghost", "verdict"), [(2.0, "supported"), (6.0, "refuted"), (4.0, "undecided")]
)
def test_the_verdict_follows_planted_errors(ghost, verdict, monkeypatch):
    """Against 4 % with the whole batch."""

    def planted(norm, batch_size, seed, steps):
        return (ghost if norm is ghost_batches.ghosts else 4.0) + 0.1 * (
            seed if norm is ghost_batches.ghosts else 4 - seed
        )

    monkeypatch.setattr(ghost_batches, "error", planted)
    assert ghost_batches.EXPERIMENT.run(Scale(seeds=5)).verdict == verdict


def test_groups_are_of_32():
    """The norm that the experiment puts into the network."""
    norm = ghost_batches.ghosts(7)
    assert isinstance(norm, GhostNorm)
    assert (norm.ghost_size, norm.norm.num_features) == (32, 7)


def test_a_tiny_run_says_what_it_did():
    """Two measures, the first decides."""
    outcome = ghost_batches.EXPERIMENT.run(Scale(seeds=2, steps_factor=0.02))
    assert [m.decides for m in outcome.measures] == [True, False]
    assert outcome.measures[0].with_bn == outcome.measures[1].with_bn
