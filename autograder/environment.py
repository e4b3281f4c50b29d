"""What nbgrader needs around it: programs it calls by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def put_programs_on_path() -> None:
    """Put the folder of this Python's programs on the PATH, unless it is there.

    nbgrader makes a gradebook with the program ``alembic``, which it looks for on the PATH. Whoever
    starts ``.venv/bin/jupyter`` without activating the environment has none there.
    """
    programs, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if programs not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, (programs, path)))
