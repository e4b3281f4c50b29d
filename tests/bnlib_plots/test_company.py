"""The picture in company: only the company changes, and it changes the answer."""

import numpy as np
import pytest
import torch

from bnlib.plots import to_png
from bnlib.plots.company import company, draw_company, landscape

LIGHTS = [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_framed_picture_never_changes(seed):
    """Down to the last bit, as the notebook says."""
    first = company(0.0, 0).pictures[0]
    for light in LIGHTS:
        np.testing.assert_array_equal(company(light, seed).pictures[0], first)


def test_what_the_next_layer_sees_is_batch_norm():
    """The same as PyTorch's layer in training mode gives."""
    batch = company(0.3)
    layer = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    theirs = layer(torch.from_numpy(batch.pictures)).detach().numpy()
    np.testing.assert_allclose(batch.seen, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_darker_the_company_the_more_it_is_day(seed):
    """The answer falls from day to night as the other pictures get brighter."""
    days = [company(light, seed).day for light in LIGHTS]
    assert days == sorted(days, reverse=True)
    assert days[0] > 0.9
    assert days[-1] < 0.1


def test_the_unit_is_the_one_that_is_described():
    """P(day) is the sigmoid of 3 times the mean of the first picture after batch norm."""
    batch = company(0.6)
    assert batch.day == pytest.approx(1 / (1 + np.exp(-3 * batch.seen[0].mean())))


def test_more_light_makes_a_brighter_picture():
    """And a picture stays within what can be shown."""
    night, noon = landscape(0.0, seed=4), landscape(1.0, seed=4)
    assert night.mean() < noon.mean()
    assert noon.max() <= 1
    assert night.min() >= 0


def test_every_control_changes_the_picture():
    """A slider that changes nothing explains nothing."""
    states = ({}, {"light": 0.6}, {"seed": 1})
    assert len({to_png(draw_company(**state)) for state in states}) == 3
