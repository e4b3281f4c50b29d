"""Exercise `shift_of_gradient`: distance and angle of two gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u07_shift.networks import (
    EXACT,
    FORBIDDEN,
    KEEP_ARGUMENTS,
    UNIT,
    reference,
    tensor,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import Given, call, item

SCRIPT = (
    call("shift_of_gradient", "g_before", "g_after", into="answer"),
    item("answer", 0, into="first"),
    item("answer", 1, into="second"),
    call("as_float", "first", into="l2"),
    call("as_float", "second", into="cosine"),
)
KEPT_SCRIPT = (
    call("shift_of_gradient", "g_before", "g_after"),
    call("as_arrays", "g_before", into="g_before afterwards"),
    call("as_arrays", "g_after", into="g_after afterwards"),
)
HELPERS = {"as_float": Given("as_float"), "as_arrays": Given("as_arrays")}
TOLERANCE = {
    "float64": Tolerance(
        1e-6, 1e-9, "sums of 1000 products: 1e3 eps64 = 2e-13; PyTorch's `cosine_similarity` clamps"
    )
}
SINGLE = Tolerance(1e-4, 1e-5, "sums of 100 products in float32: 100 eps32 = 1e-5")

SMALL = "Beside the lengths of small gradients an added ε is not small: the formula has none."


def drawn(
    rng: np.random.Generator, shape: tuple[int, ...], cosine: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw two gradients with a planted angle between them and a planted ratio of lengths."""
    first, other = rng.normal(size=(2, *shape))
    first *= rng.uniform(2.0, 4.0) / np.linalg.norm(first)
    other -= first * (first * other).sum() / (first**2).sum()
    other *= np.linalg.norm(first) / np.linalg.norm(other)
    return first, ratio * (cosine * first + np.sqrt(1 - cosine**2) * other)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `shift_of_gradient`."""
    n = int(rng.integers(6, 12))

    def case(name: str, g_before: np.ndarray, g_after: np.ndarray, **options: Any) -> Case:
        inputs = {"g_before": tensor(g_before), "g_after": tensor(g_after), **HELPERS}
        return Case(name, inputs, SCRIPT, ("l2", "cosine"), dtype_of=None, **options)

    def random(*shape: int, ratio: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        return drawn(rng, shape, float(rng.uniform(0.2, 0.8)), ratio)

    yield case(
        "the example of the test cell", np.array([3.0, 0.0]), np.array([0.0, 4.0]), gate=True
    )
    yield case("two vectors", *random(n, ratio=1.7), weight=2)
    yield case("two matrices: the gradients of a weight", *random(4, 5, ratio=0.6), weight=2)
    yield case("a longer gradient of the same direction", *drawn(rng, (n,), 1.0, 2.5))
    yield case("a gradient that turned by more than 90 degrees", *drawn(rng, (n,), -0.7, 1.3))
    small = [1e-4 * g for g in random(n, ratio=1.4)]
    yield case("small gradients", *small, help=SMALL)
    large = [1e3 * g for g in random(n, ratio=1.4)]
    yield case("large gradients", *large)
    single = [g.astype(np.float32) for g in random(10, 10, ratio=0.8)]
    yield case("float32", *single, tolerance=SINGLE)
    first, second = random(n, ratio=1.3)
    yield Case(
        "the arguments are left as they were",
        {"g_before": tensor(first), "g_after": tensor(second), **HELPERS},
        KEPT_SCRIPT,
        ("g_before afterwards", "g_after afterwards"),
        dtype_of=None,
        idle=True,
        tolerance=EXACT,
        help=KEEP_ARGUMENTS,
    )


def of_vectors(
    measure: Callable[[np.ndarray, np.ndarray], tuple[Any, Any]],
) -> Callable[[Any, Any], tuple[float, float]]:
    """Make the exercise's function from a measure of two flat float64 arrays."""

    def shift_of_gradient(g_before: Any, g_after: Any) -> tuple[float, float]:
        a, b = (np.asarray(g.detach(), np.float64).ravel() for g in (g_before, g_after))
        l2, cosine = measure(a, b)
        return float(l2), float(cosine)

    return shift_of_gradient


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(b - a))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def row_by_row(g_before: Any, g_after: Any) -> tuple[Any, Any]:
    """Take the cosine of each row, as `cosine_similarity` does by default, and its mean."""
    from torch.nn.functional import cosine_similarity

    a, b = g_before.detach().double(), g_after.detach().double()
    cosine = cosine_similarity(a, b, dim=-1)
    return float((b - a).norm()), float(cosine.mean())


