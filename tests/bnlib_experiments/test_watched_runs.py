"""Runs that are measured on the way: what is measured when, and numbers that are known."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.experiments import noisy_batchnorm, shift_distribution, shift_gradient, smoothness
from bnlib.experiments._watched_runs import (
    RATE,
    batches,
    mean_or_worst,
    rows_of,
    shift_of_live,
    shifts_of_run,
    watched_run,
)
from bnlib.experiments.vocabulary import Scale
from bnlib.nets import mlp
from bnlib.torch import NoisyBatchNorm1d

TINY = Scale(seeds=2, steps_factor=0.05)
MODULES = (shift_distribution, shift_gradient, smoothness, noisy_batchnorm)


def test_a_run_is_measured_on_the_batch_of_the_next_step():
    """The model has not seen it in this step, and is in training mode."""
    seen = []

    def watch(model, x, y):
        assert model.training
        seen.append(x)
        return 1.0

    losses, found = watched_run(None, 0, 4, watch, every=2)
    order = batches(5, 0)
    assert len(losses) == 4
    assert found.tolist() == [1.0, 1.0]
    assert torch.equal(seen[0], rows_of(order[2])[0])
    assert torch.equal(seen[1], rows_of(order[4])[0])


def test_measuring_does_not_change_the_run():
    """Neither with batch norm nor without: the losses are those of an unwatched run."""
    for norm in ("batch", None):
        plain, _ = watched_run(norm, 0, 5, lambda model, x, y: 0.0)
        watched, _ = watched_run(norm, 0, 5, lambda *args: shift_gradient.shifts(*args, RATE)[0])
        looked, _ = watched_run(norm, 0, 5, lambda *args: smoothness.looks(*args)[1])
        np.testing.assert_array_equal(plain, watched)
        np.testing.assert_array_equal(plain, looked)


def test_dead_units_are_left_out():
    """What has no spread has no shift in units of it; a planted shift of the others is found."""
    before = torch.tensor([[0.0, 0.0, 4.0], [2.0, 0.0, 8.0]])
    assert shift_of_live(before, before + torch.tensor([0.5, 9.0, 1.0])) == pytest.approx(0.5)
    assert shift_of_live(0 * before, before) == 0.0


def test_a_run_that_ended_early_counts_as_worst():
    """It has no mean."""
    assert mean_or_worst(np.ones(3), 3) == 1.0
    assert mean_or_worst(np.ones(2), 3) == np.inf


def test_a_network_that_stands_still_has_no_shift():
    """The measurement itself adds nothing: with a learning rate of 0 nothing moves."""
    model = mlp([64, 20, 20, 10], norm="batch", seed=0)
    x, y = rows_of(np.arange(32))
    l2, turned = shift_gradient.shifts(model, x, y, lr=0.0)
    assert l2 == 0.0
    assert turned == pytest.approx(0.0, abs=1e-6)
    assert shift_gradient.shifts(model, x, y, lr=0.1)[0] > 0.0


def test_noise_makes_the_shift_that_was_planted():
    """Twice the means' range, about twice the shift: the rest of the network hardly matters."""
    _, without = shifts_of_run("batch", 0, 6)
    shifts = []
    for scale in (0.25, 0.5):
        norm = lambda width, scale=scale: NoisyBatchNorm1d(width, scale, 1.0, seed=width)  # noqa: E731
        shifts.append(shifts_of_run(norm, 0, 6)[1].mean())
    assert without.mean() < 0.02 < shifts[0]
    assert shifts[1] / shifts[0] == pytest.approx(2.0, rel=0.25)


def test_each_layer_has_noise_of_its_own():
    """The same for all layers would be one noise, not several."""
    make = noisy_batchnorm.noisy_norm(3)
    first, second = make(8), make(8)
    x = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(first(x), second(x))


def test_the_look_along_the_gradient_is_that_of_an_optimizer():
    """Steps of SGD from copies of the model see the same losses."""
    model = mlp([64, 20, 10], norm="batch", seed=0)
    x, y = rows_of(np.arange(32))
    losses = []
    for t in smoothness.ALONG:
        work = copy.deepcopy(model)
        nn.functional.cross_entropy(work(x), y).backward()
        torch.optim.SGD(work.parameters(), lr=t).step()
        losses.append(nn.functional.cross_entropy(work(x), y).item())
    width, beta = smoothness.looks(model, x, y)
    assert width == pytest.approx(max(losses) - min(losses), rel=1e-3)
    assert beta > 0
    assert list(smoothness.ALONG) == pytest.approx([RATE / 2, RATE, 2 * RATE, 4 * RATE])


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.EXPERIMENT.id)
def test_the_experiment_runs_and_repeats(module):
    """Every seed gives a finite number, and the same one each time."""
    outcome = module.EXPERIMENT.run(TINY)
    assert outcome == module.EXPERIMENT.run(TINY)
    assert module.EXPERIMENT.id == module.__name__.rpartition(".")[2]
    for measure in outcome.measures:
        assert len(measure.with_bn) == len(measure.without_bn) == TINY.seeds
        assert np.isfinite([*measure.with_bn, *measure.without_bn]).all()
        assert len(set(measure.with_bn)) > 1
