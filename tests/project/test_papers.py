"""Licences, changelog, ignore rules: what a user relies on without running anything."""

import re
import subprocess

import pytest

import autograder
from tests.project.places import ROOT, project_table


def read(name):
    """Return a file of the project as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_both_licences_are_there_in_full():
    """MIT for code, CC BY 4.0 for text; the metadata names both."""
    assert project_table()["license"] == "MIT AND CC-BY-4.0"
    assert set(project_table()["license-files"]) == {"LICENSE", "LICENSE-CC-BY-4.0"}
    mit, by = read("LICENSE"), read("LICENSE-CC-BY-4.0")
    assert mit.startswith("MIT License\n\nCopyright (c) 2026 The batchnorm-course authors\n")
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in mit
    assert [int(n) for n in re.findall(r"^Section (\d) -- ", by, re.M)] == list(range(1, 9))
    assert "Attribution 4.0 International Public License" in by
    assert "ShareAlike" not in by


def test_the_changelog_tells_the_present_version_of_the_grader():
    """Whoever compares two marks finds what changed between their graders."""
    scoring = read("CHANGELOG.md").split("### Scoring")[1:]
    told = re.findall(r"`GRADER_VERSION` (\S+):", "".join(scoring))
    assert autograder.GRADER_VERSION in told


def test_the_security_page_names_the_danger():
    """An instructor must not learn it from a submission."""
    text = " ".join(read("SECURITY.md").split())
    assert "runs the same worker without any wall" in text
    assert "tests and student code share one process there" in text
    assert "Copied code." in text


def test_the_module_table_names_every_module():
    """CONTRIBUTING.md says where things are: a new module gets a place in it, an old one leaves."""
    table = read("CONTRIBUTING.md").partition("### Where things are")[2].partition("\n\nWho")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(?:autograder/)?(\w+(?:\.py|/))`", row)}
    package = ROOT / "autograder"
    there = {p.name for p in package.glob("*.py")} | {
        f"{p.parent.name}/" for p in package.glob("*/__init__.py")
    }
    assert named - {"bnlib/"} == there - {"__init__.py"}


def _ignored(path):
    """Ask git whether it would leave a file out."""
    done = subprocess.run(
        ["git", "check-ignore", "--quiet", "--no-index", path], cwd=ROOT, capture_output=True
    )
    if done.returncode not in (0, 1):
        pytest.skip("no git repository here; clone the project to run this test")
    return done.returncode == 0


@pytest.mark.parametrize(
    "path",
    [
        ".venv/bin/python",
        "gradebook.db",
        "gradebook.db-journal",
        "submitted/eve/u02_forward/forward.ipynb",
        "autograded/eve/u02_forward/forward.ipynb",
        "feedback/eve/u02_forward/forward.html",
        "exchange/x",
        "course/.ipynb_checkpoints/home-checkpoint.ipynb",
        "bnlib/__pycache__/forward.cpython-311.pyc",
        "server.log",
    ],
)
def test_marks_and_leftovers_stay_out_of_the_repository(path):
    """A student's work must not end in a public history by `git add .`."""
    assert _ignored(path)


@pytest.mark.parametrize(
    "path",
    [
        "course/u02_forward/lecture.ipynb",
        "source/u02_forward/forward.ipynb",
        "release/u02_forward/forward.ipynb",
        "autograder/build/chain.py",
        "tests/adversarial/submitted/eve.ipynb",
    ],
)
def test_the_course_stays_in_the_repository(path):
    """Rules for generated folders must not swallow the product."""
    assert not _ignored(path)
