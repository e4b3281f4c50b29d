"""`train_eval_gap`: how far a layer's two modes lie apart on one batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import batch
from autograder.exercises.u03_modes.ready_layer import layer_of
from autograder.exercises.u08_batch_size.draws import UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, get

CALL = call("train_eval_gap", "layer", "batch", into="gap")
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
PARAMETERS = ("weight", "bias", "eps", "momentum")
TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-12, "sums of 40 numbers of order 10: 1e3 eps64 = 2e-13"),
    "float32": Tolerance(
        2e-5, 1e-6, "outputs in float32, or their difference and its mean taken there: 100 eps32"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `train_eval_gap`."""
    c = int(rng.integers(2, 5))

    def case(name: str, layer: Given, x: np.ndarray, **options: Any) -> Case:
        inputs = {"layer": layer, "batch": x}
        options = {"report": ("gap",), "dtype_of": "batch"} | options
        return Case(name, inputs, (CALL,), unchanged=("batch",), **options)

    def rows(n: int = 0, columns: int = c) -> np.ndarray:
        return batch(rng, n or int(rng.integers(5, 9)), columns)

    example = {
        "weight": np.array([2.0]),
        "bias": np.array([5.0]),
        "running_mean": np.array([0.0]),
        "running_var": np.array([1.0]),
    }
    given = Given("batchnorm_layer", example | {"eps": 3.0})
    yield case("the example of the test cell", given, np.array([[1.0], [3.0]]), gate=True)
    yield case("a layer in training mode", layer_of(rng, c, training=True), rows(), weight=3)
    yield case("a layer in evaluation mode", layer_of(rng, c, training=False), rows(), weight=2)
    quick = layer_of(rng, c, momentum=float(rng.uniform(0.6, 0.9)))
    yield case("a layer that forgets fast (momentum 0.6 to 0.9)", quick, rows(), weight=2)
    yield case("a cumulative average (momentum None)", layer_of(rng, c, momentum=None), rows())
    yield case("a batch of two", layer_of(rng, 3), rows(2, 3))
    yield case("a large batch", layer_of(rng, 3), rows(40, 3))
    yield case("a single feature", layer_of(rng, 1), rows(6, 1))
    yield case("a large eps", layer_of(rng, c, eps=float(rng.uniform(1.0, 3.0))), rows())
    yield case("a float32 batch", layer_of(rng, c), rows().astype(np.float32))
    yield case("a batch stored column by column", layer_of(rng, c), np.asfortranarray(rows()))
    yield case("a view: every other row of a larger array", layer_of(rng, c), rows(12)[::2])
    for mode, training in (("training", True), ("evaluation", False)):
        for what, names, weight in (
            (f"the layer is in {mode} mode, as before", ("training",), 2.0),
            (f"running statistics and counter stay ({mode} mode)", BUFFERS, 3.0),
            (f"parameters and settings stay ({mode} mode)", PARAMETERS, 1.0),
        ):
            layer = layer_of(rng, c, training=training, momentum=0.3, eps=0.01)
            script = (CALL, *(get("layer", name, into=name) for name in names))
            yield Case(
                what,
                {"layer": layer, "batch": rows()},
                script,
                names,
                weight=weight,
                dtype_of=None,
                idle=True,
            )


# --- what a wrong idea answers --------------------------------------------------------------------

Measure = Callable[[np.ndarray, np.ndarray], float]


def _of(measure: Measure, *, train_first: bool = False) -> Callable[..., float]:
    """Make the exercise's function from a measure of (train, eval).

    It works on a copy: a layer left changed is a fault of its own, and is told by its signs.
    """

    def train_eval_gap(layer: Any, batch: np.ndarray) -> float:
        twin, outputs = copy.deepcopy(layer), {}
        for mode in (True, False) if train_first else (False, True):
            twin.train(mode)
            outputs[mode] = np.asarray(twin(batch), dtype=np.float64)
        return float(measure(outputs[True], outputs[False]))

    return train_eval_gap


def _rms(train: np.ndarray, evaluated: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(train - evaluated))))


