"""The digit photos: seeded, varied, and what their labels say."""

import numpy as np
import pytest

from bnlib.plots.photos import SIZE, digit_photos, relight


def test_a_photo_is_brightness_between_0_and_1():
    """Shape, dtype and range are those promised."""
    photos, labels = digit_photos(50, seed=0)
    assert photos.shape == (50, SIZE, SIZE)
    assert photos.dtype == np.float32
    assert photos.min() >= 0.0
    assert photos.max() <= 1.0
    assert labels.shape == (50,)


def test_the_seed_decides_the_photos():
    """The same seed gives the same photos, another seed gives others."""
    (first, a), (again, b), (other, _) = (digit_photos(20, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first, other)


def test_photos_of_one_digit_resemble_each_other():
    """The mean photo of a digit's first half is nearest to that of its second half."""
    photos, labels = digit_photos(2000, seed=0)
    halves = [
        np.stack([photos[part][labels[part] == d].mean(axis=0).ravel() for d in range(10)])
        for part in (slice(0, 1000), slice(1000, None))
    ]
    distances = np.linalg.norm(halves[0][:, np.newaxis] - halves[1], axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), np.arange(10))


def test_relight_is_affine_and_stays_in_range():
    """Contrast scales, haze shifts, the dtype stays."""
    photos, _ = digit_photos(5, seed=0)
    lit = relight(photos, contrast=0.5, haze=0.5)
    np.testing.assert_allclose(lit, 0.5 * photos + 0.5, rtol=1e-6)
    assert lit.dtype == np.float32
    assert relight(photos, contrast=3.0, haze=0.5).max() <= 1.0


def test_no_photo_is_refused():
    """Zero photos have no answer."""
    with pytest.raises(ValueError, match="n must be a number of photos of at least 1; got 0"):
        digit_photos(0, seed=0)
