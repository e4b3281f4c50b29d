"""Exercise `split_decay_groups`: which parameters weight decay is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import (
    AROUND_BATCHNORM,
    EXACT,
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
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.interpreter import Answer
from autograder.worker.script import call

HELPERS = ("groups_by_name", "model_state")
TIED = "a weight, and a whole layer, that are used twice"
FOREIGN = "not of the model"
SPLIT = call("split_decay_groups", "model", "weight_decay", into="answer")
SCRIPT = (SPLIT, call("groups_by_name", "answer", "model", into="groups"))
KEPT = (SPLIT, call("model_state", "model", into="model afterwards"))


def norm(kind: str, width: int, **options: Any) -> dict[str, Any]:
    """Describe a norm with parameters; which numbers they hold does not matter here."""
    return spec(kind, options=options, state={"weight": np.full(width, 1.5)})


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `split_decay_groups`."""
    inputs = helpers(SCRIPT, HELPERS)
    kept = helpers(KEPT, HELPERS)

    def case(name: str, model: dict[str, Any], **options: Any) -> Case:
        given = {"model": built(model), "weight_decay": float(rng.uniform(1e-4, 0.1)), **inputs}
        return Case(name, given, SCRIPT, ("groups",), dtype_of=None, **options)

    def rows(bias: bool = True) -> dict[str, Any]:
        return linear(rng, 4, 4, bias=bias)

    yield case("the example of the test cell", EXAMPLE, gate=True)
    images = sequence(
        conv(rng, 2, 3, bias=False), batch_norm(rng, 3), spec("ReLU"), conv(rng, 3, 2, 1)
    )
    yield case("convolutions and batch norm", images, weight=2)
    deep = sequence(sequence(rows(), sequence(batch_norm(rng, 4, 1), rows())), rows())
    yield case("blocks within blocks", deep, weight=2)
    norms = sequence(
        rows(),
        norm("LayerNorm", 4, normalized_shape=4),
        norm("GroupNorm", 4, num_groups=2, num_channels=4),
        norm("InstanceNorm1d", 4, num_features=4, affine=True),
        rows(),
    )
    yield case("layer, group and instance norm", norms)
    names = ["bn_head", "first", "norm_like", "scale"]
    misnamed = sequence(rows(), batch_norm(rng, 4, 1), rows(), batch_norm(rng, 4, 1), names=names)
    yield case("names that say something else", misnamed)
    yield case("no norm, and no bias", sequence(rows(bias=False), spec("Tanh"), rows(bias=False)))
    no_affine = batch_norm(rng, 4, 1, affine=False)
    yield case("a batch norm without gamma and beta", sequence(rows(), no_affine, rows()))
    tied = sequence(rows(), batch_norm(rng, 4, 1), {**rows(), "weight_of": 0}, {"same_as": 1})
    yield case(TIED, tied, weight=2)
    yield Case(
        "the model is left as it was",
        {"model": built(deep), "weight_decay": 0.1, **kept},
        KEPT,
        ("model afterwards",),
        dtype_of=None,
        tolerance=EXACT,
        idle=True,
    )


EXAMPLE = sequence(
    spec("Linear", options={"in_features": 3, "out_features": 4}),
    spec("BatchNorm1d", options={"num_features": 4}),
    spec("Tanh"),
    spec("Linear", options={"in_features": 4, "out_features": 2}),
)


# --- wrong ideas ----------------------------------------------------------------------------------

Spared = Callable[[str, Any, Any], bool]
NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm")


def _is_norm(module: Any) -> bool:
    return type(module).__name__.startswith(NORMS)


def _right(name: str, module: Any, parameter: Any) -> bool:
    return _is_norm(module) or name.endswith("bias")


def splitting(
    spared: Spared = _right,
    *,
    once: bool = True,
    order: int = 1,
    decays: tuple[float, float] = (1.0, 0.0),
) -> Callable[[Any, float], Any]:
    """Make an implementation with wrong parts put in.

    Parameters
    ----------
    spared
        Whether a parameter, by (full name, its module, itself), is not decayed.
    once
        Whether a parameter that is used twice is there once.
    order
        1, or −1 for the other order of the groups.
    decays
        What the given weight decay is multiplied by in either group.
    """

    def split_decay_groups(model: Any, weight_decay: float) -> Any:
        found: tuple[list[Any], list[Any]] = ([], [])
        seen: set[int] = set()
        for path, module in model.named_modules(remove_duplicate=once):
            for name, parameter in module.named_parameters(recurse=False):
                if once and id(parameter) in seen:
                    continue
                seen.add(id(parameter))
                found[spared(f"{path}.{name}", module, parameter)].append(parameter)
        groups = [
            {"params": params, "weight_decay": weight_decay * factor}
            for params, factor in zip(found, decays, strict=True)
        ]
        return groups[::order]

    return split_decay_groups


def _missing(_: Case, answer: Answer, expected: Answer) -> bool:
    """Whether some parameters are in none of the groups."""
    groups: Any = (answer.values["groups"], expected.values["groups"])
    got, want = (sum(len(group["params"]) for group in found) for found in groups)
    return bool(got < want)


