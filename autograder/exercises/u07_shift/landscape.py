"""Exercises `loss_along_gradient` and `effective_smoothness`: the loss along its own slope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.exercises.u07_shift.left_behind import LEFT_BEHIND
from autograder.exercises.u07_shift.networks import (
    FORBIDDEN,
    HELPERS,
    TOLERANCES,
    UNIT,
    as_float32,
    batch,
    classes,
    kept_cases,
    model,
    nested_layers,
    normed_layers,
    plain_layers,
    reference,
    tensor,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import Given, Script, call

ARGUMENTS = ("model", "loss_fn", "x", "y", "steps")
LOSSES_CALL = (call("loss_along_gradient", *ARGUMENTS, into="answer"),)
LOSSES = (*LOSSES_CALL, call("as_row", "answer", into="losses"))
SMOOTHNESS_CALL = (call("effective_smoothness", *ARGUMENTS, into="answer"),)
SMOOTHNESS = (*SMOOTHNESS_CALL, call("as_float", "answer", into="smoothness"))

BOWL = {  # ½(3 − y)² at w = 3: the gradient is 3 − y, the second derivative 1
    "model": model([{"kind": "linear", "weight": np.array([[3.0]])}]),
    "loss_fn": Given("loss", {"name": "half_squares"}),
    "x": tensor(np.ones((1, 1))),
    "y": tensor(np.ones((1, 1))),
}


def shared(
    rng: np.random.Generator,
    measure: Script,
    script: Script,
    label: str,
    steps: Callable[[], list[float]],
) -> Iterator[Case]:
    """Yield the cases that both exercises have: models, losses, modes, and what must stay."""

    def case(name: str, net: Given, data: dict[str, Any] | None = None, **options: Any) -> Case:
        inputs = {"model": net, **(data or batch(rng)), "steps": steps(), **HELPERS}
        return Case(name, inputs, script, (label,), dtype_of=None, **options)

    yield case("a network of three layers", model(plain_layers(rng)), weight=2)
    yield case("a network with batch norm", model(normed_layers(rng)), weight=2)
    yield case("layers in blocks", model(nested_layers(rng)))
    still = model(normed_layers(rng), training=False)
    yield case("a model in evaluation mode", still)
    yield case("a model with old gradients in `.grad`", model(plain_layers(rng), stale=True))
    yield case("classes and cross-entropy", model(normed_layers(rng)), classes(rng))
    data = batch(rng)
    data |= {n: tensor(data[n].parameters["array"].astype(np.float32)) for n in ("x", "y")}
    single = model(as_float32(plain_layers(rng)))
    yield case("float32", single, data, tolerance=TOLERANCES["float32"])
    yield from kept_cases(rng, measure, lambda: {"steps": steps()})


def loss_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `loss_along_gradient`."""

    def steps() -> list[float]:
        return [float(t) for t in rng.uniform(0.1, 0.5, 3)]

    example = {**BOWL, "steps": [0.0, 1.0, 2.0, 3.0], **HELPERS}
    yield Case(
        "the example of the test cell", example, LOSSES, ("losses",), dtype_of=None, gate=True
    )
    for name, given in (
        ("steps in any order, and 0 among them", [0.4, 0.0, 0.1, 0.3]),
        ("a step uphill (t < 0)", [-0.2, 0.2]),
        ("a single step", [float(rng.uniform(0.2, 0.4))]),
        ("steps as an array", np.array(steps())),
    ):
        inputs = {"model": model(plain_layers(rng)), **batch(rng), "steps": given, **HELPERS}
        yield Case(name, inputs, LOSSES, ("losses",), dtype_of=None)
    yield from shared(rng, LOSSES_CALL, LOSSES, "losses", steps)


