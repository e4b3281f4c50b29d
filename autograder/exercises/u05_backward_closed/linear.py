"""Exercise `linear_bn_weight_grad`: the gradient of weights in front of batch norm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u05_backward_closed.batches import (
    EPS,
    MAX_ROWS,
    TOLERANCES,
    UNIT,
    as_views,
    features,
    in_columns,
    normalised,
    upstream,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import call

ARGUMENTS = ("x", "w", "dy")
SCRIPT = (call("linear_bn_weight_grad", *ARGUMENTS, "eps", into="dW"),)
NO_EPS = (call("linear_bn_weight_grad", *ARGUMENTS, into="dW"),)
FAR = 1e8  # mean of z = x @ w far from zero
FAR_TOLERANCE = Tolerance(
    0.0, 1e-3, "z rounded at 1e8: 8 eps64 1e8 = 2e-7 of a std of 0.5, times 64 entries of order 10"
)

EXAMPLE = {  # z = (0, 0, 4, 4): x_hat = (−1, −1, 1, 1) and inv_std = 1/2 for eps = 0
    "x": np.array([[0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [1.0, -1.0]]),
    "w": np.array([[4.0], [0.0]]),
    "dy": np.array([[0.0], [0.0], [4.0], [0.0]]),
}
DOUBLED = {**EXAMPLE, "w": np.array([[8.0], [0.0]])}


def layer(
    rng: np.random.Generator, rows: int, inputs: int, outputs: int, size: float = 1.0
) -> dict[str, Any]:
    """Draw inputs, weights with columns of length `size`, and an upstream gradient."""
    x = features(rng, rows, inputs)
    w = rng.normal(size=(inputs, outputs))
    w *= size * rng.uniform(0.8, 1.6, outputs) / np.linalg.norm(w, axis=0)
    return {"x": x, "w": w, "dy": upstream(rng, normalised(x @ w)[0])}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `linear_bn_weight_grad`."""
    n, d, c = int(rng.integers(7, 10)), int(rng.integers(4, 6)), int(rng.integers(2, 4))

    def case(name: str, inputs: dict[str, Any], eps: float | None = EPS, **options: Any) -> Case:
        script = NO_EPS if eps is None else SCRIPT
        given = inputs if eps is None else {**inputs, "eps": eps}
        return Case(name, given, script, ("dW",), ARGUMENTS, **options)

    yield case("the first example of the test cell", EXAMPLE, 0.0, gate=True)
    yield case("the second example of the test cell", DOUBLED, 0.0, gate=True)
    yield case("a random layer", layer(rng, n, d, c), weight=2)
    yield case("a large eps", layer(rng, n, d, c), float(rng.uniform(0.5, 2.0)), weight=2)
    yield case("eps left out: 1e-5, with tiny weights", layer(rng, n, d, c, 3e-3), None)
    yield case("a batch of three", layer(rng, 3, 4, 2))
    yield case("a batch of 64", layer(rng, MAX_ROWS, 4, 4))
    yield case("one output", layer(rng, n, d, 1))
    yield case("N = D = C", layer(rng, 5, 5, 5))
    dead = layer(rng, n, d, c)
    dead["w"][:, int(rng.integers(c))] = 0.0
    yield case("an output whose weights are all 0", dead)
    far = layer(rng, n, d, c)
    far["x"][:, 0] = 1.0
    far["w"][0] = FAR
    yield case("z = x @ w far from zero (mean 100 000 000)", far, tolerance=FAR_TOLERANCE)
    yield case("arrays stored column by column (Fortran order)", in_columns(layer(rng, n, d, c)))
    yield case("views: every other entry of larger arrays", as_views(layer(rng, n, d, c)))


def _back(dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray) -> np.ndarray:
    return np.asarray(inv_std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)))


