"""The stored grid of trainings, and the figures over batch size and learning rate."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.live_training import draw_live, live_losses
from bnlib.plots.training_grid import draw_training, final_errors, training_grid


def test_the_grid_is_complete():
    """An error for each norm, size, rate and seed; only batch norm on batches of one has none."""
    grid = training_grid()
    missing = np.isnan(grid.errors).any(axis=(2, 3, 4))
    expected = np.zeros_like(missing)
    expected[grid.norms.index("batch"), grid.batch_sizes.index(1)] = True
    np.testing.assert_array_equal(missing, expected)
    assert grid.errors.shape[:3] == (len(grid.norms), len(grid.batch_sizes), len(grid.rates))
    assert np.nanmin(grid.errors) >= 0
    assert np.nanmax(grid.errors) <= 100


def test_the_lecture_tells_what_the_grid_says():
    """The numbers of the answers to the questions, to the digit that is told."""
    grid = training_grid()
    two, thirty_two = grid.batch_sizes.index(2), grid.batch_sizes.index(32)
    at_two = [final_errors(norm, 0.1)[two] for norm in ("batch", "group", "none")]
    np.testing.assert_allclose(at_two, [50, 20, 17], atol=1.5)
    fast = [final_errors(norm, 1.0)[thirty_two] for norm in ("batch", "none")]
    np.testing.assert_allclose(fast, [3, 73], atol=0.5)
    for size in (8, 16, 32):
        ends = [final_errors(n, 0.1)[grid.batch_sizes.index(size)] for n in ("batch", "none")]
        assert ends[0] < ends[1]


def test_a_norm_that_cannot_train_is_named_and_not_drawn():
    """Batch norm on batches of one."""
    left, right = draw_training(1, 0.1).axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert "batch norm (cannot train)" in labels
    assert len(left.collections) == 2
    assert len(right.lines) == 4


def test_the_present_batch_size_is_marked():
    """A dotted line in the right panel, whose limits do not move."""
    right = draw_training(64, 0.3).axes[1]
    assert any(tuple(line.get_xdata()) == (64, 64) for line in right.lines)
    assert right.get_ylim() == draw_training(2, 0.3).axes[1].get_ylim()


@pytest.mark.parametrize("state", [{"batch_size": 3}, {"rate": 0.5}])
def test_what_is_not_in_the_grid_is_refused(state):
    """Positions between those that were trained."""
    with pytest.raises(ValueError, match="not in"):
        draw_training(**state)


def test_other_state_other_picture():
    """Each control moves something."""
    states = ({}, {"batch_size": 2}, {"rate": 1.0})
    assert len({to_png(draw_training(**state)) for state in states}) == 3


def test_live_training_learns():
    """In 60 steps the loss falls, with either norm."""
    for norm in ("none", "batch"):
        losses = live_losses(norm, 32, 0.3)
        assert losses.shape == (60,)
        assert losses[-10:].mean() < 0.6 * losses[:5].mean()


def test_the_lecture_tells_what_live_training_gives():
    """The mean loss of the last ten steps, as in the answers to the figure's questions."""
    told = {("batch", 32, 2.0): 0.25, ("none", 32, 2.0): 2.3, ("batch", 2, 0.25): 2.1}
    told["none", 2, 0.25] = 1.75
    for state, loss in told.items():
        assert live_losses(*state)[-10:].mean() == pytest.approx(loss, abs=0.1), state


def test_live_training_says_what_cannot_be_trained():
    """Batch norm on one image, and a loss that became infinite."""
    assert live_losses("batch", 1, 0.3).size == 0
    legend = draw_live(1, 0.3).axes[0].get_legend()
    assert any("cannot train on one" in text.get_text() for text in legend.get_texts())
    diverged = live_losses("none", 4, 1e25)
    assert diverged.size < 60
    legend = draw_live(4, 1e25).axes[0].get_legend()
    assert any("diverged" in text.get_text() for text in legend.get_texts())
    legend = draw_live(4, 100.0).axes[0].get_legend()
    assert any("off the scale" in text.get_text() for text in legend.get_texts())


def test_live_training_is_pure():
    """The same state gives the same picture."""
    first = to_png(draw_live(8, 0.25))
    live_losses.cache_clear()
    assert first == to_png(draw_live(8, 0.25))
    assert first != to_png(draw_live(16, 0.25))
