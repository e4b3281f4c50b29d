"""The figures of training runs."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.landscape import draw_bands, draw_runs, running_mean


def test_a_running_mean_of_a_constant_is_it_and_of_a_ramp_lags():
    """From the first value on."""
    assert running_mean(np.full(30, 2.0)) == pytest.approx(2.0)
    assert running_mean(np.arange(30.0))[-1] == pytest.approx(29 - 4.5)


def test_each_network_has_its_line_in_both_axes():
    """By the same colour, and the axes are labelled."""
    runs = {
        kind: (np.linspace(2, k + 0.5, 20), np.full(19, 0.1 + k))
        for k, kind in enumerate(("none", "batch norm", "noisy batch norm"))
    }
    fig = draw_runs(runs)
    for ax in fig.axes:
        assert len(ax.lines) == 3
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    colors = [[line.get_color() for line in ax.lines] for ax in fig.axes]
    assert colors[0] == colors[1]
    assert to_png(fig)


def test_bands_share_their_scale():
    """Otherwise the eye compares nothing."""
    low, high = np.ones(5), np.linspace(2, 3, 5)
    fig = draw_bands({"none": (low, 4 * high), "batch norm": (low, high)}, every=10)
    assert fig.axes[0].get_ylim() == fig.axes[1].get_ylim()
    assert fig.axes[0].lines[0].get_xdata()[0] == 10
