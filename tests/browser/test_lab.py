"""What a student does in JupyterLab: run a lecture, move a slider, solve an exercise, check it."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SCREENSHOTS, Lab

RUN_SECONDS = 150 * 1000  # milliseconds; a lecture runs in well under two minutes


def open_notebook(page: Page, lab: Lab, path: str) -> Locator:
    """Open a notebook and wait for its kernel."""
    page.goto(lab.notebook(path))
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(notebook.locator(".jp-Notebook-cell").first).to_be_visible()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    return notebook


def run_cell(page: Page, cell: Locator, source: str | None = None) -> None:
    """Run a cell, with another source if one is given, and wait for its number."""
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    if source is not None:
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(source)
    before = cell.locator(".jp-InputPrompt").inner_text()
    page.keyboard.press("Control+Enter")
    prompt = cell.locator(".jp-InputPrompt")
    expect(prompt).not_to_have_text(before)
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))


def run_all(page: Page) -> None:
    """Choose Run > Run All Cells and wait until the kernel is idle again."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-item", has_text=re.compile("^Run All Cells")).first.click()
    page.wait_for_timeout(1000)
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    expect(idle).to_be_visible(timeout=RUN_SECONDS)


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page if the environment says where."""
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


def test_a_slider_of_the_lecture_changes_its_figure(page: Page, lab: Lab) -> None:
    """Open the u02 lecture, run all, move the first slider by keyboard: another picture."""
    open_notebook(page, lab, "course/u02_forward/lecture.ipynb")
    run_all(page)
    slider = page.locator(".noUi-handle").first
    slider.scroll_into_view_if_needed()
    output = page.locator(".jp-Cell-outputArea", has=page.locator(".noUi-handle")).first
    picture = output.locator("img").first
    expect(picture).to_be_visible()
    before = picture.get_attribute("src")
    keep(page, "u02-lecture-slider-before")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before or "")
    number = output.locator(".widget-readout").first.inner_text()
    expect(output.locator(f'img[alt*=" = {number}"]')).to_be_visible()
    keep(page, "u02-lecture-slider-after")


def type_solution(page: Page, notebook: Locator, name: str, source: str) -> None:
    """Replace the source of the cell that defines `name`, as a student types it."""
    run_cell(page, notebook.locator(".jp-CodeCell", has_text=f"def {name}(").first, source)


def check_cell(page: Page, notebook: Locator, name: str) -> Locator:
    """Run the check of an exercise and return the panel below it."""
    cell = notebook.locator(".jp-CodeCell", has_text=f'check("u02.{name}", {name})').first
    run_cell(page, cell)
    return cell.get_by_role("group", name=f"Check of u02.{name}")


def test_a_student_types_a_solution_and_sees_the_panel(page: Page, lab: Lab) -> None:
    """Wrong, then changing its argument, then right: each is said in words."""
    notebook = open_notebook(page, lab, "release/u02_forward/forward.ipynb")
    run_cell(page, notebook.locator(".jp-CodeCell", has_text="import numpy as np").first)
    type_solution(page, notebook, "batch_mean", "def batch_mean(x):\n    return x.sum(axis=0)")
    panel = check_cell(page, notebook, "batch_mean")
    expect(panel).to_contain_text("sum")  # although an assert stopped the cell before its check
    keep(page, "u02-check-assert")
    changes_x = "def batch_mean(x):\n    x -= 0.5\n    return x.mean(axis=0) + 0.5"
    type_solution(page, notebook, "batch_mean", changes_x)
    panel = check_cell(page, notebook, "batch_mean")
    expect(panel).to_contain_text("changed its argument x")
    keep(page, "u02-check-wrong")
    type_solution(page, notebook, "batch_mean", "def batch_mean(x):\n    return x.mean(axis=0)")
    panel = check_cell(page, notebook, "batch_mean")
    expect(panel).to_contain_text("All right")
    keep(page, "u02-check-right")


def test_the_home_notebook_opens_and_shows_the_map(page: Page, lab: Lab) -> None:
    """The first page a student sees runs and draws the map of exercises."""
    open_notebook(page, lab, "course/home.ipynb")
    run_all(page)
    progress = page.get_by_role("group", name="Your progress")
    progress.scroll_into_view_if_needed()
    expect(progress).to_contain_text("u02_forward")
    keep(page, "home")


def test_validate_says_which_cells_fail(page: Page, lab: Lab) -> None:
    """The Validate button of nbgrader works on a release notebook."""
    open_notebook(page, lab, "release/u00_start/start.ipynb")
    page.get_by_role("button", name="Validate").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("failed", timeout=RUN_SECONDS)
    keep(page, "validate")


def test_formgrader_lists_the_assignments(page: Page, lab: Lab) -> None:
    """The instructor's page shows every unit of the course."""
    page.goto(f"{lab.url}/formgrader/manage_assignments")
    table = page.locator("table")
    units = sorted(p.name for p in (lab.folder / "source").iterdir() if p.is_dir())
    for unit in units:
        expect(table).to_contain_text(unit)
    keep(page, "formgrader")


def test_released_cells_that_are_locked_cannot_be_edited(page: Page, lab: Lab) -> None:
    """The test cell of an exercise is read-only in the student's notebook."""
    notebook = open_notebook(page, lab, "release/u00_start/start.ipynb")
    path = lab.folder / "release/u00_start/start.ipynb"
    locked = [c for c in nbformat.read(path, as_version=4).cells if c.id == "test_center"]
    assert locked[0].metadata["editable"] is False
    cell = notebook.locator(".jp-CodeCell", has_text='check("u00.center", center)').first
    expect(cell.locator(".cm-content")).to_have_attribute("aria-readonly", "true")
