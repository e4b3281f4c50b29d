"""What a reconstruction misses, where it is known."""

import numpy as np
import pytest
import torch
from torch import nn

import bnlib.experiments.autoencoder as autoencoder
from bnlib.data import digits
from bnlib.experiments import Scale
from bnlib.experiments.autoencoder import error, to_itself, unexplained


class Answer(nn.Module):
    """A network that always answers the same."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        """Return it for every row."""
        return self.answer.expand(len(x), -1)


def test_the_targets_are_the_images():
    """Flattened, in both parts."""
    data = to_itself(digits())
    np.testing.assert_array_equal(data.train_y.reshape(-1, 1, 8, 8), data.train_x)
    np.testing.assert_array_equal(data.test_y.reshape(-1, 1, 8, 8), data.test_x)


def test_a_perfect_network_misses_nothing_and_the_mean_image_everything():
    """0 and 100 %; half of the image misses a quarter of its own variance at least."""
    data = to_itself(digits())
    mean = torch.from_numpy(data.train_y.mean(0))
    assert unexplained(nn.Flatten(), data) == 0
    assert unexplained(Answer(mean), data) == pytest.approx(100)

    class Halfway(nn.Module):
        def forward(self, x):
            return (x.flatten(1) + mean) / 2

    assert unexplained(Halfway(), data) == pytest.approx(25, rel=1e-5)


def test_the_verdict_is_that_of_batch_norm_against_nothing(monkeypatch):
    """Layer norm is shown beside it."""
    level = {"batch": 20.0, "layer": 10.0, None: 40.0}
    monkeypatch.setattr(
        autoencoder,
        "error",
        lambda norm, lr, seed, steps: level[norm] + 0.1 * (seed % 7) + (0 if lr == 2.0 else 50),
    )
    outcome = autoencoder.run(Scale(seeds=3))
    assert outcome.verdict == "supported"
    assert outcome.measures[1].verdict == "refuted"
    assert "2 with batch norm, 2 with layer norm, 2 without" in outcome.setup
    level["batch"] = 60.0
    assert autoencoder.run(Scale(seeds=3)).verdict == "refuted"


def test_the_real_thing_runs():
    """A few steps; a rate that is far too large diverges and says so."""
    assert 0 < error("batch", 1.0, 0, 30) < 150
    assert np.isnan(error(None, 1e4, 0, 30))
