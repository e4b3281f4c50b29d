"""Exercise `gradient_norms`: what arrives at the weights of each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u01_signal.digits import few_digits_of
from autograder.exercises.u01_signal.networks import (
    ALLCLOSE,
    DEEP,
    MAX_ROWS,
    SINGLE,
    TOLERANCES,
    UNIT,
    as_views,
    in_columns,
    in_single,
    network,
    some_widths,
    with_upstream,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

Weights = list[np.ndarray]
Measure = Callable[[np.ndarray], Any]

ARGUMENTS = ("weights", "x", "dy")
SCRIPT = (call("gradient_norms", *ARGUMENTS, into="norms"),)

TWO_LAYERS = {  # both z are 0, where tanh has slope 1
    "weights": [np.array([[4.0], [-3.0]]), np.array([[2.0]])],
    "x": np.array([[3.0, 4.0]]),
    "dy": np.array([[1.0]]),
}
ONE_LAYER = {  # z = artanh(0.6): the output is 0.6, the slope 1 − 0.36
    "weights": [np.array([[np.log(2.0) / 2.0]])],
    "x": np.array([[2.0]]),
    "dy": np.array([[-1.0]]),
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `gradient_norms`."""
    n = int(rng.integers(5, 9))

    def case(name: str, inputs: dict[str, Any], **options: Any) -> Case:
        return Case(name, inputs, SCRIPT, ("norms",), ARGUMENTS, **options)

    def drawn(rows: int = n, layers: int = 3, gain: float = 1.0) -> dict[str, Any]:
        return with_upstream(rng, network(rng, rows, some_widths(rng, layers), gain))

    def square(layers: int, gain: float) -> dict[str, Any]:
        return with_upstream(rng, network(rng, 6, (6,) * (layers + 1), gain))

    yield case("the first example of the test cell", TWO_LAYERS, gate=True, tolerance=ALLCLOSE)
    yield case("the second example of the test cell", ONE_LAYER, gate=True, tolerance=ALLCLOSE)
    yield case("a network of three layers", drawn(), weight=2)
    yield case("a network of five layers", drawn(layers=5), weight=2)
    yield case("a single layer", drawn(layers=1))
    yield case("a batch of one", drawn(rows=1))
    yield case("a batch of 64", drawn(rows=MAX_ROWS))
    yield case("layers of equal width", square(4, 1.0))
    yield case("a network that is partly saturated", drawn(gain=2.0))
    yield case("forty layers whose gradient vanishes", square(DEEP, 0.5))
    yield case("float32", in_single(drawn()), tolerance=SINGLE, dtype_of=None)
    yield case("arrays stored column by column (Fortran order)", in_columns(drawn()))
    yield case("views: every other row of larger arrays", as_views(drawn()))


def _frobenius(array: np.ndarray) -> float:
    return float(np.sqrt(np.sum(np.square(array))))


def _outputs(
    weights: Weights, x: np.ndarray, activation: Callable[[np.ndarray], np.ndarray] = np.tanh
) -> list[np.ndarray]:
    outputs = [x]
    for w in weights:
        outputs.append(activation(outputs[-1] @ w))
    return outputs


