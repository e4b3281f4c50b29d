"""Growth on planted gradients, a deep classifier with and without skips, and a tiny run."""

import numpy as np
import pytest
import torch

from bnlib.experiments.skip_connections import (
    EXPERIMENT,
    TRAINED_WIDTH,
    Block,
    deep_network,
    growth,
    growth_of,
)
from bnlib.experiments.vocabulary import Scale


def test_growth_is_the_power_of_ten_of_the_square():
    """Lengths from 1 at the last layer to 1000 at the first: six powers of ten."""
    assert growth(np.array([1000.0, 30.0, 1.0])) == pytest.approx(6.0)


def test_skips_turn_the_exponential_into_a_power():
    """Doubling the depth adds the same again without them, and less than one power with them."""
    plain = [growth_of(0, 64, 64, depth, skip=False) for depth in (20, 40)]
    skips = [growth_of(0, 64, 64, depth, skip=True) for depth in (20, 40)]
    assert plain[1] > 1.8 * plain[0] > 4.0
    assert skips[1] - skips[0] < 1.0


def test_a_block_is_what_it_says():
    """`h + linear(relu(norm(h)))`, and `relu(norm(linear(h)))`."""
    h = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    for skip in (True, False):
        block = Block(8, torch.Generator().manual_seed(1), skip=skip)
        if skip:
            expected = h + block.linear(torch.relu(block.norm(h)))
        else:
            expected = torch.relu(block.norm(block.linear(h)))
        torch.testing.assert_close(block(h), expected)


def test_a_seed_decides_the_weights_and_leaves_torchs_generator_alone():
    """The same for the same seed, with skips or without."""
    before = torch.random.get_rng_state()
    first, again, other = (
        deep_network(2, s, skip=k) for s, k in ((3, True), (3, False), (4, True))
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first[2].linear.weight, again[2].linear.weight)
    assert torch.equal(first[1].weight, again[1].weight)
    assert not torch.equal(first[2].linear.weight, other[2].linear.weight)
    assert first(torch.zeros(4, 1, 8, 8)).shape == (4, 10)
    assert first[1].out_features == TRAINED_WIDTH


def test_a_tiny_run_says_what_it_did():
    """Three measures, of which the training one does not decide."""
    outcome = EXPERIMENT.run(Scale(seeds=2, steps_factor=0.02))
    assert [m.decides for m in outcome.measures] == [True, True, False]
    assert outcome.measures[0].with_label == "skip connections"
