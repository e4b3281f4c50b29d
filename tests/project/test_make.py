"""`make` is the door: it explains itself, refuses an old Python in one sentence, keeps its word."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.project.places import ROOT

pytestmark = pytest.mark.skipif(
    not shutil.which("make"), reason="no make; on Windows README.md has the commands"
)


@pytest.fixture
def clone(tmp_path):
    """Return a folder, with a space in its path, that holds what `make venv` reads."""
    folder = tmp_path / "a course"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def make(folder, *arguments):
    """Run make there, free of what an outer make says."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=env,
        stdin=subprocess.DEVNULL,
    )


def program(folder, name, text):
    """Write a program that stands in for an interpreter."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return f"./{name}"


def test_make_alone_lists_every_target(clone):
    """A newcomer sees what there is, with a sentence for each."""
    done = make(clone)
    assert done.returncode == 0
    for target in ("venv", "lab", "test", "build", "demo", "experiments", "clean"):
        assert f"make {target} " in done.stdout
    assert not (clone / ".venv").exists()


def test_a_python_too_old_is_refused_in_one_sentence(clone):
    """It says which one came, what is needed and what to type; nothing half made is left."""
    old = program(clone, "old", 'case "$2" in *version_info*) exit 1;; *) echo 3.9.18;; esac')
    done = make(clone, "venv", f"PYTHON={old}")
    said = done.stderr.splitlines()[0]
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in said
    assert "./old is 3.9.18" in said
    assert "make venv PYTHON=python3.11" in said
    assert not (clone / ".venv").exists()


def test_a_missing_python_is_refused_likewise(clone):
    """The same sentence."""
    done = make(clone, "venv", "PYTHON=./none")
    assert done.returncode != 0
    assert "./none is missing" in done.stderr.splitlines()[0]
    assert not (clone / ".venv").exists()


def test_a_python_without_venv_leaves_nothing(clone):
    """As on Debian without python3-venv, where half an environment would be left."""
    broken = program(
        clone,
        "broken",
        f'case "$1" in -m) mkdir -p .venv/bin; exit 1;; esac\nexec \'{sys.executable}\' "$@"',
    )
    done = make(clone, "venv", f"PYTHON={broken}")
    assert done.returncode != 0
    assert "install its venv module" in done.stderr
    assert not (clone / ".venv").exists()


def test_an_interrupted_install_is_taken_up_again(clone):
    """After a failing pip the environment does not count as made, and the next run repairs it."""
    fake = clone / ".venv" / "bin"
    fake.mkdir(parents=True)
    (clone / ".venv" / ".installed").touch()
    program(fake, "python", 'case "$*" in *"-e "*) exit 1;; esac')
    program(fake, "jupyter", "exit 0")
    os.utime(clone / ".venv" / ".installed", (0, 0))  # older than pyproject.toml: has to run
    done = make(clone, "venv", f"PYTHON={sys.executable}")
    assert done.returncode != 0
    assert not (clone / ".venv" / ".installed").exists()
    program(fake, "python", "exit 0")
    assert make(clone, "venv", f"PYTHON={sys.executable}").returncode == 0
    assert "Nothing to be done" in make(clone, "venv", f"PYTHON={sys.executable}").stdout


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_the_requirements_installs_again(clone, changed):
    """The stamp is older than the file that changed."""
    fake = clone / ".venv" / "bin"
    fake.mkdir(parents=True)
    program(fake, "python", "exit 0")
    stamp = clone / ".venv" / ".installed"
    stamp.touch()
    now = stamp.stat().st_mtime
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(clone / name, (now - 10, now - 10))
    assert make(clone, "-q", "venv").returncode == 0
    os.utime(clone / changed, (now + 10, now + 10))
    assert make(clone, "-q", "venv").returncode == 1


def test_clean_keeps_the_environment_and_students_work(clone):
    """Only what can be made again within seconds goes."""
    kept = [".venv/lib/__pycache__/a.pyc", "submitted/eve/u00/start.ipynb", "gradebook.db"]
    gone = ["bnlib/__pycache__/a.pyc", ".pytest_cache/a", "course/.ipynb_checkpoints/a"]
    for name in kept + gone:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).touch()
    assert make(clone, "clean").returncode == 0
    assert [(clone / name).exists() for name in kept + gone] == [True] * 3 + [False] * 3


def test_make_test_checks_style_types_and_behaviour(clone):
    """One command tells whether a change is good."""
    steps = make(clone, "--dry-run", "test").stdout
    for step in ("ruff check", "ruff format --check", "mypy", "-m pytest"):
        assert step in steps
