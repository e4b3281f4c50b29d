"""Errors of the grader: one base, and leaves that are also the builtin a caller would expect."""


class AutograderError(Exception):
    """Base of every error this package raises on purpose; its text says what to do next.

    IPython shows such an error as its sentence alone: the traceback would point into the grader,
    where the student has nothing to look for.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class UnknownExerciseError(AutograderError, LookupError):
    """No exercise or unit has this name."""


class UsageError(AutograderError, TypeError):
    """`check` or `hint` was called with something it cannot use."""


class BuildError(AutograderError, ValueError):
    """A text or a notebook cannot be built; nothing was written."""


class StaleError(AutograderError):
    """A built file does not match its text; nothing was changed."""


class GradingError(AutograderError, RuntimeError):
    """A submission or a unit cannot be graded; no mark was written for it."""


class SubmissionError(AutograderError, ValueError):
    """What was handed in is no notebook of this unit; the text says what to hand in instead."""


class NotInstalledError(GradingError, ImportError):
    """An exercise needs a package that is not installed here; nothing was marked."""
