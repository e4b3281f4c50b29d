"""Exercise `batchnorm_backward_eval`: the gradient when the statistics are stored numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u05_backward_closed import evaluation_faults as faults
from autograder.exercises.u05_backward_closed.batches import (
    EPS,
    TOLERANCES,
    UNIT,
    as_views,
    features,
    in_columns,
    normalised,
    scales,
    upstream,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

ARGUMENTS = ("dy", "x", "gamma", "running_mean", "running_var")
ANSWER = "(dx, dgamma, dbeta)"
SCRIPT = (call("batchnorm_backward_eval", *ARGUMENTS, "eps", into=ANSWER),)
NO_EPS = (call("batchnorm_backward_eval", *ARGUMENTS, into=ANSWER),)

EXAMPLE = {  # inv_std is 1/2 and 1/4
    "dy": np.array([[1.0, 4.0], [3.0, -8.0], [0.0, 4.0]]),
    "x": np.array([[4.0, 5.0], [6.0, 1.0], [8.0, 9.0]]),
    "gamma": np.array([2.0, 3.0]),
    "running_mean": np.array([4.0, 1.0]),
    "running_var": np.array([3.0, 15.0]),
}


def layer(rng: np.random.Generator, x: np.ndarray) -> dict[str, Any]:
    """Return inputs whose running statistics are clearly other than the batch's."""
    columns = x.shape[1]
    mean = x.mean(axis=0) + rng.choice([-1.0, 1.0], columns) * rng.uniform(0.4, 0.9, columns)
    var = (x.var(axis=0) + 0.2) * rng.uniform(1.5, 3.0, columns)
    dy = upstream(rng, normalised(x)[0])
    gamma = scales(rng, columns)
    return {"dy": dy, "x": x, "gamma": gamma, "running_mean": mean, "running_var": var}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batchnorm_backward_eval`."""
    n, c = int(rng.integers(5, 9)), int(rng.integers(2, 5))

    def case(name: str, inputs: dict[str, Any], eps: float | None = EPS, **options: Any) -> Case:
        script = NO_EPS if eps is None else SCRIPT
        given = inputs if eps is None else {**inputs, "eps": eps}
        return Case(name, given, script, (ANSWER,), ARGUMENTS, dtype_of="dy", **options)

    def drawn(rows: int, columns: int) -> dict[str, Any]:
        return layer(rng, features(rng, rows, columns))

    yield case("the example of the test cell", EXAMPLE, 1.0, gate=True)
    yield case("a random batch", drawn(n, c), weight=2)
    yield case("a large eps", drawn(n, c), float(rng.uniform(0.5, 2.0)), weight=2)
    narrow = drawn(n, c)
    narrow["running_var"] = narrow["running_var"] * 1e-5
    yield case("eps left out: 1e-5", narrow, None)
    yield case("a batch of one", drawn(1, c))
    yield case("a batch of two", drawn(2, 4))
    yield case("a batch of 64", drawn(64, 1))
    yield case("as many rows as features", drawn(4, 4))
    met = drawn(n, c)
    met["running_mean"], met["running_var"] = met["x"].mean(axis=0), met["x"].var(axis=0)
    yield case("running statistics that happen to be the batch's", met)
    same = drawn(n, c)
    same["dy"] = np.ones((n, 1)) * rng.uniform(0.5, 2.0, c)
    yield case("the same upstream gradient in all rows", same)
    constant = drawn(n, c)
    constant["x"][:, int(rng.integers(c))] = 3.0
    yield case("a constant feature", constant)
    dead = drawn(n, c)
    dead["running_var"][int(rng.integers(c))] = 0.0
    yield case("a running variance of 0", dead)
    yield case("arrays stored column by column (Fortran order)", in_columns(drawn(n, c)))
    yield case("views: every other entry of larger arrays", as_views(drawn(n, c)))


EVALUATION = Exercise(
    unit=UNIT,
    name="batchnorm_backward_eval",
    points=3,
    minutes=7,
    oracle=bnlib.batchnorm_backward_eval,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "training-mode-formula",
            "That is the gradient of training mode, made with the batch's own statistics. Here the "
            "statistics are the running ones, and no x can move them.",
            faults.training_formula,
        ),
        Misconception(
            "projected-in-eval",
            "You subtracted the two means from dy although the statistics are constants here: "
            "nothing flows through a stored number.",
            faults.projected,
        ),
        Misconception(
            "dgamma-with-batch-x-hat",
            "Your dgamma uses the x_hat of the batch statistics. Use the x_hat that this forward "
            "pass made: with the running ones.",
            faults.batch_x_hat,
        ),
        Misconception(
            "x-for-x-hat",
            "Your dgamma multiplies dy with x. y = gamma * x_hat + beta: its derivative by gamma "
            "is x_hat.",
            faults.x_for_x_hat,
        ),
        Misconception(
            "gamma-forgotten-in-dx",
            "dx lacks gamma: y depends on x_hat through `gamma * x_hat`.",
            faults.no_gamma,
        ),
        Misconception(
            "inv-std-forgotten-in-dx",
            "dx lacks the factor 1/√(running_var + eps) with which x_hat follows x.",
            faults.no_inv_std,
        ),
        Misconception(
            "root-forgotten",
            "You divided by the variance. x_hat divides by its square root.",
            faults.no_root,
        ),
        Misconception(
            "eps-hard-coded",
            "Your answer does not listen to the argument `eps`: it is the one for 1e-5.",
            faults.eps_fixed,
        ),
        Misconception(
            "eps-outside-the-root",
            "You added eps to the standard deviation. It belongs to the variance, under the root.",
            faults.eps_outside,
        ),
        Misconception(
            "parameter-gradients-averaged",
            "You returned means as dgamma and dbeta. All N rows share one gamma, so their parts "
            "add up.",
            faults.averaged,
        ),
        Misconception(
            "gamma-in-dgamma",
            "dgamma and dbeta contain gamma. y = gamma * x_hat + beta: what is its derivative by "
            "gamma, and by beta?",
            faults.gamma_in_dgamma,
        ),
        Misconception(
            "running-variance-corrected",
            "You corrected the running variance by (N−1)/N. It is used as it is stored.",
            faults.biased_again,
        ),
    ),
    hints=(
        "Write down the forward pass of evaluation mode. Which of its quantities does x move?",
        "With constant statistics, each row stands alone: how fast does x_hat[n, c] move with "
        "x[n, c]? dgamma and dbeta are sums over the batch as before, with this x_hat.",
        "Three lines: inv_std from running_var and eps; x_hat from x, running_mean and inv_std; "
        "then dx is dy times two factors per feature. No mean over the batch occurs anywhere.",
    ),
)
