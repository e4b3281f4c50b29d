"""Folding: exact on every kind of convolution and on trained networks; nothing else changes."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bnlib.data import digits
from bnlib.errors import ParameterError, ShapeError
from bnlib.nets import cnn, mlp
from bnlib.torch import fold_bn_linear, fold_conv_bn, fold_network
from bnlib.training import train

SINGLE = 1e-5  # what is promised in float32, of the largest output
CONVOLUTIONS = {
    "3x3 with a bias": (nn.Conv2d, {"kernel_size": 3}),
    "no bias": (nn.Conv2d, {"kernel_size": 3, "bias": False}),
    "1x1": (nn.Conv2d, {"kernel_size": 1}),
    "groups": (nn.Conv2d, {"kernel_size": 3, "groups": 2, "bias": False}),
    "stride, dilation, padding": (
        nn.Conv2d,
        {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 3, "padding_mode": "reflect"},
    ),
    "1-d": (nn.Conv1d, {"kernel_size": 3}),
    "3-d": (nn.Conv3d, {"kernel_size": 2}),
    "transposed": (nn.ConvTranspose2d, {"kernel_size": 3}),
    "transposed, groups": (nn.ConvTranspose2d, {"kernel_size": 3, "groups": 2}),
}
NORMS = {"1": nn.BatchNorm1d, "2": nn.BatchNorm2d, "3": nn.BatchNorm3d}


def lived(norm: nn.Module, *spatial: int) -> nn.Module:
    """Give a batch norm numbers that are neither 0 nor 1, and put it in evaluation mode."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(20, norm.num_features, *spatial, generator=generator)
    norm.double()(3 * x.double() + 2)
    if norm.affine:
        nn.init.uniform_(norm.weight, -2.0, 2.0, generator=generator)
        nn.init.uniform_(norm.bias, -1.0, 1.0, generator=generator)
    return norm.eval()


def pair(kind: str, **norm_options) -> tuple[nn.Module, nn.Module, Tensor]:
    """Return a convolution of 4 channels to 6, its batch norm and an input, in float64."""
    make, options = CONVOLUTIONS[kind]
    axes = make.__name__.removesuffix("d")[-1]
    torch.manual_seed(0)
    conv = make(4, 6, **options).double().eval()
    spatial = [8] * int(axes)
    bn = lived(NORMS[axes](6, **norm_options), *spatial)
    return conv, bn, torch.randn(3, 4, *spatial, dtype=torch.float64)


@pytest.mark.parametrize("norm_options", [{}, {"affine": False}, {"momentum": None, "eps": 0.1}])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_one_convolution_does_what_both_did(kind, norm_options):
    """In float64, to its rounding; in a convolution of the same class and options."""
    conv, bn, x = pair(kind, **norm_options)
    folded = fold_conv_bn(conv, bn)
    torch.testing.assert_close(folded(x), bn(conv(x)), rtol=1e-10, atol=1e-10)
    assert type(folded) is type(conv)
    assert folded.bias is not None


@pytest.mark.parametrize("kind", ["3x3 with a bias", "groups"])
def test_weights_are_those_of_torchs_fusion(kind):
    """To float64's rounding."""
    conv, bn, _ = pair(kind)
    ours, theirs = fold_conv_bn(conv, bn), fuse_conv_bn_eval(conv, bn)
    torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=1e-12, atol=1e-12)


def test_both_layers_stay_as_they_were_and_share_nothing():
    """Parameters, buffers and options of the two; and a step on the result does not reach them."""
    conv, bn, _ = pair("3x3 with a bias")
    before = copy.deepcopy((conv.state_dict(), bn.state_dict()))
    folded = fold_conv_bn(conv, bn)
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.add_(1.0)
    for old, new in zip(before, (conv.state_dict(), bn.state_dict()), strict=True):
        assert all(torch.equal(old[name], new[name]) for name in old)
    assert all(p.is_leaf and p.requires_grad for p in folded.parameters())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_before_a_linear_layer(bias, affine):
    """The shift passes through the weights into the bias."""
    torch.manual_seed(0)
    bn, linear = lived(nn.BatchNorm1d(4, affine=affine)), nn.Linear(4, 3, bias).double()
    x = torch.randn(5, 4, dtype=torch.float64)
    folded = fold_bn_linear(bn, linear)
    torch.testing.assert_close(folded(x), linear(bn(x)), rtol=1e-10, atol=1e-10)
    assert folded.weight.data_ptr() != linear.weight.data_ptr()


@pytest.mark.parametrize(
    "model",
    [cnn([8, 16, 32], 10, norm="batch"), mlp([64, 50, 50, 10], norm="batch", placement="after")],
    ids=["cnn", "mlp, batch norm before each linear layer but the first"],
)
def test_a_trained_network_without_its_batch_norms_answers_the_same(model):
    """To 1e-5 of the largest output in float32, on digits that it has never seen."""
    data = digits()
    train(model, data, steps=60, batch_size=64, lr=0.1)
    was = copy.deepcopy(model.state_dict())
    folded = fold_network(model)
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in folded.modules())
    assert model.training
    x = torch.from_numpy(data.test_x)
    with torch.no_grad():
        wanted, found = copy.deepcopy(model).eval()(x), folded(x)
    torch.testing.assert_close(found, wanted, rtol=0, atol=SINGLE * wanted.abs().max().item())
    assert all(torch.equal(was[name], value) for name, value in model.state_dict().items())


def test_blocks_are_looked_into_and_other_places_left_alone():
    """Batch norm after an activation has nobody to be folded into."""
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)),
        nn.ReLU(),
        nn.BatchNorm2d(2),
    ).eval()
    x = torch.randn(2, 1, 5, 5)
    folded = fold_network(model)
    assert isinstance(folded[0][1], nn.Identity)
    assert isinstance(folded[2], nn.BatchNorm2d)
    torch.testing.assert_close(folded(x), model(x))


def test_what_cannot_be_folded_is_refused():
    """Training mode, no running statistics, channels that do not match."""
    conv, linear = nn.Conv2d(2, 3, 1), nn.Linear(3, 2)
    with pytest.raises(ParameterError, match="Call `eval\\(\\)` first"):
        fold_conv_bn(conv, nn.BatchNorm2d(3))
    with pytest.raises(ParameterError, match="track_running_stats=False"):
        fold_conv_bn(conv, nn.BatchNorm2d(3, track_running_stats=False).eval())
    with pytest.raises(ShapeError, match="3 outputs of the layer"):
        fold_conv_bn(conv, nn.BatchNorm2d(4).eval())
    with pytest.raises(ShapeError, match="3 inputs of the linear layer"):
        fold_bn_linear(nn.BatchNorm1d(4).eval(), linear)
