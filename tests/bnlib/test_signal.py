"""Unit 1's references: against torch, central differences, and properties that must hold."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnlib import (
    critical_scale,
    explosion_rate,
    gradient_norms,
    layer_statistics,
    numerical_gradient,
    saturated_fraction,
)
from bnlib.errors import DtypeError, ParameterError, ShapeError

WIDTHS = (5, 7, 4, 6)


def network(rng, scale=0.7):
    """Draw the weights of three layers of different widths, a batch and an upstream gradient."""
    weights = [scale * rng.normal(size=pair) for pair in pairwise(WIDTHS)]
    return weights, rng.normal(size=(9, WIDTHS[0])), rng.normal(size=(9, WIDTHS[-1]))


def tanh_network(weights, x):
    """Return the output of the network that `gradient_norms` goes back through."""
    for w in weights:
        x = np.tanh(x @ w)
    return x


def test_the_statistics_are_those_of_torchs_layers(rng):
    """Mean and biased standard deviation over all entries, after the activation."""
    weights, x, _ = network(rng)
    h, expected = torch.tensor(x), []
    for w in weights:
        h = torch.relu(h @ torch.tensor(w))
        expected.append([h.mean().item(), h.std(correction=0).item()])
    actual = layer_statistics(weights, x, lambda h: np.maximum(h, 0.0))
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_the_statistics_far_from_zero_are_not_cancelled():
    """At mean 1e7 the standard deviation of 1 keeps seven digits."""
    x = np.array([[1e7 - 1, 1e7 + 1], [1e7 + 1, 1e7 - 1]])
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(layer_statistics([swap, swap], x, lambda h: h), [[1e7, 1.0]] * 2)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_a_linear_network_scales_with_each_weight(seed, k):
    """Weights times k: the statistics of layer l times k to the power l."""
    weights, x, _ = network(np.random.default_rng(seed))
    once = layer_statistics(weights, x, lambda h: h)
    scaled = layer_statistics([k * w for w in weights], x, lambda h: h)
    powers = k ** np.arange(1.0, len(weights) + 1)[:, np.newaxis]
    np.testing.assert_allclose(scaled, once * powers, rtol=1e-9, atol=1e-9)


def test_the_critical_scale_keeps_the_variance_of_a_linear_network(rng):
    """Over ten layers of 400 units, within 15 % (a few times √(2·10/400)/√N of chance)."""
    weights = [critical_scale(400) * rng.normal(size=(400, 400)) for _ in range(10)]
    stds = layer_statistics(weights, rng.normal(size=(200, 400)), lambda h: h)[:, 1]
    np.testing.assert_allclose(stds, 1.0, atol=0.15)


def test_saturation_counts_both_sides_and_not_the_threshold_itself():
    """Strictly beyond, in absolute value."""
    h = np.array([[-0.99, -0.9, 0.5], [0.97, 0.971, 0.0]])
    assert saturated_fraction(h) == pytest.approx(2 / 6)
    assert saturated_fraction(h, threshold=0.6) == pytest.approx(4 / 6)
    assert saturated_fraction(np.zeros((2, 3, 4, 5))) == 0.0


def test_the_gradient_norms_are_torchs(rng):
    """By automatic differentiation of the same network."""
    weights, x, dy = network(rng)
    leaves = [torch.tensor(w, requires_grad=True) for w in weights]
    h = torch.tensor(x)
    for w in leaves:
        h = torch.tanh(h @ w)
    h.backward(torch.tensor(dy))
    expected = [leaf.grad.norm().item() for leaf in leaves]
    np.testing.assert_allclose(gradient_norms(weights, x, dy), expected, rtol=1e-12)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_gradient_norms_agree_with_central_differences(layer, rng):
    """Of each layer's weight on its own."""
    weights, x, dy = network(rng)

    def f(w):
        return tanh_network([*weights[:layer], w, *weights[layer + 1 :]], x)

    expected = np.linalg.norm(numerical_gradient(f, weights[layer], dy))
    assert gradient_norms(weights, x, dy)[layer] == pytest.approx(expected, rel=1e-7)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
def test_the_gradient_norms_are_homogeneous_in_the_upstream_gradient(seed, k):
    """Backward is linear: dy times −k, norms times k."""
    weights, x, dy = network(np.random.default_rng(seed))
    scaled = gradient_norms(weights, x, -k * dy)
    np.testing.assert_allclose(scaled, k * gradient_norms(weights, x, dy), rtol=1e-9)


@given(
    st.floats(0.01, 100.0),
    st.floats(-200.0, 200.0),
    st.integers(2, 60),
)
def test_a_geometric_sequence_has_its_own_factor_as_rate(factor, log_start, length):
    """Whatever it starts from; no product overflows on the way."""
    norms = np.exp(log_start + np.log(factor) * np.arange(length))
    assert explosion_rate(norms) == pytest.approx(factor, rel=1e-9)


def test_the_rate_is_the_least_squares_one(rng):
    """As `numpy.polyfit` fits it to noisy norms; not that of the two ends."""
    norms = np.exp(0.3 * np.arange(20) + rng.normal(size=20))
    expected = np.exp(np.polyfit(np.arange(20), np.log(norms), 1)[0])
    assert explosion_rate(norms) == pytest.approx(expected, rel=1e-9)
    ends = (norms[-1] / norms[0]) ** (1 / 19)
    assert abs(ends - expected) > 1e-3


def test_what_does_not_fit_is_refused_by_name():
    """A weight that does not follow, no layer, no number, no logarithm."""
    x, dy = np.ones((4, 3)), np.ones((4, 2))
    with pytest.raises(ShapeError, match=r"weights\[1\] must have shape \(5, …\)"):
        layer_statistics([np.ones((3, 5)), np.ones((3, 2))], x, np.tanh)
    with pytest.raises(ShapeError, match="at least one layer"):
        gradient_norms([], x, dy)
    with pytest.raises(ShapeError, match="dy must have the shape of the last layer's output"):
        gradient_norms([np.ones((3, 5))], x, dy)
    with pytest.raises(ShapeError, match="x must be a batch"):
        layer_statistics([np.ones((3, 5))], np.ones(3), np.tanh)
    with pytest.raises(DtypeError, match=r"weights\[0\]"):
        gradient_norms([np.ones((3, 2), int)], x, dy)
    with pytest.raises(ShapeError, match="at least one entry"):
        saturated_fraction(np.ones((0, 3)))
    with pytest.raises(ParameterError, match="width"):
        critical_scale(0)
    with pytest.raises(ShapeError, match="L >= 2"):
        explosion_rate(np.ones(1))
    with pytest.raises(ParameterError, match="positive and finite"):
        explosion_rate(np.array([1.0, 0.0]))
