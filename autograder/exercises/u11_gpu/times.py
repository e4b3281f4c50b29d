"""Exercise `time_op`: timed on a simulated card, where the true times are known.

An answer is held against what the operation was told to take: any way of asking that a real card
would answer truly is right, by events or by a clock and a wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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

LAUNCH_MS = 0.005  # what `autograder.worker.givens.card` charges the host for a kernel
SLACK = 0.05  # ms that starting a call and waiting for it may add; the shortest call takes 2 ms
SCRIPT = (
    theirs("time_op"),
    method(
        *("computer", "call_with_operation", "theirs", "device", "warmup", "repeats"),
        into="answer",
    ),
    call("as_row", "answer", into="times"),
    get("computer", "calls", into="calls"),
)
EXAMPLE = "the example of the test cell"
ON_CARD = "on a card: one kernel a call"
NOTES = {
    "launch-only": "You measured only the launch. `fn()` puts work into the card's queue and comes "
    "back at once; call `torch.cuda.synchronize()` before you read the clock, or use events.",
    "hardly-any-time": "Your times are almost 0, on a CPU. Is it a clock that stops while the "
    "computer waits, as `time.process_time()`? Read `time.perf_counter()` before and after `fn()`.",
    "no-warm-up": "The operation was called only `repeats` times: without a warm-up the first "
    "calls include compiling and allocating. Call it `warmup` times before, unmeasured.",
    "warm-up-still-running": "Your first time holds work of the warm-up, which was still in the "
    "card's queue when the clock was started. Synchronise *before* the start, too.",
    "queue-still-running": "Some of your times hold work of earlier calls, which was still in the "
    "card's queue when the clock was started. Synchronise before each start.",
    "warm-up-in-the-list": "The list holds the calls of the warm-up, too. They are made, and "
    "thrown away.",
    "warm-up-measured": "You measured the first calls. They are the warm-up: the `repeats` calls "
    "after it count.",
    "seconds": "Your times are in seconds; milliseconds are asked for.",
    "thousand-times": "Your times are a thousand times too large. `elapsed_time` is in "
    "milliseconds already; a clock's seconds become milliseconds by · 1000.",
    "events-swapped": "Your times are negative: it is `start.elapsed_time(end)`.",
    "average": "All your times are equal: a total divided by `repeats`. Return the time of each "
    "call; how they differ is half of the news.",
    "since-the-start": "Your times add up from call to call. Each is to be that of one call: a new "
    "start for every one.",
    "wall-clock": "Your times jump when the computer's clock is set, as it is by the network now "
    "and then. `time.perf_counter()` is never set.",
    "number-of-times": "",
    "number-of-calls": "",
    "value": "Your times are not those of the calls. For each call: mark, call, mark; wait; then "
    "read the difference.",
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `time_op`."""

    def case(
        name: str, place: str, warmup: int, repeats: int, weight: float = 1.0, **options: Any
    ) -> Case:
        machine = {"cards": 1, "ms": times(warmup + repeats), **options}
        inputs = {
            "computer": computer(**machine, on_card=place != "cpu"),
            "device": device(place),
            "warmup": warmup,
            "repeats": repeats,
            "as_row": Given("as_row"),
        }
        gate = name == EXAMPLE
        return Case(name, inputs, SCRIPT, ("times", "calls"), weight=weight, gate=gate)

    def times(count: int) -> list[float]:
        return [float(t) for t in rng.permutation(np.linspace(2.0, 9.0, count))]

    def lost(warmup: int) -> list[float]:
        return [float(t) for t in rng.uniform(40.0, 90.0, warmup)]

    few, more = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    yield case(EXAMPLE, "cpu", 1, 3, cards=0, ms=[3.0] * 4, asleep=True)
    yield case("on a CPU, without a card", "cpu", 2, more, 0.5, cards=0)
    yield case(
        "on a CPU: the first calls take longer", "cpu", 2, more, 0.5, cards=0, first_ms=lost(2)
    )
    yield case("the CPU of a computer that has a card", "cpu", 2, few, 0.5)
    yield case(ON_CARD, "cuda", 2, more, weight=4)
    yield case("on a card: five kernels a call", "cuda:0", few, more, kernels=5)
    yield case("on a card: the first calls compile", "cuda", 3, more, weight=2, first_ms=lost(3))
    yield case("on a card: a long queue of warm-up", "cuda", 12, few, weight=2)
    yield case("on a card: no warm-up asked for", "cuda", 0, more)
    yield case("on a card: a single call", "cuda", 1, 1)
    yield case("the wall clock is set meanwhile", "cpu", 1, few, cards=0, set_back=0.75)


