"""`batch_renorm`: the batch's statistics, corrected towards the running ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import batch
from autograder.exercises.u08_batch_size.draws import (
    DEFAULT_EPS,
    FAR,
    UNIT,
    cancelled,
    other_default,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

ARGUMENTS = ("x", "running_mean", "running_var", "r_max", "d_max")
KEPT = ("x", "running_mean", "running_var")
SCRIPT = (call("batch_renorm", *ARGUMENTS, "eps", into="x_hat"),)
DEFAULT_SCRIPT = (call("batch_renorm", *ARGUMENTS, into="x_hat"),)
TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-9, "a few sums of 20 numbers of order 10, divided by 0.1"),
    "float32": Tolerance(1e-4, 5e-4, "20 (eps32 / 2) 10 / 0.1 · 2 = 2.4e-4, times 2"),
}
FAR_TOLERANCE = Tolerance(1e-3, 0.08, "a mean off by 30 (eps32 / 2) 1e4 = 0.018, over 0.5, r ≤ 2")
RATIOS = (3.0, 1 / 3.0, 1.2)  # σ_B/σ of three features: beyond r_max, below 1/r_max, between
STEPS = (2.5, -2.5, 0.6)  # (mean_B − running_mean)/σ of four: beyond d_max on both sides, between


def against(
    rng: np.random.Generator, x: np.ndarray, ratio: np.ndarray, step: np.ndarray, eps: float = 1e-5
) -> dict[str, np.ndarray]:
    """Return a batch with running statistics of which r and d are known before they are clipped."""
    wide = x.astype(np.float64)
    sigma = np.sqrt(wide.var(axis=0) + eps) / ratio
    mean, var = wide.mean(axis=0) - step * sigma, np.square(sigma) - eps
    return {"x": x, "running_mean": mean.astype(x.dtype), "running_var": var.astype(x.dtype)}


def mixed(rng: np.random.Generator, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw ratios and steps of every kind."""
    ratio = np.array([*RATIOS, *rng.choice(RATIOS, columns)])[:columns]
    step = np.array([*STEPS, *rng.choice(STEPS, columns)])[:columns]
    spread = rng.uniform(0.9, 1.1, (2, columns))
    return rng.permutation(ratio) * spread[0], rng.permutation(step) * spread[1]


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batch_renorm`."""
    r_max, d_max = float(rng.uniform(1.6, 2.2)), float(rng.uniform(1.2, 1.8))

    def case(name: str, inputs: dict[str, Any], **options: Any) -> Case:
        full = {"r_max": r_max, "d_max": d_max, "eps": 1e-5} | inputs
        return Case(name, full, SCRIPT, ("x_hat",), KEPT, **options)

    def drawn(columns: int = 4, rows: int = 0, **limits: Any) -> dict[str, Any]:
        x = batch(rng, rows or int(rng.integers(6, 10)), columns)
        eps = limits.get("eps", 1e-5)
        return {**against(rng, x, *mixed(rng, columns), eps), **limits}

    example = {
        "x": np.array([[8.0, 3.0], [12.0, 5.0]]),
        "running_mean": np.array([0.0, 3.0]),
        "running_var": np.array([1.0, 1.0]),
    }
    limits = {"r_max": 1.5, "d_max": 3.0, "eps": 0.0}
    yield case("the example of the test cell", example | limits, gate=True)
    yield case("corrections of every size", drawn(), weight=3)
    yield case("nothing has to be clipped", drawn(r_max=50.0, d_max=60.0), weight=2)
    yield case("no room at all: r_max 1 and d_max 0", drawn(r_max=1.0, d_max=0.0))
    wide_d = {"d_max": 60.0}
    yield case("only the scale is clipped", drawn() | wide_d)
    yield case("only the shift is clipped", drawn(r_max=50.0))
    yield case("a large eps", against_large_eps(rng), weight=2)
    yield case("a batch of two", drawn(rows=2))
    yield case("a single feature", drawn(columns=1))
    constant = drawn()
    constant["x"] = constant["x"].copy()
    constant["x"][:, int(rng.integers(4))] = 2.5
    yield case("a constant feature", constant)
    single = drawn()
    arrays = {name: single[name].astype(np.float32) for name in KEPT}
    yield case("float32 in, float32 out", single | arrays)
    x = batch(rng, 30, 3, "float32", 1e4)
    far = against(rng, x, *mixed(rng, 3))
    yield case(f"a float32 batch {FAR} (mean 10 000)", far, tolerance=FAR_TOLERANCE)
    strided = drawn(rows=16)
    strided |= {"x": np.asfortranarray(strided["x"])[::2]}
    yield case("a view of every other row, stored column by column", strided)
    tiny = batch(rng, 8, 3) * 2e-3
    small = {**against_tiny(rng, tiny), "r_max": r_max, "d_max": d_max}
    yield Case(DEFAULT_EPS, small, DEFAULT_SCRIPT, ("x_hat",), KEPT)


def against_large_eps(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a batch whose variances are about as large as eps, so that both places of it count."""
    x = batch(rng, 8, 3)
    var = x.var(axis=0) * rng.permutation([0.1, 4.0, 0.5])
    mean = x.mean(axis=0) - np.array([0.5, -0.7, 0.4])
    limits = {"r_max": 4.0, "d_max": 5.0, "eps": float(rng.uniform(1.0, 3.0))}
    return {"x": x, "running_mean": mean, "running_var": var, **limits}


def against_tiny(rng: np.random.Generator, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return running statistics of the size of a batch of tiny variance."""
    return {
        "x": x,
        "running_mean": x.mean(axis=0) - 2e-3,
        "running_var": x.var(axis=0) * rng.permutation([0.5, 2.0, 1.2]),
    }


# --- what a wrong idea answers --------------------------------------------------------------------

Parts = Callable[..., np.ndarray]


def _of(combine: Parts, *, ddof: int = 0, root: bool = True) -> Callable[..., np.ndarray]:
    """Make the exercise's function from `combine(centred, σ_B, σ, off, r_max, d_max)`."""

    def batch_renorm(
        x: np.ndarray,
        running_mean: np.ndarray,
        running_var: np.ndarray,
        r_max: float,
        d_max: float,
        eps: float = 1e-5,
    ) -> np.ndarray:
        wide, mean = x.astype(np.float64), x.mean(axis=0, dtype=np.float64)
        ours = np.sqrt(wide.var(axis=0, ddof=ddof) + eps)
        running = running_var.astype(np.float64) + eps
        theirs = np.sqrt(running) if root else running
        with np.errstate(all="ignore"):
            x_hat = combine(wide - mean, ours, theirs, mean - running_mean, r_max, d_max)
        return np.asarray(x_hat).astype(x.dtype)

    return batch_renorm


def _r(ours: np.ndarray, theirs: np.ndarray, limit: float) -> np.ndarray:
    return np.asarray(np.clip(ours / theirs, 1 / limit, limit))


def _d(off: np.ndarray, theirs: np.ndarray, limit: float) -> np.ndarray:
    return np.asarray(np.clip(off / theirs, -limit, limit))


right = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + _d(o, s, d))
plain = _of(lambda c, b, s, o, r, d: c / b)
running_only = _of(lambda c, b, s, o, r, d: (c + o) / s)
no_shift = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r))
no_scale = _of(lambda c, b, s, o, r, d: c / b + _d(o, s, d))
r_upside_down = _of(lambda c, b, s, o, r, d: c / b * _r(s, b, r) + _d(o, s, d))
d_by_batch = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + _d(o, b, d))
d_sign = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) - _d(o, s, d))
d_not_divided = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + np.clip(o, -d, d))
shift_first = _of(lambda c, b, s, o, r, d: (c / b + _d(o, s, d)) * _r(b, s, r))
r_from_above = _of(lambda c, b, s, o, r, d: c / b * np.minimum(b / s, r) + _d(o, s, d))
d_from_above = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + np.minimum(o / s, d))
r_free = _of(lambda c, b, s, o, r, d: c / s + _d(o, s, d))
d_free = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + o / s)
no_root = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + _d(o, s, d), root=False)
unbiased = _of(lambda c, b, s, o, r, d: c / b * _r(b, s, r) + _d(o, s, d), ddof=1)


def eps_only_in_batch(
    x: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    r_max: float,
    d_max: float,
    eps: float = 1e-5,
) -> np.ndarray:
    """Leave eps out of the running standard deviation."""
    with np.errstate(all="ignore"):
        answer: np.ndarray = right(x, running_mean, running_var - eps, r_max, d_max, eps)
    return answer


def eps_only_in_running(
    x: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    r_max: float,
    d_max: float,
    eps: float = 1e-5,
) -> np.ndarray:
    """Leave eps out of the batch's standard deviation."""
    answer: np.ndarray = right(x, running_mean, running_var + eps, r_max, d_max, 0.0)
    return answer


def eps_left_out(
    x: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    r_max: float,
    d_max: float,
    eps: float = 1e-5,
) -> np.ndarray:
    """Leave eps out of both."""
    answer: np.ndarray = right(x, running_mean, running_var, r_max, d_max, 0.0)
    return answer


def eps_outside(
    x: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    r_max: float,
    d_max: float,
    eps: float = 1e-5,
) -> np.ndarray:
    """Add eps to both roots."""
    wide, mean = x.astype(np.float64), x.mean(axis=0, dtype=np.float64)
    ours, theirs = wide.std(axis=0) + eps, np.sqrt(running_var.astype(np.float64)) + eps
    with np.errstate(all="ignore"):
        off = _d(mean - running_mean, theirs, d_max)
        return np.asarray((wide - mean) / ours * _r(ours, theirs, r_max) + off).astype(x.dtype)


BATCH_RENORM = Exercise(
    unit=UNIT,
    name="batch_renorm",
    points=4,
    minutes=10,
    oracle=bnlib.batch_renorm,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "not-corrected",
            "That is plain batch norm: neither r nor d does anything.",
            plain,
        ),
        Misconception(
            "running-statistics-only",
            "That is evaluation mode: r and d are not clipped.",
            running_only,
        ),
        Misconception("shift-forgotten", "You scale by r, and d is missing.", no_shift),
        Misconception("scale-forgotten", "You add d, and r is missing.", no_scale),
        Misconception(
            "r-upside-down",
            "Your r is σ/σ_B, or you divide by it. It is σ_B/σ, and a factor: x̂ was divided by "
            "σ_B, and is to be divided by σ.",
            r_upside_down,
        ),
        Misconception(
            "d-by-the-batch",
            "You divided the shift by the batch's σ_B. d is measured in the running σ.",
            d_by_batch,
        ),
        Misconception(
            "sign-of-d",
            "Your d has the wrong sign: it is the batch's mean minus the running one, and it is "
            "added.",
            d_sign,
        ),
        Misconception(
            "d-not-divided",
            "Your d is the difference of the means itself. Divide by σ before it is clipped.",
            d_not_divided,
        ),
        Misconception(
            "shift-before-scale",
            "You added d before the multiplication by r, so d is scaled, too. First r, then d.",
            shift_first,
        ),
        Misconception(
            "r-not-clipped",
            "Your d is kept between its limits, and r is not: clip it to 1/r_max … r_max.",
            r_free,
        ),
        Misconception(
            "d-not-clipped",
            "Your r is kept between its limits, and d is not: clip it to −d_max … d_max.",
            d_free,
        ),
        Misconception(
            "r-clipped-on-one-side",
            "Your r is kept below r_max, and may get as small as it likes. Its lower limit is "
            "1/r_max.",
            r_from_above,
        ),
        Misconception(
            "d-clipped-on-one-side",
            "Your d is kept below d_max, and may get as negative as it likes. Its lower limit is "
            "−d_max.",
            d_from_above,
        ),
        Misconception(
            "variance-for-standard-deviation",
            "You divided by the running variance. σ is the root of (running_var + eps).",
            no_root,
        ),
        Misconception(
            "unbiased-variance",
            "Your batch variance divides by m − 1. Batch norm normalises with the biased one.",
            unbiased,
        ),
        Misconception(
            "eps-left-out-of-running",
            "eps is missing in the running σ. It stands under both roots.",
            eps_only_in_batch,
        ),
        Misconception(
            "eps-left-out-of-batch",
            "eps is missing in the batch's σ_B. It stands under both roots.",
            eps_only_in_running,
        ),
        Misconception("eps-left-out", "eps is missing. It stands under both roots.", eps_left_out),
        Misconception(
            "eps-outside-the-root",
            "You added eps to the roots. It stands under both of them.",
            eps_outside,
        ),
        Misconception(
            "default-of-eps",
            "Only the case that leaves `eps` out goes wrong: its default is 1e-5.",
            signs=other_default,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it. Subtract the mean first, then square (unit 2).",
            signs=cancelled,
        ),
    ),
    hints=(
        "Begin with batch norm as you know it, without gamma and beta. r and d are one number per "
        "feature each.",
        "Two standard deviations, each with eps under the root: σ_B of the batch, σ from "
        "`running_var`. `np.clip(value, low, high)` keeps a value between two limits.",
        "r = clip(σ_B/σ) between 1/r_max and r_max; d = clip((batch mean − running mean)/σ) "
        "between −d_max and d_max; return (x − batch mean)/σ_B · r + d, in the dtype of x.",
    ),
)
