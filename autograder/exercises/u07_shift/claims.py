"""Exercise `claim`: what two samples of measurements allow one to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import bnlib.claims
from autograder.exercises.u07_shift.networks import FORBIDDEN, UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

SCRIPT = (call("claim", "with_bn", "without_bn", into="verdict"),)
TOLERANCE = {"float64": Tolerance(0.0, 0.0, "the answer is a word")}
Pair = tuple[np.ndarray, np.ndarray]
CLEAR = 1.35  # a difference this many times the half width of its interval, or one over it
# Student's t, 0.975 quantile, as the notebook hands it out: degrees of freedom, and t
TABLE: dict[float, float] = dict(
    zip(
        (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60, 120, np.inf),
        (
            *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.306),
            *(2.228, 2.131, 2.086, 2.042, 2.0, 1.98, 1.96),
        ),
        strict=True,
    )
)


def t_quantile(freedom: float) -> float:
    """Return the 0.975 quantile of Student's t from the notebook's table."""
    known = sorted((1 / f, t) for f, t in TABLE.items())
    return float(np.interp(1 / freedom, [f for f, _ in known], [t for _, t in known]))


def freedom(a: np.ndarray, b: np.ndarray) -> float:
    """Return Welch's degrees of freedom."""
    u, v = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    return float((u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1)))


def error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the standard error of the difference of the means."""
    return float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))


def sample(rng: np.random.Generator, n: int, mean: float, std: float) -> np.ndarray:
    """Draw n values with exactly this mean and unbiased standard deviation."""
    values = rng.normal(size=n)
    return np.asarray(mean + std * (values - values.mean()) / values.std(ddof=1))


def planted(
    rng: np.random.Generator, sizes: tuple[int, int], stds: tuple[float, float], ratio: float
) -> dict[str, Any]:
    """Draw two samples whose difference is `ratio` times the half width of its interval."""
    a, b = (sample(rng, n, 0.0, s) for n, s in zip(sizes, stds, strict=True))
    half = t_quantile(freedom(a, b)) * error(a, b)
    place, scale = rng.uniform(2.0, 5.0), rng.uniform(0.5, 2.0)
    return {
        "with_bn": scale * (a + place + ratio * half),
        "without_bn": scale * (b + place),
    }


def parted(rng: np.random.Generator, with_: int = 0, without: int = 0) -> dict[str, Any]:
    """Draw 8 runs a side, all with smaller than all without; let some on each side diverge."""
    low, high = rng.uniform(1.0, 2.0, 8), rng.uniform(2.5, 3.5, 8)
    low[:with_], high[:without] = np.nan, np.inf
    return {"with_bn": rng.permutation(low), "without_bn": rng.permutation(high)}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `claim`."""
    names = ("with_bn", "without_bn")

    def case(name: str, inputs: dict[str, Any], **options: Any) -> Case:
        return Case(name, inputs, SCRIPT, ("verdict",), names, dtype_of=None, **options)

    def lists(a: Sequence[float], b: Sequence[float]) -> dict[str, Any]:
        return {"with_bn": list(a), "without_bn": list(b)}

    yield case("supported (test cell)", lists([1, 2, 3], [11, 12, 13]), gate=True)
    yield case("undecided (test cell)", lists([1, 2, 3], [2, 3, 4]), gate=True)
    n = int(rng.integers(6, 10))
    even = (n, n), (1.0, 1.0)
    yield case("clearly smaller", planted(rng, *even, -3.0))
    yield case("clearly larger", planted(rng, *even, 3.0))
    yield case("smaller, by little more than the interval", planted(rng, *even, -CLEAR), weight=2)
    yield case("larger, by little more than the interval", planted(rng, *even, CLEAR))
    yield case("smaller, but within the interval", planted(rng, *even, -1 / CLEAR), weight=2)
    yield case("larger, but within the interval", planted(rng, *even, 1 / CLEAR))
    yield case("three runs each", planted(rng, (3, 3), (1.0, 1.2), -0.89))
    yield case("few noisy runs against many quiet ones", planted(rng, (4, 24), (3.0, 0.5), -0.8))
    yield case("many noisy runs against few quiet ones", planted(rng, (24, 4), (3.0, 0.5), -1.6))
    yield case("two runs each", planted(rng, (2, 2), (1.0, 1.2), -5.0))
    still = planted(rng, *even, -3.0)
    yield case("spread on one side only", {**still, "with_bn": np.full(n, still["with_bn"].max())})
    single = planted(rng, (n, n), (1.0, 1.0), -5.0)
    yield case("a single run on one side", {**single, "with_bn": single["with_bn"][:1]})
    yield case("no spread at all", lists([0.5] * n, [0.75] * n))
    lost = planted(rng, (8, 8), (1.0, 1.0), -0.3)
    lost["without_bn"][rng.permutation(8)[1:]] = np.inf
    yield case("nearly all runs without diverged", lost)
    yield case("some runs without diverged, the others are larger", parted(rng, without=3))
    yield case("one run with diverged, the others are smaller", parted(rng, with_=1))
    both = planted(rng, (12, 12), (1.0, 1.0), -3.0)
    both["without_bn"][int(rng.integers(12))] = np.nan
    kept = both["with_bn"].min() - rng.uniform(0.0, 0.01, 2)
    both["with_bn"] = rng.permutation([*kept, *[np.nan] * 10])
    yield case("more runs diverged with than without", both)


