"""What `from autograder import check` finds while a submission is graded: nothing to gain.

The judge asks the functions themselves, from outside. A check in a student's own cell must not
fail, though: it says that it was not run.
"""

from typing import Any

__all__ = ["AutograderError", "Score", "check", "hint", "progress"]


class AutograderError(Exception):
    """Base of the errors that the course's checks raise."""


class Score(float):
    """Points, as `check` returns them."""


def check(*args: Any, **options: Any) -> Score:
    """Run nothing: marks come from outside of the notebook."""
    print("check() is not run while a notebook is graded.")  # noqa: T201
    return Score(0.0)


def hint(*args: Any, **options: Any) -> None:
    """Show nothing."""


def progress(*args: Any, **options: Any) -> None:
    """Show nothing."""
