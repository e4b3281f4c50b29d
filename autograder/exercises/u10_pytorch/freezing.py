"""Exercise `freeze_batchnorm`: nothing of a batch norm moves, and everything else learns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import (
    AROUND_BATCHNORM,
    EXACT,
    EXAMPLE_TOLERANCE,
    UNIT,
    WORDS,
    batch_norm,
    built,
    conv,
    helpers,
    linear,
    reference,
    sequence,
    spec,
    tensor,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Script, call, method

HELPERS = ("trained", "modes_of", "state_numbers", "as_arrays", "is_same")
TOLERANCES = {
    "float64": Tolerance(1e-8, 1e-9, "three steps through four layers: 1e4 eps64, with room")
}
FREEZE = call("freeze_batchnorm", "model", into="frozen")
TRAINED = "model after three steps"
STEPS = (FREEZE, call("trained", "model", "x", "y", "lr", "weight_decay", into=TRAINED))
RUN = (call("model", "x", into="result"), call("as_arrays", "result", into="output"))
MODES = "modes after train()"
BLOCKS = "batch norms of images and of rows, in blocks within blocks"


def plain(rng: np.random.Generator, norm: dict[str, Any] | None = None) -> dict[str, Any]:
    """Draw a network of two linear layers with a batch norm between them: 3 in, 2 out."""
    return sequence(
        linear(rng, 3, 4), norm or batch_norm(rng, 4, 1), spec("Tanh"), linear(rng, 4, 2)
    )


def nested(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a network for images whose batch norms lie in blocks: 2 channels of 4×3 in, 2 out."""
    block = sequence(conv(rng, 2, 3, padding=1), batch_norm(rng, 3), spec("Tanh"))
    inner = sequence(linear(rng, 36, 4), batch_norm(rng, 4, 1))
    tail = sequence(inner, spec("Tanh"), linear(rng, 4, 2))
    return sequence(block, spec("Flatten"), tail)


