"""Frozen batch norm stays frozen, and weight decay finds the parameters it is for."""

import copy
import io

import torch
from torch import nn

from bnlib.torch import NoisyBatchNorm1d, freeze_batchnorm, split_decay_groups


def model(norm: type[nn.Module] = nn.BatchNorm1d) -> nn.Sequential:
    """Return a network with one batch norm in a block, and dropout."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Linear(4, 4), norm(4), nn.Tanh(), nn.Dropout(0.5))
    return nn.Sequential(nn.Linear(3, 4), block, nn.Linear(4, 2))


def train_a_little(net: nn.Module) -> None:
    """Take three steps as people do: `train()` first, all parameters, with weight decay."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.1)
    net.train()
    for seed in range(3):
        x = torch.randn(8, 3, generator=torch.Generator().manual_seed(seed))
        optimizer.zero_grad()
        net(5 + x).square().mean().backward()
        optimizer.step()


def test_nothing_of_a_frozen_layer_moves_and_everything_else_does():
    """Statistics, counter, weight and bias stay through `train()` and three steps."""
    net = freeze_batchnorm(model())
    before = copy.deepcopy(net.state_dict())
    train_a_little(net)
    moved = {n for n, value in net.state_dict().items() if not torch.equal(before[n], value)}
    assert moved == {f"{layer}.{p}" for layer in ("0", "1.0", "2") for p in ("weight", "bias")}
    assert net[1][3].training


def test_a_frozen_layer_normalises_with_its_running_statistics():
    """From the moment it is frozen; and it is the same object under the same name."""
    net = model()
    train_a_little(net)
    norm, x = net[1][1], torch.randn(6, 4)
    wanted = copy.deepcopy(norm).eval()(x)
    assert freeze_batchnorm(net) is net
    assert net[1][1] is norm
    torch.testing.assert_close(norm(x), wanted)
    torch.testing.assert_close(net.train()[1][1](x), wanted)


def test_copies_and_pickles_of_a_frozen_model_are_frozen():
    """Deep copies, and what `torch.save` wrote."""
    net, file = freeze_batchnorm(model()), io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    for twin in (copy.deepcopy(net), torch.load(file, weights_only=False)):
        assert not twin.train()[1][1].training
        assert twin[1][3].training


def test_freezing_twice_and_a_class_of_ones_own():
    """The second time changes nothing; a subclass keeps its own forward."""
    net = freeze_batchnorm(freeze_batchnorm(model()))
    assert type(net[1][1]).__name__ == "FrozenBatchNorm1d"
    noisy = freeze_batchnorm(model(lambda c: NoisyBatchNorm1d(c, 0.5, 1.25)))
    assert isinstance(noisy[1][1], NoisyBatchNorm1d)
    assert not noisy.train()[1][1].training


def test_the_root_may_be_a_batch_norm_itself():
    """`modules()` begins with the model."""
    assert not freeze_batchnorm(nn.BatchNorm2d(3)).train().training


def test_groups_hold_every_parameter_once():
    """Weights of linear layers and convolutions decay; biases and norms do not."""
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.GroupNorm(1, 2),
        nn.InstanceNorm2d(2, affine=True),
        nn.Flatten(),
        nn.LayerNorm([2, 4]),
        nn.Linear(8, 2),
    )
    decayed, spared = split_decay_groups(net, 0.01)
    names = {id(p): n for n, p in net.named_parameters()}
    assert [names[id(p)] for p in decayed["params"]] == ["0.weight", "6.weight"]
    assert len(spared["params"]) == len(names) - 2
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.01, 0.0)


def test_shared_parameters_are_there_once_and_optimisers_agree():
    """The optimiser warns of a parameter that is there twice: here that would be an error."""
    tied = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    tied[2].weight = tied[0].weight
    norm = nn.BatchNorm1d(3)
    net = nn.Sequential(tied, norm, nn.Linear(3, 3), norm)
    groups = split_decay_groups(net, 0.1)
    assert sum(len(group["params"]) for group in groups) == len(list(net.parameters())) == 7
    torch.optim.AdamW(groups, lr=0.1)


def test_a_step_without_gradients_shrinks_the_weights_only():
    """What the groups are for."""
    net = model()
    before = copy.deepcopy(net.state_dict())
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    torch.optim.SGD(split_decay_groups(net, 0.5), lr=0.1).step()
    moved = {n for n, value in net.state_dict().items() if not torch.equal(before[n], value)}
    assert moved == {"0.weight", "1.0.weight", "2.weight"}
