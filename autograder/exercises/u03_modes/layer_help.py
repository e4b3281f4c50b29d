"""What a wrong `BatchNorm1d` is told: wrong ideas by what they answer, or by where they fail."""

from __future__ import annotations

import numpy as np

from autograder.exercises.u03_modes import layer_faults as faults
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

ARRAYS = ("weight", "bias", "running_mean", "running_var")
FAR_CASE = "training: a float32 batch far from zero (mean 10 000)"
HALF_CASE = "training: a float16 batch whose squares do not fit into float16"
SNAPSHOT_CASE = "state_dict() is a snapshot: later steps do not change it"
LOAD_COPY_CASE = "load_state_dict() copies: later steps do not change what was loaded"


def lives(case: Case, answer: Answer, expected: Answer) -> bool:
    """Give out the arrays themselves: the state has changed with the layer."""
    return case.name == SNAPSHOT_CASE and _aliased(answer, expected)


def keeps(case: Case, answer: Answer, expected: Answer) -> bool:
    """Keep the arrays it was given."""
    return case.name == LOAD_COPY_CASE and _aliased(answer, expected)


def _aliased(answer: Answer, expected: Answer) -> bool:
    """Whether an array has taken the in-place step, which adds 1."""
    got, want = answer.values.get("state"), expected.values["state"]
    if not isinstance(got, dict) or not isinstance(want, dict):
        return False
    pairs = [(got.get(name), want[name]) for name in ARRAYS]
    return any(
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and not np.allclose(a, b, rtol=1e-4, atol=1e-4)
        for a, b in pairs
    )


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Go wrong far from zero."""
    return case.name == FAR_CASE


def overflowed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Go wrong in float16."""
    return case.name == HALF_CASE


MISCONCEPTIONS = (
    Misconception(
        "stores-the-biased-variance",
        "`running_var` holds the biased variance. What is remembered for later is the unbiased "
        "one: your `bessel`.",
        faults.StoresBiased,
    ),
    Misconception(
        "normalises-with-the-unbiased-variance",
        "You normalise the training batch with N − 1. Normalising uses 1/N; N − 1 is for what is "
        "stored.",
        faults.NormalisesUnbiased,
    ),
    Misconception(
        "momentum-swapped",
        "`momentum` is the weight of the new batch, and you gave it to the old value.",
        faults.MomentumSwapped,
    ),
    Misconception(
        "eval-updates-the-statistics",
        "Your layer goes on updating its buffers in evaluation mode: test data must leave no "
        "trace.",
        faults.EvalUpdates,
    ),
    Misconception(
        "counts-in-eval",
        "`num_batches_tracked` counts training steps only, and yours counts every call.",
        faults.EvalCounts,
    ),
    Misconception(
        "eval-uses-the-batch",
        "In evaluation mode your layer still normalises with the batch's own statistics: the same "
        "row gets another answer in other company.",
        faults.EvalUsesBatch,
    ),
    Misconception(
        "training-uses-the-running-statistics",
        "In training mode the batch is normalised with its *own* mean and variance; the running "
        "ones are only updated.",
        faults.TrainingUsesRunning,
    ),
    Misconception(
        "buffers-never-updated",
        "The running statistics never change: each training step updates both.",
        faults.NeverRemembers,
    ),
    Misconception(
        "statistics-per-row",
        "You averaged over axis 1, per row. Each feature (column) has its own mean and variance.",
        faults.Axis1,
    ),
    Misconception(
        "one-mean-for-all-features",
        "You took one mean and one variance of all entries. Each feature has its own.",
        faults.OneMeanForAll,
    ),
    Misconception(
        "weight-and-bias-unused-in-eval",
        "In evaluation mode `weight` and `bias` are not used.",
        faults.NoAffineInEval,
    ),
    Misconception(
        "weight-and-bias-unused",
        "`weight` and `bias` are not used. They scale and shift the normalised values, in both "
        "modes.",
        faults.NoAffine,
    ),
    Misconception(
        "eps-outside-the-root", "`eps` belongs under the square root.", faults.EpsOutside
    ),
    Misconception(
        "eps-ignored",
        "You wrote 1e-5 into the code; the layer is constructed with an `eps` of its own.",
        faults.EpsIgnored,
    ),
    Misconception("eps-forgotten", "`eps` is missing under the root.", faults.EpsForgotten),
    # Before root-forgotten: what overflowed is zero everywhere, and that idea nearly so.
    Misconception(
        "computed-in-float16",
        "The squares of these numbers do not fit into float16 (65 504 is the largest). Compute in "
        "float32 or float64, and convert the result back.",
        signs=overflowed,
    ),
    Misconception(
        "root-forgotten", "You divided by the variance; the formula has its root.", faults.NoRoot
    ),
    Misconception(
        "zero-taken-for-none",
        "`momentum=0` is treated as None: `not 0` is True. Ask `is None`.",
        faults.ZeroIsNone,
    ),
    Misconception(
        "none-taken-for-the-default",
        "`momentum=None` means the plain average of all batches so far, not 0.1.",
        faults.NoneIsDefault,
    ),
    Misconception(
        "zero-taken-for-the-default",
        "`momentum=0` and `None` both end up as 0.1: `or` takes the second value for each of them. "
        "Ask `is None`.",
        faults.ZeroIsDefault,
    ),
    Misconception(
        "none-counts-the-start",
        "With `momentum=None` the k-th batch has weight 1/k: the first one replaces the start "
        "values completely. You divided by one more.",
        faults.NoneOffByOne,
    ),
    Misconception(
        "momentum-ignored",
        "You wrote 0.1 into the code: use the layer's `momentum`.",
        faults.MomentumIgnored,
    ),
    Misconception(
        "accepts-a-batch-of-one",
        "A batch of one has no spread to normalise by: in training mode raise a `ValueError`.",
        faults.AcceptsOne,
    ),
    Misconception(
        "never-counts",
        "`num_batches_tracked` stays 0: add 1 in every training step.",
        faults.NeverCounts,
    ),
    Misconception(
        "stores-the-standard-deviation",
        "`running_var` holds standard deviations. It is to hold variances.",
        faults.StoresStd,
    ),
    Misconception(
        "running-var-starts-at-zero",
        "`running_var` starts at 1 here. (CS231n starts at 0.)",
        faults.StartsAtZero,
    ),
    Misconception(
        "running-var-forgotten", "`running_var` is never updated.", faults.RemembersOnlyMean
    ),
    Misconception(
        "mode-switch-returns-nothing",
        "`train()` and `eval()` return the layer itself, so that `layer.eval()(x)` works.",
        faults.ReturnsNothing,
    ),
    Misconception(
        "train-ignores-its-argument",
        "`train(False)` must do the same as `eval()`.",
        faults.TrainIgnoresMode,
    ),
    Misconception(
        "state-dict-is-live",
        "Your `state_dict()` gives out the layer's own arrays: the checkpoint trains along. Copy "
        "them.",
        signs=lives,
    ),
    Misconception(
        "load-keeps-references",
        "Your `load_state_dict` keeps the arrays it was given: training the layer then changes the "
        "checkpoint. Copy them.",
        signs=keeps,
    ),
    Misconception(
        "mean-of-squares-minus-square-of-mean",
        "Right near zero, wrong far from it: E[x²] − E[x]² is a small difference of two huge "
        "numbers. Subtract the mean first, then square (unit 2).",
        signs=cancelled,
    ),
)
