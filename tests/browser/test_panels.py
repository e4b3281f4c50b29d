"""Every slider panel of every lecture, as a reader without a mouse has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, Lab
from tests.browser.panels import drive
from tests.browser.test_lab import keep

WITH_PANELS = sorted(
    path.parent.name
    for path in (ROOT / "course").glob("u*/lecture.py")
    if "explore(" in path.read_text(encoding="utf-8")
)
MOVES = 3


def test_lectures_have_panels() -> None:
    """The list below is made from the texts; an empty one would test nothing."""
    assert {"u02_forward", "u08_batch_size"} <= set(WITH_PANELS)


@pytest.mark.slow
@pytest.mark.parametrize("unit", WITH_PANELS)
def test_every_slider_has_a_label_and_moves_its_picture(unit: str, page: Page, lab: Lab) -> None:
    """Each arrow key brings the picture of the new state; the pictures differ."""
    text = Path(ROOT / "course" / unit / "lecture.py").read_text(encoding="utf-8")

    moves = drive(page, lab, unit, MOVES)

    keep(page, f"{unit}-panels")
    assert len({move.panel for move in moves}) == text.count("explore(")
    for move in moves:
        assert move.slider
        assert move.milliseconds, f"{move.panel}: {move.slider} has no second position"
        assert None not in move.milliseconds, f"{move.panel}: no new picture for {move.slider}"
        assert move.pictures > 1, f"{move.panel}: {move.slider} changes nothing"
