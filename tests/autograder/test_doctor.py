"""`autograder doctor` names what is broken, and breaks on none of it."""

from __future__ import annotations

import builtins
import importlib.metadata
import shutil
import subprocess
from typing import Any

import pytest

from autograder import doctor
from autograder.sandbox import find_fault


def finding(subject: str) -> doctor.Finding:
    """Return what the examination says about one subject."""
    return next(f for f in doctor.examine() if f.subject == subject)


def test_what_the_course_needs_is_here() -> None:
    """On a machine where the tests run, everything needed is found, with its version."""
    needed = [f for f in doctor.examine() if f.needed]
    assert {"python", *doctor.PACKAGES} == {f.subject for f in needed}
    assert all(f.ok and f.text[0].isdigit() for f in needed)


def test_a_missing_package_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed, so the command fails."""
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    found = finding("no-such-package")
    assert (found.ok, found.needed) == (False, True)
    assert "make venv" in found.text


def test_a_missing_triton_costs_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no builds for macOS and Windows: a finding, and no fault of the machine."""
    assert finding("triton").ok

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = finding("triton")
    assert (found.ok, found.needed) == (False, False)
    assert "unit 12" in found.text


@pytest.mark.parametrize(
    "error", [PermissionError(13, "refused"), subprocess.TimeoutExpired("bwrap", 20)]
)
def test_a_sandbox_that_cannot_be_tried_is_a_finding(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback."""

    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(doctor, "find_fault", find_fault.__wrapped__)  # not what was found before
    found = finding("sandbox")
    assert (found.ok, found.needed) == (False, False)
    assert str(error) in found.text


def test_a_torch_that_cannot_be_loaded_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a library that torch needs may be missing: the import raises an OSError."""
    real = builtins.__import__

    def load(name: str, *args: Any, **options: Any) -> Any:
        if name == "torch":
            raise OSError("[WinError 126] The specified module could not be found")
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", load)
    found = finding("gpu")
    assert not found.ok
    assert "WinError 126" in found.text
