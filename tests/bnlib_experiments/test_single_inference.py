"""Answers that depend on the company, on planted networks and in a tiny run."""

import torch
from torch import nn

from bnlib.experiments import single_inference
from bnlib.experiments.vocabulary import Scale


def images(n=43):
    """Draw images of two pixels."""
    return torch.randn((n, 2), generator=torch.Generator().manual_seed(0))


def test_a_network_without_a_norm_never_changes_its_answers():
    """Neither mode looks at the company; rows that fill no batch are left out."""
    assert single_inference.changed(nn.Identity(), images(), seed=1) == (0.0, 0.0, 40.0)


def test_the_batchs_own_statistics_change_answers():
    """A batch norm of two features: in training mode who is larger depends on the others."""
    evaluated, trained, _ = single_inference.changed(nn.BatchNorm1d(2), images(), seed=1)
    assert evaluated == 0.0
    assert trained > 5.0


def test_the_verdict_follows_planted_shares(monkeypatch):
    """If evaluation mode changed as much as training mode, nothing would be supported."""
    monkeypatch.setattr(
        single_inference, "one", lambda seed, steps: (0.0, 9.0 + seed, 3.0, 8.0 + seed)
    )
    assert single_inference.EXPERIMENT.run(Scale(seeds=5)).verdict == "supported"
    monkeypatch.setattr(
        single_inference, "one", lambda seed, steps: (9.0 + seed, 9.0, 8.0 + seed, 8.0)
    )
    assert single_inference.EXPERIMENT.run(Scale(seeds=5)).verdict == "refuted"


def test_a_tiny_run_says_what_it_did():
    """In evaluation mode nothing changes, after however little training."""
    outcome = single_inference.EXPERIMENT.run(Scale(seeds=2, steps_factor=0.01))
    assert outcome.measures[0].with_bn == (0.0, 0.0)
    assert len(outcome.measures[1].without_bn) == 2
