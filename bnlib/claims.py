"""What measurements over seeds allow one to claim: an interval, and one of three verdicts.

Nothing here is about batch norm; two samples of numbers come in. It is kept free of SciPy: the one
thing needed from there, a quantile of Student's t, is twenty lines.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float64

from bnlib.errors import ParameterError

Verdict = Literal["supported", "refuted", "undecided"]

Values = Float64[np.ndarray, " n"]

Sample = Sequence[float] | Values

NODES = 96
"""Points of the quadrature below: the integrand is a smooth power of a cosine, so this is exact to
1e-12 for every number of degrees of freedom that two samples can have (a test compares)."""


def difference_interval(a: Sample, b: Sample, level: float = 0.95) -> tuple[float, float]:
    """Return Welch's confidence interval of mean(a) − mean(b).

    `d ± t · s` with `d = mean(a) − mean(b)`, `s² = s_a²/n_a + s_b²/n_b` (unbiased variances), and t
    the quantile of Student's distribution with
    `ν = s⁴ / ((s_a²/n_a)²/(n_a − 1) + (s_b²/n_b)²/(n_b − 1))` degrees of freedom.

    Parameters
    ----------
    a, b : sequence of float
        One measurement per seed, at least two each, all finite. They may differ in number and in
        spread. Runs of the same seed with and without a change are treated as independent; where
        they rise and fall together the interval is wider than it would have to be, never narrower.
    level : float, default 0.95
        Between 0 and 1.

    Returns
    -------
    tuple (low, high)
        Both are d if neither sample has any spread.

    Raises
    ------
    ParameterError
        If a sample has fewer than two values or one that is not finite, or `level` is not between
        0 and 1.

    Notes
    -----
    Welch 1947, "The generalization of 'Student's' problem when several different population
    variances are involved".

    Examples
    --------
    >>> low, high = difference_interval([1.0, 2.0, 3.0], [11.0, 12.0, 13.0])
    >>> print(f"{low:.2f} to {high:.2f}")
    -12.27 to -7.73
    """
    first, second = _finite(a, "a"), _finite(b, "b")
    if not 0 < level < 1:
        raise ParameterError(f"level must lie between 0 and 1; got {level}. 0.95 is usual.")
    difference = float(first.mean() - second.mean())
    parts = [(sample.var(ddof=1) / len(sample), len(sample) - 1) for sample in (first, second)]
    variance = float(sum(part for part, _ in parts))
    if variance == 0:
        return difference, difference
    shares = [(float(part) / variance, free) for part, free in parts]  # no square can underflow
    freedom = 1 / sum(share**2 / free for share, free in shares)
    margin = _t_quantile((1 + level) / 2, freedom) * math.sqrt(variance)
    return difference - margin, difference + margin


def claim(with_bn: Sample, without_bn: Sample) -> Verdict:
    """Return what two samples say of the claim "batch norm makes this measurement smaller".

    "supported" if the 95 % interval of mean(with) − mean(without) lies below 0, "refuted" if it
    lies above 0, else "undecided".

    Parameters
    ----------
    with_bn, without_bn : sequence of float
        One measurement per seed. A run that diverged counts: enter it as `nan` or `inf`.

    Returns
    -------
    "supported", "refuted" or "undecided"
        "undecided" as well if a sample has fewer than two values: one run says nothing about the
        next; and if neither has any spread: seeds that change nothing are no evidence, however
        many there are.

    Notes
    -----
    Diverged runs are not dropped, which would flatter whoever diverges most. As soon as one
    value is not finite, every value is replaced by its rank among all of them, equal values
    sharing their mean rank and diverged ones (`nan`, `inf`) being equal and worst; the interval is
    then that of the ranks (Conover & Iman 1981, "Rank transformations as a bridge between
    parametric and nonparametric statistics").

    Examples
    --------
    >>> claim([0.31, 0.28, 0.33], [0.52, 0.49, 0.55])
    'supported'
    >>> claim([0.31, 0.58, 0.43], [0.52, 0.29, 0.55])
    'undecided'
    >>> nan = float("nan")
    >>> claim([0.31, 0.28, 0.33, 0.30], [nan, nan, nan, nan])
    'supported'
    """
    first, second = np.array(with_bn, np.float64), np.array(without_bn, np.float64)
    if min(first.size, second.size) < 2:
        return "undecided"
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        ranks = _ranks(np.concatenate([first, second]))
        first, second = ranks[: first.size], ranks[first.size :]
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return "undecided"
    low, high = difference_interval(first, second)
    return "supported" if high < 0 else "refuted" if low > 0 else "undecided"


def _finite(sample: Sample, name: str) -> Values:
    """Return a sample as an array, refusing one that has no interval."""
    values = np.array(sample, np.float64)
    if values.ndim != 1 or values.size < 2:
        raise ParameterError(
            f"{name} must hold at least two measurements; got shape {values.shape}. One run has no "
            "spread: repeat it with other seeds."
        )
    if not np.isfinite(values).all():
        raise ParameterError(
            f"{name} must be finite; got {values[~np.isfinite(values)][0]}. A mean cannot hold a "
            "run that diverged: `claim` compares such samples by rank."
        )
    return values


def _ranks(values: Values) -> Values:
    """Return ranks from 1; equal values share their mean rank, diverged ones are equal and last."""
    order = np.where(np.isnan(values), np.inf, values)
    below = (order[:, None] > order[None, :]).sum(1)
    equal = (order[:, None] == order[None, :]).sum(1)
    ranks: Values = below + (equal + 1) / 2
    return ranks


def _t_quantile(probability: float, freedom: float) -> float:
    """Return the t with P(T ≤ t) = probability, for probability above 1/2, by bisection."""
    low, high = 0.0, 1.0
    while _t_cdf(high, freedom) < probability:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _t_cdf(middle, freedom) < probability else (low, middle)
    return high


def _t_cdf(t: float, freedom: float) -> float:
    """Return P(T ≤ t) of Student's distribution for t ≥ 0.

    With t = √ν tan θ the density becomes `Γ((ν+1)/2) / (√π Γ(ν/2)) · cos(θ)^(ν−1)`.
    """
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    end = math.atan(t / math.sqrt(freedom))
    nodes, weights = _legendre()
    angles = end / 2 * (nodes + 1)
    return 0.5 + scale * end / 2 * float(weights @ np.cos(angles) ** (freedom - 1))


@lru_cache(maxsize=1)
def _legendre() -> tuple[Values, Values]:
    """Return nodes and weights of the quadrature; they take longer to find than to use."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights
