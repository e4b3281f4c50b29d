"""The processes of a run: its lanes, and what is below them."""

from __future__ import annotations

import contextlib

import psutil


def lanes() -> list[psutil.Process]:
    """Return the lanes of this process."""
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if "spawn_main" in " ".join(process.cmdline()):
                found.append(process)
    return found


def workers_of(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return everything below some processes."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found += process.children(recursive=True)
    return found


def require_gone(processes: list[psutil.Process], seconds: float = 5.0) -> None:
    """Require that processes end soon."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
