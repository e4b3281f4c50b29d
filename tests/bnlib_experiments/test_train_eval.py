"""Running against recalibrated statistics, on a planted mismatch and in a tiny run."""

import pytest
import torch

from bnlib.experiments import train_eval
from bnlib.experiments.vocabulary import Scale
from bnlib.nets import mlp


def model_with(factor):
    """Return a network all of whose running variances are a number."""
    model = mlp([4, 6, 5, 2], norm="batch", seed=0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_var.fill_(factor)
    return model


@pytest.mark.parametrize(("factor", "percent"), [(1.0, 0.0), (4.0, 100.0), (0.25, 50.0)])
def test_the_mismatch_of_planted_variances(factor, percent):
    """Variances 4 times the reference's are standard deviations 100 % too large."""
    found = train_eval.mismatch(model_with(factor), model_with(1.0))
    assert found == pytest.approx(percent, abs=1e-6)


def test_a_slow_average_is_mended_by_recalibration():
    """After a few steps with momentum 0.001 the running statistics are those of the start."""
    anew, running, gap = train_eval.errors(seed=0, steps=60, momentum=0.001)
    assert anew < running
    assert gap > 20.0


@pytest.mark.parametrize(
    ("recalibrated", "verdict"), [(3.0, "supported"), (9.0, "refuted"), (6.0, "undecided")]
)
def test_the_verdict_follows_planted_errors(recalibrated, verdict, monkeypatch):
    """Against running averages that err in 6 %, the same at both ends."""

    def planted(seed, steps, momentum):
        return recalibrated + 0.1 * seed, 6.2 - 0.1 * seed, 5.0

    monkeypatch.setattr(train_eval, "errors", planted)
    assert train_eval.EXPERIMENT.run(Scale(seeds=5)).verdict == verdict


def test_a_tiny_run_says_what_it_did():
    """Four measures, two of which decide."""
    outcome = train_eval.EXPERIMENT.run(Scale(seeds=2, steps_factor=0.02))
    assert [len(m.with_bn) for m in outcome.measures] == [2] * 4
    assert sum(m.decides for m in outcome.measures) == 2
