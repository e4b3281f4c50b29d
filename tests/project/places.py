"""Where the project's own files are."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def project_table():
    """Return the ``[project]`` table of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(*extras):
    """Return the project's direct dependencies, and those of the extras named."""
    table = project_table()
    texts = list(table["dependencies"])
    for extra in extras:
        texts += table["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


def pins():
    """Return the version that constraints.txt pins of each package, by canonical name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [
        re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)", line) for line in lines if line[0] != "#"
    ]
    return {canonicalize_name(match[1]): match[2] for match in found}
