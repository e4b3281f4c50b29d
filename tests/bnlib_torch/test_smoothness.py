"""Losses along the gradient: known parabolas, and without a trace in the model."""

import copy

import pytest
import torch
from torch import nn

from bnlib.errors import ParameterError
from bnlib.torch import effective_smoothness, loss_along_gradient
from tests.bnlib_torch.models import batch, network, photograph, quadratic, same

MSE = nn.functional.mse_loss
EYE = torch.eye(2, dtype=torch.float64)
CURVES = torch.tensor([1.0, 4.0], dtype=torch.float64)  # second derivatives of the bowl below


def bowl(output, _):
    """Return ½ Σ curvature · w²; the output on the identity is w."""
    return 0.5 * (CURVES * output[:, 0] ** 2).sum()


def test_the_loss_of_a_bowl_is_known_everywhere():
    """There, w − t·g is (1 − t·curvature)·w: in any order of steps and on both sides."""
    steps = [1.0, 0.0, 0.25, -0.5]
    found = loss_along_gradient(quadratic([2.0, 1.0]), bowl, EYE, EYE, steps)
    w = torch.tensor([2.0, 1.0])
    expected = [float(0.5 * (CURVES * ((1 - t * CURVES) * w) ** 2).sum()) for t in steps]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    assert not found.requires_grad


def test_the_smoothness_of_a_bowl_lies_between_its_curvatures():
    """It is the length of curvature² · w over that of curvature · w, whatever the step."""
    w = torch.tensor([2.0, 1.0], dtype=torch.float64)
    expected = float((CURVES**2 * w).norm() / (CURVES * w).norm())
    for steps in ([0.1], [0.3, 0.01, 2.0], [-0.4]):
        found = effective_smoothness(quadratic([2.0, 1.0]), bowl, EYE, EYE, steps)
        assert found == pytest.approx(expected)


def test_the_largest_ratio_counts():
    """On a quartic w⁴/4 the gradient changes least for the longest of these steps."""
    model, eye = quadratic([1.0]), torch.eye(1, dtype=torch.float64)
    ratio = {t: abs(1 - (1 - t) ** 3) / t for t in (0.1, 0.5, 1.0)}
    found = effective_smoothness(model, lambda p, _: (p**4).sum() / 4, eye, eye, list(ratio))
    assert found == pytest.approx(ratio[0.1])


def test_a_walk_by_hand_agrees():
    """A copy of the model is moved there and asked."""
    model, (x, y) = network(), batch()
    work = copy.deepcopy(model)
    gradient = torch.autograd.grad(MSE(work(x), y), list(work.parameters()))
    with torch.no_grad():
        for p, g in zip(work.parameters(), gradient, strict=True):
            p -= 0.2 * g
    found = loss_along_gradient(model, MSE, x, y, torch.tensor([0.0, 0.2]))
    torch.testing.assert_close(found[1], MSE(work(x), y).detach())


@pytest.mark.parametrize("measure", [loss_along_gradient, effective_smoothness])
def test_the_model_is_left_to_the_last_bit(measure):
    """Parameters, running statistics, .grad, modes, random state."""
    model = network()
    before = photograph(model)
    measure(model, MSE, *batch(), [0.1, 0.2])
    assert same(before, photograph(model))


@pytest.mark.parametrize("steps", [[], [0.1, 0.0]])
def test_a_way_of_no_length_has_no_ratio(steps):
    """The message says so."""
    with pytest.raises(ParameterError, match="none of them 0"):
        effective_smoothness(network(), MSE, *batch(), steps)
