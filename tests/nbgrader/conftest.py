"""Courses in temporary folders, and the commands that instructors run in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SEED = 4  # of the cases, wherever marks are compared
STOCK = """
del c.Autograde  # nbgrader's own preprocessors, as without our plug-in
c.Execute.timeout = 15  # a variant may have no end
c.Execute.extra_arguments = ["--IPKernelApp.log_level=40"]  # else each kernel warns on stderr
"""
COMMAND_SECONDS = 300  # for one command on two busy cores


@dataclass(frozen=True)
class CourseFolder:
    """A course directory of a test's own, and commands run in it."""

    root: Path
    """Where ``nbgrader_config.py`` lies."""
    home: Path
    """Home folder of whoever runs the commands."""

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the course's environment, such as ``nbgrader autograde ...``."""
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )

    def must_run(self, *command: str) -> str:
        """Run a command that has to succeed, and return its stdout."""
        outcome = self.run(*command)
        assert outcome.returncode == 0, f"{' '.join(command)}:\n{outcome.stdout}\n{outcome.stderr}"
        return outcome.stdout

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the commands: nothing of the user's own settings, a fixed seed."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER_", "NBGRADER_"))}
        return kept | {
            "HOME": str(self.home),
            "OMP_NUM_THREADS": "1",
            "AUTOGRADER_SEED": str(SEED),
            "BATCHNORM_COURSE_PROGRESS": str(self.home / "progress.json"),
        }

    def notebook(self, stage: str, unit: str, student: str = "") -> Path:
        """Path of a unit's notebook."""
        return self.root / stage / student / unit / f"{unit.partition('_')[2]}.ipynb"

    def hand_in(self, student: str, unit: str, text: str | bytes | Path) -> Path:
        """Put a notebook, or what should be one, where nbgrader collects it."""
        path = self.notebook("submitted", unit, student)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, Path):
            text = text.read_bytes()
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


MakeCourse = Callable[..., CourseFolder]


@pytest.fixture(scope="session")
def make_course(tmp_path_factory: pytest.TempPathFactory) -> MakeCourse:
    """Make courses with the committed source notebooks of some units, and nothing else."""

    def make(*units: str, config: str = "") -> CourseFolder:
        root, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("home")
        for unit in units:
            shutil.copytree(ROOT / "source" / unit, root / "source" / unit)
        text = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
        (root / "nbgrader_config.py").write_text(text + config, encoding="utf-8")
        return CourseFolder(root, home)

    return make
