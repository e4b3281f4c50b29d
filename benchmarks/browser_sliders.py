"""Time every slider in a browser, from the key to the frame with the new picture.

Run ``python -m benchmarks.browser_sliders``: JupyterLab and a headless Chromium on this machine,
all lectures, up to 12 moves a slider to positions that were not shown before. The table goes to
stdout and, as a page with the machine it was made on, to ``docs/sliders.md``. Fails if the median
or the 95th percentile of all moves is above its budget.
"""

from __future__ import annotations

import contextlib
import datetime
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.grading.machine import facts
from tests.browser.conftest import ROOT, open_page, start_browser, start_lab
from tests.browser.panels import Moves, drive
from tests.browser.test_panels import WITH_PANELS

PAGE = ROOT / "docs" / "sliders.md"
MOVES = 12  # of each slider
MEDIAN_MS, P95_MS = 100.0, 200.0  # what feels immediate
HEAD = f"""\
# How fast the sliders are

From the key that moves a slider to the frame that shows the new picture, in JupyterLab and a
headless Chromium on one machine; the first {MOVES} positions from a slider's start, each drawn for
the first time. The budget is a median of {MEDIAN_MS:.0f} ms and a 95th percentile of
{P95_MS:.0f} ms over all moves. `python -m benchmarks.browser_sliders` measures again and writes
this page.
"""


def measure() -> list[Moves]:
    """Drive every panel of every lecture."""
    with contextlib.ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sliders")))
            for _ in range(2)
        ]
        lab = stack.enter_context(start_lab(*folders))
        browser = stack.enter_context(start_browser())
        found = []
        for unit in WITH_PANELS:
            print(f"{unit} ...", file=sys.stderr, flush=True)
            with open_page(browser) as page:
                found += drive(page, lab, unit, MOVES)
    return found


def table(found: Sequence[Moves]) -> list[str]:
    """Return the table in Markdown: a line a slider, and one for all."""
    lines = [
        "| lecture | panel | slider | moves | median ms | p95 ms | longest ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for moves in found:
        head = f"{moves.lecture} | {moves.panel} | {moves.slider}"
        lines.append(f"| {head} | {_figures(moves.milliseconds)} |")
    lines.append(f"| all | | | {_figures([t for m in found for t in m.milliseconds])} |")
    return lines


def _figures(times: Sequence[float | None]) -> str:
    came = sorted(time for time in times if time is not None)
    lost = len(times) - len(came)
    count = f"{len(times)} ({lost} without a picture)" if lost else f"{len(times)}"
    if not came:
        return f"{count} | – | – | –"
    return f"{count} | {statistics.median(came):.0f} | {p95(came):.0f} | {came[-1]:.0f}"


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def main() -> int:
    """Measure, print, write the page."""
    before = facts()
    found = measure()
    lines = table(found)
    print("\n".join(lines))
    day = datetime.datetime.now(tz=datetime.UTC).date()
    text = "\n".join([HEAD, f"{day}. {before.replace(chr(10), '; ')}", "", *lines, ""])
    PAGE.write_text(text, encoding="utf-8")
    times = [t for m in found for t in m.milliseconds if t is not None]
    lost = sum(t is None for m in found for t in m.milliseconds)
    good = not lost and statistics.median(times) < MEDIAN_MS and p95(times) < P95_MS
    print(f"{'ok ' if good else 'NO '} median {statistics.median(times):.0f}, p95 {p95(times):.0f}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
