"""The processes of a run: its lanes, and what is below them."""

from __future__ import annotations

import psutil


def lanes() -> list[psutil.Process]:
    """Return the lanes of this process."""
    return [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]


def workers_of(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return everything below some processes."""
    return [child for process in processes for child in process.children(recursive=True)]


def require_gone(processes: list[psutil.Process], seconds: float = 5.0) -> None:
    """Require that processes end soon."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
