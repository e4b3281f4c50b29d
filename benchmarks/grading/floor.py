"""The floor: students' cells and the same cases in one warm process, and nothing around them.

No sandbox, no IPython, no gradebook, no autograded notebook. A figure that a cell leaves is drawn
as Jupyter draws it. Run ``python -m benchmarks.grading.floor COURSE ROUNDS``; prints JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
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
from benchmarks.grading.commands import SEED
from benchmarks.grading.students import UNIT


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


def main() -> None:
    """Grade everyone some times; print the median seconds of a round, and the marks."""
    import matplotlib as mpl
    import matplotlib.pyplot as _  # noqa: F401
    import torch  # noqa: F401

    mpl.use("agg")
    course, rounds = Course.at(Path(sys.argv[1])), int(sys.argv[2])
    paper = set_paper(UNIT, SEED, Limits().case_seconds)
    notebooks = {s: course.notebook("submitted", UNIT, s) for s in course.students(UNIT)}
    outside = ModuleType("autograder")
    vars(outside).update({name: getattr(standin, name) for name in standin.__all__})
    times, marks = [], {}
    with mock.patch.dict(sys.modules, {"autograder": outside}):
        for _round in range(rounds + 1):  # the first one warms up
            start = time.perf_counter()
            marks = {student: grade(path, paper) for student, path in notebooks.items()}
            times.append(time.perf_counter() - start)
    print(json.dumps({"seconds": sorted(times[1:])[rounds // 2], "marks": marks}))


if __name__ == "__main__":
    main()
