"""The company figure: the photo comes first, the neighbours are those asked for."""

import numpy as np
import pytest

from bnlib.plots import to_png
from bnlib.plots.neighbours import (
    ANY,
    COMPANIES,
    TWINS,
    company_of,
    draw_accuracy_by_light,
    draw_neighbours,
)

PHOTOS = np.stack([np.full((4, 4), k / 20) for k in range(20)])  # photo k is k/20 everywhere
LABELS = np.arange(20) % 10
PHOTO = np.ones((4, 4))


def classify(batch):
    """Answer with the digit of the batch's mean brightness in tenths."""
    digit = min(9, int(10 * batch.mean()))
    return np.tile(np.eye(10)[digit], (len(batch), 1))


@pytest.mark.parametrize("company", COMPANIES)
def test_the_photo_is_row_0_of_a_batch_of_the_size_asked_for(company):
    """Whoever else comes."""
    batch = company_of(PHOTO, PHOTOS, LABELS, company, 9, seed=0)
    assert batch.shape == (9, 4, 4)
    np.testing.assert_array_equal(batch[0], PHOTO)


def test_the_neighbours_are_those_asked_for():
    """Only sevens are sevens, copies are copies, any digits are several."""
    sevens = company_of(PHOTO, PHOTOS, LABELS, "only 7s", 30, seed=0)[1:, 0, 0]
    assert set(sevens) == {7 / 20, 17 / 20}
    assert (company_of(PHOTO, PHOTOS, LABELS, TWINS, 5, seed=0) == 1.0).all()
    assert len(set(company_of(PHOTO, PHOTOS, LABELS, ANY, 30, seed=0)[1:, 0, 0])) > 5


@pytest.mark.parametrize(
    ("company", "size", "message"),
    [("only 11s", 4, "company must be one of"), (ANY, 1, "size must be at least 2")],
)
def test_what_has_no_answer_is_refused(company, size, message):
    """Errors name the argument."""
    with pytest.raises(ValueError, match=message):
        company_of(PHOTO, PHOTOS, LABELS, company, size, seed=0)


def test_the_figure_says_what_the_classifier_says():
    """The title names the digit with the highest probability for row 0."""
    options = {"photo": PHOTO, "photos": PHOTOS, "labels": LABELS, "classify": classify}
    alone = draw_neighbours(TWINS, 4, 0, **options)
    company = draw_neighbours("only 0s", 64, 0, **options)
    assert alone.axes[1].get_title(loc="left") == "the classifier says: 9"
    assert company.axes[1].get_title(loc="left") != "the classifier says: 9"
    assert to_png(alone) != to_png(company)


def test_the_accuracy_figure_shows_every_curve():
    """One line a curve, and the haze of the photos is marked."""
    hazes = np.array([0.0, 0.5])
    curves = {"old": np.array([1.0, 0.2]), "new": np.array([1.0, 0.9])}
    fig = draw_accuracy_by_light(
        0.5, photos=PHOTOS, curves=curves, hazes=hazes, relit=lambda photos, haze: photos + haze
    )
    right = fig.axes[1]
    assert [line.get_label() for line in right.lines[:2]] == ["old", "new"]
    assert list(right.lines[2].get_xdata()) == [0.5, 0.5]
