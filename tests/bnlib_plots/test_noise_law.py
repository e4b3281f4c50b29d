"""The law of batch noise: dots are measured honestly, lines are theory, m moves the mark."""

import numpy as np
import pytest

from bnlib import batchnorm_forward, exact_noise, output_noise
from bnlib.plots import to_png
from bnlib.plots.noise_law import FEATURES, draw_noise_law, feature, noises, theory

SIX_SIGMA = 6 / np.sqrt(2000)  # two estimates from 2000 trials, kurtosis up to 5


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_is_standardised(name):
    """Mean 0 and standard deviation 1, so that z counts standard deviations."""
    values = feature(name)
    assert values.mean() == pytest.approx(0.0, abs=1e-12)
    assert values.std() == pytest.approx(1.0)


def test_an_unknown_feature_is_refused():
    """By name."""
    with pytest.raises(ValueError, match="must be one of normal"):
        feature("bimodal")


@pytest.mark.parametrize("m", [1, 2, 8, 64])
@pytest.mark.parametrize("name", FEATURES)
def test_the_noise_of_the_mean_is_the_references(name, m):
    """Held against the exact formula for the same population."""
    of_mean = noises(name, m, 1.0)[0]
    expected = exact_noise(feature(name)[:, np.newaxis], m)[0][0]
    assert of_mean == pytest.approx(expected, rel=SIX_SIGMA)


@pytest.mark.parametrize("m", [2, 3, 8, 64])
@pytest.mark.parametrize("name", FEATURES)
def test_the_noise_of_the_output_is_the_references(name, m):
    """The merge of sample and company gives what batches with the sample in them give."""
    rng, population = np.random.default_rng(0), feature(name)[:, np.newaxis]
    expected = output_noise(np.array([0.5]), population, m, 8000, rng)[0]
    assert noises(name, m, 0.5)[2] == pytest.approx(expected, rel=SIX_SIGMA)


@pytest.mark.parametrize("m", [2, 3, 8])
def test_merging_the_sample_in_is_exact(m):
    """The same company as rows, the sample on top, through batch norm: to the last digits."""
    values = feature("normal")
    rng = np.random.default_rng([m - 1, FEATURES.index("normal")])
    company = values[rng.integers(values.size, size=(2000, m - 1))]
    batches = np.concatenate([np.full((2000, 1), 0.5), company], axis=1)
    y, _ = batchnorm_forward(batches.T, np.ones(2000), np.zeros(2000))  # a batch is a column
    assert noises("normal", m, 0.5)[2] == pytest.approx(y[0].std(), rel=1e-9)


def test_at_m_1_there_is_no_noise_and_the_whole_gap():
    """The output is 0, evaluation mode answers z."""
    _, of_std, of_output, gap = noises("normal", 1, 1.5)
    assert (of_std, of_output) == (0.0, 0.0)
    assert gap == pytest.approx(1.5, rel=1e-4)


def test_the_gap_is_that_to_evaluation_mode():
    """By hand: two draws of the company at m = 2 give ±1 against z."""
    outputs = [batchnorm_forward(np.array([[1.0], [v]]), *np.array([[1.0], [0.0]]))[0][0, 0]
               for v in (-5.0, 5.0)]  # fmt: skip
    np.testing.assert_allclose(outputs, [1.0, -1.0], atol=1e-5)
    p = (feature("normal") < 1.0).mean()
    expected = np.sqrt((1 - p) * 4.0)  # 0 away from z = 1, or 2
    assert noises("normal", 2, 1.0)[3] == pytest.approx(expected, rel=SIX_SIGMA)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("z", [-1.0, 0.0, 2.0])
def test_theory_holds_for_large_batches(name, z):
    """All three at m = 256, skewness included; terms of the next order are of size 1/m."""
    measured = np.array(noises(name, 256, z)[:3]) * 16.0
    np.testing.assert_allclose(measured, theory(name, z), rtol=SIX_SIGMA)


@pytest.mark.parametrize("m", [1, 2, 200])
def test_m_is_marked_and_the_axes_stay(m):
    """A dotted line at m in both panels, the limits those of any other m."""
    fig, other = draw_noise_law(m), draw_noise_law(8)
    for ax, fixed in zip(fig.axes, other.axes, strict=True):
        assert any(tuple(line.get_xdata()) == (m, m) for line in ax.lines)
        assert (ax.get_xlim(), ax.get_ylim()) == (fixed.get_xlim(), fixed.get_ylim())
        assert ax.get_xlabel()
        assert ax.get_ylabel()


def test_every_control_changes_the_picture():
    """A slider that changes nothing explains nothing."""
    states = ({}, {"m": 16}, {"z": 2.0}, {"name": "skewed"})
    assert len({to_png(draw_noise_law(**state)) for state in states}) == 4
