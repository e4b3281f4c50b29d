"""A JupyterLab on 127.0.0.1 and a headless Chromium to look at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = [
    "--no-sandbox",  # needed when root drives it; it visits 127.0.0.1 only
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    "--disable-component-update",
    "--disable-quic",
]
START_SECONDS = 90  # a cold JupyterLab on two busy cores
WAIT_MS = 60_000  # for anything to appear: two cores may be busy with a kernel's start
SCREENSHOTS = os.environ.get("SCREENSHOTS")  # a folder to keep pictures in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, and say what is missing where there is no browser."""
    reason = "not run: no Chromium; install it (Debian, Ubuntu: apt install chromium)"
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    folder: Path

    def notebook(self, path: str) -> str:
        """Address of a notebook, alone in a fresh workspace."""
        return f"{self.url}/lab/workspaces/test-{time.time_ns()}/tree/{path}?reset"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab on a copy of the course, as `make lab` does."""
    with start_lab(tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("home")) as lab:
        yield lab


@contextmanager
def start_lab(folder: Path, home: Path) -> Iterator[Lab]:
    """Start JupyterLab on a copy of the course in `folder`, with a home of its own."""
    for name in ("course", "source", "release"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    environment = os.environ | {
        "HOME": str(home),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "BATCHNORM_COURSE_PROGRESS": str(home / "progress.json"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0",
        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]  # fmt: skip
    log = (home / "lab.log").open("w")
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield Lab(_wait_for_url(home / "runtime", server, home / "lab.log"), folder)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        log.close()


def _wait_for_url(runtime: Path, server: subprocess.Popen[bytes], log: Path) -> str:
    """Return the server's address once it has written down where it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for info in runtime.glob("jpserver-*.json"):
            try:
                return str(json.loads(info.read_text())["url"]).rstrip("/")
            except ValueError:
                continue
        if server.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all tests."""
    with start_browser() as chromium:
        yield chromium


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Start a Chromium, in which everything may take its time."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a fresh page."""
    with open_page(browser) as page:
        yield page


@contextmanager
def open_page(browser: Browser) -> Iterator[Page]:
    """Open a page with nothing in it, and nothing left of it afterwards."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    yield page
    for dialog in page.locator(".jp-Dialog").all():  # says why a test that failed could not click
        print("open dialog:", dialog.inner_text())  # noqa: T201
    context.close()
