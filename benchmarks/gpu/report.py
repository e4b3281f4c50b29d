"""What came out: a table, a JSON file, a figure, and the two numbers that sum it up."""

import json
from datetime import UTC, datetime
from pathlib import Path

import torch

from .measure import PARTS, Row, geometric_mean

LARGE = 1 << 26  # bytes of a tensor that no L2 cache holds: there the share of bandwidth counts


def machine() -> dict[str, str]:
    """Return what a time depends on: device, driver and versions."""
    import triton

    properties = torch.cuda.get_device_properties(0)
    return {
        "device": properties.name,
        "multiprocessors": str(properties.multi_processor_count),
        "memory": f"{properties.total_memory / 2**30:.0f} GiB",
        "driver": _driver(),
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _driver() -> str:
    """Return the driver's version as the system tells it."""
    path = Path("/proc/driver/nvidia/version")
    if not path.is_file():
        return "unknown"
    words = path.read_text(encoding="utf-8").split()
    return next((word for word in words if word[:1].isdigit() and "." in word), "unknown")


def summary(rows: list[Row], bandwidth: float) -> dict[str, float | int | None]:
    """Return the geometric means of the ratios, and the least share of bandwidth on large ones."""
    found: dict[str, float | int | None] = {"copy GB/s": bandwidth, "batches": len(rows)}
    for part in PARTS:
        ratios = [r for row in rows if (r := row.ratio(part)) is not None]
        found[f"best of torch / ours, {part}"] = geometric_mean(ratios) if ratios else None
    large = [row for row in rows if row.setting.tensor_bytes >= LARGE]
    for part in PARTS:
        shares = [s for row in large if (s := row.share_of_copy(part, bandwidth)) is not None]
        found[f"least share of copy bandwidth, large, {part}"] = min(shares, default=None)
    found["wrong answers"] = sum(not t.ms for row in rows for t in row.timings)
    return found


def table(rows: list[Row], bandwidth: float, part: str = "both") -> str:
    """Return a line for each batch: times, ratio, and bytes of our plan as a share of a copy's."""
    names = [t.contender for t in rows[0].timings]
    head = f"{'batch':49}{'MB':>9}" + "".join(f"{name:>15}" for name in names)
    told = "forward + backward" if part == "both" else part
    lines = [f"{head}{'best/ours':>11}{'of copy':>9}   (ms, {told})"]
    for row in rows:
        times = "".join(f"{t.ms[part]:15.4f}" if t.ms else f"{'wrong':>15}" for t in row.timings)
        ratio, share = row.ratio(part), row.share_of_copy(part, bandwidth)
        end = f"{ratio:11.2f}" if ratio is not None else f"{'-':>11}"
        end += f"{share:9.0%}" if share is not None else f"{'-':>9}"
        lines.append(f"{row.setting.label():49}{row.fewest_bytes[part] / 1e6:9.1f}{times}{end}")
    return "\n".join(lines)


def write(folder: Path, about: dict[str, str], rows: list[Row], bandwidth: float) -> Path:
    """Write ``gpu-<date>.json``, ``.txt`` and ``.png``; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    total = summary(rows, bandwidth)
    stem = folder / f"gpu-{about['date']}"
    content = {"machine": about, "summary": total, "rows": [row.plain() for row in rows]}
    text = [*(f"{key}: {value}" for key, value in {**about, **total}.items())]
    tables = [line for part in PARTS for line in ("", table(rows, bandwidth, part))]
    stem.with_suffix(".txt").write_text("\n".join([*text, *tables, ""]), encoding="utf-8")
    stem.with_suffix(".png").write_bytes(picture(about, rows, bandwidth))
    result = stem.with_suffix(".json")
    result.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return result


def picture(about: dict[str, str], rows: list[Row], bandwidth: float) -> bytes:
    """Draw time over bytes for every contender, and the line of the copy bandwidth."""
    from bnlib.plots import figure, to_png

    fig = figure(
        size=(8.0, 4.6),
        xlabel="size of the batch (MB)",
        ylabel="time, forward + backward (ms)",
        title=f"{about['device']}, {about['date']}",
    )
    (ax,) = fig.axes
    for at, marker in zip(range(len(rows[0].timings)), "osx^", strict=False):
        points = [(r.setting.tensor_bytes / 1e6, r.timings[at]) for r in rows if r.timings[at].ms]
        times = [t.ms["both"] for _, t in points]
        name = rows[0].timings[at].contender
        ax.plot([size for size, _ in points], times, marker, markersize=4, label=name)
    sizes = sorted(row.setting.tensor_bytes for row in rows)
    floor = [5 * size / bandwidth / 1e6 for size in sizes]  # the least that training can move
    ax.plot([s / 1e6 for s in sizes], floor, label="5 tensors at copy speed")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.legend(fontsize=9)
    return to_png(fig)
