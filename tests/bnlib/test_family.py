"""Batch, layer, instance and group norm: against torch, against each other, against definitions."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from bnlib import (
    batchnorm_forward,
    batchnorm_nd,
    group_norm,
    instance_norm,
    layer_norm,
    normalize_over,
    reduce_axes,
)
from bnlib.errors import BatchSizeError, DtypeError, ParameterError, ShapeError
from tests.bnlib.grid import KINDS, LAYOUTS, SHAPES, assert_close, draw, lay_out, torch_batchnorm

SPATIAL_SHAPES = [shape for shape in SHAPES if len(shape) > 2]


def affine(shape, rng):
    """Draw a scale and a shift of both signs."""
    return rng.normal(size=shape), rng.normal(size=shape)


def reference(norm, x, *args):
    """Ask torch in double precision."""
    return norm(torch.tensor(np.array(x)), *args).numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_batchnorm_nd_is_torch_batch_norm(shape, kind, rng):
    """On every shape torch takes, and every hard batch."""
    x = draw(shape, kind, rng)
    gamma, beta = affine(shape[1], rng)
    expected = torch_batchnorm(x, gamma, beta, np.ones(shape)).y
    assert_close(batchnorm_nd(x, gamma, beta), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -3, -4])
def test_the_channel_axis_may_be_anywhere(axis, layout, rng):
    """Moving the channels to axis 1, and back afterwards, changes nothing."""
    x = lay_out(rng.normal(1.0, 2.0, (3, 4, 2, 5)), layout)
    gamma, beta = affine(x.shape[axis], rng)
    expected = batchnorm_forward(np.moveaxis(x, axis, 1), gamma, beta)[0]
    assert_close(batchnorm_nd(x, gamma, beta, axis), np.moveaxis(expected, 1, axis))


@pytest.mark.parametrize("shape", [(2, 3, 3), (3, 3), (3, 3, 3, 3)])
def test_as_many_channels_as_columns_do_not_confuse_gamma(shape, rng):
    """Gamma goes with the channel axis, also where broadcasting to the last axis would fit."""
    x = rng.normal(size=shape)
    gamma, beta = np.array([1.0, 10.0, 100.0]), np.array([0.0, 5.0, -5.0])
    y = batchnorm_nd(x, gamma, beta, eps=0.0)
    per_channel = np.moveaxis(y, 1, 0).reshape(3, -1)
    np.testing.assert_allclose(per_channel.std(axis=1), gamma, rtol=1e-10)
    np.testing.assert_allclose(per_channel.mean(axis=1), beta, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm_is_torch_layer_norm(shape, kind, rng):
    """Over all axes but 0, with a scale and a shift for each entry."""
    x = draw(shape, kind, rng)
    gamma, beta = affine(shape[1:], rng)
    expected = reference(
        functional.layer_norm, x, shape[1:], torch.tensor(gamma), torch.tensor(beta)
    )
    assert_close(layer_norm(x, gamma, beta), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SPATIAL_SHAPES)
def test_instance_norm_is_torch_instance_norm(shape, kind, rng):
    """On sequences and images."""
    x = draw(shape, kind, rng)
    assert_close(instance_norm(x), reference(functional.instance_norm, x), scale=1.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "groups"), list(product([(3, 6, 4, 2), (2, 6, 5)], [1, 2, 3, 6]))
)
def test_group_norm_is_torch_group_norm(shape, groups, kind, rng):
    """Groups of neighbouring channels; gamma and beta for each channel."""
    x = draw(shape, kind, rng)
    gamma, beta = affine(6, rng)
    expected = reference(functional.group_norm, x, groups, torch.tensor(gamma), torch.tensor(beta))
    assert_close(group_norm(x, groups, gamma, beta), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_groups_are_of_channels_in_any_memory_layout(layout, rng):
    """A reshape that went by memory would mix them up."""
    x = lay_out(rng.normal(size=(3, 6, 2, 5)), layout)
    gamma, beta = affine(6, rng)
    expected = group_norm(np.ascontiguousarray(x), 3, gamma, beta)
    assert_close(group_norm(x, 3, gamma, beta), expected)


def test_one_group_is_layer_norm_and_a_group_for_each_channel_is_instance_norm(rng):
    """Where scale and shift do nothing: layer norm learns more of them."""
    x = rng.normal(2.0, 3.0, (3, 4, 5, 2))
    ones, zeros = np.ones(4), np.zeros(4)
    whole = np.ones(x.shape[1:])
    assert_close(group_norm(x, 1, ones, zeros), layer_norm(x, whole, 0 * whole))
    assert_close(group_norm(x, 4, ones, zeros), instance_norm(x))


def test_batch_norm_of_one_image_is_instance_norm(rng):
    """Image by image, the batch is what the image holds."""
    x = rng.normal(2.0, 3.0, (3, 4, 5, 2))
    alone = [batchnorm_nd(image[np.newaxis], np.ones(4), np.zeros(4)) for image in x]
    assert_close(np.concatenate(alone), instance_norm(x))


def test_only_batch_norm_depends_on_the_company(rng):
    """The other norms answer to a sample whatever stands beside it."""
    x = rng.normal(size=(3, 4, 5))
    other = np.concatenate([x[:1], 100.0 * x[1:]])
    one = np.ones(4), np.zeros(4)
    for norm in (
        lambda v: layer_norm(v, np.ones((4, 5)), np.zeros((4, 5))),
        instance_norm,
        lambda v: group_norm(v, 2, *one),
    ):
        np.testing.assert_array_equal(norm(x)[0], norm(other)[0])
    assert not np.allclose(batchnorm_nd(x, *one)[0], batchnorm_nd(other, *one)[0])


@pytest.mark.parametrize("axes", [(0,), (0, 2, 3), (1, 2, 3), (2, 3)])
def test_what_shares_statistics_has_mean_zero_and_variance_one(axes, rng):
    """Up to eps: v/(v + eps)."""
    x, eps = rng.normal(1e4, 2.0, (4, 3, 5, 6)), 0.5
    y, var = normalize_over(x, axes, eps), x.var(axis=axes)
    np.testing.assert_allclose(y.mean(axis=axes), 0.0, atol=1e-11)
    np.testing.assert_allclose(y.var(axis=axes), var / (var + eps), rtol=1e-10)


@pytest.mark.parametrize("ndim", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["batch", "layer", "instance"])
def test_axes_are_what_is_not_kept(kind, ndim):
    """Sorted, from the front, and equal for both ways to count the channel axis."""
    for channel in range(1, ndim):
        kept = {"batch": {channel}, "layer": {0}, "instance": {0, channel}}[kind]
        expected = tuple(sorted(set(range(ndim)) - kept))
        assert reduce_axes(kind, ndim, channel) == expected
        assert reduce_axes(kind, ndim, channel - ndim) == expected


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: reduce_axes("group", 4), ParameterError, "kind must be"),
        (lambda: reduce_axes("batch", 1), ShapeError, "at least 2"),
        (lambda: reduce_axes("batch", 3, 3), ShapeError, "from -3 to 2"),
        (lambda: reduce_axes("instance", 3, 0), ParameterError, "must not be 0"),
        (lambda: batchnorm_nd(np.ones((2, 3, 4)), np.ones(4), np.ones(4)), ShapeError, "axis 1"),
        (lambda: layer_norm(np.ones((2, 3)), np.ones(2), np.ones(3)), ShapeError, "gamma"),
        (lambda: instance_norm(np.ones((2, 3))), ShapeError, "spatial"),
        (lambda: group_norm(np.ones((2, 6)), 4, *np.ones((2, 6))), ParameterError, "divide the 6"),
        (lambda: group_norm(np.ones((2, 6)), 0, *np.ones((2, 6))), ParameterError, "at least 1"),
        (lambda: normalize_over(np.ones((0, 2)), (0,), 1e-5), BatchSizeError, "value"),
        (lambda: normalize_over(np.ones((2, 2), int), (0,), 1e-5), DtypeError, "floating"),
        (lambda: normalize_over(np.ones((2, 2)), (0,), -1.0), ParameterError, "eps"),
    ],
)
def test_what_does_not_fit_is_said(call, error, words):
    """What was expected, and what came."""
    with pytest.raises(error, match=words):
        call()
