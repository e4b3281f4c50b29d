"""What submissions must leave alone: canaries, a listener, and the list of processes."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

import psutil

LOOK_SECONDS = 0.05
SANDBOX_USERS = range(60000, 65000)  # where root's submissions live
PLACES = ("/tmp", "/dev/shm", "/var/tmp", str(Path.home()))


class Host:
    """The host beside a run of the grader; as a context it watches, and cleans up at the end.

    Parameters
    ----------
    course
        The course's folder, whose inputs are canaries, too.
    """

    def __init__(self, course: Path) -> None:
        self.course = course
        self.token = f"t{secrets.token_hex(6)}"
        self.secret = f"secret-{secrets.token_hex(8)}"
        self.heard: list[str] = []
        self.peak = 0  # bytes of the largest trusted process
        self.users: set[int] = set()
        self._folders = [Path(tempfile.mkdtemp(prefix="canary-", dir=p)) for p in PLACES]
        for folder in self._folders:  # open to anyone: only the wall stands before them
            folder.chmod(0o777)
            (folder / "canary.txt").write_text(self.secret)
            (folder / "canary.txt").chmod(0o666)
        self._doors = [socket.create_server(("127.0.0.1", 0)), self._abstract()]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._listen, args=(d,)) for d in self._doors]
        self._threads.append(threading.Thread(target=self._watch))
        self._before: dict[str, str] = {}

    @property
    def words(self) -> dict[str, str]:
        """What stands for the host in the texts of cases."""
        return {
            "OUTSIDE": str(self._folders[0]),
            "SHM": str(self._folders[1]),
            "VAR": str(self._folders[2]),
            "HOME": str(self._folders[3]),
            "COURSE": str(self.course),
            "PORT": str(self._doors[0].getsockname()[1]),
            "ABSTRACT": self.token,
            "TOKEN": self.token,
        }

    def __enter__(self) -> Host:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for door in self._doors:
            door.close()
        for process in self.survivors():
            process.kill()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def remember(self) -> None:
        """Take what is there now as what must stay."""
        self._before = self._canaries()

    def changed(self) -> list[str]:
        """Return the files of the host that are new, gone, or other ones than before."""
        now = self._canaries()
        return sorted(
            path for path in {*now, *self._before} if now.get(path) != self._before.get(path)
        )

    def survivors(self) -> list[psutil.Process]:
        """Return the processes of submissions that still run."""
        return [process for process in psutil.process_iter() if self._is_theirs(process)]

    def _is_theirs(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                return False
            marked = self.token in " ".join(process.cmdline()) or self.token in process.name()
            return marked or process.uids().real in self.users
        except psutil.Error:
            return False

    def _canaries(self) -> dict[str, str]:
        roots = [*self._folders, *(self.course / n for n in ("source", "submitted", "bystander"))]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for root in roots
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def _abstract(self) -> socket.socket:
        door = socket.socket(socket.AF_UNIX)
        door.bind(f"\0{self.token}")
        door.listen()
        return door

    def _listen(self, door: socket.socket) -> None:
        door.settimeout(LOOK_SECONDS)
        while not self._over.is_set():
            try:
                guest, _ = door.accept()
            except TimeoutError:
                continue
            with guest:
                guest.settimeout(1.0)
                try:
                    self.heard.append(repr(guest.recv(100)))
                except OSError as error:
                    self.heard.append(repr(error))

    def _watch(self) -> None:
        """Learn as whom submissions run, and how large the grader's own processes become."""
        me = psutil.Process()
        while not self._over.is_set():
            for lane in me.children():
                try:
                    self.peak = max(self.peak, lane.memory_info().rss)
                    users = {p.uids().real for p in lane.children(recursive=True)}
                except psutil.Error:
                    continue
                self.users.update(users.intersection(SANDBOX_USERS))
            time.sleep(LOOK_SECONDS)
