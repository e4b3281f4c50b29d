"""Times that `python -m benchmarks.gpu` measured, if it ever ran on this copy of the course."""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks" / "results"


@dataclass(frozen=True)
class MeasuredRow:
    """One batch, timed."""

    name: str
    """Where the shape comes from."""
    shape: tuple[int, ...]
    """(N, C, H, W)."""
    channels_last: bool
    """Memory format."""
    dtype: str
    """Of the batch."""
    moved: int
    """Bytes that our kernels move in both passes."""
    ms: dict[str, float]
    """Milliseconds of both passes by contender, ours first; who was wrong is left out."""


@dataclass(frozen=True)
class Measured:
    """One run of the benchmark."""

    machine: dict[str, str]
    """Device, driver, versions, date."""
    bandwidth: float
    """GB/s of a copy on that machine."""
    rows: list[MeasuredRow]
    """One for each batch."""


def load_measured(folder: Path = FOLDER) -> Measured | None:
    """Return the newest result, or None if there is none: not measured is not zero.

    Parameters
    ----------
    folder : Path, default the benchmarks' own
        Where ``gpu-<date>.json`` lies.
    """
    files = sorted(folder.glob("gpu-*.json"))
    if not files:
        return None
    found = json.loads(files[-1].read_text(encoding="utf-8"))
    rows = [_row(row) for row in found["rows"]]
    return Measured(found["machine"], float(found["summary"]["copy GB/s"]), rows)


def _row(row: dict[str, object]) -> MeasuredRow:
    """Read one batch."""
    setting, timings, moved = row["setting"], row["timings"], row["fewest_bytes"]
    assert isinstance(setting, dict)
    assert isinstance(timings, list)
    assert isinstance(moved, dict)
    return MeasuredRow(
        name=str(setting["name"]),
        shape=tuple(setting["shape"]),
        channels_last=bool(setting["channels_last"]),
        dtype=str(setting["dtype"]),
        moved=int(moved["both"]),
        ms={t["contender"]: float(t["ms"]["both"]) for t in timings if t["ms"]},
    )