statistics_moved = _of(_rms, train_first=True)
largest = _of(lambda t, e: float(np.abs(t - e).max()))
mean_absolute = _of(lambda t, e: float(np.abs(t - e).mean()))
mean_square = _of(lambda t, e: float(np.square(t - e).mean()))
whole_norm = _of(lambda t, e: float(np.linalg.norm(t - e)))
signed_mean = _of(lambda t, e: float((t - e).mean()))
relative = _of(lambda t, e: float(np.linalg.norm(t - e) / np.linalg.norm(e)))
of_means = _of(lambda t, e: _rms(t.mean(axis=0), e.mean(axis=0)))
spread_of_gap = _of(lambda t, e: float((t - e).std()))
per_row = _of(lambda t, e: float(np.linalg.norm(t - e, axis=1).mean()))


def without_affine(layer: Any, batch: np.ndarray) -> float:
    """Compare before weight and bias."""
    twin, outputs = copy.deepcopy(layer), []
    for mode in (False, True):
        twin.train(mode)
        y = np.asarray(twin(batch), dtype=np.float64)
        outputs.append((y - layer.bias) / layer.weight)
    return _rms(outputs[1], outputs[0])


def mode_changed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether the layer came back in another mode."""
    return case.report == ("training",)


def statistics_changed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether the running statistics came back changed."""
    return case.report == BUFFERS


def more_changed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether parameters or settings came back changed."""
    return case.report == PARAMETERS


TRAIN_EVAL_GAP = Exercise(
    unit=UNIT,
    name="train_eval_gap",
    points=3,
    minutes=8,
    oracle=bnlib.train_eval_gap,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "running-statistics-left-moved",
            "The gap is right, and the layer is not what it was: the pass in training mode has "
            "moved its running statistics. Put them back, or work on a copy.",
            signs=statistics_changed,
        ),
        Misconception(
            "mode-left-changed",
            "The gap is right, and the layer comes back in another mode than it went in.",
            signs=mode_changed,
        ),
        Misconception(
            "settings-left-changed",
            "Something of the layer besides mode and statistics has changed. Put back what you "
            "changed, or work on a copy.",
            signs=more_changed,
        ),
        Misconception(
            "training-first",
            "You ran training mode first. That pass moved the running statistics towards this very "
            "batch, so your evaluation sees other ones than the layer had. Evaluate first, or put "
            "them back in between.",
            statistics_moved,
        ),
        Misconception(
            "largest-difference",
            "You returned the largest difference. The gap is the root of the mean square.",
            largest,
        ),
        Misconception(
            "mean-absolute-difference",
            "You averaged absolute differences. The gap is the root of the mean *square*.",
            mean_absolute,
        ),
        Misconception(
            "root-forgotten", "That is the mean square: the root is missing.", mean_square
        ),
        Misconception(
            "sum-for-mean",
            "You took the norm: the root of a *sum* of squares. It grows with the batch; the gap "
            "takes their mean.",
            whole_norm,
        ),
        Misconception(
            "signs-cancel",
            "You averaged differences with their signs, and they cancel. Square first.",
            signed_mean,
        ),
        Misconception(
            "relative-gap",
            "You divided by the size of the output. The gap is in units of the output itself.",
            relative,
        ),
        Misconception(
            "difference-of-the-means",
            "You compared the means over the batch. Compare entry by entry, then average.",
            of_means,
        ),
        Misconception(
            "spread-of-the-difference",
            "You took the standard deviation of the difference: that subtracts its mean, and a "
            "shift between the modes is a gap, too.",
            spread_of_gap,
        ),
        Misconception(
            "averaged-over-rows",
            "You took a norm per row and averaged. Take the mean square over all entries at once, "
            "then the root.",
            per_row,
        ),
        Misconception(
            "affine-taken-out",
            "You compared before weight and bias. Compare what the layer returns.",
            without_affine,
        ),
    ),
    hints=(
        "Two outputs of one batch. But one of the two passes changes the layer: which, and what?",
        "Work on a copy: `copy.deepcopy(layer)` has everything of its own. (Or remember mode, "
        "running_mean, running_var and num_batches_tracked, and put them back.) In which order?",
        "Deep-copy the layer, switch the copy to evaluation, call it, switch it to training, call "
        "it. Then the root of the mean of the squared difference, as one float.",
    ),
)
