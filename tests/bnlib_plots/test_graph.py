"""The graph figure: its numbers are the reference's numbers, and it shows one node a step."""

import numpy as np
import pytest

from bnlib import batchnorm_backward, batchnorm_forward
from bnlib.plots import to_png
from bnlib.plots.graph import (
    BETA,
    CUTS,
    EPS,
    GAMMA,
    LAST_STEP,
    STEPS,
    UPSTREAM,
    X,
    draw_graph,
    graph_values,
)

RTOL = 1e-12  # a dozen float64 operations on numbers of order 1


def reference(x, gamma, beta, dy, eps):
    """Return y, dx, dgamma, dbeta of one feature from the reference."""
    y, cache = batchnorm_forward(x[:, None], np.array([gamma]), np.array([beta]), eps)
    dx, dgamma, dbeta = batchnorm_backward(dy[:, None], cache)
    return y[:, 0], dx[:, 0], dgamma[0], dbeta[0]


@pytest.mark.parametrize("seed", range(5))
def test_the_graph_agrees_with_the_reference(seed):
    """Forward and backward are those of batchnorm_forward and batchnorm_backward."""
    rng = np.random.default_rng(seed)
    x, dy, gamma, beta = rng.normal(size=7), rng.normal(size=7), *rng.normal(size=2)
    values = graph_values(x, gamma, beta, dy, 1e-5)
    y, dx, dgamma, dbeta = reference(x, gamma, beta, dy, 1e-5)
    np.testing.assert_allclose(values.forward["y"], y, rtol=RTOL)
    np.testing.assert_allclose(values.backward["x"], dx, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(values.backward["gamma"], dgamma, rtol=1e-10)
    np.testing.assert_allclose(values.backward["beta"], dbeta, rtol=1e-10)


def test_the_numbers_of_the_lecture_are_exact():
    """Every node of the example has a value that is exact in float64."""
    values = graph_values(np.array(X), GAMMA, BETA, np.array(UPSTREAM["(3, 1, −1, 1)"]), EPS)
    assert values.forward["inv_std"] == 0.5
    assert values.backward["inv_std"] == -12.0
    assert values.backward["var"] == 0.75
    np.testing.assert_array_equal(values.direct, [3, 1, -1, 1])
    np.testing.assert_array_equal(values.through_var, [-0.75, -0.375, 0.375, 0.75])
    np.testing.assert_array_equal(values.backward["x"], [1.25, -0.375, -1.625, 0.75])


def test_ones_upstream_come_out_as_zero():
    """The surprise of the lecture."""
    values = graph_values(np.array(X), GAMMA, BETA, np.ones(4), EPS)
    np.testing.assert_array_equal(values.backward["x"], np.zeros(4))


@pytest.mark.parametrize("cut", CUTS[1:])
def test_a_cut_path_changes_dx(cut):
    """Every cut makes dx wrong for a dy that has a mean and a part along x_hat."""
    arguments = np.array(X), GAMMA, BETA, np.array([3.0, 1.0, -1.0, 1.0]), EPS
    assert not np.allclose(
        graph_values(*arguments, cut).backward["x"], graph_values(*arguments).backward["x"]
    )


def test_only_the_cut_through_mean_breaks_the_sum():
    """Σ dx is 0 without the path through var, and is not without the one through mean."""
    arguments = np.array(X), GAMMA, BETA, np.array([3.0, 1.0, -1.0, 1.0]), EPS
    sums = {cut: graph_values(*arguments, cut).backward["x"].sum() for cut in CUTS}
    assert sums["nothing"] == sums["centered → var"] == 0
    assert sums["mean → centered"] == sums["both"] == 4


def test_the_last_step_says_what_central_differences_say():
    """They agree with the whole graph, and not with a cut one."""
    assert "they agree" in texts(draw_graph())[-1]
    assert "largest difference 0.75" in texts(draw_graph(cut="centered → var"))[-1]


def test_gradients_appear_one_step_at_a_time():
    """Nothing but values up to step 6; at step 9 `centered` holds its first part only."""
    assert "3   1   −1   1" not in texts(draw_graph(6))
    assert texts(draw_graph(9)).count("3   1   −1   1") == 2  # dy, and the first part
    assert "2.25   0.625   −0.625   1.75" not in texts(draw_graph(10))
    assert "2.25   0.625   −0.625   1.75" in texts(draw_graph(11))


def test_each_step_is_another_picture():
    """The slider never stands still."""
    pictures = {to_png(draw_graph(step)) for step in range(LAST_STEP + 1)}
    assert len(pictures) == len(STEPS)


def test_what_has_no_answer_is_refused():
    """Errors name the argument and what came."""
    with pytest.raises(ValueError, match=r"cut must be one of .*; got 'x'"):
        graph_values(np.ones(3), 1, 0, np.ones(3), 1.0, "x")
    with pytest.raises(ValueError, match=r"got \(3,\), \(4,\)"):
        graph_values(np.ones(3), 1, 0, np.ones(4), 1.0)


def texts(fig):
    """Return all texts of the figure's axes, the remark last."""
    (ax,) = fig.axes
    return [text.get_text() for text in ax.texts]