def deciding(
    half_width: Callable[[np.ndarray, np.ndarray], float] = lambda a, b: (
        t_quantile(freedom(a, b)) * error(a, b)
    ),
    *,
    words: tuple[str, str, str] = ("supported", "refuted", "undecided"),
    diverged: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray] | None]
    | None = None,
    needs: int = 2,
    needs_spread: bool = True,
    both_spread: bool = False,
) -> Callable[..., str]:
    """Make `claim` with wrong parts put in.

    Parameters
    ----------
    half_width
        Of the interval around the difference of the means.
    words
        What is said of an interval below 0, above 0, and around it.
    diverged
        What becomes of two samples with values that are not finite; None: their ranks.
    needs
        How many values are needed on a side.
    needs_spread
        Whether samples without any spread are no evidence.
    both_spread
        Whether one sample without spread is none, either.
    """

    def claim(with_bn: Any, without_bn: Any) -> str:
        a, b = np.array(with_bn, float), np.array(without_bn, float)
        if min(len(a), len(b)) < needs:
            return "undecided"
        if not np.isfinite([*a, *b]).all():
            pair = (diverged or ranks)(a, b)
            if pair is None:
                return "undecided"
            a, b = pair
        if min(len(a), len(b)) < needs:
            return "undecided"
        spread = bool(np.ptp(a)), bool(np.ptp(b))
        if both_spread and not all(spread):
            return "undecided"
        still = not any(spread)
        if still and needs_spread:
            return "undecided"
        difference = a.mean() - b.mean()
        half = 0.0 if still or min(len(a), len(b)) < 2 else half_width(a, b)
        below, above, around = words
        return below if difference < -half else above if difference > half else around

    return claim


