"""FusedBatchNorm2d: nn.BatchNorm2d in all but speed, by either backend."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bnlib import ParameterError
from bnlib.kernels import KernelsUnavailableError
from bnlib.torch import FusedBatchNorm2d
from tests.bnlib_kernels.problems import DEVICE

BACKENDS = ["torch", "triton"]  # "triton" runs in its interpreter where there is no GPU
OPTIONS = [
    {},
    {"momentum": 0.3, "eps": 1e-2},
    {"momentum": None},
    {"affine": False},
    {"track_running_stats": False},
]
# a few roundings of float32 in another order; outputs are about 3 at most, gradients about 1
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def images(seed=0, shape=(4, 3, 5, 6), shift=2.0):
    """Draw a batch on the device."""
    g = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=g) * 2 + shift).to(DEVICE)


def twins(backend, relu=False, **options):
    """Return our layer and torch's with the same random parameters."""
    ours = FusedBatchNorm2d(3, relu=relu, backend=backend, device=DEVICE, **options)
    theirs = nn.BatchNorm2d(3, device=DEVICE, **options)
    if ours.affine:
        nn.init.normal_(ours.weight, generator=torch.Generator(DEVICE).manual_seed(1))
        nn.init.normal_(ours.bias, generator=torch.Generator(DEVICE).manual_seed(2))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def expected(layer, x, residual, relu):
    """Do it step by step."""
    y = layer(x)
    y = y if residual is None else y + residual
    return F.relu(y) if relu else y


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_three_steps_and_an_evaluation_as_torch_does_them(backend, options):
    """Outputs, gradients and every buffer, step after step."""
    ours, theirs = twins(backend, **options)
    for seed in range(3):
        x = images(seed)
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        y, z = ours(a), theirs(b)
        dy = images(seed + 10, shift=0.0)
        y.backward(dy)
        z.backward(dy)
        torch.testing.assert_close(y, z, **CLOSE)
        torch.testing.assert_close(a.grad, b.grad, **CLOSE)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-5, atol=1e-4)  # sums of 120
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours.eval()(images(7)), theirs.eval()(images(7)), **CLOSE)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("with_residual", [False, True])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=str)
def test_residual_and_relu_in_both_modes_and_layouts(backend, relu, with_residual, mode, memory):
    """The same numbers and gradients as three layers; the memory format is kept."""
    ours, theirs = twins(backend, relu)
    getattr(ours, mode)(), getattr(theirs, mode)()
    x = images().to(memory_format=memory)
    z = images(1, shift=0.0).to(memory_format=memory) if with_residual else None
    leaves = [
        [t.clone().requires_grad_() if t is not None else None for t in (x, z)] for _ in range(2)
    ]
    y = ours(leaves[0][0], leaves[0][1])
    target = expected(theirs, *leaves[1], relu)
    torch.testing.assert_close(y, target, **CLOSE)
    assert y.is_contiguous(memory_format=memory)
    dy = images(2, shift=0.0)
    y.backward(dy)
    target.backward(dy)
    for mine, other in zip(*leaves, strict=True):
        if mine is not None:
            torch.testing.assert_close(mine.grad, other.grad, **CLOSE)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-5, atol=1e-4)


def test_the_state_dict_is_torchs_both_ways():
    """Same keys in the same order, shapes, dtypes and metadata; in a network, too."""
    ours, theirs = FusedBatchNorm2d(3, relu=True), nn.BatchNorm2d(3)
    a, b = ours.state_dict(), theirs.state_dict()
    assert isinstance(a, OrderedDict)
    assert [(k, v.shape, v.dtype) for k, v in a.items()] == [
        (k, v.shape, v.dtype) for k, v in b.items()
    ]
    assert a._metadata == b._metadata
    theirs.load_state_dict(a)
    ours.load_state_dict(b)


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_survives_deepcopy_and_changes_of_dtype(backend):
    """A copy has its own buffers; half parameters work with half images."""
    layer = FusedBatchNorm2d(3, relu=True, backend=backend, device=DEVICE)
    twin = copy.deepcopy(layer)
    twin(images())
    assert float(layer.num_batches_tracked) == 0
    half = layer.to(torch.bfloat16)
    assert half(images().bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_images_with_parameters_in_float32(backend):
    """What autocast hands to a batch norm: the output is half, statistics are not."""
    ours, theirs = twins(backend)
    x = images().half()
    y = ours(x)
    assert y.dtype == torch.float16
    wide = theirs(x.float())
    torch.testing.assert_close(y.float(), wide, rtol=2e-3, atol=2e-3)  # float16's 2⁻¹⁰
    assert ours.running_mean.dtype == torch.float32


@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_under_autocast_it_is_torchs_layer(backend):
    """Autocast leaves batch norm in the dtype that comes in."""
    ours, theirs = twins(backend)
    with torch.autocast(DEVICE, torch.bfloat16):
        for x in (images(), images().bfloat16()):
            assert ours(x).dtype == theirs(x).dtype


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_of_one_value_per_channel_is_a_value_error_in_training(backend):
    """As in torch; in evaluation mode it is welcome."""
    layer = FusedBatchNorm2d(3, backend=backend, device=DEVICE)
    with pytest.raises(ValueError, match="more than 1 value per channel when training"):
        layer(torch.zeros(1, 3, 1, 1, device=DEVICE))
    assert layer.eval()(torch.zeros(1, 3, 1, 1, device=DEVICE)).shape == (1, 3, 1, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_three_axes_are_refused_as_torch_refuses_them(backend):
    """Images have four."""
    with pytest.raises(ValueError, match="expected 4D input"):
        FusedBatchNorm2d(3, backend=backend, device=DEVICE)(torch.zeros(2, 3, 4, device=DEVICE))


def test_the_kernels_never_take_what_they_cannot():
    """Double precision falls back by default; where kernels are demanded, it says why not."""
    x = images().double()
    assert FusedBatchNorm2d(3, device=DEVICE).double()(x).dtype == torch.float64
    with pytest.raises(KernelsUnavailableError, match="float64"):
        FusedBatchNorm2d(3, backend="triton", device=DEVICE).double()(x)


def test_a_residual_that_torch_would_broadcast_is_broadcast():
    """One number for each image and channel: not for the kernels, which leave it to torch."""
    ours, theirs = twins("triton", relu=True)
    z = images(3, shape=(4, 3, 1, 1))
    torch.testing.assert_close(ours(images(), z), F.relu(theirs(images()) + z))


def test_gradients_only_where_they_are_wanted():
    """A frozen layer in a network that learns, and images that want none."""
    layer = FusedBatchNorm2d(3, backend="triton", device=DEVICE).requires_grad_(False)
    x = images().requires_grad_()
    layer(x).sum().backward()
    assert layer.weight.grad is None
    assert x.grad is not None
    other = FusedBatchNorm2d(3, backend="triton", device=DEVICE)
    other(images()).square().sum().backward()
    assert other.weight.grad is not None


def test_a_second_derivative_is_refused_not_wrong():
    """The kernels know one backward pass."""
    layer = FusedBatchNorm2d(3, backend="triton", device=DEVICE)
    x = images().requires_grad_()
    (g,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_an_unknown_backend_is_refused():
    """And the known ones are named."""
    with pytest.raises(ParameterError, match="'auto', 'triton' or 'torch'; got 'cuda'"):
        FusedBatchNorm2d(3, backend="cuda")


def test_it_says_what_it_is():
    """In the printed network."""
    said = repr(FusedBatchNorm2d(8, relu=True))
    assert said.startswith("FusedBatchNorm2d(8, eps=1e-05, momentum=0.1")
    assert "relu=True, backend='auto'" in said


@pytest.mark.gpu
def test_auto_takes_the_kernels_on_a_gpu():
    """Seen by the node in the graph."""
    layer = FusedBatchNorm2d(3, device="cuda")
    y = layer(images().requires_grad_())
    assert "FusedBatchNorm" in type(y.grad_fn).__name__
