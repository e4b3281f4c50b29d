"""The three formulas that the layer is made of: update, momentum, Bessel's correction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import call

UNIT = "u03_modes"

# Two products and a sum of numbers of order 1 to 10: a few roundings.
ELEMENTWISE = {
    "float64": Tolerance(1e-12, 1e-12, "3 roundings of numbers up to 10: 3 * 10 eps64 = 7e-15"),
    "float32": Tolerance(1e-5, 1e-5, "3 roundings of numbers up to 10: 3 * 10 eps32 = 3.6e-6"),
}


def vector(rng: np.random.Generator, size: int, dtype: str = "float64") -> np.ndarray:
    """Draw numbers between 1 and 9 that clearly differ."""
    return (rng.permutation(np.linspace(1.0, 8.0, size)) + rng.uniform(0, 1, size)).astype(dtype)


# --- update_running -------------------------------------------------------------------------------

UPDATE_SCRIPT = (call("update_running", "running", "batch", "momentum", into="updated"),)


def update_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `update_running`."""
    c = int(rng.integers(3, 6))
    a = float(rng.uniform(0.15, 0.35))

    def case(name: str, running: Any, batch: Any, momentum: float, **options: Any) -> Case:
        inputs = {"running": running, "batch": batch, "momentum": momentum}
        options = {"unchanged": ("running", "batch"), "dtype_of": "running"} | options
        return Case(name, inputs, UPDATE_SCRIPT, ("updated",), **options)

    example = (np.array([0.0, 1.0]), np.array([10.0, 3.0]), 0.1)
    yield case("the example of the test cell", *example, gate=True)
    yield case("random statistics", vector(rng, c), -vector(rng, c), a, weight=2)
    yield case("one feature", vector(rng, 1), vector(rng, 1), a)
    yield case("plain numbers", float(vector(rng, 2)[0]), -float(vector(rng, 2)[0]), a)
    old = vector(rng, c)
    yield case("momentum 0 keeps the old value", old, -vector(rng, c), 0.0, idle=True)
    new = -vector(rng, c)
    yield case("momentum 1 takes the new value", vector(rng, c), new, 1.0, idle=True)
    yield case(
        "float32 in, float32 out", vector(rng, c, "float32"), vector(rng, c, "float32") + 9, a
    )
    wide, other = vector(rng, 8), vector(rng, 8)
    yield case("views: every other entry of larger arrays", wide[::2], other[::2], a)


def momentum_swapped(running: Any, batch: Any, momentum: float) -> Any:
    """Weigh the old value with momentum, as Keras."""
    return momentum * running + (1 - momentum) * batch


def old_not_scaled(running: Any, batch: Any, momentum: float) -> Any:
    """Add the new value without taking away from the old one."""
    return running + momentum * batch


def plain_average(running: Any, batch: Any, momentum: float) -> Any:
    """Forget momentum."""
    return (running + batch) / 2


def fixed_momentum(running: Any, batch: Any, momentum: float) -> Any:
    """Write 0.1 into the code."""
    return 0.9 * running + 0.1 * batch


def wrong_direction(running: Any, batch: Any, momentum: float) -> Any:
    """Step away from the new value."""
    return running + momentum * (running - batch)


def new_not_scaled(running: Any, batch: Any, momentum: float) -> Any:
    """Weigh the old value only."""
    return (1 - momentum) * running + batch


def only_the_batch(running: Any, batch: Any, momentum: float) -> Any:
    """Take the new value."""
    return batch


