"""The environment is described three times, and all three say the same."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project.places import ROOT, pins, project_table, requirements

# what repo2docker reads the Python version with (its buildpacks/conda)
BINDER_PYTHON = re.compile(r"python\s*=+\s*([\d\.]*)")


@pytest.fixture(scope="module")
def conda():
    """Return environment.yml as conda specs, and its pip lines."""
    content = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    texts = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    return {spec.name.normalized: spec for spec in map(rattler.MatchSpec, texts)}, texts, pip


def test_constraints_pin_exact_versions():
    """Every line that is no comment is name==version: no range, no build, no address, no double."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    packages = [Requirement(line) for line in lines if not line.startswith("#")]
    for package in packages:
        (only,) = package.specifier
        assert only.operator == "=="
        assert Version(only.version).local is None
        assert package.url is None
    names = [canonicalize_name(package.name) for package in packages]
    assert len(set(names)) == len(names) > 100


@pytest.mark.parametrize("requirement", requirements("dev"), ids=str)
def test_every_direct_dependency_is_pinned_within_its_bounds(requirement):
    """A pin outside of the bounds could not be installed at all."""
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_package_that_those_need_is_pinned():
    """Walk what the installed packages require on this machine: nothing is left to chance."""
    needed, waiting = set(), [canonicalize_name(r.name) for r in requirements("dev")]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        try:
            texts = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # for another system, or an option that is not in use
        found = [Requirement(text) for text in texts]
        wanted = [r for r in found if not r.marker or r.marker.evaluate({"extra": ""})]
        waiting += [canonicalize_name(r.name) for r in wanted]
    # PyTorch's builds for CUDA bring their own libraries, pinned by PyTorch itself; setuptools
    # comes with the interpreter's venv, in the version that fits it
    brought = ("nvidia-", "cuda-", "triton", "setuptools")
    ours = {name for name in needed if not name.startswith(brought)}
    assert ours - set(pins()) == set()


@pytest.mark.parametrize("name", sorted(pins()))
def test_every_pin_accepts_the_lowest_python(name):
    """Debian 12 has Python 3.11.2: a pin that asks for 3.11.5 would leave it without the course."""
    lowest = project_table()["requires-python"].removeprefix(">=")
    try:
        asked = distribution(name).metadata.get("Requires-Python", "")
    except PackageNotFoundError:
        return  # for another system: it is not here to be asked
    assert SpecifierSet(asked).contains(f"{lowest}.0")


def test_conda_installs_the_project_itself_at_the_tested_versions(conda):
    """So its content is pyproject.toml's; nothing is repeated that could grow old."""
    _, _, pip = conda
    assert pip == ["-c constraints.txt", "-e ."]


def test_condas_python_is_one_that_the_project_accepts(conda):
    """And one that Binder can read."""
    specs, texts, _ = conda
    match = next(filter(None, map(BINDER_PYTHON.match, texts)))
    accepted = Requirement("python" + project_table()["requires-python"]).specifier
    assert f"{match[1]}.0" in accepted
    assert specs["python"].version == f"{match[1]}.*"


def test_condas_pytorch_accepts_the_pinned_one(conda):
    """And every other that the project accepts: no channel's version may stop the installation."""
    specs, _, _ = conda
    assert set(specs) == {"python", "pip", "pytorch-cpu"}
    ours = next(r for r in requirements() if r.name == "torch").specifier
    assert str(specs["pytorch-cpu"].version) == str(ours)
    assert pins()["torch"] in ours


@pytest.mark.parametrize("path", ["postBuild", ".ci/run"])
def test_scripts_can_be_run_and_stop_at_the_first_error(path):
    """Executable, bash, strict, and free of syntax errors."""
    script = ROOT / path
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/bash\n")
    assert "set -euo pipefail" in text
    if sys.platform != "win32":
        assert script.stat().st_mode & 0o111 == 0o111
        subprocess.run(["bash", "-n", script], check=True)


def test_no_file_names_a_package_index():
    """Where packages come from is the user's setting."""
    files = ["Makefile", "constraints.txt", "environment.yml", "pyproject.toml", ".ci/run"]
    for name in [*files, "postBuild"]:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|index-url|find-links|pypi", text), name
