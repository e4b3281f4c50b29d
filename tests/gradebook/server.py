"""A PostgreSQL server of the tests' own, on a socket in a temporary folder."""

import ctypes
import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

START_SECONDS = 60  # on two busy cores
PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>


class Server:
    """A running server; it refuses to be root's, so as root it is nobody's."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    def url(self, database):
        """Return the address of a database as nbgrader wants it."""
        return f"postgresql+psycopg://course@/{database}?host={self.folder}"

    def copy(self, database):
        """Return the address of a new database that equals another."""
        self.count += 1
        name = f"copy{self.count}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {database}")
        return self.url(name)

    def do(self, statement):
        """Run a statement as the server's owner."""
        with self.connect("postgres") as connection:
            connection.execute(statement)

    def connect(self, database):
        """Connect to a database, each statement a transaction."""
        return psycopg.connect(
            dbname=database, user="course", host=str(self.folder), autocommit=True
        )


def programs():
    """Return the newest server's folder of programs, or skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    return (found[-1] if found else Path(on_path)).parent


@contextmanager
def running_server():
    """Start a server, and stop it in the end."""
    binaries = programs()
    owner = "nobody" if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 bytes
    shutil.chown(folder, owner)
    data, log = folder / "data", folder / "log"
    make = ["initdb", "-D", data, "-U", "course", "--auth=trust", "--no-sync", "--locale=C"]
    rights = {"user": owner, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(
        [binaries / make[0], *make[1:], "-E", "UTF8"],
        check=True, capture_output=True, cwd=folder, **rights,
    )  # fmt: skip
    settings = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *(w for s in settings for w in ("-c", s))],
            stdout=output, stderr=output, cwd=folder, preexec_fn=_die_with_parent, **rights,
        )  # fmt: skip
    try:
        server = Server(folder)
        _wait(server, process, log)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait()
        shutil.rmtree(folder)


def _die_with_parent():
    """Have the kernel stop the server if the tests are killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait(server, process, log):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect("postgres").close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
