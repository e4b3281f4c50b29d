"""Steps to a level of error, where they are known."""

import math

import bnlib.experiments.convergence as convergence
from bnlib.experiments import Scale


def plant(monkeypatch, steps):
    """Let training reach the level after `steps(norm, lr, seed)` steps."""

    def curve(norm, lr, seed, limit):
        reached = steps(norm, lr, seed)
        return [(at, 50.0 if at < reached else 9.0) for at in range(5, limit + 1, 5)]

    monkeypatch.setattr(convergence, "curve", curve)


def test_each_network_gets_the_rate_that_suits_it(monkeypatch):
    """Batch norm is fastest at 10, the other at 1: the first row compares those."""
    suits = {"batch": 10.0, None: 1.0}
    plant(
        monkeypatch,
        lambda norm, lr, seed: (100 + 5 * (seed % 10)) * (1 if lr == suits[norm] else 3),
    )
    outcome = convergence.run(Scale(seeds=3))
    own, shared = outcome.measures
    assert own.with_bn == own.without_bn == (100.0, 105.0, 110.0)
    assert shared.with_bn == (300.0, 315.0, 330.0)
    assert outcome.verdict == "undecided"
    assert "10 with batch norm, 1 without" in outcome.setup


def test_a_faster_one_is_supported_and_a_slower_one_refuted(monkeypatch):
    """By steps that differ from seed to seed."""
    plant(monkeypatch, lambda norm, lr, seed: (50 if norm else 200) + 5 * (seed % 10))
    assert convergence.run(Scale(seeds=3)).verdict == "supported"
    plant(monkeypatch, lambda norm, lr, seed: (200 if norm else 50) + 5 * (seed % 10))
    assert convergence.run(Scale(seeds=3)).verdict == "refuted"


def test_one_that_never_gets_there_counts_as_worst(monkeypatch):
    """And says so in its numbers."""
    plant(monkeypatch, lambda norm, lr, seed: 50 + 5 * (seed % 10) if norm else math.inf)
    outcome = convergence.run(Scale(seeds=4))
    assert outcome.measures[0].without_bn == (math.inf,) * 4
    assert outcome.verdict == "supported"


def test_the_real_thing_runs():
    """A second of it: a curve that falls, the same for the same seed."""
    first = convergence.curve("batch", 1.0, 0, 40)
    assert first == convergence.curve("batch", 1.0, 0, 40)
    assert first[-1][1] < first[0][1]
