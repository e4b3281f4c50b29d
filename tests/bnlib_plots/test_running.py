"""The running statistics figure: its paths are the recursion, its band is theory's."""

import numpy as np
import pytest

from bnlib import bessel, update_running
from bnlib.plots import to_png
from bnlib.plots.running import (
    MU,
    SIGMA,
    START_MEAN,
    START_VAR,
    draw_running,
    expected_path,
    running_path,
)

LAYERS = 400  # the standard error of a mean is 1/20 std, that of a std 1/28 of it
RTOL_STD = 0.18  # 5 of those


def test_the_path_is_the_recursion_of_bnlib():
    """Each value follows from the one before, with the unbiased variance."""
    batches = np.random.default_rng(5).normal(MU, SIGMA, size=(4, 3))
    mean, var = START_MEAN, START_VAR
    path = running_path(0.3, m=3, steps=4, seed=5)
    for k, batch in enumerate(batches, start=1):
        mean = update_running(mean, float(batch.mean()), 0.3)
        var = update_running(var, bessel(float(batch.var()), 3), 0.3)
        assert path.mean[k] == pytest.approx(mean)
        assert path.var[k] == pytest.approx(var)


def test_none_is_the_plain_average():
    """With momentum None the start value counts nothing."""
    batches = np.random.default_rng(1).normal(MU, SIGMA, size=(10, 8))
    path = running_path(None, m=8, steps=10, seed=1)
    assert path.mean[10] == pytest.approx(batches.mean(axis=1).mean())


@pytest.mark.parametrize("momentum", [0.05, 0.5, 1.0])
def test_paths_have_the_expected_value_and_spread(momentum):
    """Bias and noise of the running mean and variance are those of the formulas."""
    steps, m = 20, 8
    paths = [running_path(momentum, m, steps, seed) for seed in range(LAYERS)]
    noises = (SIGMA / np.sqrt(m), SIGMA**2 * np.sqrt(2 / (m - 1)))
    for name, start, target, noise in (
        ("mean", START_MEAN, MU, noises[0]),
        ("var", START_VAR, SIGMA**2, noises[1]),
    ):
        values = np.array([getattr(path, name)[-1] for path in paths])
        expected, std = expected_path(start, target, noise, momentum, steps)
        assert values.mean() == pytest.approx(expected[-1], abs=5 * std[-1] / np.sqrt(LAYERS))
        # a variance has heavier tails than a normal number
        assert values.std() == pytest.approx(std[-1], rel=RTOL_STD * (2 if name == "var" else 1))


@pytest.mark.parametrize(
    ("momentum", "m", "steps", "message"),
    [
        (1.5, 8, 3, "momentum must be None or between 0 and 1; got 1.5"),
        (0.1, 1, 3, "m must be a batch size of at least 2; got 1"),
        (0.1, 8, 0, "steps must be at least 1; got 0"),
    ],
)
def test_what_has_no_answer_is_refused(momentum, m, steps, message):
    """Errors name the argument and what came."""
    with pytest.raises(ValueError, match=message):
        running_path(momentum, m, steps, seed=0)


def test_the_figure_follows_its_arguments():
    """Labelled with quantity and unit; another momentum draws another picture."""
    fig = draw_running(0.1, 16)
    assert [ax.get_ylabel() for ax in fig.axes] == [
        "running mean (units of x)",
        "running variance (units of x, squared)",
    ]
    assert "12.2 %" in fig.axes[0].get_title(loc="left")
    assert to_png(fig) == to_png(draw_running(0.1, 16))
    assert to_png(fig) != to_png(draw_running(0.8, 16))
