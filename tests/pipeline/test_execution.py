"""Running a submission: order, and what a step that ends its process costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psutil
import pytest

from autograder.execution import GRACE_SECONDS, Execution, _steps, execute
from autograder.marking import mark
from autograder.paper import set_paper
from autograder.sandbox import Limits, WarmWorker
from autograder.submission import Clean
from autograder.vocabulary import Result
from tests.pipeline.work import LIMITS, SEED, UNIT, own_index, submission

FULL = {"center": "passed", "column_scale": "passed"}


def graded(
    worker: Any, clean: Clean, limits: Limits = LIMITS
) -> tuple[Execution, dict[str, Result]]:
    """Run and mark a submission."""
    questions = set_paper(UNIT, SEED, limits.case_seconds).questions
    execution = execute(worker, clean, questions, limits)
    return execution, mark(clean, execution, questions, "bubblewrap")


def verdicts(results: dict[str, Result]) -> dict[str, str]:
    """Return the verdicts; points there are for passed exercises only, and for those in full."""
    for result in results.values():
        assert (result.score == result.max_score) == (result.verdict == "passed")
        assert result.verdict == "passed" or result.score == 0.0
    return {name: str(result.verdict) for name, result in results.items()}


# --- in order -------------------------------------------------------------------------------------


def test_a_solved_notebook_passes_and_shows_what_it_printed(worker: WarmWorker) -> None:
    """The honest way through."""
    clean = submission("print('hello')\n6 * 7")
    execution, results = graded(worker, clean)
    assert verdicts(results) == FULL
    outputs = execution.ran[own_index(clean)].outputs
    assert [o.get("text") or o["data"]["text/plain"] for o in outputs] == ["hello\n", "42"]


def test_a_question_is_asked_where_its_test_cell_stands(worker: WarmWorker) -> None:
    """What a later cell makes of the function is of no account, nor what an earlier one did."""
    _, results = graded(worker, submission("def center(x):\n    return None"))
    assert verdicts(results) == FULL
    _, results = graded(worker, submission("column_scale = None", after="test_column_scale"))
    assert verdicts(results) == FULL


def test_a_question_without_a_test_cell_is_asked_last(worker: WarmWorker) -> None:
    """Whoever deletes a test cell is asked all the same."""
    clean = submission("def center(x):\n    return None", after="test_column_scale")
    cells = tuple(c for c in clean.cells if c.name != "test_center")
    _, results = graded(worker, replace(clean, cells=cells))
    assert verdicts(results) == {**FULL, "center": "wrong"}


def test_files_handed_in_lie_beside_the_notebook(worker: WarmWorker) -> None:
    """In folders of theirs, too."""
    clean = submission("print(open('data/x.txt').read())")
    execution, _ = graded(worker, replace(clean, files={"data/x.txt": b"seven"}))
    assert execution.ran[own_index(clean)].outputs[0]["text"] == "seven\n"


# --- steps that end the process -------------------------------------------------------------------

ENDINGS = {
    "crash": ("import os; os._exit(3)", "Crash", "crashed"),
    "killed by a signal": ("import os; os.abort()", "Crash", "crashed"),
    "endless": ("while True: pass", "TimeLimit", "timeout"),
    "endless, whatever is raised": (
        "import time\nwhile True:\n    try: time.sleep(0.01)\n    except BaseException: pass",
        "TimeLimit",
        "timeout",
    ),
    "endless, deaf to the alarm": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
        "TimeLimit",
        "timeout",
    ),
    "memory": ("b = bytearray(1 << 30)", "MemoryError", "memory"),
    "output": ("while True: print('x' * 100_000)", "OutputLimit", "output_limit"),
    "garbage on the wire": (
        "import os, stat\nfor fd in range(3, 64):\n    try:\n"
        "        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'garbage ' * 8)\n"
        "    except OSError: pass",
        "Tampered",
        "tampered",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_cell_that_ends_the_process_costs_only_itself(worker: WarmWorker, ending: str) -> None:
    """What stands before and after it is run and judged."""
    source, stopped, _ = ENDINGS[ending]
    clean = submission(source, "print('after')")
    execution, results = graded(worker, clean)
    at = own_index(clean)
    assert execution.ran[at].stopped == stopped
    assert execution.ran[at + 1].outputs[0]["text"] == "after\n"
    assert verdicts(results) == FULL


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_function_that_ends_the_process_costs_only_its_exercise(
    worker: WarmWorker, ending: str
) -> None:
    """And its verdict says how it ended."""
    source, _, verdict = ENDINGS[ending]
    body = "\n".join(f"    {line}" for line in source.splitlines())
    _, results = graded(worker, submission(center=f"def center(x):\n{body}\n    return x"))
    assert verdicts(results) == {"center": verdict, "column_scale": "passed"}


def test_a_solution_cell_that_ends_the_process_says_so(worker: WarmWorker) -> None:
    """The function is missing because of it, and not because it was not written."""
    _, results = graded(worker, submission(center="import os\nos._exit(1)"))
    assert verdicts(results) == {"center": "crashed", "column_scale": "passed"}
    assert "it ended the process" in results["center"].message


def test_an_endless_step_is_stopped_in_time(worker: WarmWorker) -> None:
    """One that is deaf to its alarm gets the grace and no more."""
    start = time.monotonic()
    graded(worker, submission(ENDINGS["endless, deaf to the alarm"][0]))
    assert time.monotonic() - start < LIMITS.cell_seconds + GRACE_SECONDS + 5.0


def test_a_whole_submission_has_a_time_limit(worker: WarmWorker) -> None:
    """Cells that each stay within theirs; what was judged by then keeps its marks."""
    limits = replace(LIMITS, submission_seconds=3.0)
    start = time.monotonic()
    _, results = graded(worker, submission(*["import time; time.sleep(1.5)"] * 8), limits)
    assert verdicts(results) == {"center": "passed", "column_scale": "timeout"}
    assert time.monotonic() - start < 12.0


def test_many_steps_that_crash_come_to_an_end(worker: WarmWorker) -> None:
    """Each takes two processes, of which a submission has a limited number."""
    _, results = graded(worker, submission(*["import os; os._exit(1)"] * 20))
    assert verdicts(results) == {"center": "passed", "column_scale": "crashed"}


# --- kills from outside ---------------------------------------------------------------------------


class _Killing:
    """A worker whose submission is killed at some messages to it, counted over all processes."""

    def __init__(self, worker: WarmWorker, is_hit: Callable[[int, int], bool]) -> None:
        self._worker, self._is_hit, self.process, self.count = worker, is_hit, 0, 0

    def open(self, limits: Limits, *rest: Any) -> Any:
        self._channel = self._worker.open(limits, *rest)
        self.process, self.count = self.process + 1, 0
        return self

    def send(self, frame: bytes, seconds: float) -> None:
        self.count += 1
        if self._is_hit(self.process, self.count):
            youngest = max(
                psutil.Process(self._worker.pid).children(recursive=True),
                key=lambda process: (process.create_time(), process.pid),
            )
            youngest.kill()
        self._channel.send(frame, seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel if hasattr(self._channel, name) else self._worker, name)

    def end(self) -> None:
        self._worker.end()

    def memory(self) -> int:
        return self._worker.memory()


def _outputs(execution: Execution) -> dict[int, Any]:
    return {index: (ran.outputs, ran.stopped) for index, ran in execution.ran.items()}


@pytest.mark.parametrize("at", range(1, 10))
def test_a_process_killed_once_from_outside_loses_nothing(worker: WarmWorker, at: int) -> None:
    """At any message: every cell's outputs and every mark are those of an undisturbed run."""
    clean = submission("print('one')", "x = 1", "x += 1; print(x)")
    execution, results = graded(worker, clean)
    killing = _Killing(worker, lambda process, count: process == 1 and count == at)
    again, marks = graded(killing, clean)
    assert killing.process == 2
    assert _outputs(again) == _outputs(execution)
    assert verdicts(marks) == verdicts(results) == FULL


def test_a_step_killed_twice_is_taken_for_what_kills(worker: WarmWorker) -> None:
    """Once may be the machine; twice at one place is the step's own doing."""
    clean = submission("print('one')")
    questions = set_paper(UNIT, SEED, LIMITS.case_seconds).questions
    steps = _steps(clean, questions)
    place = steps.index(own_index(clean)) + 1
    asked = sum(isinstance(step, str) for step in steps[:place])  # answered: not asked again
    places = {1: place, 2: place - asked}
    killing = _Killing(worker, lambda process, count: places.get(process) == count)
    execution, results = graded(killing, clean)
    assert execution.ran[own_index(clean)].stopped == "Crash"
    assert verdicts(results) == FULL
