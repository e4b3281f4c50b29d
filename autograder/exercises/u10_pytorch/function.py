"""Exercise `BatchNormFunction`: batch norm as a node of the graph, with a backward of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import (
    EXACT,
    EXAMPLE_TOLERANCE,
    FAR_HELP,
    UNIT,
    helpers,
    reference,
    tensor,
)
from autograder.exercises.u10_pytorch.function_faults import (
    GRADIENTS,
    KEPT,
    LATE,
    MISCONCEPTIONS,
    NODE,
)
from autograder.vocabulary import Case, Exercise, Tolerance
from autograder.worker.script import Script, call, get, method

NAME = "BatchNormFunction"
TOLERANCES = {
    "float64": Tolerance(1e-8, 1e-9, "sums over 40 numbers, twice: 1e3 eps64 = 2e-13, with room"),
    "float32": Tolerance(1e-4, 1e-4, "sums over 64 numbers of order 10: 64 eps32 * 10 = 7.6e-5"),
}
# In float32 a mean near 1e4 of 64 rows may be off by 64 (eps32 / 2) 1e4 = 0.038, if its terms are
# added one by one, and the standard deviation is at least 1.
FAR = Tolerance(0.0, 0.05, "64 rows at 1e4: 64 (eps32 / 2) 1e4 = 0.038 of a std of at least 1")
HELPERS = (
    "gradients",
    "distance_from_differences",
    "node_name",
    "late_change_is_harmless",
    "as_arrays",
)

APPLY = method(NAME, "apply", "x", "gamma", "beta", "eps", into="result")
APPLY_DEFAULT = method(NAME, "apply", "x", "gamma", "beta", into="result")
READ = call("as_arrays", "result", into="y")
SLOPES = call("gradients", "result", "dy", "x", "gamma", "beta", into=GRADIENTS)
ARGUMENTS = ("x", "gamma", "beta")


def batch(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a batch whose channels differ in place and width."""
    wide = (-1, *[1] * (len(shape) - 2))
    z = rng.normal(size=shape)
    place, width = rng.uniform(1.0, 4.0, shape[1]), rng.uniform(0.7, 2.0, shape[1])
    return np.asarray(z * width.reshape(wide) + place.reshape(wide))