def largest_stretch(g_before: Any, g_after: Any) -> tuple[Any, Any]:
    """Take the spectral norm of a matrix, as `torch.linalg.norm(…, 2)` does."""
    a, b = (np.asarray(g.detach(), np.float64) for g in (g_before, g_after))
    return float(np.linalg.norm(b - a, 2)), _cosine(a.ravel(), b.ravel())


GRADIENTS = Exercise(
    unit=UNIT,
    name="shift_of_gradient",
    points=2,
    minutes=5,
    oracle=reference("shift_of_gradient"),
    cases=cases,
    tolerances=TOLERANCE,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "squared-distance",
            "Your l2 is the square of the distance: the root is missing.",
            of_vectors(lambda a, b: (_distance(a, b) ** 2, _cosine(a, b))),
        ),
        Misconception(
            "mean-squared-distance",
            "Your l2 is a mean of squares. The length of a vector is the root of the *sum*.",
            of_vectors(lambda a, b: (_distance(a, b) ** 2 / a.size, _cosine(a, b))),
        ),
        Misconception(
            "root-mean-square",
            "You took the root of the *mean* of squares. The length of a vector is the root of "
            "their sum.",
            of_vectors(lambda a, b: (_distance(a, b) / np.sqrt(a.size), _cosine(a, b))),
        ),
        Misconception(
            "relative-distance",
            "You divided the distance by a gradient's length. Definition 2.1 does not.",
            of_vectors(lambda a, b: (_distance(a, b) / np.linalg.norm(a), _cosine(a, b))),
        ),
        Misconception(
            "difference-of-lengths",
            "You subtracted lengths. Two gradients of one length can point anywhere: subtract the "
            "vectors, then take the length.",
            of_vectors(lambda a, b: (abs(np.linalg.norm(b) - np.linalg.norm(a)), _cosine(a, b))),
        ),
        Misconception(
            "sum-of-absolutes",
            "You added absolute values (the l1 norm). l2 adds squares, and takes the root.",
            of_vectors(lambda a, b: (np.abs(b - a).sum(), _cosine(a, b))),
        ),
        Misconception(
            "dot-product-for-cosine",
            "Your cosine is the dot product: divide it by both lengths.",
            of_vectors(lambda a, b: (_distance(a, b), a @ b)),
        ),
        Misconception(
            "cosine-distance",
            "You returned 1 − cosine. The cosine itself is asked for: 1 means the same direction.",
            of_vectors(lambda a, b: (_distance(a, b), 1 - _cosine(a, b))),
        ),
        Misconception(
            "angle-for-cosine",
            "You returned the angle. Its cosine is asked for.",
            of_vectors(lambda a, b: (_distance(a, b), np.arccos(np.clip(_cosine(a, b), -1, 1)))),
        ),
        Misconception(
            "one-length-squared",
            "Your cosine divides by the square of one length. Divide by the length of the one "
            "times the length of the other.",
            of_vectors(lambda a, b: (_distance(a, b), a @ b / (a @ a))),
        ),
        Misconception(
            "spectral-norm",
            "You took the 2-norm of a *matrix*, its largest singular value. A gradient is one long "
            "vector: flatten it first.",
            largest_stretch,
        ),
        Misconception(
            "cosine-row-by-row",
            "You took a cosine for each row. A gradient is one vector, whatever the shape of the "
            "weights: flatten it first.",
            row_by_row,
        ),
        Misconception(
            "cosine-before-distance",
            "Your two numbers have changed places: `(l2, cosine)`.",
            of_vectors(lambda a, b: (_cosine(a, b), _distance(a, b))),
        ),
    ),
    hints=(
        "Make one long vector of each gradient: `flatten()`.",
        "The distance is the norm of the difference. The cosine is the dot product, divided by "
        "both norms.",
        "`a, b = g_before.flatten(), g_after.flatten()`, then `(b - a).norm()` and "
        "`a @ b / (a.norm() * b.norm())`.",
    ),
)