def detached(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Hold mean and variance of z constant."""
    _, inv_std = normalised(x @ w, eps)
    return np.asarray(x.T @ (dy * inv_std))


def no_normalisation(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Go back through the linear layer alone."""
    return np.asarray(x.T @ dy)


def no_mean_path(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Leave the path through the mean out."""
    x_hat, inv_std = normalised(x @ w, eps)
    return np.asarray(x.T @ (inv_std * (dy - x_hat * (dy * x_hat).mean(axis=0))))


def no_var_path(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Leave the path through the variance out."""
    _, inv_std = normalised(x @ w, eps)
    return np.asarray(x.T @ (inv_std * (dy - dy.mean(axis=0))))


def averaged(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Average over the batch where a sum belongs."""
    x_hat, inv_std = normalised(x @ w, eps)
    return np.asarray(x.T @ _back(dy, x_hat, inv_std) / len(x))


def no_inv_std(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Forget inv_std."""
    x_hat, inv_std = normalised(x @ w, eps)
    return np.asarray(x.T @ _back(dy, x_hat, np.ones_like(inv_std)))


def transposed(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Return dW with its axes exchanged."""
    x_hat, inv_std = normalised(x @ w, eps)
    return np.asarray(_back(dy, x_hat, inv_std).T @ x)


def gradient_of_z(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Stop at dz."""
    x_hat, inv_std = normalised(x @ w, eps)
    return _back(dy, x_hat, inv_std)


def gradient_of_x(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Go back to x in place of w."""
    x_hat, inv_std = normalised(x @ w, eps)
    return np.asarray(_back(dy, x_hat, inv_std) @ w.T)


def normalised_input(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Normalise x before the linear layer, not its output."""
    x_hat, _ = normalised(x, eps)
    return np.asarray(x_hat.T @ dy)


def z_for_x_hat(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Hand z to the closed form where x_hat belongs."""
    z = x @ w
    return np.asarray(x.T @ _back(dy, z, normalised(z, eps)[1]))


def eps_fixed(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Compute with 1e-5 whatever eps is."""
    x_hat, inv_std = normalised(x @ w, EPS)
    return np.asarray(x.T @ _back(dy, x_hat, inv_std))


def eps_ignored(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Compute without eps."""
    with np.errstate(all="ignore"):
        x_hat, inv_std = normalised(x @ w, 0.0)
        return np.asarray(x.T @ _back(dy, x_hat, inv_std))


def eps_outside(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Add eps to the standard deviation."""
    z = x @ w
    inv_std = 1.0 / (z.std(axis=0) + eps)
    return np.asarray(x.T @ _back(dy, (z - z.mean(axis=0)) * inv_std, inv_std))


def n_minus_1(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Normalise with N − 1."""
    z = x @ w
    inv_std = 1.0 / np.sqrt(z.var(axis=0, ddof=1) + eps)
    return np.asarray(x.T @ _back(dy, (z - z.mean(axis=0)) * inv_std, inv_std))


def exact_projector(x: np.ndarray, w: np.ndarray, dy: np.ndarray, eps: float = EPS) -> np.ndarray:
    """Divide by the squared length of x_hat in place of N."""
    x_hat, inv_std = normalised(x @ w, eps)
    length = np.maximum((x_hat * x_hat).sum(axis=0), 1e-300)
    slope = (dy * x_hat).sum(axis=0) / length
    return np.asarray(x.T @ (inv_std * (dy - dy.mean(axis=0) - x_hat * slope)))


def cancelled(case: Case, answer: Answer, expected: Answer) -> bool:
    """Wrong in the case far from zero, in the right shape: E[z²] − E[z]²."""
    got, want = answer.values["dW"], expected.values["dW"]
    same_shape = isinstance(got, np.ndarray) and got.shape == np.asarray(want).shape
    return case.tolerance is FAR_TOLERANCE and same_shape


LINEAR = Exercise(
    unit=UNIT,
    name="linear_bn_weight_grad",
    points=3,
    minutes=8,
    oracle=bnlib.linear_bn_weight_grad,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "detached-statistics",
            "You held mean and variance of z constant: then W and dW are not at right angles. The "
            "weights move the statistics, too.",
            detached,
        ),
        Misconception(
            "normalisation-forgotten",
            "That is the gradient of a linear layer alone: batch norm lies between dy and z.",
            no_normalisation,
        ),
        Misconception(
            "missing-mean-path",
            "The path through the mean of z is missing.",
            no_mean_path,
        ),
        Misconception(
            "missing-variance-path",
            "The path through the variance of z is missing: W and dW are not at right angles.",
            no_var_path,
        ),
        Misconception(
            "averaged-over-batch",
            "You averaged over the batch. Every row uses the same W, so their parts add up; a 1/N, "
            "if the loss has one, is already in dy.",
            averaged,
        ),
        Misconception(
            "inv-std-forgotten",
            "The factor inv_std is missing: without it dW would not get shorter for longer W.",
            no_inv_std,
        ),
        Misconception(
            "transposed",
            "dW has its two axes exchanged: it must have the shape of w, (D, C).",
            transposed,
        ),
        Misconception(
            "stopped-at-dz",
            "That is the gradient of z = x @ w. One more step leads to w.",
            gradient_of_z,
        ),
        Misconception(
            "gradient-of-x",
            "That is the gradient of x. Asked for is the one of w.",
            gradient_of_x,
        ),
        Misconception(
            "normalised-the-input",
            "You normalised x. Here batch norm comes after the linear layer: normalise x @ w.",
            normalised_input,
        ),
        Misconception(
            "z-for-x-hat",
            "You gave z itself to the closed form. It wants the normalised z: `forward` returns it "
            "as its second result.",
            z_for_x_hat,
        ),
        Misconception(
            "eps-hard-coded",
            "Your answer does not listen to the argument `eps`: it is the one for 1e-5.",
            eps_fixed,
        ),
        Misconception(
            "eps-ignored",
            "Your answer is the one for eps = 0. It belongs to the variance of z, under the root.",
            eps_ignored,
        ),
        Misconception(
            "eps-outside-the-root",
            "You added eps to the standard deviation. It belongs to the variance, under the root.",
            eps_outside,
        ),
        Misconception(
            "divides-by-n-minus-1",
            "You normalised with N − 1. The batch is normalised with the biased variance, 1/N.",
            n_minus_1,
        ),
        Misconception(
            "exact-projector",
            "You projected on x_hat by dividing by its squared length. The formula divides by N; "
            "with eps the two differ.",
            exact_projector,
        ),
        Misconception(
            "mean-of-squares-minus-square-of-mean",
            "Right near zero, wrong far from it: E[z²] − E[z]² is a small difference of two huge "
            "numbers. Subtract the mean first, then square.",
            signs=cancelled,
        ),
    ),
    hints=(
        "Two layers in a row: z = x @ w, then batch norm of z without gamma and beta. Go back "
        "through them in reverse: first from dy to dz, then from dz to dW.",
        "For dz you have a function; it wants x_hat and inv_std of z, and a gamma of ones. For the "
        "linear layer: w[d, c] meets x[n, d] in every row n, so dW[d, c] is a sum over n.",
        "A sum over n of x[n, d] times dz[n, c] is a product of two matrices, of shapes (D, N) and "
        "(N, C). Check the shape first: dW must look like w.",
    ),
)
