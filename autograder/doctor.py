"""Examine the machine: what works here, and what to do about what does not."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from dataclasses import dataclass

from autograder.sandbox import find_fault

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
    """Look at Python, packages, sandbox, Triton and GPU."""
    return [_python(), *map(_package, PACKAGES), _sandbox(), _triton(), _gpu()]


def _python() -> Finding:
    return Finding("python", sys.version_info >= (3, 11), platform.python_version())


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed: run `make venv`")


def _sandbox() -> Finding:
    """Say whether students' code can be shut in here: only who grades needs that."""
    fault = find_fault()
    text = fault or "students' code can be shut in with bubblewrap"
    return Finding("sandbox", not fault, text, needed=False)


def _triton() -> Finding:
    """Say whether kernels can be run, on a CPU or a GPU: only unit 12 needs that, on Linux."""
    found = _package("triton")
    missing = "not installed: the kernels of unit 12 are not run, nor graded (Linux: `make venv`)"
    return Finding("triton", found.ok, found.text if found.ok else missing, needed=False)


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
