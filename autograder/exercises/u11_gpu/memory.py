"""Exercise `peak_memory`: counted on a simulated card, where the true peak is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import (
    TOLERANCES,
    UNIT,
    computer,
    device,
    reference,
    theirs,
)
from autograder.vocabulary import Case, Exercise, Judgement
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, get, method

PAGE = 2**21  # bytes that torch reserves at a time
SCRIPT = (
    theirs("peak_memory"),
    method("computer", "call_with_operation", "theirs", "device", into="answer"),
    call("as_float", "answer", into="peak"),
    get("computer", "calls", into="calls"),
)
NOTES = {
    "old-peak": "Your number comes from an earlier peak. "
    "`torch.cuda.reset_peak_memory_stats(device)` before the call makes the count start anew.",
    "baseline-counted": "Your number holds what was allocated before the call. Subtract it: the "
    "question is what the call needs *beyond* that.",
    "after-minus-before": "You compared before and after. What was allocated and freed in between "
    "is gone by then: ask for the *maximum*.",
    "reserved": "You asked what torch has reserved. It reserves in large pieces and keeps them; "
    "`max_memory_allocated` is what tensors really held.",
    "mebibytes": "Return bytes.",
    "other-card": "You looked at another card: pass `device` on to every question to torch.",
    "negative": "Your number is negative: peak minus before.",
    "called-again": "The operation is to be called exactly once.",
    "value": "That is not the peak. Reset the counter, note what is allocated, call `fn`, ask for "
    "the maximum, subtract.",
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `peak_memory`."""

    def size() -> int:
        return int(rng.integers(1_000, 60_000)) * 512

    def case(name: str, where: str, steps: list[int], **options: Any) -> Case:
        own = {name: options.pop(name) for name in ("weight", "gate", "idle") if name in options}
        inputs = {
            "computer": computer(steps=steps, **options),
            "device": device(where),
            "as_float": Given("as_float"),
        }
        return Case(name, inputs, SCRIPT, ("peak", "calls"), **own)

    a, b, c = size(), size(), size()
    none: dict[str, Any] = {"cards": 0, "ms": [1.0], "on_card": False}
    yield case("the example of the test cell", "cpu", [], gate=True, idle=True, **none)
    beside_card: dict[str, Any] = {"ms": [1.0], "on_card": False, "weight": 0.5}
    yield case("the CPU of a computer that has a card", "cpu", [], idle=True, **beside_card)
    yield case("a result that stays", "cuda", [a])
    yield case("what is freed before the end counts, too", "cuda", [a, b, -b, c, -c], weight=2)
    yield case("something was allocated before", "cuda", [a, b, -a - b], held=[size()], weight=2)
    held = size()
    options: dict[str, Any] = {"held": [held], "highest": [held + 8 * (a + b + c)]}
    yield case("an earlier peak was higher", "cuda:0", [b, c, -c], weight=2, **options)
    beside: dict[str, Any] = {"cards": 2, "held": [size(), size()], "place": 1}
    yield case("the second of two cards", "cuda:1", [c, a, -c], **beside)
    yield case("the call allocates nothing", "cuda", [0], held=[size()], idle=True)


def judge(case: Case, answer: Answer) -> Judgement:
    """Compare with what the simulated operation takes."""
    peak, calls = answer.values.get("peak"), answer.values.get("calls")
    parameters = case.inputs["computer"].parameters
    if case.inputs["device"].parameters["name"] == "cpu":
        if peak is None and calls == 1:
            return Judgement(1.0)
        if calls != 1:
            return Judgement(0.0, NOTES["called-again"], "called-again")
        text = "On a CPU torch counts no bytes: return None there, rather than a number made up."
        return Judgement(0.0, text, "value")
    if not isinstance(peak, float | int | np.generic) or isinstance(peak, bool):
        end = " it returns None." if peak is None else ""
        return Judgement(0.0, f"`peak_memory` must return a number of bytes;{end}", "type")
    if calls != 1:
        return Judgement(0.0, NOTES["called-again"], "called-again")
    fault = _fault(parameters, float(peak))
    return Judgement(0.0, NOTES[fault], fault) if fault else Judgement(1.0)


def true_peak(steps: list[int]) -> int:
    """Return the highest sum on the way."""
    return max(int(np.cumsum(steps).max()), 0)


def _fault(parameters: Any, got: float) -> str:
    """Name what is wrong with a number of bytes; empty if nothing is."""
    steps, place = parameters["steps"], parameters.get("place", 0)
    held = (parameters.get("held") or [0] * 2)[place]
    highest = max((parameters.get("highest") or [0] * 2)[place], held)
    peak = true_peak(steps)
    pages = _pages(max(highest, held + peak))
    tests = (
        ("", got == peak),
        ("old-peak", held + peak < highest and got in (highest, highest - held, 0)),
        ("baseline-counted", held > 0 and got in (held + peak, highest + peak)),
        ("after-minus-before", got == sum(steps)),
        ("mebibytes", got > 0 and any(abs(got * unit - peak) < unit for unit in (2**20, 10**6))),
        ("negative", got == -peak),
        ("other-card", place > 0),
        ("reserved", got in (pages, pages - held, pages - _pages(highest), _pages(held + peak))),
    )
    return next((name for name, found in tests if found), "value")


def _pages(n_bytes: int) -> int:
    return -(-n_bytes // PAGE) * PAGE


PEAK = Exercise(
    unit=UNIT,
    name="peak_memory",
    points=2,
    minutes=6,
    oracle=reference("peak_memory"),
    cases=cases,
    tolerances=TOLERANCES,
    judge=judge,
    hints=(
        "torch keeps two counters for each card: bytes that tensors hold now, and the most that "
        "they ever held. The second has to be set back before.",
        "`torch.cuda.reset_peak_memory_stats(device)`, `torch.cuda.memory_allocated(device)`, "
        "`torch.cuda.max_memory_allocated(device)`. In which order, and around what?",
        "If `device.type` is not `cuda`: call `fn()` and return None. Else reset; `before = …`; "
        "`fn()`; return the maximum minus `before`.",
    ),
)
