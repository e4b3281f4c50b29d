"""How submissions are run: what holds them, what they may use, on how many processes."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import Any

from autograder.sandbox import Limits
from autograder.sandbox.warm import Kind


@dataclass(frozen=True)
class Settings:
    """Settings of one run of the grader."""

    sandbox: Kind = "bubblewrap"
    """What holds the students' code; ``none`` must be asked for."""
    limits: Limits = field(default_factory=Limits)
    """What one submission may use."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Processes on this machine."""
    dask: str | None = None
    """Address of a Dask scheduler that runs the submissions instead."""
    again: bool = False
    """Grade everything again, what is known already, too."""

    def decisive(self) -> dict[str, Any]:
        """Return what can change a result: part of the key under which it is kept."""
        return {"sandbox": self.sandbox, "limits": asdict(self.limits)}