def judge(case: Case, answer: Answer) -> Judgement:
    """Compare times with those that the simulated operation takes."""
    times, calls = answer.values.get("times"), answer.values.get("calls")
    warmup, repeats = case.inputs["warmup"], case.inputs["repeats"]
    if not isinstance(times, np.ndarray) or times.ndim != 1:
        text = f"`time_op` must return a list of {repeats} numbers, one for each measured call"
        none = times is None
        return Judgement(0.0, f"{text}; it returns None." if none else f"{text}.", "type")
    fault = _fault(case, times, int(calls) if isinstance(calls, int) else 0)
    if not fault:
        return Judgement(1.0)
    counted = {
        "number-of-times": f"The list must hold {repeats} times, one for each measured call; it "
        f"holds {len(times)}.",
        "number-of-calls": f"With warmup={warmup} and repeats={repeats} the operation is to be "
        f"called {warmup + repeats} times; you called it {calls} times.",
    }
    return Judgement(0.0, counted.get(fault) or NOTES[fault], fault)


def true_times(inputs: Mapping[str, Any]) -> tuple[np.ndarray, float]:
    """Return the milliseconds of every call, and what starting and waiting may add to each."""
    machine = inputs["computer"].parameters
    return np.array(machine["ms"]), LAUNCH_MS * machine.get("kernels", 1) + SLACK


def _fault(case: Case, times: np.ndarray, calls: int) -> str:
    """Name what is wrong with the times; empty if nothing is."""
    warmup, repeats = case.inputs["warmup"], case.inputs["repeats"]
    all_calls, slack = true_times(case.inputs)
    if calls == repeats and warmup and len(times) == repeats:
        return "no-warm-up"
    if len(times) == calls == warmup + repeats and warmup:
        return "warm-up-in-the-list"
    if len(times) != repeats:
        return "number-of-times"
    if calls != warmup + repeats:
        return "number-of-calls"
    true = all_calls[warmup:]
    return "" if fits(times, true, slack) else _wrong_times(case, times, true, slack)


def fits(times: np.ndarray, true: np.ndarray, slack: float) -> bool:
    """Whether times are the true ones, but for what starting and waiting adds."""
    return bool(((times >= true - 1e-3) & (times <= true + slack)).all())


def _wrong_times(case: Case, times: np.ndarray, true: np.ndarray, slack: float) -> str:
    warmup, on_card = case.inputs["warmup"], case.inputs["computer"].parameters["on_card"]
    all_calls, _ = true_times(case.inputs)
    tests: Sequence[tuple[str, Callable[[], bool]]] = (
        ("events-swapped", lambda: fits(-times, true, slack)),
        ("seconds", lambda: fits(times * 1e3, true, slack)),
        ("thousand-times", lambda: fits(times / 1e3, true, slack)),
        ("warm-up-measured", lambda: fits(times, all_calls[: len(true)], slack)),
        ("wall-clock", lambda: bool(case.inputs["computer"].parameters.get("set_back"))),
        ("since-the-start", lambda: fits(times, true.cumsum(), slack * len(true))),
        ("launch-only", lambda: on_card and bool((np.abs(times) < slack).all())),
        ("hardly-any-time", lambda: bool((np.abs(times) < slack).all())),
        (
            "average",
            lambda: len(times) > 1 and bool(np.ptp(times) < 1e-6),
        ),
        (
            "warm-up-still-running",
            lambda: (
                bool(warmup) and on_card and fits(times[1:], true[1:], slack) and times[0] > true[0]
            ),
        ),
        ("queue-still-running", lambda: on_card and bool((times >= true - 1e-3).all())),
    )
    return next((name for name, test in tests if test()), "value")


TIME = Exercise(
    unit=UNIT,
    name="time_op",
    points=4,
    minutes=15,
    oracle=reference("time_op"),
    cases=cases,
    tolerances=TOLERANCES,
    judge=judge,
    hints=(
        "Two cases: on a CPU `fn()` is done when it comes back, and a clock before and after is "
        "enough. On a card it comes back while the work still waits in a queue. What has to happen "
        "before the second look at the clock? And before the first?",
        "On a card, with events: `start = torch.cuda.Event(enable_timing=True)`, the same for "
        "`end`; `start.record()`, `fn()`, `end.record()`; `torch.cuda.synchronize()`; only then "
        "`start.elapsed_time(end)`, in milliseconds.",
        "`for _ in range(warmup): fn()`, then `torch.cuda.synchronize()` if "
        "`device.type == 'cuda'`. A loop over `repeats` appends one time each. On the CPU "
        "`(time.perf_counter() - start) * 1000`.",
    ),
)
