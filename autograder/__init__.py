"""Checks and marks for the course.

In a notebook: ``from autograder import check, hint, progress``. On the command line:
``autograder --help``.
"""

from autograder.after_error import register
from autograder.check import Score, check
from autograder.errors import AutograderError
from autograder.hints import hint
from autograder.progress import progress
from autograder.version import GRADER_VERSION

__all__ = ["GRADER_VERSION", "AutograderError", "Score", "check", "hint", "progress"]

register()
