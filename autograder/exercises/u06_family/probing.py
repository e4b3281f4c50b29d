"""`which_norm`: name the norm in a black box by asking it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

import bnlib
from autograder.exercises.u06_family.boxes import (
    BATCH,
    GROUP,
    INSTANCE,
    KINDS,
    LAYER,
    NONE,
    Shape,
    box,
)
from autograder.exercises.u06_family.inputs import GATE, UNIT
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call

# Whose nudge is felt wherever the other kinds' is, and farther.
REACHES_BEYOND = {
    NONE: (),
    INSTANCE: (NONE,),
    GROUP: (NONE, INSTANCE),
    LAYER: (NONE, INSTANCE, GROUP),
    BATCH: (NONE, INSTANCE),
}
MOST_MORE = 3  # boxes beyond one of each kind: the last one cannot be told from the others
NARROW = "computes in float32"  # part of the names of cases whose boxes do
SHAPES: tuple[Shape, ...] = ((3, 6, 4, 5), (2, 8, 3, 3), (4, 4, 2, 3), (3, 9, 3, 2))
SEQUENCES: tuple[Shape, ...] = ((3, 6, 5), (2, 8, 4), (5, 4, 3), (2, 9, 6))
# not below three positions: two values become ±1 in instance norm, whatever they are (unit 2)
SMALLEST: tuple[Shape, ...] = ((2, 4, 3), (2, 4, 1, 3), (2, 4, 3, 1))


def asked(
    rng: np.random.Generator,
    name: str,
    kinds: Sequence[str],
    shapes: Sequence[Shape] = SHAPES,
    *,
    dtype: str = "float64",
    weight: float = 1.0,
) -> Case:
    """Hand out several boxes, in an order and a number that say nothing.

    The case passes if all of them are named right: one word for every box earns nothing.
    """
    more = rng.choice(kinds, size=int(rng.integers(1, MOST_MORE + 1)))
    order = rng.permutation([*kinds, *more]).tolist()
    inputs: dict[str, object] = {}
    script = []
    for number, kind in enumerate(order, 1):
        shape = shapes[int(rng.integers(len(shapes)))]
        inputs |= {
            f"f {number}": box(rng, kind, shape, dtype),
            f"shape {number}": shape,
            f"rng {number}": Given("rng", {"seed": int(rng.integers(2**31))}),
        }
        names = (f"f {number}", f"shape {number}", f"rng {number}")
        script.append(call("which_norm", *names, into=f"box {number}"))
    report = tuple(step.into for step in script)
    return Case(name, inputs, tuple(script), report, weight=weight, dtype_of=None)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `which_norm`."""
    yield gate()
    yield asked(rng, "batch norm or instance norm", (BATCH, INSTANCE))
    yield asked(rng, "layer norm or group norm", (LAYER, GROUP))
    yield asked(rng, "group norm or instance norm", (GROUP, INSTANCE))
    yield asked(rng, "instance norm or none", (INSTANCE, NONE))
    yield asked(rng, "batch norm, or none", (BATCH, NONE))
    yield asked(rng, "batch norm or layer norm", (BATCH, LAYER))
    yield asked(rng, "all kinds, images", KINDS, weight=2)
    yield asked(rng, "all kinds, sequences (three axes)", KINDS, SEQUENCES, weight=2)
    yield asked(rng, f"all kinds, a box that {NARROW}", KINDS, SHAPES + SEQUENCES, dtype="float32")
    yield asked(rng, "all kinds, the smallest shapes", KINDS, SMALLEST)


def gate() -> Case:
    """Mirror the asserts of the test cell: batch norm by hand, and a copy."""
    shape = (2, 4, 3, 3)
    ones, zeros, rng = np.ones(shape[1:]), np.zeros(shape[1:]), np.random.default_rng(0)
    plain = {"gain": ones, "offset": zeros, "mean": zeros, "var": ones - 1e-5}
    inputs: dict[str, object] = {}
    script = []
    for number, kind in enumerate((BATCH, NONE), 1):
        parts = {**box(rng, kind, shape).parameters, **plain}
        inputs |= {
            f"f {number}": Given("black_box", parts),
            f"shape {number}": shape,
            f"rng {number}": Given("rng", {"seed": 0}),
        }
        names = (f"f {number}", f"shape {number}", f"rng {number}")
        script.append(call("which_norm", *names, into=f"box {number}"))
    report = tuple(step.into for step in script)
    return Case(GATE, inputs, tuple(script), report, gate=True, dtype_of=None)


# --- what is confused with what ---------------------------------------------------------------

Pair = tuple[object, object]  # what it is, what it was taken for


def _wrong(case: Case, answer: Answer, expected: Answer) -> list[Pair]:
    pairs = [(expected.values[label], answer.values.get(label)) for label in case.report]
    return [(truth, said) for truth, said in pairs if truth != said]


def confuses(like: Callable[[object, object], bool]) -> Callable[[Case, Answer, Answer], bool]:
    """Say whether every box that was named wrong was taken for another in one way."""

    def signs(case: Case, answer: Answer, expected: Answer) -> bool:
        wrong = _wrong(case, answer, expected)
        return bool(wrong) and all(like(truth, said) for truth, said in wrong)

    return signs


