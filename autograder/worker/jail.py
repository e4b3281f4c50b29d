"""Shut a process in: its own namespaces, nothing writable but a small disk in memory, limits.

For each submission the warm parent calls `fork_apart`, and the fork `enter`, which leaves student
code as the first process of a new pid namespace, without network, without a view of other
processes, and without any capability. When that process ends, the kernel ends everything else in
the namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.worker.forks import our_fork
from autograder.worker.seccomp import ARCHITECTURES, CLONE, filter_program, refuse_calls

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
SPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
MS_REC, MS_PRIVATE = 16384, 1 << 18
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 24, 38
CAPABILITY_VERSION_3 = 0x20080522
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
SYS_CLONE = dict(zip(ARCHITECTURES, CLONE, strict=True))
INSIDE = 1000  # user and group that student code sees itself as

WORK = Path("/home/student")  # working directory of a submission
# what is ours: it is loaded by now, and its text is of no use to an honest student
HIDDEN = (Path("/course/autograder/worker"), Path("/course/bnlib"))


@dataclass(frozen=True)
class Bounds:
    """What one submission may use; each is a limit that the kernel enforces."""

    memory_bytes: int
    """Address space of a process, beyond what the warm parent has."""
    processes: int
    """Processes and threads at one time."""
    open_files: int
    """Open files of a process."""
    file_bytes: int
    """Size of one file."""
    disk_bytes: int
    """Everything written to the working directory and to /tmp, each."""


class JailError(Exception):
    """The kernel refused a part of the isolation; nothing of a submission was run."""


_libc = ctypes.CDLL(None, use_errno=True)
_holding = ctypes.PyDLL(None, use_errno=True)  # calls with Python's lock held, as a fork is made


def _call(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise JailError(f"{what}: {os.strerror(number)}")


def prepare() -> None:
    """Make what every fork would otherwise make for itself."""
    with contextlib.suppress(OSError):  # said when the first fork enters
        filter_program(os.uname().machine)


def hide_memory() -> None:
    """Let no process of the same user look into this one's memory."""
    _call("prctl", _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))


def fork_apart() -> int:
    """Fork into new namespaces, and return as `os.fork` does.

    ``unshare`` and a fork come to the same, and leave a process in between: with all that the warm
    parent holds, its fork and its end cost as much as the submission's own.

    Raises
    ------
    JailError
        If the kernel refuses.
    """
    number = SYS_CLONE.get(os.uname().machine)
    if number is None:
        raise JailError(f"forking into namespaces is not known on {os.uname().machine}")
    with our_fork():
        ctypes.pythonapi.PyOS_BeforeFork()
        pid = int(_holding.syscall(number, SPACES | signal.SIGCHLD, 0, 0, 0, 0))
        if pid == 0:
            ctypes.pythonapi.PyOS_AfterFork_Child()
            return 0
        fault = os.strerror(ctypes.get_errno())
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise JailError(f"clone: {fault}")
    return pid


def enter(bounds: Bounds, base: int, map_user: Callable[[], None]) -> None:
    """Shut this process in, which `fork_apart` made: bounded, and without rights.

    Parameters
    ----------
    bounds
        What it may use.
    base
        Bytes of its address space by now, of which nothing counts.
    map_user
        Has the warm parent give the new user namespace its one user.

    Raises
    ------
    JailError
        If any part is refused.
    """
    _call("prctl", _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))  # our own /proc entry is needed
    map_user()
    _mount_disks(bounds)
    _drop_rights()
    os.chdir(WORK)
    set_limits(bounds, base)
    try:
        refuse_calls()
    except OSError as error:
        raise JailError(f"system calls cannot be filtered: {error}") from error


def _mount_disks(bounds: Bounds) -> None:
    _mount("none", "/", None, MS_REC | MS_PRIVATE, "")
    size = f"size={bounds.disk_bytes},nr_inodes=8192,mode=1777"
    for place in ("/tmp", "/dev/shm", str(WORK)):  # noqa: S108 -- private to this namespace
        _mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, size)
    for hidden in map(str, HIDDEN):
        _mount("tmpfs", hidden, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=555")
    # other processes are no one's business, and a /proc of its own no kernel gives to such a user
    _mount("tmpfs", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=555")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    words = [None if w is None else w.encode() for w in (source, target, kind)]
    result = _libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None)
    _call(f"mount {target}", result)


def _drop_rights() -> None:
    """Become the user inside, for good, with no capability left."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the kernel knows no more of them
    os.setresgid(INSIDE, INSIDE, INSIDE)
    os.setresuid(INSIDE, INSIDE, INSIDE)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    number = SYS_CAPSET.get(os.uname().machine)
    if number is None:
        raise JailError(f"dropping capabilities is not known on {os.uname().machine}")
    _call("capset", _libc.syscall(number, header, nothing))
    _call("prctl", _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _call("prctl", _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))


def address_space() -> int:
    """Return the size of this process's address space, in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def set_limits(bounds: Bounds, base: int) -> None:
    """Set the limits that hold for this process and its children; `base` is what it has already."""
    limits = {
        resource.RLIMIT_AS: base + bounds.memory_bytes,
        resource.RLIMIT_NPROC: bounds.processes,
        resource.RLIMIT_NOFILE: bounds.open_files,
        resource.RLIMIT_FSIZE: bounds.file_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for which, value in limits.items():
        resource.setrlimit(which, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a file is an OSError


def map_user_of(pid: int, outside: int) -> None:
    """Give the user namespace of a process its one user: `INSIDE` there, `outside` here."""
    entry = Path(f"/proc/{pid}")
    (entry / "setgroups").write_text("deny")
    (entry / "gid_map").write_text(f"{INSIDE} {outside} 1")
    (entry / "uid_map").write_text(f"{INSIDE} {outside} 1")
