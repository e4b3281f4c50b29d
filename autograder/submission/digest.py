"""One number for all that decides how a submission runs: equal numbers, equal answers."""

from __future__ import annotations

import hashlib
import json

from autograder.clean import Clean

FORMAT = 1  # raise it whenever the layout below changes


def code_digest(clean: Clean) -> str:
    """Return the SHA-256, in hex, of what decides a submission's execution.

    Text cells, findings, ids and points do not matter, nor does the text of test cells: they are
    never run, only their place counts.

    Notes
    -----
    The hash is over one line of JSON without spaces, in ASCII:
    ``[FORMAT, unit, cells, files]``. Here `cells` is ``[role, name, source]`` of each code cell in
    order, with `source` null for tests; `files` is ``[path, SHA-256 of the content]`` by path.
    """
    cells = [
        [cell.role, cell.name, None if cell.role == "test" else cell.source]
        for cell in clean.cells
        if cell.kind == "code"
    ]
    files = [
        [path, hashlib.sha256(content).hexdigest()] for path, content in sorted(clean.files.items())
    ]
    line = json.dumps([FORMAT, clean.unit, cells, files], separators=(",", ":"))
    return hashlib.sha256(line.encode()).hexdigest()
