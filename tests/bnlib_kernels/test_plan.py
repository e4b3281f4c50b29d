"""Plans, without Triton: everything is read, nothing twice, and the chip is full."""

import doctest

import numpy as np
import pytest

from bnlib import ParameterError, ShapeError
from bnlib.kernels import View, plan, plan_apply, plan_reduction, traffic

SHAPES = [
    *((32, 64, 112, 112), (256, 256, 56, 56), (32, 512, 28, 28), (256, 1024, 14, 14)),
    *((32, 2048, 7, 7), (1, 1, 1, 2), (3, 5, 7, 11), (2, 3, 1, 1), (64, 100), (1, 3, 4096, 4096)),
    *((2, 1, 3000, 2000), (1000, 3, 5, 5), (7, 4097, 3, 3)),
]
HALF, SINGLE = 2, 4


def test_the_examples_in_the_docstrings_are_true():
    """Plans of two well-known layers."""
    assert doctest.testmod(plan).failed == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("itemsize", [HALF, SINGLE])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("resident", [True, False])
def test_programs_cover_every_value_and_none_is_idle(shape, last, itemsize, direction, resident):
    """Blocks times programs are enough, one program fewer would not be."""
    view = View.of(shape, last)
    found = plan_reduction(view, itemsize, direction, resident=resident)
    across = 1 if view.last else -(-view.inner // found.columns)
    tiles = -(-view.outer // found.rows) * across
    assert (found.splits - 1) * found.tiles_each < tiles <= found.splits * found.tiles_each
    covered = found.channel_blocks * (found.columns if view.last else 1)
    assert view.channels <= covered < view.channels + (found.columns if view.last else 1)
    for length in (found.rows, found.columns):
        assert length & (length - 1) == 0
    if found.resident:
        assert resident
        assert (tiles, found.splits) == (1, 1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("last", [False, True])
def test_the_elementwise_pass_covers_the_tensor(shape, last):
    """Rows of neighbours: as many blocks as it takes."""
    view = View.of(shape, last)
    rows, columns, programs = plan_apply(view, SINGLE)
    in_all = view.outer if view.last else view.outer * view.channels
    assert programs == -(-in_all // rows) * -(-view.inner // columns)
    assert rows * columns <= 4096


@pytest.mark.parametrize("channels", [1, 3, 64])
def test_few_channels_are_split_until_the_chip_is_full(channels):
    """With one program a channel, an H100 would work with `channels` of its 132 processors."""
    found = plan_reduction(View.of((32, channels, 224, 224), False), SINGLE, "forward")
    assert found.programs >= 132
    assert found.splits > 1


def test_many_channels_are_not_split():
    """Where there are programs enough, a second stage has nothing to merge."""
    found = plan_reduction(View.of((256, 2048, 14, 14), False), SINGLE, "forward")
    assert (found.resident, found.splits) == (False, 1)


@pytest.mark.parametrize(("direction", "images"), [("forward", 64), ("backward", 32)])
def test_a_channel_stays_on_the_chip_if_it_fits(direction, images):
    """14 x 14 places, padded to 256: 64 images forward; the backward pass holds two tensors."""
    fits = View.of((images, 512, 14, 14), False)
    too_large = View.of((2 * images, 512, 14, 14), False)
    assert plan_reduction(fits, SINGLE, direction).resident
    assert not plan_reduction(too_large, SINGLE, direction).resident


def test_traffic_of_each_way():
    """Whole tensors read and written: what the speed of the pass hangs on."""
    small, large = View.of((8, 64, 7, 7), False), View.of((256, 64, 56, 56), False)
    for view, forward, backward in ((small, 1, 2), (large, 2, 4)):
        ahead = plan_reduction(view, SINGLE, "forward")
        back = plan_reduction(view, SINGLE, "backward")
        assert traffic(ahead, "forward") == (forward, 1)
        assert traffic(ahead, "forward", relu=True, residual=True) == (forward + 1, 1)
        assert traffic(back, "backward") == (backward, 1)
        assert traffic(back, "backward", relu=True) == (backward, 1)  # the mask costs no read
        assert traffic(back, "backward", relu=True, residual=True) == (backward + 1, 2)


def test_rows_and_neighbours_of_each_layout():
    """Images in rows of places, or places in rows of channels; (N, C) always is the latter."""
    first, last = View.of((2, 6, 3, 4), False), View.of((2, 6, 3, 4), True)
    assert (first.outer, first.inner, first.vector) == (2, 12, 4)
    assert (last.outer, last.inner, last.vector) == (24, 6, 2)
    assert first.values == last.values == 24
    assert View.of((5, 6), False) == View.of((5, 6), True)
    assert View.of((5, 6, 1, 1), False).last
    assert [View.of((1, 1, 1, n), False).vector for n in (49, 196, 3136, 2)] == [1, 4, 16, 2]


def test_padding_stays_small_where_rows_are_long():
    """Blocks are powers of two, images are not: at most a seventh of the lanes idles."""
    for side in (28, 56, 112, 224):
        view = View.of((32, 64, side, side), False)
        columns = plan_reduction(view, SINGLE, "forward", resident=False).columns
        padded = int(np.ceil(view.inner / columns)) * columns
        assert padded <= 1.15 * view.inner


@pytest.mark.parametrize("shape", [(3,), (0, 3, 2, 2), (2, 3, 0, 1)])
def test_an_empty_batch_or_a_vector_is_refused(shape):
    """It says what was expected and what came."""
    with pytest.raises(ShapeError, match="no empty axis; got"):
        View.of(shape, False)


@pytest.mark.parametrize(("itemsize", "direction"), [(8, "forward"), (4, "sideways")])
def test_unknown_sizes_and_directions_are_refused(itemsize, direction):
    """Both are named."""
    with pytest.raises(ParameterError, match=f"got {itemsize} and '{direction}'"):
        plan_reduction(View.of((2, 3), False), itemsize, direction)
