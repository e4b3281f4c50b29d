"""Exercise `to_device`: a whole batch, whatever it is packed in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import (
    EXACT,
    TOLERANCES,
    UNIT,
    computer,
    device,
    placed,
    reference,
    theirs,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import Given, call, get, method

ALONE, WAIT = "the copies go on alone", "the host waits for the copies"
RUN = (theirs("to_device"), method("computer", "call", "theirs", "batch", "device", into="moved"))
MOVED = (*RUN, call("layout", "moved", into="result"))
WATCHED = (
    *MOVED,
    get("computer", "copies_go_alone", into=ALONE),
    get("computer", "copies_wait", into=WAIT),
)
KEPT = (*RUN, call("layout", "batch", into="batch afterwards"))
ASYNC = (
    "A copy to a card need not wait: `tensor.to(device, non_blocking=True)`. From pinned memory "
    "the host then goes on while the data travel. Look at `device.type`: `cuda:1` is not equal to "
    "`cuda`."
)
WAITS = (
    "A copy to the CPU has to wait. With `non_blocking=True` the host may read the tensor before "
    "the numbers have come: only a copy *to* a card may go on alone."
)

FILLED = "The batch that came in has changed: build new containers, and leave the old ones alone."
HERE = (
    "`device` says where to: here the CPU of a computer without a card. A string comes back as it "
    "is, though one could loop over it."
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `to_device`."""

    def x(*shape: int) -> list[Any]:
        return ["tensor", np.round(rng.normal(size=shape), 3)]

    def labels() -> list[Any]:
        return ["tensor", rng.integers(0, 10, 2)]

    def case(
        name: str, tree: Any, script: Any = MOVED, place: str = "cuda", **options: Any
    ) -> Case:
        batch = containers(tree)
        inputs = {
            "batch": placed(batch, options.pop("come_from")) if "come_from" in options else batch,
            "device": device(place),
            "computer": computer(cards=options.pop("cards", 2)),
            "layout": Given("layout"),
        }
        options = {"report": ("result",), "tolerance": EXACT, "dtype_of": None, **options}
        return Case(name, inputs, script, **options)

    words = ["list", [["value", "cat.png"], ["value", "dog.png"]]]
    example = ["dict", {"x": x(2), "names": words}]
    yield case("the example of the test cell", example, place="cpu", cards=0, gate=True, help=HERE)
    yield case("a dict on the way to a card", example)
    yield case("a single tensor", x(2, 3))
    yield case("a list of tensors", ["list", [x(2), labels()]])
    yield case("the second of two cards", x(2, 3), place="cuda:1")
    yield case("a tuple stays a tuple", ["tuple", [x(2, 2), labels()]])
    yield case("a named tuple keeps its class", ["pair", [x(2), labels()]], weight=2)
    deep: list[Any] = [
        "dict",
        {"views": ["list", [x(2), ["pair", [x(1), labels()]]]], "y": labels()},
    ]
    yield case("nested three deep", ["tuple", [deep, x(2)]], weight=3)
    rest: dict[str, Any] = {"index": 7, "name": "eight", "weight": 0.5, "mask": None, "last": True}
    plain: list[Any] = [
        "dict",
        {name: ["value", value] for name, value in rest.items()} | {"x": x(2)},
    ]
    yield case("what is no tensor passes through", plain)
    yield case("empty containers", ["dict", {"a": ["list", []], "b": ["dict", {}], "x": x(2)}])
    pair = ["list", [x(2), labels()]]
    yield case("to the CPU the numbers are the same", pair, place="cpu", cards=0, idle=True)
    after = ("batch afterwards",)
    yield case(
        "the batch itself is left as it was", deep, KEPT, report=after, idle=True, help=FILLED
    )
    many: list[Any] = ["dict", {"x": x(2), "rest": ["list", [x(2), x(3)]]}]
    there: dict[str, Any] = {"place": "cuda:1", "report": (ALONE, "result"), "help": ASYNC}
    yield case("copies to a card do not wait", many, WATCHED, **there)
    back: dict[str, Any] = {"come_from": "cuda:0", "idle": True, "help": WAITS}
    yield case("copies to the CPU wait", many, WATCHED, "cpu", report=(WAIT, "result"), **back)