def _going_back(
    measure: Measure = _frobenius,
    slope: Callable[[np.ndarray], Any] = lambda h: 1.0 - h * h,
    last: Callable[[np.ndarray], Any] | None = None,
    activation: Callable[[np.ndarray], np.ndarray] = np.tanh,
) -> Callable[..., np.ndarray]:
    """Make the exercise's function from a measure of dW and the slope of tanh by its output."""

    def gradient_norms(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        outputs, dh, found = _outputs(weights, x, activation), dy, []
        for layer in reversed(range(len(weights))):
            is_last = layer == len(weights) - 1
            dz = dh * (last if last is not None and is_last else slope)(outputs[layer + 1])
            found.append(measure(outputs[layer].T @ dz))
            dh = dz @ weights[layer].T
        return np.array(found[::-1])

    return gradient_norms


no_slope = _going_back(slope=lambda h: 1.0)
slope_of_output = _going_back(slope=lambda h: 1.0 - np.tanh(h) ** 2)
linear_output = _going_back(last=lambda h: 1.0)
sigmoid_slope = _going_back(slope=lambda h: h * (1.0 - h))
linear_forward = _going_back(activation=lambda z: z)
slope_not_squared = _going_back(slope=lambda h: 1.0 - h)
squared = _going_back(lambda dw: _frobenius(dw) ** 2)
spectral = _going_back(lambda dw: np.linalg.norm(dw, 2))
largest = _going_back(lambda dw: np.abs(dw).max())
sum_of_sizes = _going_back(lambda dw: np.abs(dw).sum())
root_mean_square = _going_back(lambda dw: np.sqrt(np.mean(dw * dw)))


def reversed_order(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Return the last layer first."""
    return np.array(bnlib.gradient_norms(weights, x, dy)[::-1])


def over_the_batch(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Average over the rows where a sum belongs."""
    return np.array(bnlib.gradient_norms(weights, x, dy) / len(x))


def _each(
    pick: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> Callable[..., np.ndarray]:
    """Make the exercise's function from what it takes the norm of: of (dh, dz, dh below)."""

    def gradient_norms(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        outputs, dh, found = _outputs(weights, x), dy, []
        for layer in reversed(range(len(weights))):
            dz = dh * (1.0 - outputs[layer + 1] ** 2)
            below = dz @ weights[layer].T
            found.append(_frobenius(pick(dh, dz, below)))
            dh = below
        return np.array(found[::-1])

    return gradient_norms


of_outputs = _each(lambda dh, dz, below: dh)
of_sums = _each(lambda dh, dz, below: dz)
of_inputs = _each(lambda dh, dz, below: below)


def slope_not_handed_on(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Use dz for dW, and hand dh on without the slope."""
    outputs, dh, found = _outputs(weights, x), dy, []
    for layer in reversed(range(len(weights))):
        found.append(_frobenius(outputs[layer].T @ (dh * (1.0 - outputs[layer + 1] ** 2))))
        dh = dh @ weights[layer].T
    return np.array(found[::-1])


def own_output_for_input(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Multiply dz by the layer's output in place of its input."""
    outputs, dh, found = _outputs(weights, x), dy, []
    for layer in reversed(range(len(weights))):
        dz = dh * (1.0 - outputs[layer + 1] ** 2)
        found.append(_frobenius(outputs[layer + 1].T @ dz))
        dh = dz @ weights[layer].T
    return np.array(found[::-1])


def last_output_for_x(weights: Weights, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Keep all outputs without x: index −1 wraps around to the last one."""
    outputs, dh, found = _outputs(weights, x)[1:], dy, []
    for layer in reversed(range(len(weights))):
        dz = dh * (1.0 - outputs[layer] ** 2)
        found.append(_frobenius(outputs[layer - 1].T @ dz))
        dh = dz @ weights[layer].T
    return np.array(found[::-1])


GRADIENTS = Exercise(
    unit=UNIT,
    name="gradient_norms",
    points=4,
    minutes=15,
    oracle=bnlib.gradient_norms,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "last-layer-first",
            "Right numbers in the reverse order. You walk from the last layer to the first; the "
            "answer stands in the order of `weights`.",
            reversed_order,
        ),
        Misconception(
            "slope-of-tanh-forgotten",
            "The slope of tanh is missing: that is the gradient of a network whose backward pass "
            "is linear.",
            no_slope,
        ),
        Misconception(
            "slope-taken-of-the-output",
            "You computed 1 − tanh(h)² with h the layer's *output*, which has been through tanh "
            "already. In terms of the output the slope is 1 − h².",
            slope_of_output,
        ),
        Misconception(
            "slope-not-handed-on",
            "You used the slope of tanh for dW, but handed dh on without it. What goes down to the "
            "layer below has passed the tanh, too: it starts from dz.",
            slope_not_handed_on,
        ),
        Misconception(
            "last-layer-taken-for-linear",
            "You went back through the last layer as if it had no tanh. `dy` arrives at its "
            "output, behind the tanh.",
            linear_output,
        ),
        Misconception(
            "square-forgotten-in-the-slope",
            "Your slope is 1 − h. The slope of tanh is 1 − h².",
            slope_not_squared,
        ),
        Misconception(
            "slope-of-the-sigmoid",
            "h(1 − h) is the slope of the logistic sigmoid. That of tanh is 1 − h².",
            sigmoid_slope,
        ),
        Misconception(
            "no-tanh-going-forward",
            "The tanh is missing on your way forward: your h is h @ W alone.",
            linear_forward,
        ),
        Misconception(
            "last-output-for-x",
            "Layer 1 got the *last* layer's output for its input: your list of outputs lacks x, "
            "and index −1 wraps around. Let the list begin with x.",
            last_output_for_x,
        ),
        Misconception(
            "output-for-input",
            "You multiplied dz by the layer's own output. The weight meets the layer's *input*: "
            "z = input @ W.",
            own_output_for_input,
        ),
        Misconception(
            "gradient-of-outputs",
            "Those are the lengths of the gradients by the layers' outputs h. Asked for are those "
            "by the weights W.",
            of_outputs,
        ),
        Misconception(
            "gradient-of-sums",
            "Those are the lengths of the gradients by z = h @ W. One more product leads to W.",
            of_sums,
        ),
        Misconception(
            "gradient-of-inputs",
            "Those are the lengths of the gradients by the layers' inputs. Asked for are those by "
            "the weights W.",
            of_inputs,
        ),
        Misconception(
            "squared",
            "Those are the squares of the lengths: take the root.",
            squared,
        ),
        Misconception(
            "spectral-norm",
            "`np.linalg.norm(A, 2)` of a matrix is its largest singular value. Here the length is "
            "the root of the sum of all squared entries: call it without the 2.",
            spectral,
        ),
        Misconception(
            "largest-entry",
            "You took the largest entry of each dW. The length is the root of the sum of all "
            "squared entries.",
            largest,
        ),
        Misconception(
            "sum-of-absolute-values",
            "You added up absolute values. The length is the root of the sum of squares.",
            sum_of_sizes,
        ),
        Misconception(
            "root-mean-square",
            "You took the mean of the squared entries. The length is the root of their *sum*.",
            root_mean_square,
        ),
        Misconception(
            "averaged-over-the-batch",
            "You divided by the number of rows. Every row uses the same W, so their parts add up; "
            "a 1/N, if the loss has one, is in `dy` already.",
            over_the_batch,
        ),
        Misconception(
            "few-digits",
            "Right to a few digits, and then not: finite differences do that, and float32 on the "
            "way. The formulas give all digits.",
            signs=few_digits_of("norms"),
        ),
    ),
    hints=(
        "First forward, keeping *all* outputs, x included: outputs[l] is what goes into layer l. "
        "Then backward, from the last layer to the first.",
        "For each layer, in reverse: dz = dh · (1 − h²) with h the layer's output; dW is its "
        "input, transposed, times dz; what goes on downwards is dz times W transposed.",
        "Start with dh = dy. `np.linalg.norm(dW)` is the length. Write it to `norms[l]` of an "
        "array made with `np.zeros(len(weights))`, and the order comes out right by itself.",
    ),
)
