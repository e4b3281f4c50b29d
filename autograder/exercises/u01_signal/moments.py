"""Exercise `layer_statistics`: mean and standard deviation of every layer's output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u01_signal.digits import few_digits_of
from autograder.exercises.u01_signal.networks import (
    ALLCLOSE,
    DEEP,
    SINGLE,
    TOLERANCES,
    UNIT,
    as_views,
    in_columns,
    in_single,
    network,
    some_widths,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

Activation = Callable[[np.ndarray], np.ndarray]
Weights = list[np.ndarray]

SCRIPT = (call("layer_statistics", "weights", "x", "activation", into="statistics"),)
FAR = 1e8  # mean of a signal far from zero
FAR_TOLERANCE = Tolerance(
    1e-6, 0.0, "entries rounded at 1e8: 1e8 eps64 = 2e-8 of a std of 0.7, and a sum of 24 of them"
)

EXAMPLE = {
    "x": np.array([[2.0, 0.0], [0.0, 2.0]]),
    "weights": [np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[1.0], [3.0]])],
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `layer_statistics`."""
    n = int(rng.integers(5, 9))

    def case(name: str, inputs: dict[str, Any], activation: str, **options: Any) -> Case:
        given = {**inputs, "activation": Given("activation", {"name": activation})}
        return Case(name, given, SCRIPT, ("statistics",), ("weights", "x"), **options)

    def drawn(rows: int = n, layers: int = 3) -> dict[str, Any]:
        return network(rng, rows, some_widths(rng, layers))

    yield case("the example of the test cell", EXAMPLE, "relu", gate=True, tolerance=ALLCLOSE)
    yield case("a tanh network", drawn(), "tanh", weight=2)
    yield case("a ReLU network", drawn(), "relu", weight=2)
    yield case("a linear network", drawn(), "identity")
    yield case("a single layer", drawn(layers=1), "tanh")
    yield case("a batch of one", drawn(rows=1), "tanh")
    yield case("layers of equal width", network(rng, 6, (6,) * 5), "tanh")
    small = network(rng, n, (4,) * (DEEP + 1), gain=0.3)
    yield case("forty layers whose signal fades", small, "tanh")
    dead = drawn()
    dead["weights"][1] = -np.abs(dead["weights"][1])
    yield case("a ReLU network that dies in layer 2", dead, "relu")
    yield case(
        "an activation that looks at the whole batch",
        drawn(),
        "feature_rms",
        help="Call the activation once a layer, with the whole array h @ W of shape (N, D).",
    )
    yield case("a signal far from zero", far(rng), "identity", tolerance=FAR_TOLERANCE)
    yield case("float32", in_single(drawn()), "tanh", tolerance=SINGLE, dtype_of=None)
    yield case("arrays stored column by column (Fortran order)", in_columns(drawn()), "tanh")
    yield case("views: every other row of larger arrays", as_views(drawn()), "tanh")


