"""Examine the machine: what works here, and what to do about what does not."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass

PACKAGES = ("numpy", "torch", "jupyterlab", "nbgrader", "ipywidgets", "matplotlib", "jupytext")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What."""
    ok: bool
    """Whether it works."""
    text: str
    """Version, or what to do."""
    needed: bool = True
    """Whether the course needs it at all."""


def examine() -> list[Finding]:
    """Look at Python, packages, sandbox and GPU."""
    return [_python(), *map(_package, PACKAGES), _sandbox(), _gpu()]


def _python() -> Finding:
    return Finding("python", sys.version_info >= (3, 11), platform.python_version())


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed: run `make venv`")


def _sandbox() -> Finding:
    """Try bubblewrap for real: hosts without user namespaces have it and cannot run it."""
    program = shutil.which("bwrap")
    if program is None:
        text = "bubblewrap is not installed (Debian, Ubuntu: `apt install bubblewrap`)"
        return Finding("sandbox", False, text, needed=False)
    trial = [program, "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true"]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, timeout=20)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("sandbox", False, f"bubblewrap cannot run here: {error}", needed=False)
    if done.returncode == 0:
        return Finding("sandbox", True, "bubblewrap can isolate a process", needed=False)
    why = done.stderr.strip() or "no reason given"
    return Finding("sandbox", False, f"bubblewrap cannot run here: {why}", needed=False)


def _gpu() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:  # Windows without Visual C++ libraries: an OSError
        return Finding("gpu", False, f"torch cannot be imported: {error}", needed=False)
    if not torch.cuda.is_available():
        return Finding(
            "gpu", False, "no CUDA device: GPU parts say 'not run: no GPU'", needed=False
        )
    return Finding("gpu", True, torch.cuda.get_device_name(), needed=False)