def other_norms(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a network with a layer norm, a group norm and one batch norm."""
    layer = {"weight": rng.uniform(0.5, 2.0, 4), "bias": rng.normal(size=4)}
    group = {"weight": rng.uniform(0.5, 2.0, 4), "bias": rng.normal(size=4)}
    return sequence(
        linear(rng, 3, 4),
        spec("LayerNorm", options={"normalized_shape": 4}, state=layer),
        batch_norm(rng, 4, 1),
        spec("GroupNorm", options={"num_groups": 2, "num_channels": 4}, state=group),
        linear(rng, 4, 2),
    )


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `freeze_batchnorm`."""

    def data(shape: tuple[int, ...] = (6, 3)) -> dict[str, Any]:
        x, y = rng.normal(size=shape) + 2.0, rng.normal(size=(shape[0], 2)) * 2.0
        rates = {"lr": float(rng.uniform(0.05, 0.1)), "weight_decay": float(rng.uniform(0.1, 0.2))}
        return {"x": tensor(x), "y": tensor(y), **rates}

    def case(
        name: str, model: dict[str, Any], script: Script, report: tuple[str, ...], **options: Any
    ) -> Case:
        inputs = {**data(options.pop("shape", (6, 3))), **options.pop("inputs", {})}
        inputs = {"model": built(model), **inputs, **helpers(script, HELPERS)}
        return Case(name, inputs, script, report, dtype_of=None, **options)

    train = method("model", "train")
    visible: dict[str, Any] = {"gate": True, "tolerance": EXAMPLE_TOLERANCE}
    yield case(
        "the example of the test cell", EXAMPLE, (FREEZE, train, *RUN), ("output",), **visible
    )
    yield case("three steps of training, after `train()`", plain(rng), STEPS, (TRAINED,), weight=3)
    yield case(BLOCKS, nested(rng), STEPS, (TRAINED,), weight=3, shape=(5, 2, 4, 3))
    yield case("the output right after freezing", plain(rng), (FREEZE, *RUN), ("output",))
    output = (FREEZE, train, *RUN)
    yield case("the output after `train()`", plain(rng), output, ("output",), weight=2)
    again = (FREEZE, method("model", "eval"), train, *RUN)
    yield case("`eval()`, then `train()` again", plain(rng), again, ("output",))
    yield case("other norms go on learning", other_norms(rng), STEPS, (TRAINED,), weight=2)
    own = plain(rng, batch_norm(rng, 4, 1, momentum=None, affine=False))
    yield case("a batch norm without gamma and beta", own, STEPS, (TRAINED,))
    dropout = sequence(*plain(rng)["modules"], spec("Dropout"))
    yield case(
        "all other layers follow `train()` and `eval()`",
        dropout,
        (
            FREEZE,
            train,
            call("modes_of", "model", "names", into=MODES),
            method("model", "eval"),
            call("modes_of", "model", "names", into="modes after eval()"),
        ),
        (MODES, "modes after eval()"),
        inputs={"names": ["0", "2", "3", "4"]},
        idle=True,
    )
    state = (FREEZE, call("state_numbers", "model", into="state dict"))
    yield case(
        "the state dict has the keys and values it had",
        nested(rng),
        state,
        ("state dict",),
        tolerance=EXACT,
        idle=True,
    )
    same = (FREEZE, call("is_same", "frozen", "model", into="the model itself comes back"))
    yield case(
        "the model itself comes back",
        plain(rng),
        same,
        ("the model itself comes back",),
        weight=0.5,
        idle=True,
    )


EXAMPLE = sequence(
    spec(
        "BatchNorm1d",
        options={"num_features": 3},
        state={
            "weight": np.ones(3),
            "bias": np.zeros(3),
            "running_mean": np.array([1.0, 2.0, 3.0]),
            "running_var": np.array([4.0, 4.0, 4.0]),
        },
    )
)


# --- wrong ideas ----------------------------------------------------------------------------------


def _is_batch_norm(module: Any) -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm

    return isinstance(module, _BatchNorm)


def _modules(model: Any) -> list[Any]:
    return [module for module in model.modules() if _is_batch_norm(module)]


def freezing(
    which: Callable[[Any], list[Any]] = _modules,
    *,
    parameters: bool = True,
    statistics: Callable[[Any], None] | None = None,
) -> Callable[[Any], Any]:
    """Make an implementation with wrong parts put in.

    Parameters
    ----------
    which
        The modules of a model that are frozen.
    parameters
        Whether weight and bias are.
    statistics
        What is done to a module so that its statistics stay; None: evaluation mode for good.
    """

    def freeze_batchnorm(model: Any) -> Any:
        for layer in which(model):
            if parameters:
                layer.requires_grad_(False)
            (statistics or _for_good)(layer)
        return model

    return freeze_batchnorm


def _for_good(layer: Any) -> None:
    layer.eval()
    layer.train = lambda mode=True: layer


def _nothing(layer: Any) -> None:
    return


def _once(layer: Any) -> None:
    layer.eval()


def _momentum_zero(layer: Any) -> None:
    layer.momentum = 0.0


def _untracked(layer: Any) -> None:
    layer.track_running_stats = False


def _without_a_graph(layer: Any) -> None:
    import torch

    _for_good(layer)
    layer.forward = torch.no_grad()(layer.forward)


def _images_only(model: Any) -> list[Any]:
    from torch import nn

    return [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]


def _rows_only(model: Any) -> list[Any]:
    from torch import nn

    return [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]


def _all_norms(model: Any) -> list[Any]:
    return [m for m in model.modules() if "Norm" in type(m).__name__]


def _whole_model(model: Any) -> Any:
    model.requires_grad_(False)
    _whole_mode(model)
    return model


def _whole_mode(model: Any) -> Any:
    for layer in _modules(model):
        layer.requires_grad_(False)
    model.eval()
    model.train = lambda mode=True: model
    return model


def _modes_differ(_: Case, answer: Answer, expected: Answer) -> bool:
    return MODES in expected.values and answer.values[MODES] != expected.values[MODES]


def _not_returned(case: Case, _answer: Answer, _expected: Answer) -> bool:
    return case.name == "the model itself comes back"


FREEZE_BATCHNORM = Exercise(
    unit=UNIT,
    name="freeze_batchnorm",
    points=4,
    minutes=14,
    oracle=reference("freeze_batchnorm"),
    cases=cases,
    tolerances={**WORDS, **TOLERANCES},
    forbidden=AROUND_BATCHNORM,
    misconceptions=(
        Misconception(
            "top-level-only",
            "You looked at the model's direct children. Batch norms may lie in blocks: "
            "`model.modules()` walks through all of them.",
            freezing(lambda model: [m for m in model.children() if _is_batch_norm(m)]),
        ),
        Misconception(
            "images-only",
            "You froze `BatchNorm2d` and left `BatchNorm1d` as it is. Both are batch norm.",
            freezing(_images_only),
        ),
        Misconception(
            "rows-only",
            "You froze `BatchNorm1d` and left `BatchNorm2d` as it is. Both are batch norm.",
            freezing(_rows_only),
        ),
        Misconception(
            "other-norms-frozen",
            "You froze layer norm and group norm, too. They keep no statistics, and are no batch "
            "norm.",
            freezing(_all_norms),
        ),
        Misconception(
            "thawed-by-train",
            "Frozen until the next `model.train()`, which puts every layer back into training "
            "mode. Change what `train` does for these layers.",
            freezing(statistics=_once),
        ),
        Misconception(
            "whole-model-in-evaluation",
            "The whole model stays in evaluation mode, dropout too. Only the batch norms have to.",
            _whole_mode,
            signs=_modes_differ,
        ),
        Misconception(
            "statistics-still-move",
            "The running statistics move on. They are no parameters, so `requires_grad` does not "
            "hold them; the *mode* does: each batch norm has to be, and stay, in evaluation mode.",
            freezing(statistics=_nothing),
        ),
        Misconception(
            "parameters-still-learn",
            "The statistics stay, but gamma and beta go on learning. They need "
            "`requires_grad_(False)`.",
            freezing(parameters=False),
        ),
        Misconception(
            "eval-only",
            "You put the layers into evaluation mode once. `model.train()` takes them out again, "
            "and gamma and beta go on learning all the time.",
            freezing(parameters=False, statistics=_once),
        ),
        Misconception(
            "normalises-with-the-batch",
            "The running statistics stay, but in training mode the layer still normalises with "
            "each batch's own, not with them. It has to stay in evaluation mode.",
            freezing(statistics=_momentum_zero),
        ),
        Misconception(
            "statistics-switched-off",
            "With `track_running_stats = False` nothing moves, but in training mode the layer goes "
            "by each batch's own statistics. It has to stay in evaluation mode.",
            freezing(statistics=_untracked),
        ),
        Misconception(
            "no-gradient-passes",
            "Nothing that stands before a frozen layer learns any more: no gradient comes through "
            "it. Freeze its parameters, not its forward pass.",
            freezing(statistics=_without_a_graph),
        ),
        Misconception(
            "everything-frozen",
            "You froze the whole model. Only its batch norms are to stay; the rest learns.",
            _whole_model,
        ),
        Misconception(
            "nothing-frozen",
            "Not one batch norm of this model is frozen. A frozen copy is another model; and what "
            "a layer is says its class, not its name: in a `Sequential` names are numbers.",
            freezing(lambda model: []),
        ),
        Misconception(
            "model-not-returned",
            "Return the model that came in, changed in place.",
            signs=_not_returned,
        ),
    ),
    hints=(
        "Three things move in a batch norm: parameters (by the optimiser), statistics (by the "
        "mode), and the mode itself (by `model.train()`). Stop each one.",
        "For each batch norm in `model.modules()`: `requires_grad_(False)`; `eval()`; and what "
        "survives `model.train()`, which calls `train(mode)` of every layer. What if this "
        "layer's own `train` did nothing?",
        "An attribute of an object goes before the method of its class: "
        "`module.train = lambda mode=True, m=module: m`. (Or a subclass whose `train` calls "
        "`super().train(False)`, set as `module.__class__`.)",
    ),
)
