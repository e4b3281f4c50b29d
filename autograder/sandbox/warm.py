"""A warm worker: started once, it opens a fresh process for each submission."""

from __future__ import annotations

import json
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
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


class SandboxError(GradingError):
    """There is no worker to run student code in: a fault of the machine, never of a student."""


class Channel:
    """The judge's end of the wire to one submission."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, frame: bytes, seconds: float) -> None:
        """Send one encoded message; `TimeoutError` or `OSError` if the worker does not take it."""
        self._socket.settimeout(max(seconds, 0.01))
        self._socket.sendall(frame)

    def wait(self, seconds: float) -> bool:
        """Wait for something to read, the end of the process included, for at most `seconds`."""
        return bool(select.select([self._socket], [], [], seconds)[0])

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
        return wire.receive(_Limited(self._socket, seconds), inbound=True)

    def close(self) -> None:
        """End the conversation."""
        self._socket.close()


class _Limited:
    """A socket whose reads share one deadline: a message that drips in ends as one that stalls."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._socket, self._end = connection, time.monotonic() + seconds

    def recv_into(self, buffer: memoryview, nbytes: int = 0) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv_into(buffer, nbytes)

    def sendall(self, data: bytes) -> None:
        self._socket.sendall(data)


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
        self._warm: set[str] = set()
        self._base = 0
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the worker
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = self._start(theirs)
            self.pid = self._process.pid
            self._settle(self._hear("ready", START_SECONDS))
        except BaseException:
            self.close()
            raise

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        environment = bubblewrap.environment()
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

    def warm(self, modules: Iterable[str]) -> None:
        """Import modules once, for every submission from now on."""
        new = sorted(set(modules) - self._warm)
        if new:
            self._say({"kind": "warm", "modules": new})
            self._settle(self._hear("warm", START_SECONDS))
            self._warm.update(new)

    def open(self, limits: Limits) -> Channel:
        """Fork a process for a submission, and return the wire to it; end it with `end`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            message = {"kind": "start", "bounds": limits.bounds()}
            self._say(message, theirs.fileno())
        try:
            self._hear("started", CONTROL_SECONDS)
        except BaseException:
            ours.close()
            raise
        return Channel(ours)

    def end(self) -> int | None:
        """Kill what is left of the submission, and return how its process ended."""
        self._say({"kind": "end"})
        code: int | None = self._hear("ended", CONTROL_SECONDS)["code"]
        return code

    def memory(self) -> int:
        """Return the bytes that the submission holds beyond what the warm worker gave it."""
        try:
            processes = psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return 0
        own = [size for size in map(_unshared, processes) if size is not None]
        # the warm worker and the guard are among them, with what every fork starts from
        return sum(max(size - self._base, 0) for size in own)

    def close(self) -> None:
        """End the worker, and everything in its sandbox."""
        self._control.close()
        if self._process is not None:
            self._process.kill()  # with bubblewrap goes its whole namespace
            self._process.wait()
        self._log.close()
        _remove(self._folder)

    def _settle(self, message: dict[str, Any]) -> None:
        """Look at a worker that has just imported: no threads, and how much memory it holds."""
        if message["threads"] != 1:
            raise SandboxError(
                f"The warm worker runs {message['threads']} threads after its imports; a fork of "
                "it could stand still. Set OMP_NUM_THREADS=1, and look at what is imported."
            )
        family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        self._base = max(size or 0 for size in map(_unshared, family))

    def _say(self, message: dict[str, Any], *files: int) -> None:
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], files)
        except OSError as error:
            raise SandboxError(f"The worker is gone ({error}). {self._last_words()}") from error

    def _hear(self, kind: str, seconds: float) -> dict[str, Any]:
        self._control.settimeout(seconds)
        try:
            packet = self._control.recv(PACKET)
        except OSError as error:
            raise SandboxError(
                f"The worker does not answer: {error}. {self._last_words()}"
            ) from error
        if not packet:
            raise SandboxError(f"The worker ended by itself. {self._last_words()}")
        message: dict[str, Any] = json.loads(packet)
        if message["kind"] != kind:
            raise SandboxError(f"No process for the submission: {message.get('reason', message)}.")
        return message

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
    return bubblewrap.interpreter("none", str(folder))


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
