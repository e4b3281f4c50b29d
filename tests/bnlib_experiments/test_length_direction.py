"""Scale invariance, measured on networks that have it and on some that have not."""

import pytest
import torch
from torch import nn

from bnlib.data import digits
from bnlib.experiments.length_direction import (
    alignment,
    divergence_of_paths,
    lengthen,
    network,
    response,
)

ROUNDING = 1e-9  # float64 through two layers and a hundred steps


@pytest.fixture
def batch():
    """Return a batch of digits in float64."""
    data = digits()
    return torch.from_numpy(data.train_x[:50]).double(), torch.from_numpy(data.train_y[:50])


def test_a_network_with_batch_norm_does_not_feel_the_length(batch):
    """The one without does, by as much as its outputs grow."""
    x, _ = batch
    assert response("batch", 0, x) < ROUNDING
    assert response(None, 0, x) > 0.1


def test_a_linear_network_answers_in_proportion(batch):
    """Two linear layers, the first twice as long: outputs twice as large, a change of 1."""
    x, _ = batch
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.Linear(5, 2, bias=False)).double()
    before = model(x)
    lengthen(model, 2.0)
    torch.testing.assert_close(model(x), 2 * before)


def test_weights_before_a_batch_norm_stand_upright_on_their_gradient(batch):
    """⟨w, dw⟩ = 0 for each neuron, as u05 shows; not without the norm."""
    assert alignment(network("batch", 0), *batch) < ROUNDING
    assert alignment(network(None, 0), *batch) > 0.01


def test_a_gradient_along_the_weights_has_cosine_one():
    """One neuron whose gradient is known: d/dw of a loss that grows with w·x, for x along w."""
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 2, bias=False)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
        model[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
    x, y = torch.tensor([[3.0, 4.0]]).double(), torch.tensor([1])
    assert alignment(model, x, y) == pytest.approx(1.0)


def test_a_longer_weight_at_a_larger_rate_walks_the_same_path():
    """Rate times the square of the length; without a norm the runs part."""
    assert divergence_of_paths("batch", 0, 15) < ROUNDING
    assert divergence_of_paths(None, 0, 15) > 0.01
