"""A warm worker: started once, it opens a fresh process for each submission."""

from __future__ import annotations

import json
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, Literal

import psutil

from autograder.errors import GradingError
from autograder.sandbox import bubblewrap
from autograder.sandbox.limits import Limits
from autograder.worker import wire

Kind = Literal["bubblewrap", "none"]
START_SECONDS = 120.0  # to import everything, on a machine that is busy and cold
CONTROL_SECONDS = 60.0  # for a fork, or the end of one
PACKET = 64 * 1024
READ_BYTES = 2**18  # asked of the socket at a time


class SandboxError(GradingError):
    """There is no worker to run student code in: a fault of the machine, never of a student."""


class Channel:
    """The judge's end of the wire to one submission."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._read = b""  # what came together with the last message

    def send(self, frame: bytes, seconds: float) -> None:
        """Send one encoded message; `TimeoutError` or `OSError` if the worker does not take it."""
        self._socket.settimeout(max(seconds, 0.01))
        self._socket.sendall(frame)

    def wait(self, seconds: float) -> bool:
        """Wait for something to read, the end of the process included, for at most `seconds`."""
        return bool(self._read) or bool(select.select([self._socket], [], [], seconds)[0])

    def receive(self, seconds: float) -> dict[str, Any]:
        """Read the next message.

        Raises
        ------
        TimeoutError
            If it is not there within `seconds`.
        EOFError, OSError
            If the process has ended.
        wire.WireError
            If what comes is no message.
        """
        end = time.monotonic() + seconds
        return wire.receive(_Reader(lambda size: self._take(size, end)), inbound=True)

    def _take(self, size: int, end: float) -> bytes:
        """Return at most `size` bytes; all reads of a message share one deadline."""
        if not self._read:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            self._read = self._socket.recv(max(size, READ_BYTES))
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def close(self) -> None:
        """End the conversation."""
        self._socket.close()


@dataclass(frozen=True)
class _Reader:
    """A channel as the wire wants to read it."""

    take: Callable[[int], bytes]
    """Returns at most so many bytes."""

    def recv_into(self, buffer: memoryview, nbytes: int = 0) -> int:
        data = self.take(nbytes)
        buffer[: len(data)] = data
        return len(data)


class _Control:
    """The judge's end of the socket to a warm parent: one JSON message a packet."""

    def __init__(self, last_words: Callable[[], str]) -> None:
        self.socket, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._last_words = last_words
        self.ending = False
        self.base = 0  # bytes that each fork of this parent starts from

    def say(self, message: dict[str, Any], *files: int) -> None:
        """Send a message, and open files with it."""
        try:
            socket.send_fds(self.socket, [json.dumps(message).encode()], files)
        except OSError as error:
            raise SandboxError(f"The worker is gone ({error}). {self._last_words()}") from error

    def hear(self, kind: str, seconds: float) -> dict[str, Any]:
        """Wait for a message of this kind."""
        self.socket.settimeout(seconds)
        try:
            packet = self.socket.recv(PACKET)
        except OSError as error:
            words = self._last_words()
            raise SandboxError(f"The worker does not answer: {error}. {words}") from error
        if not packet:
            raise SandboxError(f"The worker ended by itself. {self._last_words()}")
        message: dict[str, Any] = json.loads(packet)
        if message["kind"] != kind:
            raise SandboxError(f"No process for the submission: {message.get('reason', message)}.")
        return message


