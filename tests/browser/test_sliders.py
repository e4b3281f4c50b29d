"""The slider panel as a reader has it: JupyterLab, a browser, arrow keys."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.browser.test_lab import keep, open_notebook, run_cell

CELL = """
from bnlib.plots.batch_noise import draw_batch_noise
from bnlib.widgets import Slider, explore

def draw(m, seed):
    if m == 2 and seed == 1:
        raise ValueError("no picture here")
    return draw_batch_noise(m, seed=seed)

explore(draw, alt="Batch means.", title="Who else?",
        m=Slider("batch size m", 1, 256, 2, 8, log=True), seed=Slider("seed", 0, 3, 1, 0))
"""


@pytest.fixture
def panel(page: Page, lab: Lab) -> Locator:
    """Run a notebook that holds one panel, and return its output."""
    cells = [nbformat.v4.new_code_cell(CELL)]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.folder / "panel.ipynb")
    cell = open_notebook(page, lab, "panel.ipynb").locator(".jp-CodeCell").first
    run_cell(page, cell)
    output = cell.locator(".jp-Cell-outputArea")
    expect(picture(output, 8, 0)).to_be_visible()
    return output


def picture(panel: Locator, m: int, seed: int) -> Locator:
    """Find the picture of one state by its alternative text."""
    text = f"Batch means. Shown for batch size m = {m}, seed = {seed}."
    return panel.locator(f'img[alt="{text}"]')


def press(panel: Locator, slider: int, key: str) -> None:
    """Press a key on a slider, as someone without a mouse does."""
    panel.locator(".noUi-handle").nth(slider).press(key)


def test_arrow_keys_move_the_sliders_and_the_picture_follows(panel: Locator) -> None:
    """No mouse is needed, each slider has its label, and the alternative text tells the state."""
    labels = panel.locator(".widget-hslider .widget-label").all_inner_texts()
    assert labels == ["batch size m", "seed"]
    for slider, key, m, seed in [
        (0, "Home", 1, 0),
        (0, "ArrowRight", 2, 0),
        (0, "End", 256, 0),
        (1, "ArrowRight", 256, 1),
        (1, "Home", 256, 0),
    ]:
        press(panel, slider, key)
        expect(picture(panel, m, seed)).to_be_visible()


def test_a_picture_that_cannot_be_drawn_is_explained_in_the_panel(
    panel: Locator, page: Page
) -> None:
    """The reader sees a sentence and nothing on stderr; going back, the sentence disappears."""
    press(panel, 0, "Home")
    press(panel, 0, "ArrowRight")
    expect(picture(panel, 2, 0)).to_be_visible()
    press(panel, 1, "ArrowRight")
    alert = page.get_by_role("alert").filter(has_text="no picture here")
    expect(alert).to_be_visible()
    keep(page, "slider-error")
    press(panel, 1, "ArrowLeft")
    expect(alert).to_have_count(0)
    assert panel.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
