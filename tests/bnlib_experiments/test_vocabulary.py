"""What several measures say together."""

from dataclasses import replace

import pytest

from bnlib.experiments.vocabulary import Measure, Scale, verdict_of
from tests.bnlib_experiments.planted import CLEAR, OPEN, TURNED


@pytest.mark.parametrize(
    ("measures", "verdict"),
    [
        ([CLEAR], "supported"),
        ([TURNED], "refuted"),
        ([OPEN], "undecided"),
        ([CLEAR, CLEAR], "supported"),
        ([CLEAR, OPEN], "undecided"),
        ([TURNED, OPEN], "refuted"),
        ([CLEAR, TURNED], "undecided"),
        ([], "undecided"),
        ([CLEAR, replace(TURNED, decides=False)], "supported"),
        ([replace(CLEAR, decides=False)], "undecided"),
    ],
)
def test_a_claim_needs_the_support_of_all_that_decide(measures, verdict):
    """And is refuted by one that nobody contradicts."""
    assert verdict_of(measures) == verdict


def test_a_measure_may_be_one_that_should_grow():
    """Larger with batch norm supports the claim then, and a diverged run is still the worst."""
    grown = Measure("accuracy", "%", (90.0, 91.0, 92.0), (80.0, 81.0, 82.0), smaller_is_claim=False)
    assert grown.verdict == "supported"
    nan = float("nan")
    assert replace(grown, without_bn=(nan, nan, nan)).verdict == "supported"
    assert replace(grown, with_bn=(nan, nan, nan)).verdict == "refuted"
    inf = float("inf")
    assert replace(grown, with_bn=(inf, 95.0, 96.0, inf)).verdict == "supported"


def test_a_scale_makes_everything_smaller_but_not_nothing():
    """At least two steps, at any factor."""
    assert Scale().steps(500) == 500
    assert Scale(2, 0.1).steps(500) == 50
    assert Scale(2, 0.001).steps(500) == 2
