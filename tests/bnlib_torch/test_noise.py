"""The noise: what it does to mean and spread, and where its randomness comes from."""

import pytest
import torch
from torch import nn

from bnlib.errors import ParameterError, ShapeError
from bnlib.torch import NoisyBatchNorm1d, noisy

MANY = 4000  # features: a share of them is known to within 4 · 0.5/√4000 = 0.03


def draw(seed: int = 0, columns: int = MANY) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the new means and standard deviations of normalised features."""
    x = torch.tensor([[-1.0], [1.0]]).expand(2, columns)
    y = noisy(x, torch.Generator().manual_seed(seed), 0.5, 1.25)
    return y.mean(0), (y[1] - y[0]) / 2


def test_means_and_spreads_are_uniform():
    """Quarter by quarter of their range, and independent of one another."""
    mean, std = draw()
    for values, low, high in ((mean, -0.5, 0.5), (std, 1.0, 1.25)):
        assert low - 1e-6 <= values.min() <= values.max() <= high + 1e-6
        for quarter in (0.25, 0.5, 0.75):
            share = (values < low + quarter * (high - low)).float().mean().item()
            assert share == pytest.approx(quarter, abs=0.03)
    assert abs(torch.corrcoef(torch.stack([mean, std]))[0, 1]) < 0.06


def test_the_generator_decides_and_moves_on():
    """One seed, one answer; the next call gives another; the global state is not touched."""
    state = torch.random.get_rng_state()
    generator, x = torch.Generator().manual_seed(3), torch.randn(4, 3, generator=torch.Generator())
    first, second = noisy(x, generator, 0.5, 1.25), noisy(x, generator, 0.5, 1.25)
    again = noisy(x, torch.Generator().manual_seed(3), 0.5, 1.25)
    assert torch.equal(first, again)
    assert not torch.allclose(first, second)
    assert torch.equal(state, torch.random.get_rng_state())


def test_images_get_one_pair_a_channel_and_gradients_pass():
    """The factor is the gradient."""
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64).requires_grad_()
    y = noisy(x, torch.Generator().manual_seed(0), 0.5, 1.25)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert y.dtype == torch.float64
    assert (slope == slope[:1, :, :1, :1]).all()
    torch.testing.assert_close(y - slope * x, (y - slope * x)[:1, :, :1, :1].expand_as(x))


def test_scales_of_zero_change_nothing():
    """No noise is the layer without noise."""
    x = torch.randn(4, 3)
    assert torch.equal(noisy(x, torch.Generator(), 0.0, 1.0), x)


def test_the_layer_is_noisy_in_training_only():
    """In evaluation mode it is batch norm."""
    layer, plain = NoisyBatchNorm1d(3, 0.5, 1.25), nn.BatchNorm1d(3)
    x = torch.randn(8, 3)
    assert not torch.allclose(layer(x).mean(0), torch.zeros(3), atol=1e-3)
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer.eval()(x), plain.eval()(x))


def test_arguments_out_of_range_are_named():
    """A missing axis, and scales that are none."""
    with pytest.raises(ShapeError, match="features on axis 1"):
        noisy(torch.ones(3), torch.Generator(), 0.5, 1.25)
    with pytest.raises(ParameterError, match="std_scale at least 1"):
        noisy(torch.ones(3, 2), torch.Generator(), 0.5, 0.5)
