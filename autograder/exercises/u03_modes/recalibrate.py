"""recalibrate: the statistics of all rows, pooled, in a layer that is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.differences import within
from autograder.exercises.u03_modes.ready_layer import BUFFERS, SINGLE, layer_of
from autograder.exercises.u03_modes.statistics import UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, get

POOLED = {
    "float64": Tolerance(1e-9, 1e-9, "sums of 100 numbers of order 10: 1e5 eps64 = 2e-11"),
}
FAR = Tolerance(
    1e-5, 0.03, "200 rows at 1e4 in float32: mean off by 200 (eps32 / 2) 1e4 = 0.12, squared 0.014"
)


RECALIBRATE_CALL = call("recalibrate", "layer", "batches")
RECALIBRATE_SCRIPT = (RECALIBRATE_CALL, *(get("layer", name, into=name) for name in BUFFERS))
KEPT = ("training", "weight", "bias", "num_batches_tracked", "momentum", "eps")
KEPT_SCRIPT = (RECALIBRATE_CALL, *(get("layer", name, into=name) for name in KEPT))
FAR_CASE = "float32 batches far from zero (mean 10 000)"
ONCE_CASE = "a generator: the batches can be read only once"


def batches_of(
    rng: np.random.Generator, sizes: Iterable[int], c: int, dtype: str = "float64"
) -> list[np.ndarray]:
    """Draw batches whose means and widths differ."""
    return [
        (rng.normal(size=(n, c)) * rng.uniform(0.5, 2.0, c) + rng.uniform(-4, 4, c)).astype(dtype)
        for n in sizes
    ]


def recalibrate_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `recalibrate`."""
    c = int(rng.integers(2, 5))
    sizes = [int(n) for n in rng.permutation([3, 5, 9])]

    def case(name: str, layer: Given, batches: Any, **options: Any) -> Case:
        options = {"dtype_of": None} | options
        if isinstance(batches, list):
            options = {"unchanged": ("batches",)} | options
        inputs = {"layer": layer, "batches": batches}
        return Case(name, inputs, RECALIBRATE_SCRIPT, BUFFERS, **options)

    one = {k: np.ones(1) for k in ("weight", "running_var")}
    zero = {k: np.zeros(1) for k in ("bias", "running_mean")}
    example = [np.array([[1.0], [2.0]]), np.array([[6.0]])]
    yield case(
        "the example of the test cell", Given("batchnorm_layer", one | zero), example, gate=True
    )
    yield case("batches of unequal size", layer_of(rng, c), batches_of(rng, sizes, c), weight=3)
    yield case("batches of equal size", layer_of(rng, c), batches_of(rng, [4, 4, 4], c))
    yield case("one batch", layer_of(rng, c), batches_of(rng, [6], c))
    yield case("batches of a single row", layer_of(rng, c), batches_of(rng, [1, 4, 1, 1], c))
    once = Given("generator", {"items": batches_of(rng, sizes, c)})
    yield case(ONCE_CASE, layer_of(rng, c), once, weight=2)
    yield case(
        "a layer in evaluation mode", layer_of(rng, c, training=False), batches_of(rng, sizes, c)
    )
    single = batches_of(rng, sizes, c, "float32")
    yield case("float32 batches", layer_of(rng, c), single, tolerance=SINGLE)
    far = [(rng.normal(size=(n, 3)) + 1e4).astype("float32") for n in (100, 60, 40)]
    yield case(FAR_CASE, layer_of(rng, 3), far, tolerance=FAR)
    for name, training in (("training", True), ("evaluation", False)):
        yield Case(
            f"mode, parameters, counter, momentum and eps stay ({name} mode)",
            {
                "layer": layer_of(rng, c, training=training, momentum=0.3, eps=0.01),
                "batches": batches_of(rng, sizes, c),
            },
            KEPT_SCRIPT,
            KEPT,
            dtype_of=None,
            idle=True,
        )