def smoothness_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `effective_smoothness`."""

    def steps() -> list[float]:
        return [float(t) for t in rng.permutation([0.05, 0.2, 0.6]) * rng.uniform(0.8, 1.2)]

    example = {**BOWL, "steps": [0.5, 2.0], **HELPERS}
    yield Case(
        "the example of the test cell",
        example,
        SMOOTHNESS,
        ("smoothness",),
        dtype_of=None,
        gate=True,
    )
    for name, given in (
        ("a single step", [float(rng.uniform(0.2, 0.4))]),
        ("a step uphill (t < 0)", [-0.3]),
        ("steps as an array", np.array(steps())),
        ("a tiny step", [1e-4]),
    ):
        inputs = {"model": model(plain_layers(rng)), **batch(rng), "steps": given, **HELPERS}
        yield Case(name, inputs, SMOOTHNESS, ("smoothness",), dtype_of=None)
    yield from shared(rng, SMOOTHNESS_CALL, SMOOTHNESS, "smoothness", steps)


class Walk:
    """A copy of a model, moved along its gradient: the honest part of every wrong idea."""

    def __init__(self, model: Any, loss_fn: Any, x: Any, y: Any, mode: bool | None = None) -> None:
        import copy

        import torch

        self._torch, self._loss_fn, self._x, self._y = torch, loss_fn, x, y
        self.model = copy.deepcopy(model)
        if mode is not None:
            self.model.train(mode)
        self.parameters = list(self.model.parameters())
        self.start = [p.detach().clone() for p in self.parameters]
        self.gradient = self.slope()

    def loss(self) -> Any:
        """Return the loss where the copy stands."""
        return self._loss_fn(self.model(self._x), self._y)

    def slope(self) -> Any:
        """Return the gradient where the copy stands, one tensor a parameter."""
        return self._torch.autograd.grad(self.loss(), self.parameters)

    def go(self, t: float, along: Sequence[Any] | None = None) -> None:
        """Stand at ``start − t · along``."""
        with self._torch.no_grad():
            for p, w, g in zip(self.parameters, self.start, along or self.gradient, strict=True):
                p.copy_(w - t * g)

    def stay(self) -> None:
        """Take the place where the copy stands for its start."""
        self.start = [p.detach().clone() for p in self.parameters]

    def length(self, parts: Sequence[Any]) -> float:
        """Return the length of a gradient."""
        return float(self._torch.cat([part.flatten() for part in parts]).norm())

    def change(self) -> float:
        """Return how far the gradient here is from that at the start."""
        pairs = zip(self.slope(), self.gradient, strict=True)
        return self.length([new - old for new, old in pairs])


def walking(
    place: Callable[[Walk, float], None] = Walk.go,
    read: Callable[[Walk], float] = lambda walk: walk.loss().item(),
    mode: bool | None = None,
) -> Callable[..., Any]:
    """Make `loss_along_gradient` from how to go to a step and what to read there."""

    def loss_along_gradient(model: Any, loss_fn: Any, x: Any, y: Any, steps: Any) -> Any:
        walk, losses = Walk(model, loss_fn, x, y, mode), []
        for t in steps:
            place(walk, float(t))
            losses.append(read(walk))
        return np.array(losses)

    return loss_along_gradient


def _cumulative(walk: Walk, t: float) -> None:
    walk.go(t)
    walk.stay()


def _descending(walk: Walk, t: float) -> None:
    walk.go(t)
    walk.stay()
    walk.gradient = walk.slope()


def _unit_length(walk: Walk, t: float) -> None:
    walk.go(t / walk.length(walk.gradient))


def _differences(model: Any, loss_fn: Any, x: Any, y: Any, steps: Any) -> Any:
    walk = Walk(model, loss_fn, x, y)
    here = walk.loss().item()
    return walking()(model, loss_fn, x, y, steps) - here


LOSS_ALONG = Exercise(
    unit=UNIT,
    name="loss_along_gradient",
    points=3,
    minutes=10,
    oracle=reference("loss_along_gradient"),
    cases=loss_cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "steps-add-up",
            "Each of your steps starts where the last one ended. All of them start at w: w − t·g.",
            walking(_cumulative),
        ),
        Misconception(
            "descends-step-by-step",
            "You trained: a new gradient after each step, from where the last one ended. The line "
            "is straight: one w, one g, several t.",
            walking(_descending),
        ),
        Misconception(
            "step-uphill",
            "You went to w + t·g, uphill. Subtract.",
            walking(lambda walk, t: walk.go(-t)),
        ),
        Misconception(
            "gradient-normalised",
            "You divided the gradient by its length. A step of SGD is t·g, with the gradient's own "
            "length.",
            walking(_unit_length),
        ),
        Misconception(
            "nothing-moved",
            "All your losses are the one at w: the parameters that you moved are not those the "
            "model computes with.",
            walking(lambda walk, t: None),
        ),
        Misconception(
            "differences-of-losses",
            "You returned how the loss *changed*. The losses themselves are asked for.",
            _differences,
        ),
        Misconception(
            "measured-in-training-mode",
            "You measured in training mode. The model was in evaluation mode, and is to be "
            "measured in it.",
            walking(mode=True),
        ),
        Misconception(
            "measured-in-evaluation-mode",
            "You measured in evaluation mode. Measure in the mode the model is in.",
            walking(mode=False),
        ),
        *LEFT_BEHIND,
    ),
    hints=(
        "One gradient, at the start, is enough. For each t, set every parameter of a copy to its "
        "start value minus t times its gradient.",
        "`work = copy.deepcopy(model)`, then `params = list(work.parameters())`, `start = "
        "[p.detach().clone() for p in params]` and `grads = torch.autograd.grad(loss, params)`.",
        "In the loop, under `torch.no_grad()`: `p.copy_(w - t * g)` for each of the three lists, "
        "then the loss of the copy.",
    ),
)


def ratios(
    ratio: Callable[[Walk, float], float] = lambda walk, t: (
        walk.change() / (abs(t) * walk.length(walk.gradient))
    ),
    reduce: Callable[[list[float]], float] = max,
    place: Callable[[Walk, float], None] = Walk.go,
    mode: bool | None = None,
) -> Callable[..., float]:
    """Make `effective_smoothness` from the number taken at a step, and what is made of them."""

    def effective_smoothness(model: Any, loss_fn: Any, x: Any, y: Any, steps: Any) -> float:
        walk, found = Walk(model, loss_fn, x, y, mode), []
        for t in steps:
            place(walk, float(t))
            found.append(ratio(walk, float(t)))
        return float(reduce(found))

    return effective_smoothness


def _by_parameter(walk: Walk, t: float) -> float:
    """Return the largest ratio of a single parameter tensor."""
    pairs = zip(walk.slope(), walk.gradient, strict=True)
    return max(float((new - old).norm() / (abs(t) * old.norm())) for new, old in pairs)


def _of_lengths(walk: Walk, t: float) -> float:
    change = abs(walk.length(walk.slope()) - walk.length(walk.gradient))
    return change / (abs(t) * walk.length(walk.gradient))


SMOOTH = Exercise(
    unit=UNIT,
    name="effective_smoothness",
    points=3,
    minutes=8,
    oracle=reference("effective_smoothness"),
    cases=smoothness_cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "not-divided-by-the-step",
            "You divided by ‖g‖ alone. The way is t·g: divide by |t|·‖g‖.",
            ratios(lambda walk, t: walk.change() / walk.length(walk.gradient)),
        ),
        Misconception(
            "not-divided-by-the-gradient",
            "You divided by |t| alone. The way is t·g: its length is |t|·‖g‖.",
            ratios(lambda walk, t: walk.change() / abs(t)),
        ),
        Misconception(
            "not-divided",
            "You returned how far the gradient moved. Divide by the length of the way, ‖t·g‖.",
            ratios(lambda walk, t: walk.change()),
        ),
        Misconception(
            "mean-for-max",
            "You took the mean over the steps. The largest ratio is asked for.",
            ratios(reduce=lambda found: float(np.mean(found))),
        ),
        Misconception(
            "min-for-max",
            "You took the smallest ratio. The largest is asked for.",
            ratios(reduce=min),
        ),
        Misconception(
            "last-step-only",
            "You returned the ratio of the last step. The largest of all is asked for.",
            ratios(reduce=lambda found: found[-1]),
        ),
        Misconception(
            "sign-of-the-step",
            "A step with t < 0 gave a negative ratio: the length of the way is |t|·‖g‖.",
            ratios(lambda walk, t: walk.change() / (t * walk.length(walk.gradient))),
        ),
        Misconception(
            "step-uphill",
            "You went to w + t·g, uphill. Subtract.",
            ratios(place=lambda walk, t: walk.go(-t)),
        ),
        Misconception(
            "steps-add-up",
            "Each of your steps starts where the last one ended. All of them start at w: w − t·g.",
            ratios(place=_cumulative),
        ),
        Misconception(
            "squared-ratio",
            "You took squares of lengths: the root is missing.",
            ratios(lambda walk, t: (walk.change() / (t * walk.length(walk.gradient))) ** 2),
        ),
        Misconception(
            "parameter-by-parameter",
            "You took a ratio for each parameter tensor. The gradient is one vector over all of "
            "them: put everything together before you take a length.",
            ratios(_by_parameter),
        ),
        Misconception(
            "difference-of-lengths",
            "You subtracted the lengths of the gradients. A gradient can turn without getting "
            "longer: subtract the vectors.",
            ratios(_of_lengths),
        ),
        Misconception(
            "measured-in-training-mode",
            "You measured in training mode. The model was in evaluation mode, and is to be "
            "measured in it.",
            ratios(mode=True),
        ),
        Misconception(
            "measured-in-evaluation-mode",
            "You measured in evaluation mode. Measure in the mode the model is in.",
            ratios(mode=False),
        ),
        *LEFT_BEHIND,
    ),
    hints=(
        "Walk as in `loss_along_gradient`; where you stand, take the gradient in the place of the "
        "loss.",
        "Put the gradient's parts into one vector: `torch.cat([g.flatten() for g in grads])`. "
        "Then the norm of a difference is one call.",
        "For each t: `(g_here - g_there).norm() / (abs(t) * g_here.norm())`; the maximum as a "
        "float.",
    ),
)