def takes(truth: str | None, word: str | None) -> Callable[[Case, Answer, Answer], bool]:
    """Say whether `truth` (None: anything) is taken for `word`, and nothing else goes wrong."""
    return confuses(lambda is_, said: truth in (None, is_) and word in (None, said))


def always_the_same(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether one word was said to all boxes."""
    said = {answer.values.get(label) for label in case.report}
    return len(said) == 1 and said <= set(KINDS) and bool(_wrong(case, answer, expected))


def other_words(is_: object, said: object) -> bool:
    """Whether an answer is none of the five words."""
    return isinstance(said, str) and said not in KINDS


def narrow_only(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether boxes in float32 were taken for none."""
    return NARROW in case.name and all(said == NONE for _, said in _wrong(case, answer, expected))


WHICH_NORM = Exercise(
    unit=UNIT,
    name="which_norm",
    points=6,
    minutes=20,
    oracle=bnlib.which_norm,
    cases=cases,
    tolerances={"float64": Tolerance(0.0, 0.0, "a word")},
    misconceptions=(
        Misconception(
            "other-words",
            'The answer is one of "batch", "layer", "instance", "group", "none", spelt like that.',
            signs=confuses(other_words),
        ),
        Misconception(
            "nudge-too-small",
            "Boxes that compute in float32 were missed: beside a value of 1 they do not see a "
            "nudge below 1e-7. Move the value by as much as the values differ from one another.",
            signs=narrow_only,
        ),
        Misconception(
            "one-word-for-all",
            "You gave one and the same answer to all boxes. What a box does shows when you ask it: "
            "`f(x)`, move one value of x, `f(x)` again.",
            signs=always_the_same,
        ),
        Misconception(
            "group-called-layer",
            "A group norm was taken for layer norm: your nudge reached another channel, and that "
            "is no proof that it reaches *all* channels of the sample.",
            signs=takes(GROUP, LAYER),
        ),
        Misconception(
            "group-called-instance",
            "A group norm was taken for instance norm: the channel you looked at did not feel the "
            "nudge, and another one did. Look at all channels of the sample; the groups have at "
            "least two each.",
            signs=takes(GROUP, INSTANCE),
        ),
        Misconception(
            "layer-called-group",
            "A layer norm was taken for group norm: where every channel of the sample feels the "
            "nudge there are no groups.",
            signs=takes(LAYER, GROUP),
        ),
        Misconception(
            "layer-called-instance",
            "A layer norm was taken for instance norm. What separates them is whether *another "
            "channel* of the same sample feels a nudge.",
            signs=takes(LAYER, INSTANCE),
        ),
        Misconception(
            "instance-called-none",
            "An instance norm was taken for no norm. Its nudge is felt in the same sample and the "
            "same channel only: at the other positions. Look there.",
            signs=takes(INSTANCE, NONE),
        ),
        Misconception(
            "none-called-a-norm",
            "A box without a norm was taken for one. Batch norm in evaluation mode scales and "
            "shifts each channel by stored numbers: no value has an influence on another. A "
            "change of mean or spread is no sign of a norm; influence is.",
            signs=takes(NONE, None),
        ),
        Misconception(
            "batch-missed",
            "A batch norm was taken for something else. It alone lets one *sample* feel a nudge in "
            "another: look at the other samples before you look at anything else.",
            signs=takes(BATCH, None),
        ),
        Misconception(
            "taken-for-batch",
            "A box was taken for batch norm whose samples do not feel each other. Only if a nudge "
            "in one sample moves the output of another is it batch norm.",
            signs=takes(None, BATCH),
        ),
        Misconception(
            "some-influence-called-none",
            "A norm was taken for none: some outputs did feel your nudge. Compare all of "
            "`f(moved) - f(x)` with 0, and move a value by something of the size of the values.",
            signs=takes(None, NONE),
        ),
        Misconception(
            "reach-too-short",
            "Norms were taken for ones whose nudge is felt by fewer: some outputs did move, and "
            "you did not count them. Small changes count, too: ask whether `f(moved) != f(x)`, "
            "at every position of every channel.",
            signs=confuses(lambda is_, said: said in REACHES_BEYOND[str(is_)]),
        ),
        Misconception(
            "reach-too-far",
            "Boxes were taken for ones whose nudge is felt by more. What you moved yourself "
            "changes in any box, and proves nothing: move a single value, and look at the outputs "
            "of all the others.",
            signs=confuses(lambda is_, said: is_ in REACHES_BEYOND.get(str(said), ())),
        ),
    ),
    hints=(
        "Think of the picture of the axes: what shares a mean with one value? That is what moves "
        "when you move the value, since its mean moves.",
        "Draw x, ask for `f(x)`. Copy x, move one entry by 3 or so, ask again. `changed = "
        "f(moved) != f(x)` has the shape of x. Now ask about `changed` in this order: other "
        "samples? other channels, all or some? other positions?",
        "With the entry (0, 0, …) moved: `changed[1:].any()` → batch. Channels that feel it: "
        "`changed[0].reshape(C, -1).any(axis=1)`; all of them → layer, more than one → group. "
        "Otherwise `changed[0, 0].sum() > 1` → instance, else none.",
    ),
)
