"""Ghost batch norm, batch renormalization and recalibration as torch modules."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlib import batch_renorm, ghost_batchnorm
from bnlib.experiments._norm_layers import (
    GhostNorm,
    Renorm,
    answers,
    recalibrated,
    share_different,
)
from bnlib.nets import mlp


def rows(n, c=3, seed=0):
    """Draw a batch in double precision."""
    drawn = np.random.default_rng(seed).normal(2.0, 3.0, (n, c))
    return torch.from_numpy(drawn)


@pytest.mark.parametrize("n", [8, 11])
def test_the_ghost_layer_is_the_reference(n):
    """Groups of four, the last one smaller."""
    x = rows(n)
    layer = GhostNorm(3, 4).double()
    expected = ghost_batchnorm(x.numpy(), np.ones(3), np.zeros(3), 4)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10, atol=1e-10)


def test_the_ghost_layer_evaluates_as_batch_norm():
    """With the running statistics that its groups left."""
    layer = GhostNorm(3, 4).double()
    layer(rows(8))
    plain = nn.BatchNorm1d(3).double()
    plain(rows(8)[:4])
    plain(rows(8)[4:])
    x = rows(5, seed=1)
    torch.testing.assert_close(layer.eval()(x), plain.eval()(x))


def test_renorm_starts_as_batch_norm_and_opens_its_limits():
    """1 and 0 for the first steps, then linearly to 3 and 5."""
    layer, seen = Renorm(3, plain=4).double(), []
    for step in range(10):
        seen.append(layer.limits())
        y = layer(rows(6, seed=step))
        if step < 4:
            expected = nn.BatchNorm1d(3).double()(rows(6, seed=step))
            torch.testing.assert_close(y, expected)
    assert seen[4] == (1.0, 0.0)
    assert seen[6] == (2.0, 2.5)
    assert seen[-1] == (3.0, 5.0)


def test_renorm_is_the_reference():
    """With the running statistics as they were before the step."""
    layer = Renorm(3, plain=1).double()
    for step in range(5):
        layer(rows(6, seed=step))
    mean, var = layer.running_mean.clone(), layer.running_var.clone()
    x = rows(6, seed=9)
    r_max, d_max = layer.limits()
    expected = batch_renorm(x.numpy(), mean.numpy(), var.numpy(), r_max, d_max)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10, atol=1e-10)


def test_no_gradient_goes_through_r_and_d():
    """They are constants: dx is batch norm's, times r."""
    layer = Renorm(2, plain=1).double()
    for step in range(5):
        layer(rows(6, 2, seed=step))
    x = rows(6, 2, seed=9).requires_grad_()
    upstream = rows(6, 2, seed=10)
    sigma = (layer.running_var + layer.eps).sqrt()
    r_max, _ = layer.limits()
    layer(x).backward(upstream)
    ours = x.grad.clone()
    x.grad = None
    nn.BatchNorm1d(2).double()(x).backward(upstream)
    root = (x.detach().var(0, unbiased=False) + layer.eps).sqrt()
    r = (root / sigma).clamp(1 / r_max, r_max)
    torch.testing.assert_close(ours, r * x.grad)


def test_recalibrated_statistics_are_those_of_all_rows():
    """In the first layer directly, in the second after the first one's; the model is left alone."""
    model = mlp([4, 5, 5, 2], norm="batch", seed=0).double()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    x = rows(40, 4)
    copied = recalibrated(model, x)
    norms = [m for m in copied if isinstance(m, nn.BatchNorm1d)]
    hidden = copied[1](x)
    torch.testing.assert_close(norms[0].running_mean, hidden.mean(0))
    torch.testing.assert_close(norms[0].running_var, hidden.var(0))
    deeper = copied[4](copied[3](nn.functional.batch_norm(
        hidden, None, None, norms[0].weight, norms[0].bias, training=True)))  # fmt: skip
    torch.testing.assert_close(norms[1].running_mean, deeper.mean(0))
    assert norms[0].momentum == 0.1
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, before[key])


def test_answers_leave_the_model_alone_and_whole_batches_only():
    """Mode and statistics stay; rows that fill no batch are left out."""
    model = mlp([4, 5, 2], norm="batch", seed=0).double().eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert answers(model, rows(11, 4), 4, training=True).shape == (8,)
    assert not model.training
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, before[key])


def test_the_share_of_different_answers_is_in_percent():
    """One of four."""
    assert share_different(torch.tensor([1, 2, 3, 4]), torch.tensor([1, 2, 3, 5])) == 25.0
