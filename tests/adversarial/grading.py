"""Grade all cases of a family in one run of the engine, and keep what was seen."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.autograded import FINDINGS_ID
from autograder.course import Course
from autograder.grade import grade
from autograder.pipeline.settings import Settings
from autograder.rows import Row
from autograder.sandbox import Limits
from tests.adversarial.case import ROOT, Case
from tests.adversarial.host import Host

MIB = 2**20
SEED = 20251
LIMITS = Limits(
    cell_seconds=3.0,
    case_seconds=1.0,
    question_seconds=5.0,
    submission_seconds=60.0,
    memory_bytes=512 * MIB,
)
WORKERS = 2
OFF = (  # nbgrader's own log is of no use here
    "\nc.Application.log_level = 40\n"
)


@dataclass(frozen=True)
class Run:
    """What one run of the grader over some cases gave."""

    course: Course
    """Where it ran."""
    rows: dict[str, dict[str, Row]]
    """By case and exercise; the exercise is empty where a submission could not be graded."""
    changed: list[str]
    """Files of the host that are not as they were."""
    heard: list[str]
    """What came in at the listener."""
    survivors: list[str]
    """Processes of submissions that still ran when the grader had ended."""
    peak: int
    """Bytes of the largest of the grader's own processes."""
    seconds: float
    """Wall time."""
    secret: str
    """What stands in the canaries."""
    host: Host
    """The host; its watch is over."""

    @property
    def users(self) -> set[int]:
        """As whom submissions ran, where the grader is root."""
        return self.host.users

    def autograded(self, case: Case) -> str:
        """Return the text of a case's autograded notebook; empty if there is none."""
        path = self.course.notebook("autograded", case.unit, case.name)
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def shown(self, case: Case) -> str:
        """Return what the autograded notebook shows: outputs, and the findings on top."""
        text = self.autograded(case)
        if not text:
            return ""
        cells = nbformat.reads(text, as_version=4).cells
        found = [cell.source for cell in cells if cell.id == FINDINGS_ID]
        return "\n".join([*found, *map(_text, [o for c in cells for o in c.get("outputs", ())])])


def _text(output: NotebookNode) -> str:
    """Return the words of an output as they are read."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join([output.ename, output.evalue, *output.traceback])
    return "\n".join(map(str, output.data.values()))


def make_course(root: Path, units: Iterable[str]) -> Course:
    """Make a course in an empty folder: some units, and another student's work."""
    for unit in units:
        shutil.copytree(ROOT / "source" / unit, root / "source" / unit)
    text = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (root / "nbgrader_config.py").write_text(text + OFF, encoding="utf-8")
    (root / "bystander").mkdir()
    return Course(root)


def run_cases(
    cases: Iterable[Case],
    root: Path,
    sandbox: Literal["bubblewrap", "none"] = "bubblewrap",
    workers: int = WORKERS,
) -> Run:
    """Hand in all cases at a new course in `root`, and grade them in one run."""
    cases = list(cases)
    units = list(dict.fromkeys(case.unit for case in cases))
    course = make_course(root, units)
    with Host(root) as host:
        (root / "bystander" / "canary.txt").write_text(host.secret)
        for case in cases:
            case.write(root, host.words)
        host.remember()
        start = time.monotonic()
        monkey = pytest.MonkeyPatch()
        monkey.setenv("ADVERSARIAL_SECRET", host.secret)  # the grader's environment is one, too
        settings = Settings(sandbox=sandbox, limits=LIMITS, workers=workers)
        outcome = grade(course, units, settings, seed=SEED)
        monkey.undo()
        seconds = time.monotonic() - start
        survivors = [f"{p.pid} {p.name()}" for p in host.survivors()]
        changed = host.changed()
    rows: dict[str, dict[str, Row]] = {}
    for row in outcome.rows:
        rows.setdefault(row.student_id, {})[row.exercise or ""] = row
    return Run(
        *(course, rows, changed, host.heard, survivors, host.peak, seconds, host.secret, host)
    )