def _listed_twice(_: Case, answer: Answer, expected: Answer) -> bool:
    """Whether a parameter is in the groups more than once."""
    groups: Any = answer.values["groups"]
    names = [name for group in groups for name in group["params"] if name != FOREIGN]
    return len(set(names)) < len(names)


def _foreign(_: Case, answer: Answer, expected: Answer) -> bool:
    """Whether something is in the groups that is no parameter of the model."""
    groups: Any = answer.values["groups"]
    return any(FOREIGN in group["params"] for group in groups)


def _batch_norm_only(name: str, module: Any, parameter: Any) -> bool:
    return type(module).__name__.startswith("BatchNorm") or name.endswith("bias")


DECAY = Exercise(
    unit=UNIT,
    name="split_decay_groups",
    points=3,
    minutes=10,
    oracle=reference("split_decay_groups"),
    cases=cases,
    tolerances=WORDS,
    forbidden=AROUND_BATCHNORM,
    misconceptions=(
        Misconception(
            "batch-norm-only",
            "You spared batch norm and left out its relatives: the parameters of layer, group and "
            "instance norm do the same, and do not decay either.",
            splitting(_batch_norm_only),
        ),
        Misconception(
            "one-batch-norm-only",
            "You spared `BatchNorm2d` and left out the other classes: `BatchNorm1d` is a batch "
            "norm as well.",
            splitting(
                lambda name, module, p: (
                    type(module).__name__ == "BatchNorm2d" or name.endswith("bias")
                )
            ),
        ),
        Misconception(
            "biases-decayed",
            "You spared the norms, but the biases of linear layers and convolutions decay.",
            splitting(lambda name, module, p: _is_norm(module)),
        ),
        Misconception(
            "gamma-decayed",
            "You spared everything that is called bias, beta among it; gamma is called `weight`, "
            "and decays.",
            splitting(lambda name, module, p: name.endswith("bias")),
        ),
        Misconception(
            "beta-decayed",
            "You spared gamma; beta, the norm's bias, decays.",
            splitting(
                lambda name, module, p: (
                    name.endswith("weight") if _is_norm(module) else name.endswith("bias")
                )
            ),
        ),
        Misconception(
            "by-the-name-of-the-module",
            "You went by what modules are *called* (`bn`, `norm`). What a layer is says its class; "
            "in a `Sequential` the names are numbers.",
            splitting(
                lambda name, module, p: (
                    any(word in name for word in ("bn", "norm")) or name.endswith("bias")
                )
            ),
        ),
        Misconception(
            "by-bn-in-the-name",
            "You went by `bn` in the name. What a layer is says its class; in a `Sequential` the "
            "names are numbers.",
            splitting(lambda name, module, p: "bn" in name or name.endswith("bias")),
        ),
        Misconception(
            "some-parameter-twice",
            "A parameter that two layers share is in your groups twice: the optimiser would step "
            "it twice. `model.parameters()` gives each one once.",
            splitting(once=False),
            signs=lambda case, answer, expected: (
                case.name == TIED and _listed_twice(case, answer, expected)
            ),
        ),
        Misconception(
            "parents-list-them-again",
            "Parameters are in your groups more than once. `parameters()` of a container goes "
            "through its layers as well; with `recurse=False` a module gives only its own.",
            signs=_listed_twice,
        ),
        Misconception(
            "not-the-parameters-themselves",
            "Your groups hold something that is no parameter of the model: names, or copies, which "
            "an optimiser would move in vain. Put in the parameters themselves.",
            signs=_foreign,
        ),
        Misconception(
            "the-others-decay",
            "The two lists have changed places: norms and biases are in the group that decays.",
            splitting(lambda name, module, p: not _right(name, module, p)),
        ),
        Misconception(
            "groups-in-the-other-order",
            "What decays comes first, what does not second.",
            splitting(order=-1),
        ),
        Misconception(
            "weight-decay-in-both-groups",
            "Both groups have the weight decay: the second one's is 0.",
            splitting(decays=(1.0, 1.0)),
        ),
        Misconception(
            "everything-decayed",
            "Everything decays. Biases and the parameters of norms belong into the second group.",
            splitting(lambda name, module, p: False),
        ),
        Misconception(
            "some-parameter-missing",
            "Some parameters are in none of your groups: the optimiser would never move them.",
            signs=_missing,
        ),
    ),
    hints=(
        "A parameter does not know whose it is; its module does. So walk through the modules, and "
        "look at those parameters that are their own.",
        "`model.modules()` and `module.named_parameters(recurse=False)`; note what is called bias "
        "or belongs to a norm. Then sort `model.parameters()`, which has each parameter once.",
        "`spared = {id(p) for m in model.modules() for n, p in "
        "m.named_parameters(recurse=False) if n == 'bias' or isinstance(m, NORMS)}`, and two lists "
        "over `model.parameters()` by `id(p) in spared`. (`in` on a *list* of tensors compares "
        "their values: go by `id`.)",
    ),
)
