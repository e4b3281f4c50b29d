"""Settings and fixtures of the bnlib tests."""

import hypothesis
import numpy as np
import pytest

# no deadline: the first example of a run pays for imports
hypothesis.settings.register_profile("bnlib", deadline=None, max_examples=50)
hypothesis.settings.load_profile("bnlib")


@pytest.fixture
def rng() -> np.random.Generator:
    """Make a generator with a fixed seed."""
    return np.random.default_rng(20150211)
