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
from autograder.worker.absent import absent
from autograder.worker.forks import use_large_pages
from autograder.worker.notebook import Notebook
from autograder.worker.rehearsal import rehearse
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
        self._watch = Watch(stays=outside is not None)
        rehearse(self._notebook, self._watch)
        jail.prepare()
        _hide_modules()
        self._submission = 0
        self._folder: str | None = None

    def serve(self) -> None:
        """Answer until the judge is gone."""
        gc.collect()
        gc.freeze()
        use_large_pages()
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
        rehearse(self._notebook, self._watch)
        self._reply({"kind": "ready", "threads": _threads()})

    def _start(self, message: dict[str, Any], connection: socket.socket) -> None:
        self._watch.prepare([tuple(names) for names in message["forbidden"]])
        gc.collect()
        gc.freeze()  # the garbage collector of a fork must not touch, and so copy, every object
        bounds, base = jail.Bounds(**message["bounds"]), jail.address_space()
        self._folder = tempfile.mkdtemp() if self._outside is None else None
        ready_read, ready_write = os.pipe()
        go_read, go_write = os.pipe()
        try:
            self._submission = os.fork() if self._folder is not None else jail.fork_apart()
            if self._submission == 0:
                self._control.close()
                os.close(ready_read)
                os.close(go_write)
                _become_submission(
                    connection, self._run, bounds, base, self._folder, ready_write, go_read
                )
            connection.close()
            os.close(ready_write)
            self._reply(self._isolate(ready_read, go_write))
        except jail.JailError as error:
            self._reply({"kind": "failed", "reason": str(error)})
        finally:
            os.close(ready_read)
            os.close(go_read)
            os.close(go_write)

    def _isolate(self, ready: int, go: int) -> dict[str, Any]:
        """Help the fork into its namespaces; return what came of it."""
        reason = "the fork ended at once"
        with os.fdopen(ready, closefd=False) as lines:
            for line in lines:
                word, _, rest = line.rstrip("\n").partition(" ")
                if word == "map":
                    jail.map_user_of(self._submission, self._outside or 0)
                    os.write(go, b"mapped")
                elif word == "failed":
                    reason = rest
                elif word == "ready":
                    return {"kind": "started"}
        return {"kind": "failed", "reason": reason}

    def _run(self, connection: socket.socket) -> None:
        sys.path.insert(0, "")
        Session(connection, self._notebook, self._watch).serve()

    def _end(self) -> None:
        """Kill what is left of the submission, and say how it ended."""
        code = None
        if self._submission:
            with contextlib.suppress(ProcessLookupError):
                kill = os.killpg if self._outside is None else os.kill
                kill(self._submission, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(self._submission, 0)[1])
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._submission, self._folder = 0, None
        self._reply({"kind": "ended", "code": code})

    def _reply(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())


def _import_all(package: str) -> None:
    """Import every module of a package; those that need a large one only where it is loaded."""
    found = importlib.import_module(package)
    with absent("torch"), absent("triton"):
        for module in pkgutil.walk_packages(found.__path__, package + "."):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if str(error.name).partition(".")[0] not in ("torch", "triton"):
                    raise


def _hide_modules() -> None:
    """Let no import of a student's find our own modules, which are all loaded by now."""
    for name in [n for n in sys.modules if n.startswith(OWN)]:
        del sys.modules[name]
    vars(sys.modules["autograder"]).pop("worker", None)


def _become_submission(
    connection: socket.socket,
    run: Callable[[socket.socket], None],
    bounds: jail.Bounds,
    base: int,
    folder: str | None,
    ready: int,
    go: int,
) -> None:
    """Enter the jail and run one submission; never return. With a `folder` there is no jail."""
    code = 1
    try:
        connection.set_inheritable(False)
        os.setsid()  # a signal to its group must not reach its parent
        _silence()
        if folder is not None:
            os.chdir(folder)
            jail.set_limits(bounds, base)
        else:
            jail.enter(bounds, base, lambda: _ask_for_user(ready, go))
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
