"""Exercise `upstream_update_gradients`: a layer's gradient before and after the others moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from autograder.worker.script import Given, call

ARGUMENTS = ("model", "index", "loss_fn", "x", "y", "lr")
ANSWER = "(g_before, g_after)"
MEASURE = (call("upstream_update_gradients", *ARGUMENTS, into="answer"),)
SCRIPT = (*MEASURE, call("as_arrays", "answer", into=ANSWER))

EXAMPLE = {  # h = 2x, output 3h; the sum of outputs as the loss
    "model": model(
        [
            {"kind": "linear", "weight": np.array([[2.0]])},
            {"kind": "linear", "weight": np.array([[3.0]])},
        ]
    ),
    "index": 1,
    "loss_fn": Given("loss", {"name": "half_squares"}),
    "x": tensor(np.ones((1, 1))),
    "y": tensor(np.array([[5.0]])),
    "lr": 0.5,
}

FIRST = "Nothing stands before layer 0: there is no gradient to take by an empty list, and no step."


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `upstream_update_gradients`."""

    def case(
        name: str, net: Given, index: int, data: dict[str, Any] | None = None, **options: Any
    ) -> Case:
        inputs = {"model": net, "index": index, **(data or batch(rng)), "lr": rate()}
        return Case(name, {**inputs, **HELPERS}, SCRIPT, (ANSWER,), dtype_of="x", **options)

    def rate() -> float:
        return float(rng.uniform(0.2, 0.5))

    example = {**EXAMPLE, **HELPERS}
    yield Case("the example of the test cell", example, SCRIPT, (ANSWER,), gate=True)
    yield case("the last of three layers", model(plain_layers(rng)), 2, weight=2)
    yield case("the layer in the middle: what follows it stays", model(plain_layers(rng)), 1)
    yield case("the first layer: nothing stands before it", model(plain_layers(rng)), 0, help=FIRST)
    yield case("layers in blocks, one without a bias", model(nested_layers(rng)), 2)
    normed = model(normed_layers(rng))
    yield case("batch norm layers count, and move", normed, 4, weight=2)
    yield case("the gradient of a batch norm layer", model(normed_layers(rng)), 1)
    yield case("a model in evaluation mode", model(normed_layers(rng), training=False), 2)
    yield case("a model with old gradients in `.grad`", model(plain_layers(rng), stale=True), 2)
    yield case("classes and cross-entropy", model(normed_layers(rng)), 4, classes(rng))
    single = model(as_float32(plain_layers(rng)))
    data = batch(rng)
    data |= {n: tensor(data[n].parameters["array"].astype(np.float32)) for n in ("x", "y")}
    yield case("float32", single, 2, data)
    yield from kept_cases(rng, MEASURE, lambda: {"index": 2, "lr": rate()})


def moving(
    which: Callable[[int, int], bool] = lambda layer, index: layer < index,
    *,
    sign: float = -1.0,
    owners: Callable[[Any], bool] = lambda module: any(True for _ in module.parameters(False)),
    of: Callable[[Any], list[Any]] = lambda layer: list(layer.parameters(False)),
    clears: bool = True,
    recurse: bool = False,
    mode: bool | None = None,
) -> Callable[..., tuple[Any, Any]]:
    """Make an implementation on a deep copy, with wrong parts put in.

    Parameters
    ----------
    which
        Whether layer k moves if layer `index` is looked at.
    sign
        Of the step.
    owners
        Which modules are layers.
    of
        Which parameters of a layer its gradient is taken by.
    clears
        Whether gradients of the first pass are cleared before the second.
    recurse
        Whether a layer moves with all that lies in it.
    mode
        The mode to measure in; None: the model's own.
    """

    def upstream_update_gradients(
        model: Any, index: int, loss_fn: Any, x: Any, y: Any, lr: float
    ) -> tuple[Any, Any]:
        import copy

        import torch

        work = copy.deepcopy(model)
        work.zero_grad()
        if mode is not None:
            work.train(mode)
        layers = [module for module in work.modules() if owners(module)]
        found = []
        for _ in range(2):
            if clears:
                work.zero_grad()
            loss_fn(work(x), y).backward()
            found.append(torch.cat([p.grad.flatten() for p in of(layers[index])]).clone())
            with torch.no_grad():
                for k, layer in enumerate(layers):
                    if which(k, index):
                        for p in layer.parameters(recurse):
                            p += sign * lr * p.grad
        return found[0], found[1]

    return upstream_update_gradients


def _swapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    before, after = moving()(*args, **kwargs)
    return after, before


