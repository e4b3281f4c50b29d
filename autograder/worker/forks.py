"""What makes a fork of the warm parent cheap: less to copy, and nothing to mend.

The kernel copies a fork's table of pages at once and a page when either side first writes to it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MADV_COLLAPSE = 25  # Linux 6.1
LARGE_PAGE = 2 * 2**20  # bytes

_libc = ctypes.CDLL(None, use_errno=True)
_is_ours = False  # while a submission's process is forked


@contextmanager
def our_fork() -> Iterator[None]:
    """Fork in this block, on both sides of it, without the hooks of libraries."""
    global _is_ours
    _is_ours = True
    try:
        yield
    finally:
        _is_ours = False


@contextmanager
def hooks_held_back() -> Iterator[None]:
    """Hold the hooks that libraries register in this block back from forks of ours.

    They free locks that another thread may have held, of which there is none; seed `random`, as a
    session does itself; and drop matplotlib's fonts, whose files no two processes of ours read at
    one time. Forks that a student makes run them as ever.
    """
    register = os.register_at_fork

    def register_held_back(**hooks: Callable[[], Any]) -> None:
        register(**{when: _held_back(hook) for when, hook in hooks.items()})

    os.register_at_fork = register_held_back  # type: ignore[assignment]
    try:
        yield
    finally:
        os.register_at_fork = register


def _held_back(hook: Callable[[], Any]) -> Callable[[], None]:
    def run_unless_ours() -> None:
        if not _is_ours:
            hook()

    return run_unless_ours


def use_large_pages() -> None:
    """Move this process's memory into large pages, whose table is 512 times shorter.

    A fork that writes to one copies a small page, as before. Where the kernel has no such call
    (Linux before 6.1) or refuses, nothing changes but the time that a fork takes.
    """
    for first, end in _private_ranges():
        start, stop = -(-first // LARGE_PAGE) * LARGE_PAGE, end // LARGE_PAGE * LARGE_PAGE
        if start < stop:
            _libc.madvise(
                ctypes.c_void_p(start), ctypes.c_size_t(stop - start), ctypes.c_int(MADV_COLLAPSE)
            )


def _private_ranges() -> Iterator[tuple[int, int]]:
    """Yield the addresses of memory that no file stands behind and that may be written."""
    listed = Path("/proc/self/maps")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    for line in lines:
        addresses, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and (not name or name[0].strip() == "[heap]"):
            first, _, end = addresses.partition("-")
            yield int(first, 16), int(end, 16)
