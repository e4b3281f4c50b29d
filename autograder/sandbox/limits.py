"""What one submission may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits of one submission; an honest one of this course stays far below each."""

    cell_seconds: float = 30.0
    """Wall time of one cell."""
    case_seconds: float = 5.0
    """Wall time of one call that the judge asks for; `check` gives the same."""
    question_seconds: float = 30.0
    """Wall time of all calls for one exercise."""
    submission_seconds: float = 300.0
    """Wall time of a whole submission, crashes and second tries included."""
    memory_bytes: int = 2048 * MEBIBYTE
    """Memory of the submission, beyond what the warm worker holds."""
    processes: int = 64
    """Processes and threads at one time."""
    open_files: int = 256
    """Open files of a process."""
    file_bytes: int = 64 * MEBIBYTE
    """Size of one file."""
    disk_bytes: int = 128 * MEBIBYTE
    """Everything written to the working directory, and to /tmp."""

    def bounds(self) -> dict[str, int]:
        """Return the part that the kernel enforces."""
        names = ("memory_bytes", "processes", "open_files", "file_bytes", "disk_bytes")
        return {name: value for name, value in asdict(self).items() if name in names}
