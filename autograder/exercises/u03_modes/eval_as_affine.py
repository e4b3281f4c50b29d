"""eval_as_affine: a layer in evaluation mode as a straight line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u03_modes.ready_layer import BUFFERS, SINGLE, layer_of
from autograder.exercises.u03_modes.statistics import UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, get

AFFINE = {"float64": Tolerance(1e-9, 1e-9, "a root, a quotient and a product: some eps64")}
AFFINE_SCRIPT = (
    call("eval_as_affine", "layer", into="answer"),
    call("entry", "answer", "first", into="scale"),
    call("entry", "answer", "second", into="shift"),
)
UNTOUCHED = ("weight", "bias", *BUFFERS, "training", "num_batches_tracked")
UNTOUCHED_SCRIPT = (
    call("eval_as_affine", "layer"),
    *(get("layer", name, into=name) for name in UNTOUCHED),
)


def affine_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `eval_as_affine`."""
    c = int(rng.integers(2, 5))

    def case(name: str, layer: Given, **options: Any) -> Case:
        inputs = {"layer": layer, "entry": Given("entry"), "first": 0, "second": 1}
        return Case(name, inputs, AFFINE_SCRIPT, ("scale", "shift"), dtype_of=None, **options)

    example = {
        "weight": np.array([3.0, 6.0]),
        "bias": np.array([1.0, 0.0]),
        "running_mean": np.array([4.0, -2.0]),
        "running_var": np.array([3.0, 8.0]),
    }
    given = Given("batchnorm_layer", example | {"eps": 1.0})
    yield case("the example of the test cell", given, gate=True)
    yield case("a random layer", layer_of(rng, c, eps=0.2), weight=2)
    yield case("the usual eps", layer_of(rng, c, training=False))
    yield case("one feature", layer_of(rng, 1, eps=0.1))
    dead = layer_of(rng, 3, eps=0.05, running_var=np.array([0.0, 0.01, 2.0]))
    yield case("variances of zero and near eps", dead)
    yield case(
        "a layer with float32 arrays", layer_of(rng, c, "float32", eps=0.1), tolerance=SINGLE
    )
    yield Case(
        "the layer stays as it was",
        {"layer": layer_of(rng, c, training=bool(rng.integers(2)))},
        UNTOUCHED_SCRIPT,
        UNTOUCHED,
        dtype_of=None,
        idle=True,
    )


def layer_changed(case: Case, answer: Answer, expected: Answer) -> bool:
    """Go wrong in what was to stay."""
    return case.report == UNTOUCHED


def _affine(scale: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(scale), np.asarray(shift)


def eps_forgotten(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Leave eps out."""
    scale = layer.weight / np.sqrt(layer.running_var)
    return _affine(scale, layer.bias - layer.running_mean * scale)


def eps_outside(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Add eps to the root."""
    scale = layer.weight / (np.sqrt(layer.running_var) + layer.eps)
    return _affine(scale, layer.bias - layer.running_mean * scale)


def eps_default(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Write 1e-5 into the code."""
    scale = layer.weight / np.sqrt(layer.running_var + 1e-5)
    return _affine(scale, layer.bias - layer.running_mean * scale)


def no_root(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Divide by the variance."""
    scale = layer.weight / (layer.running_var + layer.eps)
    return _affine(scale, layer.bias - layer.running_mean * scale)


def mean_not_scaled(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Subtract the mean as it is."""
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return _affine(scale, layer.bias - layer.running_mean)


def mean_scaled_by_weight(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scale the mean by weight alone."""
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return _affine(scale, layer.bias - layer.running_mean * layer.weight)


def weight_missing_in_shift(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Divide the mean by the root, and forget weight."""
    root = np.sqrt(layer.running_var + layer.eps)
    return _affine(layer.weight / root, layer.bias - layer.running_mean / root)


def weight_missing(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Forget weight."""
    scale = 1.0 / np.sqrt(layer.running_var + layer.eps)
    return _affine(scale, layer.bias - layer.running_mean * scale)


def mean_added(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Take the wrong sign."""
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return _affine(scale, layer.bias + layer.running_mean * scale)


def just_parameters(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and bias."""
    return _affine(layer.weight, layer.bias)


def swapped(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return (shift, scale)."""
    scale = layer.weight / np.sqrt(layer.running_var + layer.eps)
    return _affine(layer.bias - layer.running_mean * scale, scale)


def shift_of_bias(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Leave the mean out."""
    return _affine(layer.weight / np.sqrt(layer.running_var + layer.eps), layer.bias)


EVAL_AS_AFFINE = Exercise(
    unit=UNIT,
    name="eval_as_affine",
    points=2,
    minutes=6,
    oracle=bnlib.eval_as_affine,
    cases=affine_cases,
    tolerances=AFFINE,
    misconceptions=(
        Misconception(
            "mean-not-scaled",
            "Your scale is right. In the shift the mean goes through the same scale: multiply it.",
            mean_not_scaled,
        ),
        Misconception(
            "mean-scaled-by-weight-only",
            "Your scale is right. In the shift you multiplied the mean by `weight` and forgot the "
            "root.",
            mean_scaled_by_weight,
        ),
        Misconception(
            "weight-missing-in-shift",
            "Your scale is right. In the shift you divided the mean by the root and forgot "
            "`weight`.",
            weight_missing_in_shift,
        ),
        Misconception(
            "mean-left-out",
            "Your scale is right. The shift is not `bias` alone: put x = 0 into the formula.",
            shift_of_bias,
        ),
        Misconception(
            "sign-of-the-mean", "The sign of the mean is wrong: it is subtracted.", mean_added
        ),
        Misconception("eps-forgotten", "`eps` is missing under the root.", eps_forgotten),
        Misconception(
            "eps-outside-the-root", "You added `eps` to the root; it belongs inside.", eps_outside
        ),
        Misconception(
            "eps-written-into-the-code",
            "You used 1e-5 for every layer. The layer has an `eps` of its own.",
            eps_default,
        ),
        Misconception(
            "root-forgotten",
            "You divided by the variance; the formula has its square root.",
            no_root,
        ),
        Misconception("weight-forgotten", "You left `weight` out.", weight_missing),
        Misconception(
            "only-parameters",
            "You returned `weight` and `bias`: what of the running statistics?",
            just_parameters,
        ),
        Misconception("swapped", "Return the scale first, then the shift.", swapped),
        Misconception(
            "changes-the-layer",
            "The layer itself has changed. Compute the two arrays, and leave the layer as it is.",
            signs=layer_changed,
        ),
    ),
    hints=(
        "Write out y for evaluation mode and collect what multiplies x.",
        "The shift is y at x = 0. Which terms are left then?",
        "First the scale: `weight` over the root of variance plus `eps`. Then the shift: `bias` "
        "minus the running mean times that scale.",
    ),
)
