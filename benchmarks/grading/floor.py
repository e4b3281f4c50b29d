"""The floor: students' cells and the same cases in one warm process, and nothing around them.

No sandbox, no IPython, no gradebook, no autograded notebook. A figure that a cell leaves is drawn
as Jupyter draws it. `Floor` runs ``python -m benchmarks.grading.floor COURSE``, which for each line
that it reads grades everyone once on the core named there, and prints the seconds and the marks.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from autograder.course import Course
from autograder.judge import assess
from autograder.oracle import ask_of
from autograder.paper import Paper, set_paper
from autograder.sandbox import Limits
from autograder.worker import standin
from benchmarks.grading.commands import SEED, environment
from benchmarks.grading.courses import Marks
from benchmarks.grading.memory import Taken, taken
from benchmarks.grading.students import UNIT
from benchmarks.grading.warm import WORKERS

CORES = sorted(os.sched_getaffinity(0))[:WORKERS]


def grade(notebook: Path, paper: Paper) -> dict[str, float]:
    """Run a notebook's cells, and judge each exercise where its test cell stands."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    scores = {}
    for cell in cells:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("grade"):
            question = paper.questions[about["grade_id"].removeprefix("test_")]
            result = assess(question.exercise, question.cases, ask_of(names))
            scores[about["grade_id"]] = result.score
        elif cell["cell_type"] == "code":
            _run("".join(cell["source"]), names)
    return scores


def _run(source: str, names: dict[str, Any]) -> None:
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, "<student>", "exec"), names)
    if "matplotlib.pyplot" in sys.modules:
        plt = sys.modules["matplotlib.pyplot"]
        for number in plt.get_fignums():
            plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
        plt.close("all")


class Floor:
    """The warm process; a context manager."""

    def __init__(self, course: Course) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.grading.floor", str(course.root)],
            env=environment(course.root),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.marks: Marks = {}
        self._grade_on(CORES[0])  # the first round warms up

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()

    def grade(self) -> float:
        """Grade everyone on each core in turn; return the mean of the seconds, keep the marks.

        Neighbours on a shared machine can make one core half as fast as the next; ours runs on all.
        """
        return statistics.fmean(map(self._grade_on, CORES))

    def _grade_on(self, core: int) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(core, file=self._process.stdin, flush=True)
        said = json.loads(self._process.stdout.readline())
        self.marks = {(student, test): score for student, test, score in said["marks"]}
        return float(said["seconds"])

    def memory(self) -> Taken:
        """Return what the process holds now."""
        return taken([self._process.pid])


def main() -> None:
    """Grade everyone for each line of the standard input."""
    import matplotlib as mpl
    import matplotlib.pyplot as _  # noqa: F401
    import torch  # noqa: F401

    mpl.use("agg")
    course = Course.at(Path(sys.argv[1]))
    paper = set_paper(UNIT, SEED, Limits().case_seconds)
    notebooks = {s: course.notebook("submitted", UNIT, s) for s in course.students(UNIT)}
    outside = ModuleType("autograder")
    vars(outside).update({name: getattr(standin, name) for name in standin.__all__})
    with mock.patch.dict(sys.modules, {"autograder": outside}):
        for line in sys.stdin:
            os.sched_setaffinity(0, {int(line)})
            start = time.perf_counter()
            marks = {student: grade(path, paper) for student, path in notebooks.items()}
            seconds = time.perf_counter() - start
            rows = [(s, test, score) for s, found in marks.items() for test, score in found.items()]
            print(json.dumps({"seconds": seconds, "marks": rows}), flush=True)


if __name__ == "__main__":
    main()