def problem(rng: np.random.Generator, shape: tuple[int, ...], **options: Any) -> dict[str, Any]:
    """Draw x, gamma, beta that learn, an upstream gradient, and an eps that is seen."""
    c = shape[1]
    return {
        "x": tensor(batch(rng, shape), learns=options.get("x_learns", True)),
        "gamma": tensor(rng.uniform(0.5, 2.0, c) * rng.choice([-1.0, 1.0], c), learns=True),
        "beta": tensor(rng.uniform(1.0, 2.0, c), learns=options.get("beta_learns", True)),
        "dy": tensor(rng.normal(size=shape) + 0.5),
        "eps": float(rng.uniform(0.1, 0.3)),
    }


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `BatchNormFunction`."""
    n, c = int(rng.integers(5, 8)), int(rng.integers(2, 5))
    flat, images = (n, c), (n, c, 3, 2)

    options: dict[str, Any] = {"gate": True, "tolerance": EXAMPLE_TOLERANCE}
    yield _case("the example of the test cell", EXAMPLE, (APPLY, READ), ("y",), **options)
    forward = (APPLY, READ)
    yield _case("output for (N, C)", problem(rng, flat), forward, ("y",))
    yield _case("output for images (N, C, H, W)", problem(rng, images), forward, ("y",), weight=2)
    narrow = problem(rng, flat)
    narrow["x"] = tensor(batch(rng, flat) * 3e-3, learns=True)
    default = (APPLY_DEFAULT, READ, SLOPES)
    yield _case("eps left out: it is 1e-5", narrow, default, ("y", GRADIENTS))
    slopes = (APPLY, SLOPES)
    yield _case("gradients for (N, C)", problem(rng, flat), slopes, (GRADIENTS,), weight=3)
    yield _case("gradients for images", problem(rng, images), slopes, (GRADIENTS,), weight=3)
    yield _case(
        "central differences agree, in double precision",
        problem(rng, (3, 2, 2)),
        (get(NAME, "apply", into="apply"), CHECK),
        (DISTANCE,),
        dtype_of=None,
        idle=True,
        help="`torch.autograd.gradcheck`, as in the cell below the exercise, says which one.",
    )
    yield _case(NODE, problem(rng, flat), (APPLY, NODE_STEP), ("y.grad_fn",), dtype_of=None)
    only = problem(rng, flat, x_learns=False, beta_learns=False)
    yield _case("only gamma learns", only, slopes, (GRADIENTS,))
    yield _two_graphs(rng, flat)
    yield _single("float32 in, float32 out", rng, batch(rng, (64, c)))
    far = batch(rng, (64, c)) + 1e4
    name = "float32 far from zero (mean 10 000)"
    yield _single(name, rng, far, tolerance=FAR, help=FAR_HELP)
    kept = tuple(call("as_arrays", name, into=f"{name} afterwards") for name in ARGUMENTS)
    yield _case(
        KEPT,
        problem(rng, images),
        (APPLY, SLOPES, *kept),
        tuple(f"{name} afterwards" for name in ARGUMENTS),
        tolerance=EXACT,
        idle=True,
    )
    yield _case(
        LATE,
        problem(rng, flat),
        (get(NAME, "apply", into="apply"), LATE_STEP),
        ("error or right gradients",),
        dtype_of=None,
        idle=True,
    )


EXAMPLE = {
    "x": tensor(np.array([[1.0, 10.0], [3.0, 30.0]])),
    "gamma": tensor(np.array([1.0, 2.0])),
    "beta": tensor(np.array([0.0, 5.0])),
    "eps": 1e-5,
}
DISTANCE = "largest distance of a gradient from central differences"
CHECK = call("distance_from_differences", "apply", "dy", *(*ARGUMENTS, "eps"), into=DISTANCE)
NODE_STEP = call("node_name", "result", into="y.grad_fn")
LATE_STEP = call(
    "late_change_is_harmless",
    "apply",
    *(*ARGUMENTS, "dy", "eps"),
    into="error or right gradients",
)


def _case(
    name: str, inputs: dict[str, Any], script: Script, report: tuple[str, ...], **options: Any
) -> Case:
    return Case(name, inputs | helpers(script, HELPERS), script, report, **options)


def _two_graphs(rng: np.random.Generator, shape: tuple[int, ...]) -> Case:
    """Build two graphs, and walk back through the first one after the second was made."""
    inputs = problem(rng, shape)
    inputs["other"] = tensor(batch(rng, (shape[0], shape[1])))
    script = (APPLY, method(NAME, "apply", "other", "gamma", "beta", "eps"), SLOPES)
    return _case(
        "two batches forward, then the first one backward",
        inputs,
        script,
        (GRADIENTS,),
        help="What the backward pass needs belongs to `ctx`: there is one for each call.",
    )


def _single(name: str, rng: np.random.Generator, x: Any, **options: Any) -> Case:
    c = x.shape[1]
    inputs = {
        "x": tensor(x.astype(np.float32), learns=True),
        "gamma": tensor(rng.uniform(0.8, 1.2, c).astype(np.float32), learns=True),
        "beta": tensor(rng.uniform(1.0, 2.0, c).astype(np.float32), learns=True),
        "dy": tensor(rng.normal(size=x.shape).astype(np.float32)),
        "eps": 0.1,
    }
    if options:
        return _case(name, inputs, (APPLY, READ), ("y",), **options)
    return _case(name, inputs, (APPLY, READ, SLOPES), ("y", GRADIENTS))


FUNCTION = Exercise(
    unit=UNIT,
    name=NAME,
    points=6,
    minutes=20,
    oracle=reference(NAME),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=MISCONCEPTIONS,
    namespace={},
    hints=(
        "Begin with `forward` alone: it is `batchnorm_forward` of unit 2 in torch, over all axes "
        "but axis 1. `x.mean(axes, keepdim=True)` keeps a shape that broadcasts. Nothing that is "
        "done in `forward` is recorded: the backward pass is yours alone.",
        "`backward(ctx, dy)` returns one value for each argument of `forward` after `ctx`: dx, "
        "dgamma, dbeta, and None for eps. The formulas are those of `batchnorm_backward_closed` of "
        "unit 5, with N replaced by m, the number of values for each channel.",
        "Save `x_hat`, `inv_std` and `gamma` with `ctx.save_for_backward(...)`. Then, with sums "
        "over the same axes (`keepdim=True` where they meet x): `dbeta = Σ dy`, `dgamma = Σ dy · "
        "x_hat`, `dx = gamma · inv_std · (dy − (dbeta + x_hat · dgamma) / m)`.",
    ),
)
