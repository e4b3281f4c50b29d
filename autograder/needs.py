"""Whether what an exercise needs besides NumPy is installed here."""

from __future__ import annotations

from importlib.util import find_spec

from autograder.errors import NotInstalledError
from autograder.vocabulary import Exercise


def installed(module: str) -> bool:
    """Say whether a module can be found, without loading it."""
    return find_spec(module) is not None


def require_installed(exercise: Exercise) -> None:
    """Refuse to judge an exercise whose answers cannot be had here: it would be nobody's fault.

    Raises
    ------
    NotInstalledError
        If a module that the exercise needs is missing; the text names it.
    """
    missing = [name for name in exercise.needs if not installed(name)]
    if missing:
        names = " and ".join(f"`{name}`" for name in missing)
        raise NotInstalledError(
            f"{exercise.id} needs {names}, not installed where this ran. Nothing was marked, and "
            "no points are lost: grade it on a machine that has it (Linux: `pip install "
            f"{' '.join(missing)}`)."
        )
