"""The experiments' networks are plain, seeded, and alike but for what is asked to differ."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.errors import ParameterError
from bnlib.nets import cnn, mlp


def kinds(model):
    """Return the names of a model's layers in order."""
    return [type(module).__name__ for module in model]


def weights(model):
    """Return the weights of linear and convolutional layers."""
    return [m.weight for m in model if isinstance(m, nn.Linear | nn.Conv2d)]


def test_an_mlp_is_the_sequence_it_says():
    """Norm before the activation or after it, dropout last, and nothing behind the output."""
    before = mlp([4, 5, 6, 2], norm="batch", activation="tanh", dropout=0.5)
    hidden = ["Linear", "BatchNorm1d", "Tanh", "Dropout"]
    assert kinds(before) == ["Flatten", *hidden, *hidden, "Linear"]
    after = mlp([4, 5, 2], norm="layer", placement="after")
    assert kinds(after) == ["Flatten", "Linear", "ReLU", "LayerNorm", "Linear"]
    assert kinds(mlp([4, 2])) == ["Flatten", "Linear"]


def test_a_cnn_is_the_sequence_it_says():
    """Every block but the first halves the image; a mean over what is left."""
    model = cnn((8, 16), 10, in_channels=3, norm="group", placement="after")
    blocks = ["Conv2d", "ReLU", "GroupNorm"] * 2
    assert kinds(model) == [*blocks, "AdaptiveAvgPool2d", "Flatten", "Linear"]
    x = torch.zeros(2, 3, 8, 8)
    assert model[:3](x).shape == (2, 8, 8, 8)
    assert model[:6](x).shape == (2, 16, 4, 4)
    assert model(x).shape == (2, 10)


@pytest.mark.parametrize("norm", [None, "batch", "layer", "group", nn.Identity])
def test_every_norm_gives_outputs_for_any_batch(norm):
    """Images in, ten scores out, in both networks."""
    x = torch.rand(5, 1, 8, 8)
    own = (lambda width: nn.Identity()) if norm is nn.Identity else norm
    assert mlp([64, 12, 10], norm=own)(x).shape == (5, 10)
    assert cnn((4, 6), 10, norm=own)(x).shape == (5, 10)


def test_a_norm_of_ones_own_is_made_for_each_width():
    """A function from width to module."""
    asked = []

    def make(width):
        asked.append(width)
        return nn.BatchNorm1d(width, momentum=0.5)

    model = mlp([4, 5, 6, 2], norm=make)
    assert asked == [5, 6]
    assert model[2].momentum == 0.5


@pytest.mark.parametrize(
    ("build", "spread"),
    [
        (lambda **k: mlp([300, 400, 10], **k), (2 / 300) ** 0.5),
        (lambda **k: mlp([300, 400, 10], gain=3.0, **k), 3 / 300**0.5),
        (lambda **k: mlp([300, 400, 10], activation="tanh", **k), 1 / 300**0.5),
        (lambda **k: cnn((256,), 10, in_channels=64, **k), (2 / (64 * 9)) ** 0.5),
    ],
)
def test_weights_have_the_spread_they_say(build, spread):
    """Gain over the root of the inputs; biases 0."""
    model = build(seed=3)
    assert weights(model)[0].detach().std().item() == pytest.approx(spread, rel=0.02)
    assert not any(m.bias.detach().any() for m in model if isinstance(m, nn.Linear | nn.Conv2d))


def test_the_output_layer_has_gain_one_whatever_the_others_have():
    """So the first loss is about log(classes)."""
    for gain in (None, 0.1, 5.0):
        last = weights(mlp([10, 4000, 100], gain=gain))[-1]
        assert last.detach().std().item() == pytest.approx(1 / 4000**0.5, rel=0.02)


@pytest.mark.parametrize(
    "build", [lambda **k: mlp([9, 8, 7, 3], **k), lambda **k: cnn((4, 6), 3, **k)]
)
def test_the_same_seed_gives_the_same_weights_whatever_the_norm(build):
    """So that runs with and without start alike; another seed gives others."""
    plain = weights(build(norm=None, seed=5))
    for changed in (build(norm="batch", seed=5), build(norm="layer", placement="after", seed=5)):
        for a, b in zip(plain, weights(changed), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not torch.equal(plain[0], weights(build(norm=None, seed=6))[0])


def test_the_global_generator_stays_where_it_was():
    """Building a network draws from a generator of its own."""
    state = torch.get_rng_state()
    mlp([9, 8, 3], norm="batch", dropout=0.2)
    cnn((4, 6), 3)
    assert torch.equal(torch.get_rng_state(), state)


def test_one_value_per_channel_is_left_to_torch_to_refuse():
    """A batch norm in training has no statistics of one row."""
    model = mlp([64, 12, 10], norm="batch")
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model(torch.rand(1, 1, 8, 8))
    assert model.eval()(torch.rand(1, 1, 8, 8)).shape == (1, 10)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: mlp([4]), r"sizes must name inputs and outputs at least; got \[4\]"),
        (lambda: mlp([4, 5, 2], activation="swish"), "activation must be one of relu, .*'swish'"),
        (lambda: mlp([4, 5, 2], placement="inside"), "placement must be .*'inside'"),
        (lambda: mlp([4, 5, 2], norm="batchnorm"), "norm must be .*'batchnorm'"),
        (lambda: cnn((), 10), "at least one block"),
        (lambda: cnn((4,), 10, norm="instance"), "norm must be .*'instance'"),
    ],
)
def test_what_makes_no_network_is_refused(build, words):
    """With the choices there are."""
    with pytest.raises(ParameterError, match=words):
        build()


def test_group_norm_takes_the_most_groups_that_divide_the_channels():
    """Up to eight."""
    groups = {c: cnn((c,), 2, norm="group")[1].num_groups for c in (8, 12, 7, 16, 5)}
    assert groups == {8: 8, 12: 6, 7: 7, 16: 8, 5: 5}


def test_gradients_reach_every_parameter():
    """No layer is built and then left out."""
    for model in (mlp([64, 8, 8, 10], norm="batch"), cnn((4, 6), 10, norm="layer")):
        model(
            torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        ).square().sum().backward()
        assert all(np.isfinite(p.grad.numpy()).all() for p in model.parameters())
