"""Time every slider of every lecture: from a move to the new picture, without a browser.

Run ``python -m benchmarks.sliders``. The lectures' cells are run as they are; each `explore` panel
is then driven through positions of each control that were not drawn before. A browser adds the way
to the kernel and back.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import bnlib.widgets
from autograder.build.text import to_notebook
from bnlib.widgets import Slider, explore

ROOT = Path(__file__).parents[1]
MOVES = 8  # positions a control is driven through
MEDIAN_MS, P95_MS = 100.0, 200.0  # what feels immediate on a quiet machine


def panels(lecture: Path) -> list[tuple[str, Any, dict[str, Any]]]:
    """Run a lecture's code cells; return its panels with their figures' names and controls."""
    found: list[tuple[str, Any, dict[str, Any]]] = []

    def recording(draw: Any, **options: Any) -> Any:
        panel = explore(draw, **options)
        name = getattr(draw, "func", draw).__name__  # of a partial, what it is part of
        controls = {k: v for k, v in options.items() if k not in ("alt", "title")}
        found.append((name, panel, controls))
        return panel

    bnlib.widgets.explore = recording
    names: dict[str, Any] = {"__name__": "lecture", "display": lambda *_: None}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in to_notebook(lecture.read_text(encoding="utf-8"), {}).cells:
                if cell.cell_type == "code":
                    exec(compile(cell.source, str(lecture), "exec"), names)
    finally:
        bnlib.widgets.explore = explore
    return found


def moves(panel: Any, controls: dict[str, Any]) -> list[float]:
    """Return milliseconds of each move of each slider to a position not seen yet."""
    times = []
    for name, control in controls.items():
        values = control.values() if isinstance(control, Slider) else []
        for value in values[:: max(1, len(values) // MOVES)]:
            start = time.perf_counter()
            panel.set(**{name: value})
            times.append(1e3 * (time.perf_counter() - start))
    return times


def main() -> int:
    """Print a line a panel, and whether all are within the budget."""
    print(f"{'lecture':22} {'figure':28} {'moves':>5} {'median ms':>10} {'p95 ms':>8}")
    slow = 0
    for lecture in sorted((ROOT / "course").glob("u*/lecture.py")):
        for name, panel, controls in panels(lecture):
            times = moves(panel, controls)
            if len(times) < 2:
                continue
            median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            slow += median > MEDIAN_MS or p95 > P95_MS
            print(f"{lecture.parent.name:22} {name:28} {len(times):5} {median:10.0f} {p95:8.0f}")
    print(f"{slow} figures slower than {MEDIAN_MS:.0f} ms (median) or {P95_MS:.0f} ms (p95)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
