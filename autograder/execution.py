"""Run one clean submission in a worker: its cells in order, each question where its test stands.

What a submission does to its process costs only the step in hand. If the process dies or does not
answer, a fresh one runs the same notebook again without that step: once as it was, because a
process can also be killed from outside, and then for good.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.clean import Clean
from autograder.needs import installed
from autograder.paper import Question
from autograder.sandbox import Channel, Limits, WarmWorker
from autograder.vocabulary import Case
from autograder.worker import wire
from autograder.worker.interpreter import ERROR_TEXT_LIMIT, Answer, Failure

GRACE_SECONDS = 2.0  # after its own alarm a worker has this long before it is killed
LOOK_SECONDS = 0.5  # between two looks at the memory of a step that takes long
CAREFUL = wire.encode({"kind": "careful"})
LARGE = ("torch", "triton")  # modules that are imported ahead for notebooks that name them
MOST_PASSES = 24  # processes for one submission: each but the last ends a step that kills
STOPS = {
    "TimeLimit": "it did not end in time",
    "MemoryError": "it asked for more memory than there is",
    "MemoryLimit": "it used more memory than there is for one submission",
    "OutputLimit": "it wrote output without end",
    "Crash": "it ended the process",
    "Tampered": "it wrote on the wire to the judge",
}


@dataclass(frozen=True)
class Ran:
    """What became of one cell."""

    outputs: tuple[dict[str, Any], ...] = ()
    """Outputs as the worker sent them: not checked yet."""
    stopped: str = ""
    """A key of `STOPS` if it was stopped, else empty."""
    error: str = ""
    """The exception that ended it, if any, in one line."""


@dataclass
class Execution:
    """What running a submission gave."""

    ran: dict[int, Ran] = field(default_factory=dict)
    """By index of the code cell."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By the exercise's name, in the order of its cases; fewer if it was stopped."""


