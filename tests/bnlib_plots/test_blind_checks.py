"""The table of blind checks: what the lecture says about it is true."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.blind_checks import WRONG, check_errors, draw_blind_checks, popular_checks

NAMES = list(WRONG)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "bug", ["returns zeros", "has the wrong sign", "leaves gamma out", "leaves inv_std out"]
)
def test_popular_checks_see_nothing_of_a_scale(bug, seed):
    """Ones and Σy² pass every wrong factor; what N = 2 sees is left over by eps."""
    ones, pair, squares, _ = check_errors(seed)[NAMES.index(bug)]
    assert ones < 1e-9
    assert squares < 2e-3
    x, _, _, dy = popular_checks(seed)["N = 2"]
    crumb = np.abs(dy).max() * 1e-5 / (x.var(axis=0).min() + 1e-5) ** 1.5
    assert pair <= 3 * crumb


@pytest.mark.parametrize("seed", range(5))
def test_the_designed_check_sees_everything(seed):
    """Each of the seven is off by more than any tolerance one would choose."""
    assert (check_errors(seed)[:, 3] > 0.1).all()


def test_the_lecture_draws_what_it_tells():
    """At a tolerance of 1e-3 and seed 0 the first four bugs pass all three popular checks."""
    assert (check_errors(0)[:4, :3] < 1e-3).all()
    assert (check_errors(0)[NAMES.index("cuts the path through var"), 1:3] > 0.1).all()


def test_the_table_follows_the_tolerance():
    """A stricter tolerance sees more, and the figure says so."""

    def seen(tolerance):
        (ax,) = draw_blind_checks(tolerance).axes
        return sum(text.get_text().startswith("seen") for text in ax.texts)

    assert seen(1e-9) > seen(1e-3) > seen(1.0)
    assert to_png(draw_blind_checks(1e-9)) != to_png(draw_blind_checks(1e-3))