def containers(tree: Any) -> Given:
    """Name nested containers, from pairs ``[kind, content]`` with arrays in them."""
    arrays: list[np.ndarray] = []

    def number(pair: Any) -> Any:
        kind, content = pair
        if kind == "tensor":
            arrays.append(content)
            return [kind, len(arrays) - 1]
        if kind == "dict":
            return [kind, {name: number(item) for name, item in content.items()}]
        return pair if kind == "value" else [kind, [number(item) for item in content]]

    return Given("tree", {"form": json.dumps(number(tree)), "tensors": arrays})


def moving(
    kinds: Any = (dict, list, tuple),
    *,
    waits: tuple[bool, bool] = (False, True),
    named: bool = True,
    as_lists: bool = False,
    deep: bool = True,
) -> Callable[..., Any]:
    """Make an implementation that knows only some containers."""

    def to_device(batch: Any, device: Any) -> Any:
        def walk(item: Any, level: int = 0) -> Any:
            if hasattr(item, "detach"):
                return item.to(device, non_blocking=not waits[device.type == "cpu"])
            if not isinstance(item, kinds) or (level and not deep):
                return item
            if isinstance(item, dict):
                return {name: walk(value, level + 1) for name, value in item.items()}
            items: Any = [walk(value, level + 1) for value in item]
            if hasattr(item, "_fields") and named:
                return type(item)(*items)
            return items if as_lists or isinstance(item, list) else tuple(items)

        return walk(batch)

    return to_device


MOVE = Exercise(
    unit=UNIT,
    name="to_device",
    points=3,
    minutes=10,
    oracle=reference("to_device"),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception("copies-wait", ASYNC, moving(waits=(True, True))),
        Misconception("copies-do-not-wait", WAITS, moving(waits=(False, False))),
        Misconception(
            "named-tuple-lost",
            "A named tuple has become a plain tuple: code that asks for `batch.image` then fails. "
            "It is built anew by `type(batch)(*items)`.",
            moving(named=False),
        ),
        Misconception(
            "tuples-become-lists",
            "A tuple came back as a list. Build the kind of container that came in.",
            moving(named=False, as_lists=True),
        ),
        Misconception(
            "first-level-only",
            "You moved what lies directly in the batch, and left the tensors deeper inside where "
            "they were. Let the function call itself for each item.",
            moving(deep=False),
        ),
        Misconception(
            "dicts-and-lists-only",
            "Tensors in tuples stayed where they were.",
            moving((dict, list)),
        ),
        Misconception(
            "dicts-forgotten",
            "Tensors in dicts stayed where they were.",
            moving((list, tuple)),
        ),
        Misconception(
            "lists-forgotten",
            "Tensors in lists stayed where they were.",
            moving((dict, tuple)),
        ),
        Misconception(
            "nothing-moved",
            "The batch came back as it was. `tensor.to(device)` returns a *new* tensor; it does "
            "not move the old one.",
            lambda batch, device: batch,
        ),
    ),
    hints=(
        "Four kinds of thing can come in: a tensor, a dict, a list or tuple, and all the rest. "
        "What does the function return for each? For containers it can call itself.",
        "A named tuple is a tuple that has `_fields`. It takes its items one by one: "
        "`type(batch)(*items)`; list and tuple take them together: `type(batch)(items)`.",
        "For a tensor: `batch.to(device, non_blocking=device.type != 'cpu')`. For a dict: "
        "`{k: to_device(v, device) for k, v in batch.items()}`. And so on; at last `return batch`.",
    ),
)
