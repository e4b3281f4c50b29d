"""Exercise `pick_device`: the same line on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import EXACT, TOLERANCES, UNIT, computer, theirs
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, method

WITH = ("a computer with a card", "a computer with two cards")
WITHOUT = "a computer without a card"
SCRIPT = (
    theirs("pick_device"),
    method("computer", "call", "theirs", into="device"),
    call("device_kind", "device", into="kind of device"),
)


def cases(_rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `pick_device`: every computer there is."""

    def case(name: str, machine: Given, **options: Any) -> Case:
        options = {"dtype_of": None, "tolerance": EXACT, **options}
        inputs = {"computer": machine, "device_kind": Given("device_kind")}
        return Case(name, inputs, SCRIPT, ("kind of device",), **options)

    for cards, name in enumerate(WITH, start=1):
        yield case(name, computer(cards=cards))
    yield case(WITHOUT, computer(cards=0), gate=True, weight=2)


def reference() -> Any:
    """Return the device as `bnlib.gpu` does."""
    import bnlib.gpu

    return bnlib.gpu.pick_device()


def _says(wrong: str, *where: str) -> Any:
    def signs(case: Case, answer: Answer, _expected: Answer) -> bool:
        return case.name in where and answer.values["kind of device"] == wrong

    return signs


def _is_no_device(_case: Case, answer: Answer, _expected: Answer) -> bool:
    return str(answer.values["kind of device"]).startswith("no device")


def _other_way_round(case: Case, answer: Answer, _expected: Answer) -> bool:
    return answer.values["kind of device"] == ("cuda" if case.name == WITHOUT else "cpu")


PICK = Exercise(
    unit=UNIT,
    name="pick_device",
    points=1,
    minutes=3,
    oracle=reference,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        Misconception(
            "no-device",
            "Return a device, not its name and not nothing: `torch.device('cuda')`.",
            signs=_is_no_device,
        ),
        Misconception(
            "always-cuda",
            "You choose `cuda` where there is no card. Is it `torch.cuda.is_available` without "
            "parentheses? That is the function itself, which counts as true: call it.",
            signs=_says("cuda", WITHOUT),
        ),
        Misconception(
            "never-cuda",
            "There is a card, and you choose the CPU. Ask `torch.cuda.is_available()`, each "
            "time the function is called.",
            signs=_says("cpu", *WITH),
        ),
        Misconception(
            "other-way-round",
            "You choose the CPU where there is a card, and the card where there is none.",
            signs=_other_way_round,
        ),
    ),
    hints=(
        "torch can be asked whether there is a card: `torch.cuda.is_available()`. What must the "
        "function return in each case?",
        "`torch.device('cuda')` and `torch.device('cpu')` are devices; the bare words are strings.",
        "One line: `torch.device(… if … else …)`, with the question asked inside the function.",
    ),
)
