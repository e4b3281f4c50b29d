"""The roofline: bytes, least times and places under the roof."""

import doctest

import pytest

from bnlib.plots import roofline
from bnlib.plots.roofline import BANDWIDTHS, draw_roofline, intensity, pass_bytes
from bnlib.traffic import PASSES


def test_the_examples_in_the_docstrings_are_true():
    """The module's doctests."""
    assert doctest.testmod(roofline).failed == 0


@pytest.mark.parametrize("machine", BANDWIDTHS)
@pytest.mark.parametrize("fused", [False, True])
def test_bars_are_bytes_over_bandwidth(machine, fused):
    """In milliseconds, pass by pass."""
    bars = draw_roofline(64, "float16", fused, machine).axes[0].patches
    speed = BANDWIDTHS[machine] * 1e6  # bytes a millisecond
    least = [pass_bytes(64, "float16", name, fused) / speed for name in PASSES]
    assert [bar.get_height() for bar in bars] == pytest.approx(least)


@pytest.mark.parametrize("name", PASSES)
def test_fewer_bytes_move_a_pass_to_the_right(name):
    """By fusing, and by half precision, which nearly doubles it."""
    lines, few = (intensity("float32", name, fused) for fused in (False, True))
    assert few > lines
    assert 1.9 < intensity("float16", name, True) / few < 2.0


def test_the_passes_lie_on_the_slope_and_do_not_leave_the_picture():
    """Their speed is their intensity times the bandwidth."""
    ax = draw_roofline().axes[1]
    roof, *points = ax.lines
    assert len(points) == len(PASSES)
    for point in points:
        (x,), (y,) = point.get_xdata(), point.get_ydata()
        assert y == pytest.approx(x)  # 1000 GB/s: TFLOP/s = operations a byte
        assert x < roof.get_xdata()[1]
        assert ax.get_xlim()[0] < x < ax.get_xlim()[1]
