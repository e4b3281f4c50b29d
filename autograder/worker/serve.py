"""The warm parent in the sandbox: imports once, then forks for each submission.

It starts no thread, because a fork in the middle of another thread's work can stand still for good.
It talks over a socket of packets: one JSON message each, and with ``start`` the socket over which
the judge then talks to the submission itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.worker import jail
from autograder.worker.notebook import Notebook
from autograder.worker.session import Session
from autograder.worker.shortcuts import Watch

PACKET = 64 * 1024  # bytes of one control message
OWN = "autograder.worker"  # modules that student code has no business with
WARM = ("numpy", "matplotlib.pyplot")  # imported by nearly every notebook
REFERENCE = "bnlib"  # its files are hidden from submissions: what they may import is loaded before


class Parent:
    """Forks submissions, one at a time."""

    def __init__(self, control: socket.socket, outside: int | None) -> None:
        self._control = control
        self._outside = outside
        for name in WARM:
            importlib.import_module(name)
        _import_all(REFERENCE)
        self._notebook = Notebook()
        self._notebook.warm_up()
        _hide_modules()
        self._watch = Watch()
        self._guard = self._inner = 0
        self._folder: str | None = None

    def serve(self) -> None:
        """Answer until the judge is gone."""
        self._reply({"kind": "ready", "threads": _threads()})
        while True:
            packet, sockets, _, _ = socket.recv_fds(self._control, PACKET, 1)
            if not packet:
                return
            message = json.loads(packet)
            if message["kind"] == "start":
                self._start(message, socket.socket(fileno=sockets[0]))
            elif message["kind"] == "end":
                self._end()
            elif message["kind"] == "annex":
                self._open_annex(message["modules"], socket.socket(fileno=sockets[0]))
            elif message["kind"] == "watch":
                self._watch.prepare(tuple(message["forbidden"]))

    def _open_annex(self, modules: list[str], control: socket.socket) -> None:
        """Fork a parent that has imported more: only who needs it pays for the larger forks."""
        if os.fork():
            control.close()
            return
        self._control.close()
        self._control = control
        control.set_inheritable(False)
        for name in modules:
            importlib.import_module(name)
        _import_all(REFERENCE)
        self._reply({"kind": "ready", "threads": _threads()})

    def _start(self, message: dict[str, Any], connection: socket.socket) -> None:
        gc.collect()
        gc.freeze()  # the garbage collector of a fork must not touch, and so copy, every object
        self._folder = tempfile.mkdtemp() if self._outside is None else None
        ready_read, ready_write = os.pipe()
        go_read, go_write = os.pipe()
        self._guard = os.fork()
        if self._guard == 0:
            self._control.close()
            os.close(ready_read)
            os.close(go_write)
            _become_submission(
                connection, self._run, message["bounds"], self._folder, ready_write, go_read
            )
        connection.close()
        os.close(ready_write)
        os.close(go_read)
        try:
            self._inner = self._isolate(ready_read, go_write)
        finally:
            os.close(ready_read)
            os.close(go_write)

    def _isolate(self, ready: int, go: int) -> int:
        """Help the fork into its namespaces; return the id of the process that came out there."""
        inner, reason = self._guard, "the fork ended at once"
        missing = {"ready"} if self._outside is None else {"ready", "inner"}  # in either order
        with os.fdopen(ready, closefd=False) as lines:
            for line in lines:
                word, _, rest = line.rstrip("\n").partition(" ")
                if word == "map":
                    jail.map_user_of(self._guard, self._outside or 0)
                    os.write(go, b"mapped")
                elif word == "inner":
                    inner = int(rest)
                elif word == "failed":
                    reason = rest
                missing.discard(word)
                if not missing:
                    self._reply({"kind": "started"})
                    return inner
        self._reply({"kind": "failed", "reason": reason})
        return inner

    def _run(self, connection: socket.socket) -> None:
        sys.path.insert(0, "")
        Session(connection, self._notebook, self._watch).serve()

    def _end(self) -> None:
        """Kill what is left of the submission, and say how it ended."""
        code = None
        if self._guard:
            with contextlib.suppress(ProcessLookupError):
                kill = os.killpg if self._outside is None else os.kill
                kill(self._inner, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(self._guard, 0)[1])
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._guard, self._inner, self._folder = 0, 0, None
        self._reply({"kind": "ended", "code": code})

    def _reply(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())


def _import_all(package: str) -> None:
    """Import every module of a package; those that need torch only where torch is loaded."""
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, package + "."):
        spec = module.module_finder.find_spec(module.name, None)
        source = Path(str(spec and spec.origin)).read_text(encoding="utf-8")
        if "import torch" not in source or "torch" in sys.modules:
            importlib.import_module(module.name)


def _hide_modules() -> None:
    """Let no import of a student's find our own modules, which are all loaded by now."""
    for name in [n for n in sys.modules if n.startswith(OWN)]:
        del sys.modules[name]
    vars(sys.modules["autograder"]).pop("worker", None)


def _become_submission(
    connection: socket.socket,
    run: Callable[[socket.socket], None],
    bounds: dict[str, int],
    folder: str | None,
    ready: int,
    go: int,
) -> None:
    """Enter the jail and run one submission; never return. With a `folder` there is no jail."""
    code = 1
    try:
        connection.set_inheritable(False)
        _silence()
        if folder is not None:
            os.setsid()
            os.chdir(folder)
            jail.set_limits(jail.Bounds(**bounds), jail.address_space())
        else:
            jail.enter(
                jail.Bounds(**bounds),
                lambda: _ask_for_user(ready, go),
                lambda pid: _tell(ready, f"inner {pid}"),
            )
        _tell(ready, "ready")
        os.close(ready)
        os.close(go)
        run(connection)
        code = 0
    except jail.JailError as error:
        _tell(ready, f"failed {error}")
    finally:
        os._exit(code)


def _ask_for_user(ready: int, go: int) -> None:
    _tell(ready, "map")
    os.read(go, PACKET)


def _tell(pipe: int, line: str) -> None:
    os.write(pipe, f"{line}\n".encode())


def _silence() -> None:
    """Send what is written past `sys.stdout`, by C code or by programs, nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def main() -> None:
    """Serve; the arguments are the outer user of submissions or ``none``, our folder, a socket."""
    outside = None if sys.argv[1] == "none" else int(sys.argv[1])
    control = socket.socket(fileno=int(sys.argv[3]))
    control.set_inheritable(False)
    if outside is not None:
        jail.hide_memory()
    Parent(control, outside).serve()