def recalibrate_biased(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Divide by the number of rows."""
    rows = np.concatenate(list(batches))
    layer.running_mean, layer.running_var = rows.mean(axis=0), rows.var(axis=0)


def average_of_statistics(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Average what each batch says."""
    kept = list(batches)
    layer.running_mean = np.mean([b.mean(axis=0) for b in kept], axis=0)
    layer.running_var = np.mean([b.var(axis=0) * len(b) / max(len(b) - 1, 1) for b in kept], axis=0)


def average_of_biased(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Average the biased variances."""
    kept = list(batches)
    layer.running_mean = np.mean([b.mean(axis=0) for b in kept], axis=0)
    layer.running_var = np.mean([b.var(axis=0) for b in kept], axis=0)


def weighted_average(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Weigh the batches by their rows, and still leave out how far apart they lie."""
    kept = list(batches)
    n = [len(b) for b in kept]
    layer.running_mean = np.average([b.mean(axis=0) for b in kept], axis=0, weights=n)
    variances = [b.var(axis=0) for b in kept]
    layer.running_var = np.average(variances, axis=0, weights=n) * sum(n) / (sum(n) - 1)


def last_batch(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Keep what the last batch said."""
    for b in batches:
        layer.running_mean = b.mean(axis=0)
        layer.running_var = b.var(axis=0) * len(b) / max(len(b) - 1, 1)


def exponential(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Go on from the old statistics with momentum."""
    a = layer.momentum
    for b in batches:
        unbiased = b.var(axis=0) * len(b) / max(len(b) - 1, 1)
        layer.running_mean = (1 - a) * layer.running_mean + a * b.mean(axis=0)
        layer.running_var = (1 - a) * layer.running_var + a * unbiased


def mean_only(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Forget the variance."""
    layer.running_mean = np.concatenate(list(batches)).mean(axis=0)


def stores_std(layer: Any, batches: Iterable[np.ndarray]) -> None:
    """Store the standard deviation."""
    rows = np.concatenate(list(batches))
    layer.running_mean, layer.running_var = rows.mean(axis=0), rows.std(axis=0, ddof=1)


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Right mean, wrong variance, far from zero: E[x²] − E[x]²."""
    if case.name != FAR_CASE:
        return False
    got, want = (np.asarray(a.values["running_mean"]) for a in (answer, expected))
    return got.shape == want.shape and bool(within(got, want, 2e-5, 0.0).all())


def walked_twice(case: Case, answer: Answer, expected: Answer) -> bool:
    """Go wrong with a generator."""
    return case.name == ONCE_CASE


def changed_more(case: Case, answer: Answer, expected: Answer) -> bool:
    """Go wrong in what was to stay."""
    return case.report == KEPT


def counted(case: Case, answer: Answer, expected: Answer) -> bool:
    """Report another count."""
    key = "num_batches_tracked"
    return key in answer.values and answer.values[key] != expected.values[key]


def mode_changed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Leave the layer in another mode."""
    return "training" in answer.values and answer.values["training"] != expected.values["training"]


RECALIBRATE = Exercise(
    unit=UNIT,
    name="recalibrate",
    points=3,
    minutes=10,
    oracle=bnlib.recalibrate,
    cases=recalibrate_cases,
    tolerances=POOLED,
    misconceptions=(
        Misconception(
            "biased-variance",
            "You stored the variance divided by the number of rows. The layer stores the unbiased "
            "one, for all rows together.",
            recalibrate_biased,
        ),
        Misconception(
            "average-of-batch-statistics",
            "You averaged the statistics of the batches: small batches then count as much as large "
            "ones, and how far the batch means lie apart is lost. Pool the rows.",
            average_of_statistics,
        ),
        Misconception(
            "average-of-biased-variances",
            "You averaged the batches' biased variances. Pool the rows instead, then correct once.",
            average_of_biased,
        ),
        Misconception(
            "distance-of-means-missing",
            "Your mean is right, and your variance is the weighted average of the batches' "
            "variances: how far the batch means lie from each other is missing (unit 2).",
            weighted_average,
        ),
        Misconception(
            "last-batch-only",
            "The statistics are those of the last batch: each batch overwrote the one before.",
            last_batch,
        ),
        Misconception(
            "mixed-with-the-old-statistics",
            "You went on from the old statistics with `momentum`. What the layer knew before is "
            "not to count at all.",
            exponential,
        ),
        Misconception(
            "std-for-variance",
            "You stored the standard deviation; `running_var` holds variances.",
            stores_std,
        ),
        Misconception(
            "variance-forgotten", "You set the mean and left the variance as it was.", mean_only
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: a small difference of two huge sums of squares. "
            "Subtract a mean first, then square (unit 2).",
            signs=cancelled,
        ),
        Misconception(
            "counts-batches",
            "`num_batches_tracked` has changed: it counts training steps, and this is none.",
            signs=counted,
        ),
        Misconception(
            "changes-the-mode",
            "The layer came back in another mode than it went in.",
            signs=mode_changed,
        ),
        Misconception(
            "changes-more-of-the-layer",
            "Something of the layer besides its running statistics has changed, `momentum` for "
            "example. Put back what you changed.",
            signs=changed_more,
        ),
        Misconception(
            "walks-twice",
            "Your function goes through `batches` twice: a generator is empty the second time. "
            "Keep what you need in one pass, or make a list first.",
            signs=walked_twice,
        ),
    ),
    hints=(
        "Imagine all rows of all batches stacked into one array. Which mean, which variance?",
        "Stacking is allowed: `list(batches)` walks the iterable once, `np.concatenate` stacks the "
        "rows. (`streaming_mean_var` of unit 2 does it without keeping them.) Then the unbiased "
        "variance, of *all* rows.",
        "Three steps: stack, in float64; set `layer.running_mean` to the mean over axis 0; set "
        "`layer.running_var` to the variance over axis 0, corrected with m = number of all rows. "
        "Touch nothing else of the layer.",
    ),
)
