"""What handing in late costs: nbgrader's plugin, called as nbgrader calls it."""

from __future__ import annotations

import math
from typing import Any, Protocol

from nbgrader.preprocessors import AssignLatePenalties

from autograder.errors import GradingError


class LatePlugin(Protocol):
    """What nbgrader's `LateSubmissionPlugin` and an instructor's own subclass of it can do."""

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the points to take off a notebook that is late, or None for none."""


def late_plugin(config: Any) -> LatePlugin:
    """Return the plugin that the course's configuration names.

    Parameters
    ----------
    config
        traitlets' `Config` of ``nbgrader_config.py``; ``c.AssignLatePenalties.plugin_class`` names
        the class, by default `LateSubmissionPlugin`, whose own default is no penalty.
    """
    preprocessor = AssignLatePenalties(config=config)
    preprocessor.init_plugin()
    plugin: LatePlugin = preprocessor.plugin_inst
    return plugin


def penalty(plugin: LatePlugin, student: str, score: float, seconds: float) -> float | None:
    """Ask a plugin, and keep its answer between 0 and the score as nbgrader does.

    Raises
    ------
    GradingError
        If the plugin fails, or answers with something that is no number.
    """
    name = type(plugin).__name__
    try:
        answer = plugin.late_submission_penalty(student, score, seconds)
    except Exception as error:
        raise GradingError(
            f"The late penalty of {student} could not be computed: {name} raised "
            f"{type(error).__name__}: {error}. Repair the plugin named by "
            "c.AssignLatePenalties.plugin_class in nbgrader_config.py, and grade again."
        ) from error
    if answer is None:
        return None
    if not isinstance(answer, int | float) or math.isnan(answer):
        raise GradingError(
            f"{name} must answer with a number of points, or None; for {student} it answered "
            f"{answer!r}. Repair it, and grade again."
        )
    return min(max(float(answer), 0.0), score)
