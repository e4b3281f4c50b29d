"""A black box is named by whom a nudge reaches."""

import numpy as np
import pytest

from bnlib import batchnorm_nd, group_norm, instance_norm, layer_norm, which_norm
from bnlib.errors import ParameterError, ShapeError
from bnlib.family_probe import influence, name_of

SHAPES = [(2, 4, 3), (3, 6, 5), (2, 4, 3, 2), (5, 9, 1, 3)]


def boxes(channels, rng):
    """Make a box of every kind: name, function."""
    gamma, beta = rng.uniform(0.5, 2.0, channels), rng.normal(size=channels)
    groups = next(g for g in range(2, channels) if channels % g == 0)

    def per_channel(v, x):
        return v.reshape(-1, *[1] * (x.ndim - 2))

    return {
        "batch": lambda x: batchnorm_nd(x, gamma, beta),
        "layer": lambda x: layer_norm(x, np.ones(x.shape[1:]), np.zeros(x.shape[1:])),
        "instance": instance_norm,
        "group": lambda x: group_norm(x, groups, gamma, beta),
        "none": lambda x: per_channel(gamma, x) * x + per_channel(beta, x),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group", "none"])
def test_every_box_is_named(kind, shape, dtype, rng):
    """Whatever the shape, the dtype inside and the seed; the smallest of each among them."""
    for _ in range(10):
        box = boxes(shape[1], rng)[kind]
        assert which_norm(lambda x, box=box: box(x.astype(dtype)), shape, rng) == kind


def test_the_same_generator_gives_the_same_questions():
    """Nothing else decides what is asked."""
    asked = []

    def box(x):
        asked.append(x.copy())
        return instance_norm(x)

    for _ in range(2):
        which_norm(box, (2, 4, 3), np.random.default_rng(5))
    half = len(asked) // 2
    for first, second in zip(asked[:half], asked[half:], strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_box_that_writes_into_its_argument_is_named_all_the_same(rng):
    """Each call gets an array of its own."""

    def box(x):
        x -= x.mean(axis=(2,), keepdims=True)
        return x

    assert which_norm(box, (2, 4, 3), rng) == "instance"


def test_influence_is_zero_where_nothing_is_shared(rng):
    """And what it is where something is: a mean of two moves by half of the nudge."""
    x = rng.normal(size=(2, 2))
    felt = influence(lambda v: v - v.mean(axis=0), x, (0, 1), 2.0)
    np.testing.assert_allclose(felt, [[0.0, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize("shape", [(4, 6), (1, 4, 3), (3, 1, 3), (3, 4, 1, 2)])
def test_shapes_that_cannot_tell_are_refused(shape, rng):
    """With one sample batch norm is instance norm, with one channel layer norm is."""
    with pytest.raises(ShapeError, match="at least two"):
        which_norm(np.copy, shape, rng)


def test_what_is_no_norm_is_refused(rng):
    """A box of another shape, a box that does not listen."""
    with pytest.raises(ShapeError, match="answer in the shape"):
        which_norm(lambda x: x[0], (2, 4, 3), rng)
    with pytest.raises(ParameterError, match="no output moved"):
        which_norm(np.zeros_like, (2, 4, 3), rng)
    with pytest.raises(ParameterError, match="no output moved"):
        name_of(np.zeros((2, 2, 2), bool))
