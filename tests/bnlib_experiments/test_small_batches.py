"""The rise of the error with small batches, on planted errors and in a tiny run."""

import pytest

from bnlib.experiments import small_batches
from bnlib.experiments.vocabulary import Scale

TINY = Scale(seeds=2, steps_factor=0.01)


def test_a_rise_is_seed_by_seed():
    """Small minus large, paired."""
    assert small_batches.rise((1.0, 5.0), (4.0, 4.0)) == (3.0, -1.0)


@pytest.mark.parametrize(
    ("hurt", "verdict"), [("batch", "supported"), ("group", "refuted"), ("nobody", "undecided")]
)
def test_the_verdict_follows_planted_errors(hurt, verdict, monkeypatch):
    """Whoever rises by ten points from batches of 32 to 2 loses."""

    def planted(norm, batch_size, seed, images):
        wave = 0.1 * ((seed * (2 if norm == "batch" else 3)) % 5)
        return 3.0 + (batch_size == 2) * (wave + 10.0 * (norm == hurt))

    monkeypatch.setattr(small_batches, "error", planted)
    assert small_batches.EXPERIMENT.run(Scale(seeds=5)).verdict == verdict


def test_equal_images_whatever_the_batch(monkeypatch):
    """The number of steps follows from the number of images, and the rate from the batch."""
    seen = []
    monkeypatch.setattr(small_batches, "train", lambda model, data, **options: seen.append(options))
    small_batches.error("batch", 2, 0, 640)
    small_batches.error("batch", 32, 0, 640)
    assert [run["steps"] * run["batch_size"] for run in seen] == [640, 640]
    assert seen[1]["lr"] == 16 * seen[0]["lr"]


def test_a_tiny_run_says_what_it_did():
    """Every measure has a value per seed; only the rise decides."""
    outcome = small_batches.EXPERIMENT.run(TINY)
    assert [len(m.with_bn) for m in outcome.measures] == [2] * 5
    assert [m.decides for m in outcome.measures] == [True, False, False, False, False]
