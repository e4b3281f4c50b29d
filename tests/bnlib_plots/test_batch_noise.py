"""The batch noise figure: its numbers are theory's numbers, its picture follows them."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.batch_noise import batch_noise, default_population, draw_batch_noise

TRIALS = 4000
# the standard deviation of a measured std is about 1/√(2·trials) = 1.1 % (normal); 5 of those,
# and more for the variance, whose own distribution has heavy tails
RTOL_MEAN, RTOL_VAR = 0.056, 0.15


@pytest.mark.parametrize("m", [1, 2, 8, 64, 256])
def test_the_mean_trembles_as_theory_says(m):
    """Its standard deviation is σ/√m for a skewed population as for any other."""
    noise = batch_noise(default_population(), m, TRIALS, rng_seed=1)
    assert noise.predicted_std_of_mean == pytest.approx(noise.sigma / m**0.5)
    assert noise.std_of_mean == pytest.approx(noise.predicted_std_of_mean, rel=RTOL_MEAN)


@pytest.mark.parametrize("m", [2, 8, 64])
def test_the_variance_trembles_as_theory_says(m):
    """Var[biased var] = ((m−1)/m)² · (μ₄ − σ⁴(m−3)/(m−1))/m for independent draws."""
    values = default_population()
    mu4, var = np.mean((values - values.mean()) ** 4), values.var()
    expected = ((m - 1) / m) * np.sqrt((mu4 - var**2 * (m - 3) / (m - 1)) / m)
    noise = batch_noise(values, m, TRIALS, rng_seed=2)
    assert noise.std_of_var == pytest.approx(expected, rel=RTOL_VAR)


def test_a_batch_of_one_answers_zero():
    """Alone in its batch, every sample is the mean."""
    assert not batch_noise(default_population(), 1, 50, rng_seed=0).outputs.any()


def test_a_batch_of_two_answers_plus_or_minus_one():
    """Whatever the feature was: the distance to the mean is the standard deviation."""
    noise = batch_noise(np.array([0.0, 10.0, 30.0]), 2, 200, rng_seed=0, sample=20.0)
    np.testing.assert_allclose(np.abs(noise.outputs), 1.0, atol=1e-6)
    assert len(set(np.sign(noise.outputs))) == 2


def test_a_large_batch_answers_nearly_the_population_value():
    """The sample's output settles at (x − μ)/σ."""
    noise = batch_noise(default_population(), 4096, 100, rng_seed=0)
    assert noise.outputs.mean() == pytest.approx((noise.sample - noise.mu) / noise.sigma, abs=0.02)


def test_the_seed_decides_the_batches():
    """Pure: the same arguments give the same numbers, another seed gives others."""
    first, again, other = (batch_noise(default_population(), 8, 20, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.outputs, again.outputs)
    assert not np.array_equal(first.outputs, other.outputs)


def test_the_population_is_left_alone():
    """The fixed sample is planted in the batches, never in the population."""
    values = default_population()
    batch_noise(values, 8, 20, rng_seed=0)
    np.testing.assert_array_equal(values, default_population())


@pytest.mark.parametrize(
    ("population", "m", "trials", "message"),
    [
        (np.zeros((4, 2)), 2, 10, r"got shape \(4, 2\)"),
        (np.zeros(1), 2, 10, r"got shape \(1,\)"),
        (np.zeros(4), 0, 10, "m must be a batch size of at least 1; got 0"),
        (np.zeros(4), 2, 1, "trials must be at least 2"),
    ],
)
def test_what_has_no_answer_is_refused(population, m, trials, message):
    """Errors name the argument and what came."""
    with pytest.raises(ValueError, match=message):
        batch_noise(population, m, trials, rng_seed=0)


@pytest.mark.parametrize("m", [1, 2, 256])
def test_the_figure_marks_the_prediction(m):
    """Two dashed lines stand σ/√m left and right of μ, and the axis does not move with m."""
    fig = draw_batch_noise(m, trials=50)
    left, right = fig.axes
    noise = batch_noise(default_population(), m, 50, rng_seed=0)
    marks = sorted(line.get_xdata()[0] for line in left.lines)
    expected = noise.mu + noise.predicted_std_of_mean * np.array([-1, 0, 1])
    np.testing.assert_allclose(marks, expected)
    assert left.get_xlim() == draw_batch_noise(8, trials=50).axes[0].get_xlim()
    assert left.get_xlabel()
    assert right.get_xlabel()


def test_the_bars_add_up_to_all_batches():
    """No batch is lost at the ends of the axis, not even at m = 1."""
    for ax in draw_batch_noise(1, trials=400).axes:
        (bars,) = (p for p in ax.patches if hasattr(p, "get_data"))
        assert bars.get_data().values.sum() == pytest.approx(1.0)


def test_other_m_other_picture():
    """What the slider moves is what one sees."""
    assert to_png(draw_batch_noise(4, trials=50)) != to_png(draw_batch_noise(5, trials=50))
