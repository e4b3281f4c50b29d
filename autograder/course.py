"""Where a course lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.errors import GradingError
from autograder.exercises import require_unit

CONFIG = "nbgrader_config.py"


@dataclass(frozen=True)
class Course:
    """A course directory as nbgrader knows it: ``source/``, ``release/``, ``submitted/``, ..."""

    root: Path
    """The folder that holds ``nbgrader_config.py``."""

    @classmethod
    def at(cls, folder: Path) -> Course:
        """Return the course that `folder` lies in.

        Raises
        ------
        GradingError
            If neither `folder` nor a folder above it holds ``nbgrader_config.py``.
        """
        start = folder.resolve()
        for candidate in (start, *start.parents):
            if (candidate / CONFIG).is_file():
                return cls(candidate)
        raise GradingError(
            f"{start} is in no course: no {CONFIG} there or above. Change into the course's "
            "folder, or name it with --course-dir."
        )

    def notebook(self, stage: str, unit: str, student: str = "") -> Path:
        """Path of a unit's notebook in ``source``, ``release``, ``submitted`` or ``autograded``."""
        return self.root / stage / student / unit / f"{unit.partition('_')[2]}.ipynb"

    def require_unit(self, unit: str) -> None:
        """Raise unless the course has this unit, built.

        Raises
        ------
        UnknownExerciseError
            If there is no such unit; the message names the ones there are.
        GradingError
            If its source notebook is not built yet.
        """
        require_unit(unit)
        if not self.notebook("source", unit).is_file():
            raise GradingError(f"source/{unit} is not built yet: run `autograder build` first.")

    def students(self, unit: str) -> list[str]:
        """Return who has handed in this unit, sorted."""
        found = (self.root / "submitted").glob(f"*/{unit}")
        return sorted(path.parent.name for path in found if path.is_dir())
