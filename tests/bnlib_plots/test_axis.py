"""The axis figure: what it says about who is averaged with whom is what NumPy does."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.axis import AXES, CATS, FEATURES, axis_story, cats, companions, draw_axis

RTOL, ATOL = 1e-12, 1e-12  # a dozen float64 operations on numbers of order 1 to 100


def test_the_batch_has_a_row_for_each_cat():
    """And a column for each feature; no column is constant, so it can be standardised."""
    assert cats().shape == (len(CATS), len(FEATURES))
    assert (cats().std(axis=0) > 0).all()


def test_the_batch_is_new_every_time():
    """Who changes it in a notebook changes nobody else's."""
    cats()[:] = 0
    assert cats().all()


@pytest.mark.parametrize("axes", AXES.values())
def test_standardised_over_its_axes(axes):
    """Mean 0 and standard deviation 1 over the axes that were averaged, and only promised there."""
    x_hat = axis_story(cats(), axes).x_hat
    np.testing.assert_allclose(x_hat.mean(axis=axes), 0, atol=ATOL)
    np.testing.assert_allclose(x_hat.std(axis=axes), 1, rtol=RTOL)


def test_the_unit_of_a_feature_does_not_matter_over_axis_0():
    """What the lecture tells the reader to see: millimetres for centimetres change nothing."""
    x = cats()
    scaled = x * [10.0, 1, 1, 1]
    before, after = (axis_story(v, (0,)).x_hat for v in (x, scaled))
    np.testing.assert_allclose(after, before, rtol=RTOL, atol=ATOL)


def test_the_unit_of_a_feature_is_all_that_matters_over_axis_1():
    """And over axis 1 all cats become nearly the same cat: rows differ by 0.02 at most."""
    x_hat = axis_story(cats() * [10.0, 1, 1, 1], (1,)).x_hat
    assert np.ptp(x_hat, axis=0).max() < 0.03
    assert np.ptp(axis_story(cats(), (0,)).x_hat, axis=0).min() > 2


@pytest.mark.parametrize("axes", AXES.values())
def test_companions_are_the_entries_an_answer_depends_on(axes):
    """Framed is exactly what moves the mean that the chosen entry is compared with."""
    row, col = 2, 1
    mean = np.broadcast_to(axis_story(cats(), axes).mean, cats().shape)[row, col]
    moved = np.zeros(cats().shape, dtype=bool)
    for entry in np.ndindex(moved.shape):
        x = cats()
        x[entry] += 1
        moved[entry] = np.broadcast_to(axis_story(x, axes).mean, x.shape)[row, col] != mean
    np.testing.assert_array_equal(companions(moved.shape, axes, row, col), moved)


def test_every_control_changes_the_picture():
    """A slider that changes nothing explains nothing."""
    other = list(AXES)[1]
    pictures = {
        to_png(draw_axis(**state))
        for state in ({}, {"axis": other}, {"value": 9}, {"length_in": "mm"})
    }
    assert len(pictures) == 4


def test_the_sentence_names_the_mean():
    """Under the left table stands what the chosen value is averaged to."""
    (ax,) = draw_axis(value=5).axes
    texts = [text.get_text() for text in ax.texts]
    assert f"Felix's mass, averaged down the column: mean {cats()[:, 1].mean():.2f} kg" in texts


def test_millimetres_stand_in_the_table():
    """The reader who asks for millimetres sees ten times the centimetres."""
    (ax,) = draw_axis(length_in="mm").axes
    texts = [text.get_text() for text in ax.texts]
    assert {f"{length * 10:.0f}" for length in cats()[:, 0]} < set(texts)
    assert "length (mm)" in texts
