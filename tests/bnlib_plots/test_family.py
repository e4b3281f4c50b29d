"""The picture of the axes: what is framed is what NumPy averages, in both layouts."""

import numpy as np
import pytest

from bnlib import normalize_over
from bnlib.family_probe import name_of
from bnlib.plots import to_png
from bnlib.plots.family import (
    CHANNEL_AXES,
    CHANNELS,
    NORMS,
    SAMPLES,
    code_line,
    draw_family,
    images,
    shared,
)
from bnlib.plots.family_boxes import black_boxes, draw_boxes, felt

TILES = [(n, c) for n in range(SAMPLES) for c in range(CHANNELS)]
RTOL = 1e-12  # sums of at most 108 numbers of order 1 in float64


def laid_out(channel_axis):
    """Return the batch with its channels on that axis."""
    return np.moveaxis(images(), 1, channel_axis)


@pytest.mark.parametrize("axis", CHANNEL_AXES)
@pytest.mark.parametrize("kind", NORMS.values())
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_line_of_code_gives_the_mean_that_is_shown(kind, groups, axis):
    """Run as it stands, it has as many entries as the picture says, and the tile's among them."""
    means = np.asarray(eval(code_line(kind, groups, axis), {"x": laid_out(axis)}))
    found = [shared(kind, n, c, groups) for n, c in TILES]
    assert {one.sets for one in found} == {means.size}
    for one in found:
        assert np.isclose(means, one.mean, rtol=RTOL).any()


@pytest.mark.parametrize("kind", NORMS.values())
@pytest.mark.parametrize(("sample", "channel"), TILES)
def test_framed_is_what_feels_the_tile(kind, sample, channel):
    """A change of the tile moves the shared mean of the framed ones, and of no other tile."""
    groups = 2
    one = shared(kind, sample, channel, groups)
    for n, c in TILES:
        same = shared(kind, n, c, groups)
        assert one.tiles[n, c] == same.tiles[sample, channel]
        assert one.tiles[n, c] == (same.mean == one.mean)
    assert one.count == one.tiles.sum() * 9
    assert one.sets * one.count == images().size


@pytest.mark.parametrize("kind", NORMS.values())
def test_the_framed_values_come_out_with_mean_zero_and_spread_one(kind):
    """That is what sharing them is for."""
    for n, c in TILES:
        one = shared(kind, n, c, 2)
        together = one.y[one.tiles]
        assert abs(together.mean()) < 1e-12
        np.testing.assert_allclose(together.std(), 1.0, rtol=1e-4)  # eps = 1e-5 beside variances


def test_the_ends_of_group_norm_are_two_other_norms():
    """One group frames what layer norm does, four groups what instance norm does."""
    for n, c in TILES:
        np.testing.assert_array_equal(
            shared("group", n, c, 1).tiles, shared("layer", n, c, 1).tiles
        )
        np.testing.assert_array_equal(
            shared("group", n, c, 4).tiles, shared("instance", n, c, 1).tiles
        )
    np.testing.assert_allclose(
        shared("batch", 0, 0, 1).y, normalize_over(images(), (0, 2, 3), 1e-5), rtol=RTOL
    )


def test_every_control_changes_the_picture():
    """A slider that changes nothing explains nothing."""
    states = (
        *({}, {"norm": 1}, {"sample": 2}, {"channel": 3}, {"groups": 4}),
        {"channel_axis": 3},
    )
    assert len({to_png(draw_family(**state)) for state in states}) == len(states)


def test_the_numbers_stand_below_the_picture():
    """Count, mean and spread of what is framed; the line of code; what it is afterwards."""
    texts = [text.get_text() for text in draw_family(1, 1, 2).texts]
    values = images()[:, 1]
    assert texts[0].startswith("x.mean(axis=(0, 2, 3))")
    assert f"27 values, mean {values.mean():.2f}, std {values.std():.2f}; 4 means" in texts[1]
    assert texts[2] == "these values now: mean 0.00, std 1.00"


def test_each_box_is_what_the_lecture_says_it_is():
    """Named by whom a nudge reaches; the order is the one at the end of the lecture's section."""
    names = [name_of(felt(box, 0, 0, 2.0) > 0) for box in black_boxes()]
    assert names == ["group", "none", "instance", "batch", "none", "layer"]


def test_every_control_of_the_boxes_changes_the_picture():
    """Box, sample, channel, nudge."""
    states = ({}, {"box": 2}, {"sample": 2}, {"channel": 3}, {"nudge": 0.5})
    assert len({to_png(draw_boxes(**state)) for state in states}) == len(states)


def test_the_batch_is_left_as_it_is():
    """The drawings share one batch, which nobody can write to."""
    assert not images().flags.writeable
