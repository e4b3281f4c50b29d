"""Which files may lie beside a notebook while it runs."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.clean import Finding

BYTES_LIMIT = 16 * 2**20  # in all: as much as a notebook; data sets of the course come with bnlib
FILES_LIMIT = 200  # a package of helpers has ten
ENTRIES_LIMIT = 10_000  # of a folder and all below, looked at
PART_BYTES = 255  # of a name in a path, on every file system that grading runs on
NAMED = 3  # files that a finding names before it counts

OURS = ("bnlib", "autograder", "sitecustomize", "usercustomize", "conftest")
CONFIGS = ("ipython_", "jupyter_", "nbgrader_")  # `ipython_config.py` is run by a kernel
CODE = re.compile(r"\.(py|pyc|pyo|pyw|so|pyd|dll|dylib)$", re.I)  # what an import may find
HOOKS = (".pth", ".egg-link")  # what Python reads when it starts
QUIET = frozenset({".ipynb_checkpoints", "__pycache__", ".DS_Store"})
TIMESTAMP = "timestamp.txt"  # when it was handed in; nbgrader writes it beside every notebook
TEXTS = {
    "file-unsafe-path": "Files with unsafe names were left out",
    "file-hidden": "Hidden files were left out",
    "file-notebook": "Other notebooks were left out",
    "file-startup": "Files that Python or Jupyter would read at its start were left out",
    "file-shadows-module": "Files that hide a module of Python's or the course's were left out",
    "file-not-plain": "Links, special files and what goes beyond the limits were left out",
    "file-too-many": f"More than {FILES_LIMIT} files, or {BYTES_LIMIT // 2**20} MiB, were left out",
}


def keep_files(
    found: Mapping[str, bytes | None],
) -> tuple[dict[str, bytes], tuple[Finding, ...]]:
    """Choose the files that may lie beside a notebook while it runs.

    Parameters
    ----------
    found
        Content by path, relative to the notebook's folder and with ``/``; None where it is no
        plain file, or was not read.

    Returns
    -------
    dict
        Those that may, sorted by path.
    tuple of Finding
        One for each reason why some may not. What Jupyter, Python and nbgrader leave behind
        (checkpoints, byte code, the time stamp) goes without a word.
    """
    kept: dict[str, bytes] = {}
    refused: dict[str, list[str]] = {}
    size = 0
    for path in sorted(found):
        content, reason = found[path], _refuse(path)
        if reason is None and content is None:
            reason = "file-not-plain"
        if reason is None and any(str(above) in kept for above in PurePosixPath(path).parents):
            reason = "file-unsafe-path"
        if reason is None and content is not None:
            if len(kept) < FILES_LIMIT and size + len(content) <= BYTES_LIMIT:
                kept[path] = content
                size += len(content)
                continue
            reason = "file-too-many"
        refused.setdefault(str(reason), []).append(path)
    return kept, tuple(
        Finding(kind, f"{text}: {_listed(refused[kind])}.")
        for kind, text in TEXTS.items()
        if kind in refused
    )


def _listed(paths: list[str]) -> str:
    named = ", ".join(repr(path[:PART_BYTES]) for path in paths[:NAMED])
    return named if len(paths) <= NAMED else f"{named} and {len(paths) - NAMED} more"


def _refuse(path: str) -> str | None:
    """Return why a file of this name is not taken: None if it is, empty if no word is due."""
    parts = path.split("/")
    if not all(map(_is_safe, parts)):
        return "file-unsafe-path"
    if path == TIMESTAMP or not QUIET.isdisjoint(parts):
        return ""
    if any(part.startswith(".") for part in parts):
        return "file-hidden"
    name = parts[-1].lower()
    if name.endswith(".ipynb"):
        return "file-notebook"
    if name.endswith(HOOKS) or name.startswith(CONFIGS):
        return "file-startup"
    if CODE.search(name) and parts[0].split(".")[0].lower() in _protected():
        return "file-shadows-module"
    return None


def _is_safe(part: str) -> bool:
    try:
        length = len(part.encode())
    except UnicodeEncodeError:  # a name that is no UTF-8
        return False
    plain = part.isprintable() and not set(part) & set('\\:*?"<>|')
    return plain and part not in ("", ".", "..") and length <= PART_BYTES


@cache
def _protected() -> frozenset[str]:
    """Return the modules that no file of a student's may hide, in lower case."""
    names = {*sys.stdlib_module_names, *packages_distributions(), *OURS}
    return frozenset(name.split("/")[0].lower() for name in names)


def read_beside(folder: Path, notebook: str) -> dict[str, bytes | None]:
    """Read what lies beside a notebook, as far as `keep_files` could want it.

    Links are never followed, hidden folders not entered, and at most `BYTES_LIMIT` bytes read.

    Parameters
    ----------
    folder
        Where the notebook lies.
    notebook
        Its file name.
    """
    found: dict[str, bytes | None] = {}
    left = BYTES_LIMIT
    for path, entry in _walk(folder):
        if path == notebook:
            continue
        if _refuse(path) is not None:
            found[path] = b""  # refused by its name alone
        else:
            found[path] = content = _read_plain(entry, left)
            left -= len(content or b"")
    return found


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Walk through a folder by name, and do not enter links, hidden folders, or closed ones."""
    waiting, seen = [""], 0
    while waiting and seen < ENTRIES_LIMIT:
        above = waiting.pop()
        try:
            with os.scandir(folder / above) as listed:
                entries = sorted(islice(listed, ENTRIES_LIMIT), key=lambda entry: entry.name)
        except OSError:
            continue
        seen += len(entries)
        for entry in entries:
            path = above + entry.name
            if not entry.is_dir(follow_symlinks=False):
                yield path, Path(entry.path)
            elif not entry.name.startswith(".") and entry.name not in QUIET:
                waiting.append(path + "/")


def _read_plain(path: Path, limit: int) -> bytes | None:
    """Read a plain file of at most `limit` bytes; None if it is another thing, or larger."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return None
        content = stream.read(limit + 1)
    return content if len(content) <= limit else None