class WarmWorker:
    """One worker process behind the wall; `open` forks a submission's own process from it.

    Parameters
    ----------
    kind
        ``bubblewrap``, or ``none``: the same worker without any wall, which must be asked for.

    Raises
    ------
    SandboxError
        If it cannot be started; the message says why, and what to do.
    """

    def __init__(self, kind: Kind = "bubblewrap") -> None:
        self.kind = kind
        self.pid = 0
        self._parents: set[int] = set()  # processes that outlive submissions
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the worker
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._controls: dict[tuple[str, ...], _Control] = {(): _Control(self._last_words)}
        self._open = self._controls[()]
        try:
            with self._open.theirs as theirs:
                self._process = self._start(theirs)
            self.pid = self._process.pid
            self._settle(self._open)
        except BaseException:
            self.close()
            raise

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        environment = bubblewrap.environment(sys.executable)
        if self.kind == "none":
            self._folder = Path(tempfile.mkdtemp(prefix="autograder-worker-"))
            words = _bare(self._folder)
            environment |= {"MPLCONFIGDIR": str(bubblewrap.font_list()), "HOME": str(self._folder)}
        else:
            words = _walled()
        # a process of a pool ends without a word to its objects, but for those that ask for it
        Finalize(self, _remove, (self._folder,), exitpriority=10)
        return subprocess.Popen(  # noqa: S603
            [*words, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment,
            cwd=self._folder or "/",
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )

    def open(
        self,
        limits: Limits,
        modules: tuple[str, ...] = (),
        forbidden: Iterable[tuple[str, ...]] = (),
    ) -> Channel:
        """Fork a process for a submission, and return the wire to it; end it with `end`.

        Parameters
        ----------
        limits
            What it may use.
        modules
            What is imported already, besides what always is: from a larger parent, which is made
            when it is first asked for.
        forbidden
            Lists that questions will name, the most frequent one last: what has to be made ready
            for them is, before the fork.
        """
        self._open = control = self._controls.get(modules) or self._annex(modules)
        self._wait_for_end(control)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            message = {"kind": "start", "bounds": limits.bounds(), "forbidden": list(forbidden)}
            control.say(message, theirs.fileno())
        try:
            control.hear("started", CONTROL_SECONDS)
        except BaseException:
            ours.close()
            raise
        return Channel(ours)

    def end(self) -> None:
        """Have what is left of the submission killed; `open` and `ended` wait until it is."""
        self._open.say({"kind": "end"})
        self._open.ending = True

    def ended(self) -> int | None:
        """Wait until the submission is gone, and return how its process ended."""
        return self._wait_for_end(self._open)

    def memory(self) -> int:
        """Return the bytes that the submission holds beyond what the warm worker gave it."""
        sizes = self._sizes()
        own = [size for pid, size in sizes.items() if pid not in self._parents]
        return sum(max(size - self._open.base, 0) for size in own)

    def close(self) -> None:
        """End the worker, and everything in its sandbox."""
        for control in self._controls.values():
            control.socket.close()
        if self._process is not None:
            self._process.kill()  # with bubblewrap goes its whole namespace
            self._process.wait()
        self._log.close()
        _remove(self._folder)

    def _annex(self, modules: tuple[str, ...]) -> _Control:
        """Have the worker fork a parent that imports more."""
        first, control = self._controls[()], _Control(self._last_words)
        self._wait_for_end(first)
        with control.theirs as theirs:
            first.say({"kind": "annex", "modules": modules}, theirs.fileno())
        self._settle(control)
        self._controls[modules] = control
        return control

    def _wait_for_end(self, control: _Control) -> int | None:
        if not control.ending:
            return None
        code: int | None = control.hear("ended", CONTROL_SECONDS)["code"]
        control.ending = False
        return code

    def _settle(self, control: _Control) -> None:
        """Look at a parent that has just imported: no threads, and how much memory it holds."""
        message = control.hear("ready", START_SECONDS)
        if message["threads"] != 1:
            raise SandboxError(
                f"The warm worker runs {message['threads']} threads after its imports; a fork of "
                "it could stand still. Set OMP_NUM_THREADS=1, and look at what is imported."
            )
        sizes = self._sizes()
        control.base = max((sizes[pid] for pid in sizes.keys() - self._parents), default=0)
        self._parents |= sizes.keys()

    def _sizes(self) -> dict[int, int]:
        """Return how much memory each process of the worker has to itself."""
        try:
            worker = psutil.Process(self.pid)
            family = [worker, *worker.children(recursive=True)]
        except psutil.Error:
            return {}
        sizes = {process.pid: _unshared(process) for process in family}
        return {pid: size for pid, size in sizes.items() if size is not None}

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return f"Its last words: {lines[-1]}" if lines else "It left no message."


def _walled() -> list[str]:
    if fault := bubblewrap.find_fault():
        raise SandboxError(f"There is no sandbox to run student code in: {fault}.")
    return bubblewrap.command(bubblewrap.font_list())


def _bare(folder: Path) -> list[str]:
    """Lay out what the sandbox would show, and return the command of a worker without one."""
    package = Path(bubblewrap.__file__).resolve().parents[1]
    ours = folder / "autograder"
    ours.mkdir()
    shutil.copy(package / "worker" / "standin.py", ours / "__init__.py")
    (ours / "worker").symlink_to(package / "worker")
    return bubblewrap.interpreter(sys.executable, "none", str(folder))


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _unshared(process: psutil.Process) -> int | None:
    """Return the memory of a process that no file stands behind; None if it has ended."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return None
    return int(memory.rss - memory.shared)
