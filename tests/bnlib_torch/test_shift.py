"""The two shifts: by hand, against a plain loop, and without a trace in the model."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.errors import ParameterError, ShapeError
from bnlib.torch import distribution_shift, shift_of_gradient, upstream_update_gradients
from tests.bnlib_torch.models import batch, network, photograph, same

MSE = nn.functional.mse_loss


def test_a_known_shift_is_found():
    """Every mean moves by a planted number of standard deviations."""
    rng = np.random.default_rng(0)
    before = rng.normal(3.0, 2.0, size=(50, 4))
    planted = np.array([0.5, -1.0, 0.0, 2.0])
    after = before * 1.7  # a change of spread moves the means, too: they are put back
    after += before.mean(0) + planted * before.std(0) - after.mean(0)
    assert distribution_shift(before, after) == pytest.approx(np.abs(planted).mean())


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_arrays_and_tensors_with_unequal_rows(make):
    """Two samples of one layer need not have the same size."""
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=(9, 3)), rng.normal(size=(4, 3)) + 1
    expected = np.mean(np.abs(after.mean(0) - before.mean(0)) / before.std(0))
    assert distribution_shift(make(before), make(after)) == pytest.approx(expected)


def test_far_from_zero_in_float32():
    """Means of 1e4 do not eat the shift."""
    before = 1e4 + torch.arange(8.0).reshape(8, 1)
    assert distribution_shift(before, before + 1.0) == pytest.approx(1 / np.arange(8).std())


def test_shapes_that_do_not_fit_are_named():
    """Both for a missing axis and for other features."""
    with pytest.raises(ShapeError, match="before must have shape"):
        distribution_shift(torch.ones(3), torch.ones(3, 2))
    with pytest.raises(ShapeError, match="same number of features"):
        distribution_shift(torch.ones(3, 1), torch.ones(3, 2))
    with pytest.raises(ShapeError, match="same parameters"):
        shift_of_gradient(torch.ones(3), torch.ones(3, 1))


def test_distance_and_angle_of_planted_gradients():
    """Turned by 60 degrees and twice as long."""
    g = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    turned = torch.tensor([[2.0, 2 * 3**0.5], [0.0, 0.0]])
    l2, cosine = shift_of_gradient(g, turned)
    assert l2 == pytest.approx(2 * 3**0.5)
    assert cosine == pytest.approx(0.5)
    assert np.isnan(shift_of_gradient(g, 0 * g)[1])


def by_hand(model, index, x, y, lr):
    """Move the layers below with an optimizer on a copy, and read .grad."""
    work = copy.deepcopy(model)
    layers = [m for m in work.modules() if list(m.parameters(recurse=False))]
    below = [p for m in layers[:index] for p in m.parameters()]
    found = []
    for _ in range(2):
        work.zero_grad()
        MSE(work(x), y).backward()
        found.append(torch.cat([p.grad.flatten() for p in layers[index].parameters()]))
        if below:
            torch.optim.SGD(below, lr=lr).step()
    return found


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("index", range(5))
def test_the_layers_below_take_one_step(index, training):
    """As an optimizer on a copy does it, in both modes."""
    model = network().train(training)
    x, y = batch()
    found = upstream_update_gradients(model, index, MSE, x, y, 0.3)
    for ours, theirs in zip(found, by_hand(model, index, x, y, 0.3), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert torch.equal(*found) == (index == 0)


def test_the_model_is_left_to_the_last_bit():
    """Parameters, running statistics, .grad, modes, random state."""
    model = network()
    before = photograph(model)
    upstream_update_gradients(model, 3, MSE, *batch(), 0.3)
    assert same(before, photograph(model))


@pytest.mark.parametrize("index", [-1, 5])
def test_there_is_no_such_layer(index):
    """The message counts the layers."""
    with pytest.raises(ParameterError, match="5 layers"):
        upstream_update_gradients(network(), index, MSE, *batch(), 0.1)