UPDATE_RUNNING = Exercise(
    unit=UNIT,
    name="update_running",
    points=1,
    minutes=4,
    oracle=bnlib.update_running,
    cases=update_cases,
    tolerances=ELEMENTWISE,
    misconceptions=(
        Misconception(
            "momentum-swapped",
            "You gave `momentum` to the old value, as Keras does. In this course (and in PyTorch) "
            "it is the weight of the *new* one.",
            momentum_swapped,
        ),
        Misconception(
            "momentum-ignored",
            "You wrote 0.1 into the code: use the argument `momentum`.",
            fixed_momentum,
        ),
        Misconception(
            "plain-average",
            "You took the average of the two: `momentum` says how much the new one weighs.",
            plain_average,
        ),
        Misconception(
            "old-value-keeps-its-weight",
            "You added a share of the new value, and the old one kept all of its weight. The two "
            "weights must add up to 1, or the statistic grows without end.",
            old_not_scaled,
        ),
        Misconception(
            "new-value-keeps-its-weight",
            "You reduced the old value and added the whole new one. The two weights must add up "
            "to 1.",
            new_not_scaled,
        ),
        Misconception(
            "wrong-direction",
            "You stepped away from the new value. Look at the sign of the difference.",
            wrong_direction,
        ),
        Misconception(
            "only-the-batch",
            "You returned the new statistic: nothing is remembered.",
            only_the_batch,
        ),
    ),
    hints=(
        "Two numbers, two weights that add up to 1. Which of them gets `momentum`?",
        "Try it on paper: running 0, batch 10, momentum 0.1. The new value is to count little, so "
        "the result is 1, not 9.",
        "Multiply the old value by one minus `momentum`, the new one by `momentum`, add. Use `*` "
        "and `+`; `*=` would write into your caller's array.",
    ),
)


# --- momentum_from_keras --------------------------------------------------------------------------

KERAS_SCRIPT = (call("momentum_from_keras", "keras_momentum", into="momentum"),)


def keras_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `momentum_from_keras`."""

    def case(name: str, keras_momentum: Any, **options: Any) -> Case:
        options = {"unchanged": ("keras_momentum",), "dtype_of": "keras_momentum"} | options
        inputs = {"keras_momentum": keras_momentum}
        return Case(name, inputs, KERAS_SCRIPT, ("momentum",), **options)

    yield case("the example of the test cell", 0.99, gate=True)
    yield case("any other number", float(rng.uniform(0.55, 0.95)), weight=2)
    yield case("0 and 1, the two ends", np.array([0.0, 1.0]))
    yield case("an array", rng.uniform(0.55, 0.95, size=int(rng.integers(2, 5))))


def same_momentum(keras_momentum: Any) -> Any:
    """Change nothing."""
    return keras_momentum


def reciprocal(keras_momentum: Any) -> Any:
    """Divide."""
    return 1.0 / keras_momentum


def minus_one(keras_momentum: Any) -> Any:
    """Subtract the wrong way round."""
    return keras_momentum - 1.0


def default_momentum(keras_momentum: Any) -> Any:
    """Return torch's default."""
    return 0.1 + 0.0 * keras_momentum


def percent(keras_momentum: Any) -> Any:
    """Return the constant that is right for Keras' default."""
    return 0.01 + 0.0 * keras_momentum


MOMENTUM_FROM_KERAS = Exercise(
    unit=UNIT,
    name="momentum_from_keras",
    points=1,
    minutes=3,
    oracle=bnlib.momentum_from_keras,
    cases=keras_cases,
    tolerances=ELEMENTWISE,
    misconceptions=(
        Misconception(
            "same-momentum",
            "You returned Keras' number: there it is the weight of the old value, here that of the "
            "new one.",
            same_momentum,
        ),
        Misconception(
            "sign",
            "You subtracted the wrong way round: the answer is a weight between 0 and 1.",
            minus_one,
        ),
        Misconception(
            "reciprocal",
            "You divided. Write down both updates, and compare the factor of the new value.",
            reciprocal,
        ),
        Misconception(
            "a-constant",
            "You returned a constant: other values of Keras' momentum exist, too.",
            percent,
        ),
        Misconception(
            "default-of-torch",
            "You returned PyTorch's default. Asked is for the one that does the same as Keras'.",
            default_momentum,
        ),
    ),
    hints=(
        "In both updates the two weights add up to 1.",
        "Keras: the old value has weight k. Which weight has the new one?",
        "If the old value weighs 0.99, the new one weighs 0.01. Write that as a formula in k.",
    ),
)


