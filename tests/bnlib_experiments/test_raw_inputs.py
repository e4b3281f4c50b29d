"""Raw and standardised inputs, and a tiny run."""

import numpy as np

from bnlib.data import Dataset, digits
from bnlib.experiments.raw_inputs import EXPERIMENT, error_at, raw, standardised
from bnlib.experiments.vocabulary import Scale


def planted():
    """Return a data set of two pixels, one of which never changes."""
    x = np.array([[0.0, 0.5], [0.5, 0.5], [1.0, 0.5], [0.5, 0.5]], np.float32).reshape(4, 1, 1, 2)
    y = np.zeros(4, np.int64)
    return Dataset("planted", x, y, x[:2], y[:2], ("one",))


def test_standardised_pixels_have_mean_0_and_variance_1():
    """Over the training set, and the test set goes along; a constant pixel is only centred."""
    data = standardised(planted())
    np.testing.assert_allclose(data.train_x.mean(axis=0).ravel(), 0.0, atol=1e-7)
    np.testing.assert_allclose(data.train_x.std(axis=0).ravel(), [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(data.test_x[0].ravel(), [-np.sqrt(2.0), 0.0], rtol=1e-6)
    assert data.train_x.dtype == np.float32


def test_raw_pixels_go_to_255():
    """And the digits themselves stay as they were."""
    data = raw(planted())
    assert data.train_x.max() == 255.0
    assert digits().train_x.max() <= 1.0


def test_raw_inputs_at_the_usual_rate_hurt_a_plain_network():
    """Guessing without batch norm, learning with it."""
    grey = raw(digits())
    assert error_at(None, grey, 0.3, 0, 40) > 60.0 > error_at("batch", grey, 0.3, 0, 40)


def test_a_tiny_run_says_what_it_did():
    """Two measures, one value per seed."""
    outcome = EXPERIMENT.run(Scale(seeds=2, steps_factor=0.01))
    assert [len(m.with_bn) for m in outcome.measures] == [2, 2]
