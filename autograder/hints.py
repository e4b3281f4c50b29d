"""`hint` in the notebook: staged help, one stage a call."""

from __future__ import annotations

from autograder.errors import UsageError
from autograder.exercises import find

_shown: dict[str, int] = {}  # stages each exercise has shown in this kernel


def hint(exercise_id: str, stage: int | None = None) -> None:
    """Show the next hint for an exercise: first a nudge, then an outline, then almost the code.

    Parameters
    ----------
    exercise_id
        Unit and name: ``"u02.batch_mean"``.
    stage
        Which hint, from 1; by default the one after the last one shown.

    Raises
    ------
    UnknownExerciseError
        If no exercise has this name.
    UsageError
        If the exercise has no such hint.
    """
    from IPython.display import Markdown, display

    exercise = find(exercise_id)
    count = len(exercise.hints)
    if not count:
        raise UsageError(f"{exercise.id} has no hints; its text and its check say all there is.")
    if stage is not None and stage not in range(1, count + 1):
        raise UsageError(f"{exercise.id} has {count} hints: ask for 1 to {count}, not {stage!r}.")
    number = stage or min(_shown.get(exercise.id, 0) + 1, count)
    _shown[exercise.id] = number
    more = (
        f'`hint("{exercise.id}")` again for the next one'
        if number < count
        else f'that was the last one; `hint("{exercise.id}", 1)` starts again'
    )
    text = f"**Hint {number} of {count}** — {exercise.hints[number - 1]}\n\n*{more}*"
    display(Markdown(text))
