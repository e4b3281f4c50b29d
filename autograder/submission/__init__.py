"""What was handed in: read, repaired, and made clean, as pure functions over bytes.

``ingest(bytes)`` reads a notebook, ``sanitise(read_master(...), notebook)`` makes it `Clean`,
``render(clean)`` writes it again; every repair on the way is a `Finding`.
"""

from autograder.clean import Cell, Clean, Finding, Role
from autograder.submission.beside import keep_files, read_beside
from autograder.submission.digest import code_digest
from autograder.submission.ingest import ingest
from autograder.submission.master import Master, read_master
from autograder.submission.render import render
from autograder.submission.sanitise import sanitise

__all__ = [
    "Cell",
    "Clean",
    "Finding",
    "Master",
    "Role",
    "code_digest",
    "ingest",
    "keep_files",
    "read_beside",
    "read_master",
    "render",
    "sanitise",
]
