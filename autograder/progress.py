"""The student's own map of what passes: a local file, never sent anywhere."""

from __future__ import annotations

import contextlib
import html
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_data_dir

from autograder.exercises import exercises_of, units
from autograder.files import write_whole
from autograder.panel import MUTED, RIGHT, TEXT
from autograder.vocabulary import Exercise, Result

FILE_VARIABLE = "BATCHNORM_COURSE_PROGRESS"  # another place for the file, mostly for tests
GRADING_VARIABLES = (
    "NBGRADER_EXECUTION",
    "NBGRADER_VALIDATING",
)  # set while nbgrader runs a notebook


def progress_file() -> Path:
    """Return where the map is kept."""
    chosen = os.environ.get(FILE_VARIABLE)
    return Path(chosen) if chosen else Path(user_data_dir("batchnorm-course")) / "progress.json"


def record(result: Result) -> None:
    """Remember the best score of an exercise; a disk that cannot be written is no reason to fail.

    Nothing is remembered while a grader runs the notebook: that is not the student's own doing.
    """
    if _is_graded():
        return
    best = load()
    known = best.get(result.exercise, {})
    if result.score < known.get("score", 0.0):
        return
    best[result.exercise] = {
        "score": result.score,
        "max_score": result.max_score,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with contextlib.suppress(OSError):
        write_whole(progress_file(), json.dumps(best, indent=1, sort_keys=True))


def load() -> dict[str, dict[str, Any]]:
    """Read the map; a missing or broken file is an empty one."""
    try:
        found = json.loads(progress_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict) and _is_number(v.get("score"))}


def _is_graded() -> bool:
    """Whether a grader runs this notebook, on a computer that is not the student's."""
    return any(os.environ.get(name) for name in GRADING_VARIABLES)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


@dataclass(frozen=True)
class Stop:
    """One exercise on the map."""

    exercise: Exercise
    """The exercise."""
    score: float
    """Best score so far."""

    @property
    def done(self) -> bool:
        """Whether it has full points."""
        return self.score >= self.exercise.points


@dataclass(frozen=True)
class Map:
    """Every exercise with its best score, unit by unit."""

    stops: dict[str, tuple[Stop, ...]]
    """Stops by unit, in the order of the notebooks."""

    @property
    def next_stop(self) -> Stop | None:
        """The first exercise that does not pass yet."""
        return next((s for stops in self.stops.values() for s in stops if not s.done), None)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/plain": self.as_text(), "text/html": self.as_html()}

    def as_text(self) -> str:
        """Return the map as text."""
        lines = [
            f"{unit:20} {''.join(map(_sign, stops))}  {_points(stops)}"
            for unit, stops in self.stops.items()
        ]
        return "\n".join([*lines, self._where_next()])

    def as_html(self) -> str:
        """Return the map as an HTML table: a dot an exercise, filled as far as it passes."""
        rows = "".join(
            f'<tr style="background:none"><td style="text-align:left">'
            f"<code>{html.escape(unit)}</code></td>"
            f'<td style="text-align:left">{"".join(map(_dot, stops))}</td>'
            f"<td>{_points(stops)}</td></tr>"
            for unit, stops in self.stops.items()
        )
        return (
            f'<div role="group" aria-label="Your progress" style="color:{TEXT}">'
            f"<table>{rows}</table>"
            f'<div style="color:{MUTED}">{html.escape(self._where_next())}</div></div>'
        )

    def _where_next(self) -> str:
        stop = self.next_stop
        if not self.stops:
            return "Your map is on your own computer."
        if stop is None:
            return "Everything passes. Well done!"
        if stop.score:
            missing = stop.exercise.points - stop.score
            return f"Next: {stop.exercise.id}, {missing:g} points left in it."
        return f"Next: {stop.exercise.id} (about {stop.exercise.minutes} minutes)."


def _points(stops: tuple[Stop, ...]) -> str:
    return f"{sum(s.score for s in stops):g} / {sum(s.exercise.points for s in stops)} points"


def _sign(stop: Stop) -> str:
    return "●" if stop.done else "◐" if stop.score else "○"


def _dot(stop: Stop) -> str:
    """One exercise as a sign; with words for those who do not see it. No SVG: Lab strips it."""
    words = f"{stop.exercise.name}: {stop.score:g} of {stop.exercise.points} points"
    return (
        f'<span role="img" aria-label="{words}" title="{words}" '
        f'style="color:{RIGHT}; font-size:120%; padding-right:2px">{_sign(stop)}</span>'
    )


def progress() -> Map:
    """Show your map: which exercises pass, and where to go next.

    It is kept in a file on this computer (`autograder.progress.progress_file()` says where) and
    is never sent anywhere. Delete the file to start again.
    """
    if _is_graded():
        return Map({})  # the map on this computer is the instructor's
    best = load()
    return Map({unit: stops for unit in units() if (stops := _stops(unit, best)) is not None})


def _stops(unit: str, best: dict[str, dict[str, Any]]) -> tuple[Stop, ...] | None:
    """Return a unit's stops; None for one that cannot be loaded, which must not hide the others."""
    try:
        exercises = exercises_of(unit)
    except Exception:
        return None
    return tuple(Stop(e, float(best.get(e.id, {}).get("score", 0.0))) for e in exercises)
