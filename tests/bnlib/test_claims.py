import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bnlib import claim, difference_interval
from bnlib.claims import _ranks, _t_quantile
from bnlib.errors import ParameterError

NAN, INF = math.nan, math.inf
# both ends are found by bisection of an integral; lgamma loses digits as freedom grows
QUANTILE_RTOL = 1e-9


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 4, 7.3, 30, 1000])
@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.9995])
def test_the_quantile_is_students(freedom, probability):
    """Against SciPy's, for whole and broken degrees of freedom."""
    expected = stats.t.ppf(probability, freedom)
    assert _t_quantile(probability, freedom) == pytest.approx(expected, rel=QUANTILE_RTOL)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_the_interval_is_welchs(rng, level):
    """Against SciPy's, for samples that differ in size and spread."""
    a, b = rng.normal(3.0, 1.0, 5), rng.normal(2.0, 10.0, 9)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(level)
    np.testing.assert_allclose(difference_interval(a, b, level), expected, rtol=QUANTILE_RTOL)


def test_the_interval_holds_the_truth_as_often_as_it_says(rng):
    """Of 1,000 pairs of samples, about 950: a wrong variance or quantile would show."""
    pairs = [(rng.normal(0, 1, 5), rng.normal(1, 3, 7)) for _ in range(1000)]
    hits = sum(low < -1 < high for low, high in (difference_interval(a, b) for a, b in pairs))
    assert 930 <= hits <= 970  # three standard deviations of a binomial


def test_without_any_spread_the_interval_is_a_point():
    """Two samples of one number each, repeated."""
    assert difference_interval([1.0, 1.0], [3.0, 3.0]) == (-2.0, -2.0)


def test_a_tiny_spread_does_not_vanish():
    """Variances whose squares underflow still give an interval around the difference."""
    low, high = difference_interval([1e-100, 2e-100], [0.0, 0.0])
    assert low < 1.5e-100 < high


@pytest.mark.parametrize(
    ("a", "b", "level", "words"),
    [
        ([1.0], [1.0, 2.0], 0.95, "a must hold at least two"),
        ([1.0, 2.0], [], 0.95, "b must hold at least two"),
        ([1.0, 2.0], [[1.0, 2.0]], 0.95, "b must hold at least two"),
        ([1.0, NAN], [1.0, 2.0], 0.95, "a must be finite; got nan"),
        ([1.0, 2.0], [INF, 2.0], 0.95, "b must be finite; got inf"),
        ([1.0, 2.0], [1.0, 2.0], 95, "level must lie between 0 and 1; got 95"),
    ],
)
def test_what_has_no_interval_is_refused(a, b, level, words):
    """With the argument's name and what to do."""
    with pytest.raises(ParameterError, match=words):
        difference_interval(a, b, level)


@pytest.mark.parametrize(
    ("with_bn", "without_bn", "verdict"),
    [
        ([1.0, 1.1, 0.9], [2.0, 2.1, 1.9], "supported"),
        ([2.0, 2.1, 1.9], [1.0, 1.1, 0.9], "refuted"),
        ([1.0, 3.0, 2.0], [2.1, 1.1, 2.9], "undecided"),
        ([1.0], [2.0, 2.1, 1.9], "undecided"),  # one run
        ([], [], "undecided"),
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], "undecided"),  # seeds that change nothing
        ([1.0, 1.0, 1.0], [2.0, 2.1, 1.9], "supported"),  # one side may be constant
        ([-5.0, -5.1, -4.9], [-1.0, -1.1, -0.9], "supported"),  # smaller, not nearer to 0
    ],
)
def test_a_verdict_follows_the_interval(with_bn, without_bn, verdict):
    """Smaller with batch norm supports, larger refutes, too little to tell is undecided."""
    assert claim(with_bn, without_bn) == verdict


@pytest.mark.parametrize("gone", [NAN, INF])
def test_runs_that_diverge_count_as_worst(gone):
    """Dropping them would leave the two of the right side as good as those of the left."""
    assert claim([1.0, 1.2, 0.9, 1.1], [gone, gone, gone, 1.3]) == "supported"
    assert claim([gone, gone, gone, 1.3], [1.0, 1.2, 0.9, 1.1]) == "refuted"
    assert claim([1.0, 1.2, gone], [0.9, 1.1, gone]) == "undecided"


def test_diverged_runs_are_equal_however_they_are_written():
    """Neither nan nor inf is the better way to fail."""
    assert claim([NAN, NAN, INF], [INF, INF, NAN]) == "undecided"
    assert claim([1.0, 2.0, NAN], [3.0, 4.0, 5.0]) == claim([1.0, 2.0, INF], [3.0, 4.0, 5.0])


def test_equal_values_share_their_mean_rank():
    """From 1; whatever did not end is last, together."""
    values = np.array([3.0, 1.0, NAN, 1.0, INF])
    np.testing.assert_array_equal(_ranks(values), [3.0, 1.5, 4.5, 1.5, 4.5])


def test_a_good_run_below_all_is_not_a_diverged_one():
    """Minus infinity is the smallest of numbers, by rank."""
    assert claim([-INF, -INF, -INF, 0.1], [1.0, 2.0, 3.0, 4.0]) == "supported"


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6),
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6),
)
def test_swapping_the_samples_turns_the_verdict_round(a, b):
    """Supported and refuted change places, undecided stays."""
    turned = {"supported": "refuted", "refuted": "supported", "undecided": "undecided"}
    assert claim(b, a) == turned[claim(a, b)]


def test_arguments_stay_as_they_are(rng):
    """Arrays of any float dtype, read-only ones too."""
    a, b = rng.normal(size=5).astype(np.float32), rng.normal(size=5)
    a.flags.writeable = b.flags.writeable = False
    assert claim(a, b) in ("supported", "refuted", "undecided")
