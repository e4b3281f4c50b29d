"""What a measurement left behind in a model, recognised by the part that differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.compare import identical
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

LABEL = "model afterwards"


def _differs(part: str) -> Callable[[Case, Answer, Answer], bool]:
    """Make the signs of a model in which this part, and none named before it, is another."""
    parts = ("parameters", "training mode", "running statistics", "gradients")
    earlier = parts[: parts.index(part)]

    def signs(_: Case, answer: Answer, expected: Answer) -> bool:
        got: Any = answer.values[LABEL]
        want: Any = expected.values[LABEL]
        return not identical(want[part], got[part]) and all(
            identical(want[other], got[other]) for other in earlier
        )

    return signs


LEFT_BEHIND = (
    Misconception(
        "model-left-moved",
        "The numbers may be right, but the model's parameters are not what they were: whoever goes "
        "on training it starts somewhere else. Move a copy, or put copies of the old values back; "
        "adding the step again is not exact.",
        signs=_differs("parameters"),
    ),
    Misconception(
        "mode-switched",
        "You changed the model's mode, with `train()` or `eval()`. Measure in the mode it is in.",
        signs=_differs("training mode"),
    ),
    Misconception(
        "running-statistics-moved",
        "Your forward passes in training mode moved the running statistics of the batch norm "
        "layers. They belong to the model, too: work on a deep copy, or put them back.",
        signs=_differs("running statistics"),
    ),
    Misconception(
        "gradients-left-behind",
        "`.grad` of the model's parameters is not what it was: `backward()` adds to it. "
        "`torch.autograd.grad` returns gradients and leaves `.grad` alone.",
        signs=_differs("gradients"),
    ),
)
