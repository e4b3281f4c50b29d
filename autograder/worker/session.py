"""One submission in the sandbox: run its cells, answer what is asked, one message at a time."""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from autograder.worker import wire
from autograder.worker.interpreter import Answer, Failure, run_script
from autograder.worker.notebook import Notebook, TimeUpError, alarm
from autograder.worker.outputs import OutputFloodError
from autograder.worker.script import Script, Step
from autograder.worker.shortcuts import Watch, helpers_not_given
from autograder.worker.values import Foreign, size_of

TOGETHER = 0.05  # seconds for which answers wait for each other
LARGE = 2**16  # bytes of answers that do not wait
SEED = 0  # of the global generators: a notebook without a seed of its own gives the same output


class Session:
    """Serves one connection until the judge closes it."""

    def __init__(self, connection: socket.socket, notebook: Notebook, watch: Watch) -> None:
        self._connection, self._notebook, self._watch = connection, notebook, watch
        self._process = os.getpid()
        self._careful = False

    def serve(self) -> None:
        """Answer messages until there are no more."""
        _seed_generators()
        self._notebook.capture()
        while True:
            try:
                message = wire.receive(self._connection, inbound=False)
            except EOFError:
                return
            if message["kind"] == "cell":
                self._run(message)
            elif message["kind"] == "ask":
                self._answer(message)
            elif message["kind"] == "careful":
                self._careful = True
            elif message["kind"] == "files":
                _write_files(message["files"])

    def _run(self, message: Mapping[str, Any]) -> None:
        ran = self._notebook.run(message["source"], message["seconds"])
        parts = {"stopped": ran.stopped, "error": ran.error, "seconds": ran.seconds}
        try:
            self._send({"kind": "ran", "outputs": ran.outputs, **parts})
        except wire.WireError:
            self._send({"kind": "ran", "outputs": [], **parts})

    def _answer(self, message: Mapping[str, Any]) -> None:
        """Run every script of a question in order, and send the answers.

        Answers that come quickly go together, unless the judge asked for care: then each goes as
        soon as it is there, and what ends the process loses none.
        """
        waiting, size, since = [], 0, time.monotonic()
        with closing(self._answers(message)) as answers:
            for answer, seen in answers:
                values = dict(answer.values)
                failure = None if answer.failure is None else dict(vars(answer.failure))
                parts = {"failure": failure, "seconds": answer.seconds, "shortcuts": list(seen)}
                waiting.append({"values": values, **parts})
                size += size_of(values)
                waited = time.monotonic() - since
                if self._careful or size > LARGE or waited > TOGETHER:
                    self._send_answers(waiting)
                    waiting, size, since = [], 0, time.monotonic()
                if failure is not None and failure["kind"] in ("TimeLimit", "OutputLimit"):
                    break
        if waiting:
            self._send_answers(waiting)

    def _send_answers(self, answers: list[dict[str, Any]]) -> None:
        try:
            self._send({"kind": "answers", "answers": answers})
        except wire.WireError:  # a value that is plain and still does not fit
            for answer in answers:
                try:
                    self._send({"kind": "answers", "answers": [answer]})
                except wire.WireError:
                    types = {n: Foreign(type(v).__name__) for n, v in answer["values"].items()}
                    self._send({"kind": "answers", "answers": [{**answer, "values": types}]})

    def _answers(self, message: Mapping[str, Any]) -> Generator[tuple[Answer, tuple[str, ...]]]:
        """Ask case after case, and yield each answer with the shortcuts that were seen."""
        forms = [_form(**form) for form in message["forms"]]
        for unused, cases in groupby(message["cases"], lambda c: helpers_not_given(c["inputs"])):
            with ExitStack() as stack:
                seen: list[str] | None = None
                try:  # once for all these cases: to set and lift the traps takes longer than a case
                    seen = stack.enter_context(self._watch(message["forbidden"], unused))
                except BaseException as error:  # of a module that a student made
                    broken = Answer({}, Failure(type(error).__name__, "", -1), 0.0)
                for case in cases:
                    if seen is None:
                        yield broken, ()
                    else:
                        seen.clear()
                        script, report = forms[case["form"]]
                        answer = self._ask(script, case["inputs"], report, message["seconds"])
                        yield answer, tuple(seen)

    def _ask(
        self, script: Script, inputs: Mapping[str, Any], report: tuple[str, ...], seconds: float
    ) -> Answer:
        self._notebook.outputs.start()
        try:
            with alarm(seconds):
                return run_script(script, inputs, report, self._notebook.namespace)
        except TimeUpError as error:
            return Answer({}, Failure("TimeLimit", str(error), -1), seconds)
        except OutputFloodError as error:
            return Answer({}, Failure("OutputLimit", str(error), -1), seconds)
        except BaseException as error:  # a student's own, of a kind that no script expects
            return Answer({}, Failure(type(error).__name__, "", -1), 0.0)

    def _send(self, message: Mapping[str, Any]) -> None:
        frame = wire.encode(message)
        if os.getpid() != self._process:
            os._exit(0)  # a fork that student code made goes on here; only the first one speaks
        self._connection.sendall(frame)


def _form(script: list[tuple[Any, ...]], report: list[str]) -> tuple[Script, tuple[str, ...]]:
    """Return what is done for a case, and which values are reported."""
    return tuple(_step(*parts) for parts in script), tuple(report)


def _step(*parts: Any) -> Step:
    do, target, into, member, args, kwargs, expect = parts
    return Step(do, target, into, member, tuple(args), kwargs, expect)


def _write_files(files: Mapping[str, bytes]) -> None:
    """Put the files that were handed in beside the notebook into the working directory."""
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _seed_generators() -> None:
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 -- the one that students' code may use
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(SEED)