def ranks(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put ranks in the place of values; what is not finite is worst."""
    values = np.where(np.isfinite([*a, *b]), [*a, *b], np.inf)
    ranked = np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])
    return ranked[: len(a)], ranked[len(a) :]


def _only_finite(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return a[np.isfinite(a)], b[np.isfinite(b)]


def _huge(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.isfinite(a), a, 1e9), np.where(np.isfinite(b), b, 1e9)


def _lost(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return samples whose verdict is that whoever diverges has lost, batch norm first."""
    worse, better = np.array([2.0, 2.1]), np.array([1.0, 1.1])
    return (better, worse) if np.isfinite(a).all() else (worse, better)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the half width that is needed if two intervals, one each, must not overlap."""
    return float(sum(t_quantile(len(s) - 1) * s.std(ddof=1) / np.sqrt(len(s)) for s in (a, b)))


def _pooled(a: np.ndarray, b: np.ndarray) -> float:
    n, m = len(a), len(b)
    var = ((n - 1) * a.var(ddof=1) + (m - 1) * b.var(ddof=1)) / (n + m - 2)
    return float(t_quantile(n + m - 2) * np.sqrt(var * (1 / n + 1 / m)))


def _biased(a: np.ndarray, b: np.ndarray) -> float:
    return float(t_quantile(freedom(a, b)) * np.sqrt(a.var() / len(a) + b.var() / len(b)))


def _spread(a: np.ndarray, b: np.ndarray) -> float:
    return float(t_quantile(freedom(a, b)) * np.sqrt(a.var(ddof=1) + b.var(ddof=1)))


CLAIM = Exercise(
    unit=UNIT,
    name="claim",
    points=4,
    minutes=12,
    oracle=bnlib.claims.claim,
    cases=cases,
    tolerances=TOLERANCE,
    forbidden=FORBIDDEN,
    misconceptions=(
        # in words many ideas agree: the narrow ones first, a broad one explains more cases
        Misconception(
            "three-runs-needed",
            "Two runs on a side are enough: rule 1 turns down *fewer* than two.",
            deciding(needs=3),
        ),
        Misconception(
            "needs-spread-on-both-sides",
            "Equal values on one side are no reason to give up if those on the other spread: rule "
            "3 is for no spread at all.",
            deciding(both_spread=True),
        ),
        Misconception(
            "one-run-is-enough",
            "One run says nothing about the next: with fewer than two values on a side the verdict "
            "is undecided.",
            deciding(needs=1),
        ),
        Misconception(
            "no-spread-is-certainty",
            "Seeds that change nothing are no evidence, however many there are: without any spread "
            "the verdict is undecided.",
            deciding(needs_spread=False),
        ),
        Misconception(
            "biased-variance",
            "Your variances divide by n. With a handful of runs that is far too small: divide by "
            "n−1 (`ddof=1`).",
            deciding(_biased),
        ),
        Misconception(
            "freedom-of-both",
            "Your quantile is that of n_a + n_b − 2 degrees of freedom. With unequal spreads and "
            "sizes there are fewer: Welch's ν.",
            deciding(lambda a, b: t_quantile(len(a) + len(b) - 2) * error(a, b)),
        ),
        Misconception(
            "pooled-variance",
            "You pooled the variances (Student's test). With unequal spreads and sizes that is "
            "wrong: each sample has its own variance over its own n (Welch).",
            deciding(_pooled),
        ),
        Misconception(
            "normal-quantile",
            "You used 1.96. With few runs the variance itself is uncertain, and the quantile of "
            "Student's t is larger: `t_quantile(freedom)`.",
            deciding(lambda a, b: 1.96 * error(a, b)),
        ),
        Misconception(
            "diverged-runs-dropped",
            "You left diverged runs out, which flatters whoever diverges most. They count as the "
            "worst: compare by rank.",
            deciding(diverged=_only_finite),
        ),
        Misconception(
            "diverged-as-a-huge-number",
            "You put a huge number where a run diverged: its spread drowns everything, and the "
            "interval holds 0. Put `ranks` in the place of all values, both samples together.",
            deciding(diverged=_huge),
        ),
        Misconception(
            "diverged-means-refuted",
            "One diverged run with batch norm does not settle it: it is the worst run, but one of "
            "several. Rank all values, and go on.",
            deciding(diverged=_lost),
        ),
        Misconception(
            "diverged-means-undecided",
            "Where a run diverged you say undecided. Such a run is evidence: the worst there is. "
            "Put `ranks` in the place of all values, both samples ranked together.",
            deciding(diverged=lambda a, b: None),
        ),
        Misconception(
            "two-intervals-that-overlap",
            "You asked whether two intervals overlap, one for each mean. That asks too much: two "
            "that overlap can still differ. Take the interval of the *difference*.",
            deciding(_overlap),
        ),
        Misconception(
            "spread-for-standard-error",
            "You took the spread of single runs for the uncertainty of a mean. A mean of n runs is "
            "known √n times better: divide each variance by its n.",
            deciding(_spread),
        ),
        Misconception(
            "compares-means-only",
            "You compared the means alone. Other seeds would give other means: is the difference "
            "larger than its interval?",
            deciding(lambda a, b: 0.0),
        ),
        Misconception(
            "refuted-unless-supported",
            "An interval around 0 does not refute the claim: it says that these runs cannot "
            "decide. That is the third verdict.",
            deciding(words=("supported", "refuted", "refuted")),
        ),
        Misconception(
            "verdicts-swapped",
            "The claim is that the measurement is *smaller* with batch norm: the interval of "
            "with − without below 0 supports it.",
            deciding(words=("refuted", "supported", "undecided")),
        ),
    ),
    hints=(
        "First the odd cases: fewer than two values on a side; a value that is not finite; no "
        "spread at all. What is left is one interval.",
        "With u = var/n of each sample (ddof=1): standard error √(u_a + u_b), degrees of freedom "
        "(u_a + u_b)² / (u_a²/(n_a − 1) + u_b²/(n_b − 1)).",
        "`half = t_quantile(freedom) * error`, and the interval is `difference − half` to "
        "`difference + half`. Below 0 supports, above 0 refutes, anything else is undecided.",
    ),
)
