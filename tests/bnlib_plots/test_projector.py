"""The projector figure: its parts are orthogonal, and its factors are those of the layer."""

import numpy as np
import pytest

from bnlib.backward_closed import batchnorm_backward_closed, normalize_jacobian
from bnlib.forward import batchnorm_forward
from bnlib.plots import to_png
from bnlib.plots.projector import (
    PUSHES,
    draw_projector,
    feature,
    kept,
    shares,
    split,
    upstream,
)

SIZES = (2, 3, 8, 64)
EPS = 1e-5
ATOL = 1e-11  # 64 eps64 of entries of order 10, with room


def normalised(n, spread):
    """Return a feature and its x_hat."""
    x = feature(n, spread)
    _, cache = batchnorm_forward(x[:, np.newaxis], np.ones(1), np.zeros(1), EPS)
    return x, cache.x_hat[:, 0]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("push", PUSHES)
def test_the_parts_add_up_and_are_orthogonal(n, push):
    """A part that overlapped another would be counted twice in the bars."""
    _, x_hat = normalised(n, 1.0)
    dy = upstream(push, x_hat)
    mean, along, rest = split(dy, x_hat)
    np.testing.assert_allclose(mean + along + rest, dy, atol=ATOL)
    for a, b in ((mean, along), (mean, rest), (along, rest)):
        assert abs(a @ b) < ATOL


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spread", [0.001, 0.01, 1.0])
def test_what_arrives_is_what_the_layer_lets_through(n, spread):
    """The factors of the three parts, put together, are the true backward pass, for every eps."""
    x, x_hat = normalised(n, spread)
    dy = upstream("random", x_hat, seed=5)
    arrived = sum(k * part for k, part in zip(kept(x.var()), split(dy, x_hat), strict=True))
    inv_std = 1.0 / np.sqrt(x.var() + EPS)
    dx, _, _ = batchnorm_backward_closed(
        dy[:, np.newaxis], x_hat[:, np.newaxis], np.array([inv_std]), np.ones(1)
    )
    np.testing.assert_allclose(arrived, dx[:, 0] / inv_std, atol=ATOL)
    np.testing.assert_allclose(arrived, normalize_jacobian(x, EPS) @ dy / inv_std, atol=ATOL)


def test_a_random_gradient_arrives_by_n_minus_2_of_n():
    """The expected share, over draws of dy, is that of the surviving directions."""
    n, draws = 8, 4000
    x, x_hat = normalised(n, 1.0)
    arrived = [
        sum(shares(split(upstream("random", x_hat, seed), x_hat), x.var())[1])
        for seed in range(draws)
    ]
    # a share is Beta(3, 1) distributed: standard deviation 0.194, of the mean 0.0031; 5 of those
    assert np.mean(arrived) == pytest.approx((n - 2) / n, abs=0.016)


def test_a_batch_of_two_lets_only_the_crumb_through():
    """A line goes through any two dots."""
    x, x_hat = normalised(2, 1.0)
    sent, arrived = shares(split(upstream("random", x_hat), x_hat), x.var())
    assert sent[2] < 1e-25
    assert 0.0 < sum(arrived) <= (EPS / (1.0 + EPS)) ** 2


@pytest.mark.parametrize("push", PUSHES)
@pytest.mark.parametrize("n", [2, 64])
def test_the_sticks_are_drawn_from_the_line_to_the_dots(n, push):
    """One stick a row, as long as what arrives in it."""
    fig = draw_projector(n, push, spread=0.01)
    left, right = fig.axes
    (sticks,) = left.collections
    x, x_hat = normalised(n, 0.01)
    parts = split(upstream(push, x_hat), x_hat)
    arrived = sum(k * part for k, part in zip(kept(x.var()), parts, strict=True))
    lengths = [segment[1][1] - segment[0][1] for segment in sticks.get_segments()]
    np.testing.assert_allclose(lengths, arrived, atol=ATOL)
    assert len(right.patches) == 6
    for ax in fig.axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel()


def test_other_push_other_picture():
    """What the menu chooses is what one sees."""
    assert to_png(draw_projector(8, PUSHES[0])) != to_png(draw_projector(8, PUSHES[1]))
    assert to_png(draw_projector(8)) == to_png(draw_projector(8))


def test_what_has_no_answer_is_refused():
    """Errors name the argument and what came."""
    with pytest.raises(ValueError, match="at least 2; got 1"):
        feature(1, 1.0)
    with pytest.raises(ValueError, match=r"push must be one of .*got 'sideways'"):
        upstream("sideways", np.ones(3))
