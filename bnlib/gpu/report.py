"""What this computer has and measures, as data: written once by `python -m bnlib.gpu`.

A measurement that needs a card is recorded as not run where there is none. It is never made up.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from bnlib.gpu.bandwidth import Measurement, batchnorm_measurements, copy_bandwidth

FOLDER = Path(__file__).parent / "measured"
NOT_RUN = "not run: no GPU"


@dataclass(frozen=True)
class Report:
    """What one device is, and how fast."""

    device: str
    """Kind of device: `cpu` or `cuda`."""
    name: str
    """The device's own name."""
    torch: str
    """Version of torch."""
    status: str
    """`measured`, or `not run: no GPU`."""
    copy: float | None = None
    """Bandwidth of a large copy in GB/s; None if not run."""
    rows: list[Measurement] = field(default_factory=list)
    """Batch norm's passes."""


def take(kind: str) -> Report:
    """Measure a kind of device, or say that there is none.

    Parameters
    ----------
    kind : "cpu" or "cuda"
        Which.
    """
    if kind == "cuda" and not torch.cuda.is_available():
        return Report(kind, "none", torch.__version__, NOT_RUN)
    device = torch.device(kind)
    name = torch.cuda.get_device_name(device) if kind == "cuda" else _processor()
    rows = batchnorm_measurements(device)
    return Report(kind, name, torch.__version__, "measured", copy_bandwidth(device), rows)


def save(report: Report, folder: Path = FOLDER) -> Path:
    """Write a report to where the lecture looks for it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.device}.json"
    path.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    return path


def load(kind: str, folder: Path = FOLDER) -> Report:
    """Read what was measured; a report that says `not run` if nothing was."""
    path = folder / f"{kind}.json"
    if not path.exists():
        return Report(kind, "none", torch.__version__, NOT_RUN)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    rows = [Measurement(**row) for row in found.pop("rows")]
    return Report(**found, rows=rows)


def table(report: Report) -> str:
    """Return a report as lines of text, each pass with its share of the copy's bandwidth."""
    head = f"{report.device}: {report.name}, torch {report.torch}"
    if report.copy is None:
        return f"{head}: {report.status}"
    lines = [head, f"  {'a large copy':28}{'':>21}{report.copy:8.1f} GB/s"]
    for row in report.rows:
        share = row.bandwidth / report.copy
        lines.append(
            f"  {row.name:28}{row.n_bytes / 1e6:8.1f} MB {row.ms:7.3f} ms"
            f"{row.bandwidth:8.1f} GB/s  {share:4.0%} of the copy"
        )
    return "\n".join(lines)


def _processor() -> str:
    return f"{torch.get_num_threads()} threads"