def far(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a signal of mean 1e8 and standard deviation 0.7 that layers only shuffle."""
    x = rng.normal(size=(6, 4))
    x = FAR + 0.7 * (x - x.mean()) / x.std()
    return {"x": x, "weights": [np.eye(4)[rng.permutation(4)] for _ in range(2)]}


def _outputs(weights: Weights, x: np.ndarray, activation: Activation) -> list[np.ndarray]:
    """Return the input and the outputs of all layers."""
    outputs = [x]
    for w in weights:
        outputs.append(activation(outputs[-1] @ w))
    return outputs


def _measured(*measures: Callable[[np.ndarray], Any]) -> Callable[..., np.ndarray]:
    """Make the exercise's function from what it measures of each layer's output."""

    def layer_statistics(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
        outputs = _outputs(weights, x, activation)[1:]
        return np.array([[measure(h) for measure in measures] for h in outputs])

    return layer_statistics


variances = _measured(np.mean, np.var)
unbiased = _measured(np.mean, lambda h: h.std(ddof=1) if h.size > 1 else np.nan)
swapped = _measured(np.std, np.mean)
per_feature = _measured(np.mean, lambda h: h.std(axis=0).mean())
per_row = _measured(np.mean, lambda h: h.std(axis=1).mean())
root_mean_square = _measured(np.mean, lambda h: np.sqrt((h * h).mean()))
mean_of_sizes = _measured(lambda h: np.abs(h).mean(), np.std)


def of_the_inputs(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Measure what goes into each layer."""
    return np.array([[h.mean(), h.std()] for h in _outputs(weights, x, activation)[:-1]])


def with_the_input(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Measure x, too."""
    return np.array([[h.mean(), h.std()] for h in _outputs(weights, x, activation)])


def before_activation(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Measure h @ w, and hand on its activation."""
    inputs = _outputs(weights, x, activation)[:-1]
    return np.array([[(h @ w).mean(), (h @ w).std()] for h, w in zip(inputs, weights, strict=True)])


def no_activation(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Forget the activation."""
    return np.array([[h.mean(), h.std()] for h in _outputs(weights, x, lambda z: z)[1:]])


def linear_at_the_end(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Leave out the last layer's activation, as a classifier would."""
    *lower, last = weights
    outputs = _outputs(lower, x, activation)
    outputs.append(outputs[-1] @ last)
    return np.array([[h.mean(), h.std()] for h in outputs[1:]])


def not_handed_on(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Measure the activation, and hand on h @ w."""
    outputs = [activation(z) for z in _outputs(weights, x, lambda z: z)[1:]]
    return np.array([[h.mean(), h.std()] for h in outputs])


def always_tanh(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Use tanh whatever the activation is."""
    return np.array([[h.mean(), h.std()] for h in _outputs(weights, x, np.tanh)[1:]])


def transposed(weights: Weights, x: np.ndarray, activation: Activation) -> np.ndarray:
    """Return one row of means and one of standard deviations."""
    return np.array([[h.mean(), h.std()] for h in _outputs(weights, x, activation)[1:]]).T


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Wrong in the case far from zero, in the right shape: E[h²] − E[h]²."""
    got, want = answer.values["statistics"], np.asarray(expected.values["statistics"])
    if case.tolerance is not FAR_TOLERANCE or not isinstance(got, np.ndarray):
        return False
    return got.shape == want.shape and np.allclose(got[:, 0], want[:, 0])


MOMENTS = Exercise(
    unit=UNIT,
    name="layer_statistics",
    points=3,
    minutes=8,
    oracle=bnlib.layer_statistics,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "before-the-activation",
            "You measured `h @ W`. A layer's output is what leaves its activation.",
            before_activation,
        ),
        Misconception(
            "activation-not-handed-on",
            "You measured the activation but handed `h @ W` on to the next layer. What leaves the "
            "activation is what enters the next layer.",
            not_handed_on,
        ),
        Misconception(
            "activation-forgotten",
            "The activation is missing: that is a linear network.",
            no_activation,
        ),
        Misconception(
            "last-layer-without-activation",
            "You left out the activation in the last layer. Here every layer has one.",
            linear_at_the_end,
        ),
        Misconception(
            "activation-hard-coded",
            "Your answer does not listen to the argument `activation`: it is the one for tanh.",
            always_tanh,
        ),
        Misconception(
            "inputs-measured",
            "Row l holds the statistics of what goes *into* layer l. Measure after the layer, so "
            "that the last row belongs to the network's output.",
            of_the_inputs,
        ),
        Misconception(
            "input-included",
            "You have a row for `x`, too. Only the outputs of the L layers are wanted.",
            with_the_input,
        ),
        Misconception(
            "variance-for-std",
            "Your second column is the variance. The standard deviation is its square root.",
            variances,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You divided by one less than the number of entries. Here it is the biased standard "
            "deviation, NumPy's default.",
            unbiased,
        ),
        Misconception(
            "columns-swapped",
            "Mean and standard deviation are in each other's column: the mean comes first.",
            swapped,
        ),
        Misconception(
            "averaged-over-features",
            "You took a standard deviation for each feature and averaged them. Take one over all "
            "entries of the layer's output: no axis.",
            per_feature,
        ),
        Misconception(
            "averaged-over-rows",
            "You took a standard deviation for each row and averaged them. Take one over all "
            "entries of the layer's output: no axis.",
            per_row,
        ),
        Misconception(
            "mean-not-subtracted",
            "Your second column is the root mean square: how far from zero, not how far from the "
            "mean.",
            root_mean_square,
        ),
        Misconception(
            "mean-of-absolute-values",
            "Your first column is the mean of |h|. The signs count.",
            mean_of_sizes,
        ),
        Misconception(
            "transposed",
            "You have one row of means and one of standard deviations. Wanted is one row a layer: "
            "shape (L, 2).",
            transposed,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: E[h²] − E[h]² is a small difference of two huge "
            "numbers. Subtract the mean first, then square; or let `std` do it.",
            signs=cancelled,
        ),
        Misconception(
            "few-digits",
            "Right to a few digits, and then not: rounding does that, a small constant added to "
            "the variance, and float32 on the way. Leave the numbers as they are.",
            signs=few_digits_of("statistics"),
        ),
    ),
    hints=(
        "Walk through the weights with a variable `h` that starts as `x`. After each layer, note "
        "two numbers.",
        "`h = activation(h @ W)` is the layer. `h.mean()` and `h.std()` without an axis run over "
        "all entries. Collect pairs in a list.",
        "`np.array` of a list of L pairs has shape (L, 2). Begin with an empty list; append "
        "`(h.mean(), h.std())` after `h` has been replaced.",
    ),
)