# --- bessel ---------------------------------------------------------------------------------------

BESSEL_SCRIPT = (call("bessel", "var", "m", into="unbiased"),)


def bessel_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `bessel`."""
    c = int(rng.integers(3, 5))
    m = int(rng.integers(6, 12))

    def case(name: str, var: Any, m: int, **options: Any) -> Case:
        options = {"unchanged": ("var",), "dtype_of": "var"} | options
        return Case(name, {"var": var, "m": m}, BESSEL_SCRIPT, ("unbiased",), **options)

    yield case("the example of the test cell", np.array([4.0, 9.0]), 3, gate=True)
    yield case("random variances", vector(rng, c), m, weight=2)
    yield case("a batch of two", vector(rng, 4), 2)
    yield case("one feature", vector(rng, 1), m)
    yield case("a plain number", float(vector(rng, 2)[0]), m)
    yield case("64 images of 7 by 7: m = 3136", vector(rng, c), 64 * 7 * 7)
    yield case("a variance of zero stays zero", np.array([0.0, *vector(rng, 2)]), m)
    yield case("float32 in, float32 out", vector(rng, c, "float32"), m)


def upside_down(var: Any, m: int) -> Any:
    """Make it smaller."""
    return var * (m - 1) / m


def not_corrected(var: Any, m: int) -> Any:
    """Return it as it came."""
    return var * 1.0


def only_divided(var: Any, m: int) -> Any:
    """Divide by m − 1 what was divided by m already."""
    return var / (m - 1)


def only_multiplied(var: Any, m: int) -> Any:
    """Return the sum of squares."""
    return var * m


def counts_features(var: Any, m: int) -> Any:
    """Take the number of features for m."""
    c = np.size(var)
    return var * (c / max(c - 1, 1))


def corrects_std(var: Any, m: int) -> Any:
    """Use the factor that belongs to the standard deviation."""
    return var * np.sqrt(m / (m - 1))


def twice(var: Any, m: int) -> Any:
    """Use a factor too many."""
    return var * (m / (m - 1)) ** 2


def plus_one(var: Any, m: int) -> Any:
    """Be off by one."""
    return var * ((m + 1) / m)


BESSEL = Exercise(
    unit=UNIT,
    name="bessel",
    points=1,
    minutes=4,
    oracle=bnlib.bessel,
    cases=bessel_cases,
    tolerances=ELEMENTWISE,
    misconceptions=(
        Misconception(
            "factor-upside-down",
            "You made the variance smaller. The biased one is too small already: values lie closer "
            "to their own mean than to the true one.",
            upside_down,
        ),
        Misconception(
            "not-corrected",
            "You returned the biased variance. Which factor makes it right on average?",
            not_corrected,
        ),
        Misconception(
            "divided-twice",
            "You divided by m − 1, but `var` has been divided by m before: take that back first.",
            only_divided,
        ),
        Misconception(
            "sum-of-squares",
            "You multiplied by m: that is the sum of the squares. It still has to be divided.",
            only_multiplied,
        ),
        Misconception(
            "features-for-values",
            "You used the number of features. `m` is how many values each variance was taken over.",
            counts_features,
        ),
        Misconception(
            "factor-of-the-std",
            "You used the square root of the factor. That would be for a standard deviation.",
            corrects_std,
        ),
        Misconception("corrected-twice", "You applied the correction twice.", twice),
        Misconception(
            "off-by-one",
            "Your factor is (m+1)/m. For m = 2 the biased variance is half of what it should be.",
            plus_one,
        ),
    ),
    hints=(
        "Is the biased variance too large or too small, on average?",
        "Biased: a sum of squares divided by m. Unbiased: the same sum divided by m − 1. How do "
        "you get from one to the other?",
        "Multiply by m to get the sum back, then divide by m − 1. For m = 2 that doubles it.",
    ),
)
