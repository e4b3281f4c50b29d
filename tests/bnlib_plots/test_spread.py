"""The figure of the stored variances: its points are an experiment, its line is theory."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.spread import draw_small_batches, stored_variances


@pytest.mark.parametrize("m", [2, 8, 128])
def test_the_unbiased_variance_is_right_on_average(m):
    """10 000 batches of a feature with variance 4: within 5 standard errors."""
    biased, unbiased = stored_variances(m)
    error = 4.0 * np.sqrt(2 / (m - 1) / 10_000)
    assert unbiased == pytest.approx(4.0, abs=5 * error)
    assert biased == pytest.approx(unbiased * (m - 1) / m)


def test_one_value_is_refused():
    """One value has no spread."""
    with pytest.raises(ValueError, match="m must be a batch size of at least 2; got 1"):
        stored_variances(1)


def test_the_figure_follows_the_batch_size():
    """The title carries both widths, the picture moves with m."""
    fig = draw_small_batches(2)
    assert fig.axes[0].get_title(loc="left").startswith("m = 2: biased stored 1.4")
    assert to_png(fig) != to_png(draw_small_batches(64))
