"""The module: nn.BatchNorm2d in every respect that people rely on."""

import copy

import pytest
import torch
from torch import Tensor, nn

from bnlib.errors import BatchSizeError, ShapeError
from bnlib.torch import MyBatchNorm2d


def images(n: int = 4, c: int = 3, seed: int = 0) -> Tensor:
    """Return random images whose channels differ."""
    x = torch.randn(n, c, 5, 4, generator=torch.Generator().manual_seed(seed))
    return 2 * x + torch.arange(1.0, c + 1)[:, None, None]


def trained(layer: nn.Module, steps: int = 3) -> nn.Module:
    """Put a layer in the middle of its life: weights that are no ones, moved buffers."""
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.5, -1.0, 2.0]))
        layer.bias.copy_(torch.tensor([0.1, 0.2, -0.3]))
    for seed in range(steps):
        layer(images(2 + seed, seed=seed).to(layer.weight.dtype))
    return layer


def both(**options) -> tuple[MyBatchNorm2d, nn.BatchNorm2d]:
    """Return our layer and torch's after the same life."""
    return trained(MyBatchNorm2d(3, **options)), trained(nn.BatchNorm2d(3, **options))


def assert_same_state(ours: nn.Module, theirs: nn.Module) -> None:
    """Compare keys in their order, dtypes and numbers."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    for name in mine:
        torch.testing.assert_close(mine[name], other[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"eps": 0.1, "momentum": 0.3}, {"momentum": None}])
@pytest.mark.parametrize("training", [True, False])
def test_output_gradients_and_buffers_are_torchs(options, training):
    """In both modes, with a random upstream gradient."""
    ours, theirs = both(**options)
    results = []
    for layer in (ours.train(training), theirs.train(training)):
        x = images(seed=9).requires_grad_()
        y = layer(x)
        dy = torch.randn(y.shape, generator=torch.Generator().manual_seed(5))
        results.append((y, *torch.autograd.grad(y, (x, layer.weight, layer.bias), dy)))
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    assert_same_state(ours, theirs)


def test_state_dicts_load_both_ways():
    """Strictly, and the layers then answer alike."""
    ours, theirs = trained(MyBatchNorm2d(3)), nn.BatchNorm2d(3)
    theirs.load_state_dict(ours.state_dict())
    assert_same_state(ours, theirs)
    fresh = MyBatchNorm2d(3)
    fresh.load_state_dict(trained(theirs, 1).state_dict())
    assert_same_state(fresh, theirs)
    torch.testing.assert_close(fresh.eval()(images()), theirs.eval()(images()))


def test_the_mode_is_training_and_nothing_else():
    """Without gradients a training step still uses and moves the statistics; evaluation never."""
    layer, twin = trained(MyBatchNorm2d(3)), trained(MyBatchNorm2d(3))
    with torch.no_grad():
        torch.testing.assert_close(layer(images()), twin(images()))
    assert_same_state(layer, twin)
    layer.eval()(images().requires_grad_())
    assert_same_state(layer, twin)


def test_the_buffers_hold_no_graph():
    """A hundred steps would otherwise hold on to a hundred batches."""
    layer = MyBatchNorm2d(3)
    for _ in range(2):
        layer(images().requires_grad_()).sum().backward()
    assert not any(buffer.requires_grad for buffer in layer.buffers())


def test_buffers_follow_to_and_the_counter_stays_whole():
    """`.to()` moves what is registered; a dtype is for floating tensors."""
    layer = trained(MyBatchNorm2d(3)).double()
    dtypes = {name: value.dtype for name, value in layer.state_dict().items()}
    assert dtypes.pop("num_batches_tracked") == torch.int64
    assert set(dtypes.values()) == {torch.float64}
    assert MyBatchNorm2d(3).to("meta").running_mean.device.type == "meta"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_half_precision(dtype, whole, training):
    """The whole layer in half precision, or its inputs only: right to the dtype's rounding."""
    wide = trained(MyBatchNorm2d(3)).train(training)
    layer = copy.deepcopy(wide)
    if whole:
        layer.to(dtype)
    x = images(seed=4).to(dtype)
    y = layer(100 * x)
    assert y.dtype == dtype
    unit = 8 * torch.finfo(dtype).eps  # x, weight, bias and buffers are rounded, too
    wanted = wide(100 * x.float())
    scale = wanted.abs().max().item()
    torch.testing.assert_close(y.float(), wanted, rtol=0, atol=unit * scale)


def test_copies_are_independent():
    """A deep copy in the middle of training goes on by itself."""
    layer = trained(MyBatchNorm2d(3))
    layer(images()).sum().backward()
    twin = copy.deepcopy(layer)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    assert_same_state(layer, twin)
    twin(images(seed=7))
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's tracing warns of itself
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_the_compilers_graph_has_no_break_and_says_the_same(training, momentum):
    """Forward, backward and buffers, through torch's tracing (`aot_eager` needs no C++)."""
    plain = trained(MyBatchNorm2d(3, momentum=momentum)).train(training)
    twin = copy.deepcopy(plain)
    compiled = torch.compile(twin, backend="aot_eager", fullgraph=True)
    results = []
    for layer in (plain, compiled):
        x = images().requires_grad_()
        y = layer(x)
        y.square().sum().backward()
        results.append((y, x.grad))
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other)
    assert_same_state(plain, twin)


@pytest.mark.parametrize("training", [True, False])
def test_export(training):
    """`torch.export` takes it in both modes, buffers included."""
    layer = trained(MyBatchNorm2d(3)).train(training)
    wanted = copy.deepcopy(layer)(images())
    exported = torch.export.export(layer, (images(),))
    torch.testing.assert_close(exported.module()(images()), wanted)


def test_batches_that_do_not_fit_are_named():
    """A single value a channel, in training only; another shape."""
    layer = MyBatchNorm2d(3)
    with pytest.raises(BatchSizeError, match="more than one value per channel"):
        layer(torch.ones(1, 3, 1, 1))
    assert layer.eval()(torch.ones(1, 3, 1, 1)).shape == (1, 3, 1, 1)
    with pytest.raises(ShapeError, match="C = 3 channels"):
        layer(torch.ones(2, 4, 5, 5))
    with pytest.raises(ShapeError, match=r"\(N, C, H, W\)"):
        layer(torch.ones(2, 3))
