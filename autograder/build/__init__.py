"""From text to notebooks and back: course/<unit>/*.py -> course/, source/, release/."""

from autograder.build.chain import Outcome, build, find_stale
from autograder.build.pull import pull

__all__ = ["Outcome", "build", "find_stale", "pull"]
