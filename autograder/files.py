"""Write files whole: after a crash the old one or the new one is there, never a part."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, and make the folders above it.

    Text is written in UTF-8 with its line ends as they are, so that a file is the same on every
    system. If writing fails the old file stays, and nothing else is left behind.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")  # two kernels may write one map
    try:
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
