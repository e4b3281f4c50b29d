"""Drive the slider panels of a lecture in a browser, and time what a reader waits for."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.browser.test_lab import open_notebook, run_all

PATIENCE_MS = 15_000  # for one picture, on a machine that is busy
SETTLE_MS = 400  # for what a jump to the slider's start draws

# From the key to the frame that shows the new picture: a picture of another state has another text.
WATCH = """
(area, patience) => {
  const picture = () => area.querySelector("img");
  const before = picture()?.alt;
  let start = null;
  document.addEventListener("keydown", () => { start = performance.now(); },
                            {capture: true, once: true});
  window.moved = new Promise(resolve => {
    const observer = new MutationObserver(async () => {
      const now = picture();
      if (start === null || !now || now.alt === before) return;
      observer.disconnect();
      await now.decode();
      requestAnimationFrame(() => resolve(performance.now() - start));
    });
    observer.observe(area, {subtree: true, childList: true, attributes: true});
    setTimeout(() => resolve(null), patience);
  });
}
"""


@dataclass(frozen=True)
class Moves:
    """What one slider did."""

    lecture: str
    """Unit folder."""
    panel: str
    """Title of the panel."""
    slider: str
    """Label of the slider."""
    milliseconds: list[float | None]
    """From each key to the new picture; None where none came."""
    pictures: int
    """How many different ones were shown."""


def drive(page: Page, lab: Lab, unit: str, most: int) -> list[Moves]:
    """Run a unit's lecture, and move every slider of it from its start by `most` steps."""
    open_notebook(page, lab, f"course/{unit}/lecture.ipynb")
    run_all(page)
    panels = page.locator(".jp-Cell-outputArea", has=page.locator(".noUi-handle"))
    return [
        _move(page, unit, panel, number, most)
        for panel in panels.all()
        for number in range(panel.locator(".widget-hslider").count())
    ]


def _move(page: Page, unit: str, panel: Locator, number: int, most: int) -> Moves:
    slider = panel.locator(".widget-hslider").nth(number)
    handle = slider.locator(".noUi-handle")
    handle.scroll_into_view_if_needed()
    expect(panel.locator("img").first).to_be_visible()
    handle.press("Home")
    page.wait_for_timeout(SETTLE_MS)
    times, seen = [], {_shown(panel)}
    while len(times) < most and not _at_its_end(handle):
        panel.evaluate(WATCH, PATIENCE_MS)
        handle.press("ArrowRight")
        times.append(page.evaluate("window.moved"))
        seen.add(_shown(panel))
    title = panel.locator("strong").first
    name = title.inner_text() if title.count() else ""
    return Moves(unit, name, slider.locator(".widget-label").inner_text(), times, len(seen))


def _at_its_end(handle: Locator) -> bool:
    return handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")


def _shown(panel: Locator) -> str:
    return panel.locator("img").first.get_attribute("src") or ""
