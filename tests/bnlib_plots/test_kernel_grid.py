"""A kernel as a picture: the counts are those of a run, the layout decides the sectors."""

import doctest

import numpy as np
import pytest

from bnlib import blocks as bl
from bnlib.plots import kernel_grid, to_png
from bnlib.plots.kernel_grid import (
    IMAGES,
    LAYOUTS,
    counted,
    draw_kernel_grid,
    strides,
    sum_channel,
)


def test_the_examples_in_the_docstrings_are_true():
    """Eight times the sectors for the same loads."""
    assert doctest.testmod(kernel_grid).failed == 0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("channels", "places", "block"), [(3, 5, 4), (8, 16, 8), (1, 2, 64)])
def test_the_program_of_the_picture_sums_its_channel(layout, channels, places, block):
    """In either layout, each entry loaded once."""
    x = np.random.default_rng(0).integers(0, 9, (IMAGES, channels, places)).astype(np.float32)
    memory = x if layout == LAYOUTS[0] else np.ascontiguousarray(x.swapaxes(1, 2))
    total = np.zeros(channels, np.float32)
    steps = strides(channels, places, layout)
    bl.launch(
        *(sum_channel, (channels,), memory, total, IMAGES, channels, places, *steps),
        BLOCK=block,
    )
    assert np.array_equal(total, x.sum(axis=(0, 2)))
    assert counted(channels, places, block, layout)[0] == x.size


def test_sectors_grow_where_a_channels_entries_lie_apart():
    """Side by side: no more than the bytes; eight channels apart: a sector for each entry."""
    assert counted(8, 16, 16, "channels first") == (256, 32)
    assert counted(8, 16, 16, "channels last") == (256, 256)


def cells(fig):
    """Return the two pictures as arrays."""
    return [ax.images[0].get_array() for ax in fig.axes]


def test_the_picture_marks_what_one_program_loads():
    """Its entries and nothing else; the first block apart; idle lanes grey."""
    memory, lanes = cells(draw_kernel_grid(block=8, channels=4, places=10, program=2))
    flat = memory.reshape(-1)
    marked = np.flatnonzero(flat > 0)
    assert marked.tolist() == [*range(20, 30), *range(60, 70)]
    assert np.flatnonzero(flat == 2).tolist() == list(range(20, 28))
    assert lanes.shape == (3, 8)
    assert int((lanes == 0).sum()) == 4
    other, _ = cells(draw_kernel_grid(block=8, channels=4, places=10, program=2, layout=LAYOUTS[1]))
    assert np.flatnonzero(other.reshape(-1) > 0).tolist() == list(range(2, 80, 4))


def test_a_program_beyond_the_last_shows_the_last():
    """The slider of programs does not know how many there are."""
    fig = draw_kernel_grid(channels=2, program=15)
    assert fig.axes[1].get_title(loc="left").startswith("program 1 of 2")


def test_the_titles_hold_the_counts():
    """Bytes asked for, bytes fetched, lanes that idle."""
    fig = draw_kernel_grid(block=8, channels=8, places=10, layout=LAYOUTS[1])
    left, right = (ax.get_title(loc="left") for ax in fig.axes)
    assert left == "loads: 640 bytes in 160 sectors of 32: 5120 bytes"
    assert "17% of its lanes idle" in right


@pytest.mark.parametrize("block", [4, 64])
@pytest.mark.parametrize("channels", [1, 16])
@pytest.mark.parametrize("places", [2, 32])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_corner_of_the_sliders_draws(block, channels, places, layout):
    """The same state, the same picture."""
    state = {"block": block, "channels": channels, "places": places, "layout": layout}
    assert to_png(draw_kernel_grid(**state)) == to_png(draw_kernel_grid(**state))


def test_an_unknown_layout_is_refused():
    """By name."""
    with pytest.raises(ValueError, match="must be one of channels first, channels last"):
        strides(2, 2, "rows")
