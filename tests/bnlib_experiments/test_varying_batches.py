"""Batches of two digits, and a tiny run."""

from itertools import islice

import numpy as np
import pytest

from bnlib.experiments import varying_batches
from bnlib.experiments.vocabulary import Scale

LABELS = np.repeat(np.arange(5), 20)


def test_a_batch_holds_two_classes_and_no_image_twice():
    """And the classes change from batch to batch."""
    batches = list(islice(varying_batches.two_class_batches(LABELS, 16, seed=0), 50))
    held = [frozenset(LABELS[rows].tolist()) for rows in batches]
    assert {len(classes) for classes in held} == {2}
    assert len(set(held)) > 5
    assert all(len(set(rows.tolist())) == 16 for rows in batches)


def test_the_seed_decides():
    """The same seed, the same batches."""
    first, again, other = (
        next(varying_batches.two_class_batches(LABELS, 16, seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("hurt", "verdict"), [("batch", "supported"), ("layer", "refuted"), ("nobody", "undecided")]
)
def test_the_verdict_follows_planted_errors(hurt, verdict, monkeypatch):
    """Whoever rises by five points loses."""

    def planted(norm, kind, seed, steps):
        wave = 0.1 * ((seed * (2 if norm == "batch" else 3)) % 5)
        return 3.0 + (kind != "mixed") * (wave + 5.0 * (norm == hurt))

    monkeypatch.setattr(varying_batches, "error", planted)
    assert varying_batches.EXPERIMENT.run(Scale(seeds=5)).verdict == verdict


def test_a_tiny_run_says_what_it_did():
    """Three measures, the rise decides."""
    outcome = varying_batches.EXPERIMENT.run(Scale(seeds=2, steps_factor=0.01))
    assert [m.decides for m in outcome.measures] == [True, False, False]
    rise, mixed, two = outcome.measures
    assert rise.with_bn[0] == pytest.approx(two.with_bn[0] - mixed.with_bn[0])