def _one_after_another(
    model: Any, index: int, loss_fn: Any, x: Any, y: Any, lr: float
) -> tuple[Any, Any]:
    """Take the step of each layer with the gradient that those before it have left."""
    import copy

    import torch

    work = copy.deepcopy(model)
    layers = [module for module in work.modules() if any(True for _ in module.parameters(False))]

    def slope(layer: Any) -> Any:
        return torch.autograd.grad(loss_fn(work(x), y), list(layer.parameters(False)))

    before = torch.cat([g.flatten() for g in slope(layers[index])])
    for layer in layers[:index]:
        steps = slope(layer)
        with torch.no_grad():
            for p, g in zip(layer.parameters(False), steps, strict=True):
                p -= lr * g
    return before, torch.cat([g.flatten() for g in slope(layers[index])])


def _is_linear(module: Any) -> bool:
    return type(module).__name__ == "Linear"


UPSTREAM = Exercise(
    unit=UNIT,
    name="upstream_update_gradients",
    points=4,
    minutes=15,
    oracle=reference("upstream_update_gradients"),
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "all-layers-moved",
            "You moved every layer. Only those *before* the layer looked at take the step: the "
            "question is what their step does to it.",
            moving(lambda layer, index: True),
        ),
        Misconception(
            "own-layer-moved",
            "You moved the layer itself, too. It stays: only what stands before it takes the step.",
            moving(lambda layer, index: layer <= index),
        ),
        Misconception(
            "later-layers-moved",
            "You moved the layers after it. Its *inputs* come from the layers before it.",
            moving(lambda layer, index: layer > index),
        ),
        Misconception(
            "all-other-layers-moved",
            "You moved the layers after it, too. In Definition 2.1 they stay where they are.",
            moving(lambda layer, index: layer != index),
        ),
        Misconception(
            "nothing-moved",
            "Both gradients are the same, wherever something stands before the layer: the step was "
            "not taken before the second gradient, or was taken by another copy.",
            moving(lambda layer, index: False),
        ),
        Misconception(
            "only-the-layer-just-before",
            "You moved only the one layer just before it. All layers before it take the step.",
            moving(lambda layer, index: layer == index - 1),
        ),
        Misconception(
            "step-uphill",
            "You added lr times the gradient. Descent subtracts it.",
            moving(sign=1.0),
        ),
        Misconception(
            "gradients-added-up",
            "Your second gradient contains the first: `backward()` adds to `.grad`. Clear it in "
            "between, or use `torch.autograd.grad`.",
            moving(clears=False),
        ),
        Misconception(
            "order-of-results",
            "You returned (g_after, g_before). The gradient before the step comes first.",
            _swapped,
        ),
        Misconception(
            "weight-only",
            "You left the bias out. A layer's gradient has an entry for each of its parameters, "
            "weight first.",
            moving(of=lambda layer: list(layer.parameters(False))[:1]),
        ),
        Misconception(
            "linear-layers-only",
            "You counted linear layers only. A batch norm with weight and bias owns parameters, "
            "too: it counts, and it moves.",
            moving(owners=_is_linear),
        ),
        Misconception(
            "containers-counted",
            "You counted containers, too: `parameters()` of a `Sequential` are those of all that "
            "lies in it. `parameters(recurse=False)` are a module's own.",
            moving(
                owners=lambda module: any(True for _ in module.parameters()),
                of=lambda layer: list(layer.parameters()),
                recurse=True,
            ),
        ),
        Misconception(
            "one-layer-after-another",
            "You took a new gradient after each layer's step. All layers before it step at once, "
            "with the gradients of the starting point.",
            _one_after_another,
        ),
        Misconception(
            "measured-in-training-mode",
            "You measured in training mode. The model was in evaluation mode, and is to be "
            "measured in it.",
            moving(mode=True),
        ),
        Misconception(
            "measured-in-evaluation-mode",
            "You measured in evaluation mode. Batch norm has another gradient there: measure in "
            "the mode the model is in.",
            moving(mode=False),
        ),
        *LEFT_BEHIND,
    ),
    hints=(
        "Work on `copy.deepcopy(model)`: then whatever you do, the model stays as it was. Which "
        "modules own parameters? Those `m` of `work.modules()` for which "
        "`list(m.parameters(recurse=False))` is not empty.",
        "Gradient of everything; keep that of layer `index`; move the parameters of the layers "
        "before it, under `torch.no_grad()`; the gradient of layer `index` again.",
        "`grads = torch.autograd.grad(loss_fn(work(x), y), params)` returns one tensor a "
        "parameter and leaves `.grad` alone. `torch.cat([g.flatten() for g in …])` makes a vector.",
    ),
)
