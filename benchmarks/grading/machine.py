"""What a measurement was made on, without names of machines or people."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3

import psutil

PACKAGES = ("nbgrader", "numpy", "torch", "ipython", "nbconvert", "nbclient", "psutil")


def facts() -> str:
    """Return a few lines: cores, memory, load, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return (
        f"{cores} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"load before the start {load}\n"
        f"{platform.python_implementation()} {platform.python_version()}, {versions}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def mebibytes(size: int) -> str:
    """Return a size for a table."""
    return f"{size / 2**20:.0f}"
