"""nbgrader's gradebook: one writer, a transaction a submission; the same marks twice are no change.

The tables are nbgrader's own, and so is what is written to them: after `Writer.write` they hold
what `nbgrader autograde` would have left for the same scores. SQLite by default; any database that
nbgrader can use by its URL, PostgreSQL among them.
"""

from autograder.gradebook.dump import dump
from autograder.gradebook.late import LatePlugin, late_plugin
from autograder.gradebook.marks import Marks
from autograder.gradebook.writer import Writer

__all__ = ["LatePlugin", "Marks", "Writer", "dump", "late_plugin"]
