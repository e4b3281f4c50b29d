"""A warm worker, and submissions in it that a test talks to cell by cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from autograder.sandbox import Channel, Limits, WarmWorker
from autograder.worker import wire

MEBIBYTE = 2**20
LIMITS = Limits(
    memory_bytes=512 * MEBIBYTE,
    processes=16,
    open_files=64,
    file_bytes=4 * MEBIBYTE,
    disk_bytes=8 * MEBIBYTE,
)


@dataclass
class Talk:
    """A conversation with one submission."""

    worker: WarmWorker
    """Where it runs."""
    channel: Channel
    """The wire to it."""

    def send(self, message: Mapping[str, Any], seconds: float = 30.0) -> dict[str, Any]:
        """Send a message, and return the reply."""
        self.channel.send(wire.encode(message), 5.0)
        return self.channel.receive(seconds)

    def cell(self, source: str, seconds: float = 10.0) -> dict[str, Any]:
        """Run a cell, and return what became of it."""
        return self.send({"kind": "cell", "source": source, "seconds": seconds})

    def said(self, source: str, seconds: float = 10.0) -> str:
        """Run a cell, and return all text that it showed, errors included."""
        return "".join(map(text_of, self.cell(source, seconds)["outputs"]))

    def files(self, files: Mapping[str, bytes]) -> None:
        """Send what lies beside the notebook."""
        self.channel.send(wire.encode({"kind": "files", "files": dict(files)}), 5.0)

    def end(self) -> int | None:
        """End the submission."""
        self.channel.close()
        self.worker.end()
        return self.worker.ended()


def text_of(output: Mapping[str, Any]) -> str:
    """Return an output's text."""
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}\n"
    return f"{output['data'].get('text/plain', '')}\n"


def warm_worker(grader: str) -> WarmWorker:
    """Start a warm worker as root does, or as any other user: the wall is not the same."""
    with pytest.MonkeyPatch.context() as patch:
        if grader == "a user":
            patch.setattr(os, "geteuid", lambda: 1000)
        return WarmWorker("bubblewrap")


# root can play any other user, but for one thing: no kernel bounds the number of its processes
GRADERS = ("a user", "root") if os.geteuid() == 0 else ("a user",)


@pytest.fixture(scope="session", params=GRADERS)
def worker(request: pytest.FixtureRequest) -> Iterator[WarmWorker]:
    """Start one warm worker for the tests that leave it alive, for each kind of grader."""
    made = warm_worker(request.param)
    yield made
    made.close()


@pytest.fixture
def open_talk(worker: WarmWorker) -> Iterator[Callable[..., Talk]]:
    """Open submissions one after another; the last one is ended after the test."""
    talks: list[Talk] = []

    def open_(limits: Limits = LIMITS) -> Talk:
        talks.append(Talk(worker, worker.open(limits)))
        return talks[-1]

    yield open_
    if talks:
        talks[-1].end()


@pytest.fixture
def talk(open_talk: Callable[..., Talk]) -> Talk:
    """Open one submission."""
    return open_talk()