class _StopError(Exception):
    """The process is of no use any more."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def execute(
    worker: WarmWorker, clean: Clean, questions: Mapping[str, Question], limits: Limits
) -> Execution:
    """Run a submission and ask the questions.

    Parameters
    ----------
    worker
        Where it runs.
    clean
        The submission.
    questions
        What is asked, by the exercise's name; an exercise without a test cell is asked last.
    limits
        What it may use.

    Raises
    ------
    SandboxError
        If the worker itself fails: a fault of the machine, and nothing is known of the student.
    """
    return _Execution(worker, clean, questions, limits).run()


class _Execution:
    """Keeps what is known between two processes of one submission."""

    def __init__(
        self, worker: WarmWorker, clean: Clean, questions: Mapping[str, Question], limits: Limits
    ) -> None:
        self._worker, self._clean, self._limits = worker, clean, limits
        self._questions = questions
        self._steps = _steps(clean, questions)
        code = [cell.source for cell in clean.cells if cell.kind == "code"]
        self._modules = tuple(
            name for name in LARGE if any(name in text for text in code) and installed(name)
        )
        self._forbidden = _by_rising_use(q.exercise.forbidden for q in questions.values())
        self._known = Execution()
        self._done: set[str] = set()
        self._skip: set[int | str] = set()
        self._strikes: Counter[int | str] = Counter()
        self._step: int | str = -1
        self._end = time.monotonic() + limits.submission_seconds

    def run(self) -> Execution:
        for _ in range(MOST_PASSES):
            stop = self._one_process()
            if stop is None:
                return self._known
            self._blame(stop.kind)
            if time.monotonic() >= self._end:
                return self._give_up("TimeLimit")
        return self._give_up("Crash")

    def _one_process(self) -> _StopError | None:
        """Run the steps that are left in a fresh process; return what stopped it, if anything."""
        channel = self._worker.open(self._limits, self._modules, self._forbidden)
        try:
            if self._clean.files:
                message = {"kind": "files", "files": dict(self._clean.files)}
                self._send(channel, wire.encode(message))
            for step in self._steps:
                if step not in self._skip and step not in self._done:
                    self._step = step
                    self._take(channel, step)
        except _StopError as stop:
            return stop
        finally:
            channel.close()
            self._worker.end()
        return None

    def _take(self, channel: Channel, step: int | str) -> None:
        if isinstance(step, str):
            self._ask(channel, step)
            self._done.add(step)
            return
        seconds = self._limits.cell_seconds
        source = self._clean.cells[step].source
        self._send(channel, wire.encode({"kind": "cell", "source": source, "seconds": seconds}))
        reply = self._receive(channel, seconds + GRACE_SECONDS)
        self._known.ran[step] = _read_ran(reply)

    def _ask(self, channel: Channel, name: str) -> None:
        question = self._questions[name]
        answers = self._known.answers[name] = []
        if self._strikes[name]:
            self._send(channel, CAREFUL)
        self._send(channel, question.frame)
        end = time.monotonic() + self._limits.question_seconds
        came: list[Any] = []
        for case in question.cases:
            if not came:
                left = min(self._limits.case_seconds, end - time.monotonic()) + GRACE_SECONDS
                came = _read_answers(
                    self._receive(channel, left), len(question.cases) - len(answers)
                )
            answers.append(_read_answer(came.pop(0), case))
            failure = answers[-1].failure
            if failure is not None and failure.kind in ("TimeLimit", "OutputLimit"):
                return

    def _send(self, channel: Channel, frame: bytes) -> None:
        try:
            channel.send(frame, GRACE_SECONDS + self._limits.case_seconds)
        except TimeoutError as error:
            raise _StopError("TimeLimit") from error
        except OSError as error:
            raise _StopError("Crash") from error

    def _receive(self, channel: Channel, seconds: float) -> dict[str, Any]:
        """Wait for a message, with an eye on the memory meanwhile."""
        end = min(time.monotonic() + seconds, self._end)
        while True:
            try:
                if channel.wait(min(LOOK_SECONDS, max(end - time.monotonic(), 0.0))):
                    return channel.receive(max(end - time.monotonic(), GRACE_SECONDS))
            except TimeoutError as error:
                raise _StopError("TimeLimit") from error
            except (EOFError, OSError) as error:
                raise _StopError("Crash") from error
            except wire.WireError as error:
                raise _StopError("Tampered") from error
            if time.monotonic() >= end:
                raise _StopError("TimeLimit")
            if self._worker.memory() > self._limits.memory_bytes:
                raise _StopError("MemoryLimit")

    def _blame(self, kind: str) -> None:
        """Leave the step out from now on; but first give it another chance.

        A process can have been killed from outside. And answers that were together on their way
        are lost with it: the second time a question's answers come one by one.
        """
        self._strikes[self._step] += 1
        if self._strikes[self._step] == 1 and (kind == "Crash" or isinstance(self._step, str)):
            return
        self._skip.add(self._step)
        self._stop(self._step, kind)

    def _stop(self, step: int | str, kind: str) -> None:
        if isinstance(step, int):
            self._known.ran[step] = Ran(stopped=kind)
        else:
            failure = Failure(kind, STOPS[kind], -1)
            self._known.answers.setdefault(step, []).append(Answer({}, failure, 0.0))

    def _give_up(self, kind: str) -> Execution:
        for step in self._steps:
            if isinstance(step, str) and step not in self._done and step not in self._skip:
                self._known.answers.pop(step, None)
                self._stop(step, kind)
        return self._known


def _steps(clean: Clean, questions: Mapping[str, Question]) -> list[int | str]:
    """Return what is done in order: the index of a code cell, or the name of a question."""
    steps: list[int | str] = []
    for index, cell in enumerate(clean.cells):
        name = cell.name.removeprefix("test_")
        if cell.role == "test" and name in questions:
            steps.append(name)
        elif cell.role != "test" and cell.kind == "code" and cell.source.strip():
            steps.append(index)
    return steps + [name for name in questions if name not in steps]


def _by_rising_use(lists: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    counted = Counter(lists).most_common()
    return [names for names, _ in reversed(counted)]


def _read_ran(reply: Mapping[str, Any]) -> Ran:
    match reply:
        case {
            "kind": str(kind),
            "outputs": list(outputs),
            "stopped": str(stopped),
            "error": str(error),
        } if kind == "ran" and all(type(output) is dict for output in outputs):
            line = " ".join(error[:ERROR_TEXT_LIMIT].split())
            return Ran(tuple(outputs), stopped if stopped in STOPS else "", line)
    raise _StopError("Tampered")


def _read_answers(reply: Mapping[str, Any], most: int) -> list[Any]:
    """Return the answers of a message, which are some of `most`."""
    match reply:
        case {"kind": str(kind), "answers": list(answers)} if kind == "answers":
            if 0 < len(answers) <= most:
                return answers
    raise _StopError("Tampered")


def _read_answer(part: Any, case: Case) -> Answer:
    """Check an answer's form: without a failure it has every value that was asked for, no other."""
    match part:
        case {
            "values": dict(values),
            "failure": failure,
            "seconds": int() | float() as seconds,
            "shortcuts": list(shortcuts),
        }:
            names = {*case.report, *case.unchanged}
            asked = {name: value for name, value in values.items() if name in names}
            took = float(seconds) if 0.0 <= seconds < 1e6 else 0.0
            if shortcuts:
                seen = ", ".join(str(name)[:100] for name in shortcuts[:5])
                return Answer(asked, Failure("Shortcut", seen, -1), took)
            stopped = _read_failure(failure, len(case.script))
            if stopped is not None or len(asked) == len(names):
                return Answer(asked, stopped, took)
    raise _StopError("Tampered")


def _read_failure(failure: Any, steps: int) -> Failure | None:
    match failure:
        case None:
            return None
        case {
            "kind": str(kind),
            "message": str(message),
            "step": int(step),
            "line": str(line),
        } if -1 <= step < steps:
            limit = ERROR_TEXT_LIMIT
            return Failure(kind[:100], message[:limit], step, line[:limit])
    raise _StopError("Tampered")
