"""Start the warm parent: the program that the sandbox runs."""

from __future__ import annotations

import socket
import sys

from autograder.worker import jail
from autograder.worker.absent import absent
from autograder.worker.forks import hooks_held_back


def main() -> None:
    """Serve; the arguments are the outer user of submissions or ``none``, our folder, a socket."""
    outside = None if sys.argv[1] == "none" else int(sys.argv[1])
    control = socket.socket(fileno=int(sys.argv[3]))
    control.set_inheritable(False)
    if outside is not None:
        jail.hide_memory()
    # jedi completes names for who types, and would make each fork larger
    with hooks_held_back(), absent("jedi"):
        from autograder.worker.parent import Parent

        parent = Parent(control, outside)
    parent.serve()
