"""The outer wall: bubblewrap's command line, and whether it works here."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import matplotlib as mpl

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/fonts", "/etc/alternatives", "/etc/mime.types"),
)
PRIVATE = ("/tmp", "/home/student", "/dev", "/proc", "/course")  # noqa: S108 -- inside
MOVED = "/moved"  # where an environment is inside that lies in one of these
INSIDE = "/course"  # where the sandbox finds what is ours
ROOT_USERS = 60000  # submissions graded by root run as a user of their own, from here on
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[2]); from autograder.worker.serve import main; main()"
)
INSTALL = "install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`)"
ALLOW = (
    "allow user namespaces (Debian: `sysctl kernel.unprivileged_userns_clone=1`; Ubuntu 24.04 and "
    "later: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; Docker: start the container "
    "with `--security-opt seccomp=unconfined --cap-add SYS_ADMIN`), or grade on a machine that has "
    "them"
)


def command(fonts: Path) -> list[str]:
    """Return the command that starts a warm worker behind the wall.

    Nothing of the course is visible inside but `bnlib` and the worker's own files: no `source/`, no
    exercises, no gradebook, no submission. `fonts` is a folder with matplotlib's list of fonts.
    """
    package = Path(__file__).resolve().parents[1]
    reference = importlib.util.find_spec("bnlib")
    assert reference is not None
    assert reference.origin is not None
    python = (sys.prefix, sys.base_prefix, sysconfig.get_paths()["purelib"])
    binds = [*SYSTEM, *SETTINGS, *(str(Path(p).resolve()) for p in python), *python]
    inside = tuple(map(_inside, python))
    words = [_program(), "--die-with-parent", "--new-session", *_namespaces(), "--clearenv"]
    words += _folders(["/home/student", f"{INSIDE}/autograder", *map(os.path.dirname, inside)])
    for place in dict.fromkeys(binds):
        words += ["--ro-bind-try", place, _inside(place)]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 -- inside
    masks = [_inside(str(place)) for place in _installed(python)]
    words += [word for place in masks for word in ("--tmpfs", place)]
    words += _ours(package, Path(reference.origin).parent, fonts)
    # whoever is no root shares a user with the submissions, and owns what bubblewrap has made
    words += [word for place in (*masks, "/dev", "/") for word in ("--remount-ro", place)]
    for name, value in environment(_inside(sys.executable)).items():
        words += ["--setenv", name, value]
    program = interpreter(_inside(sys.executable), outside_user(), INSIDE)
    return [*words, "--chdir", "/home/student", *program]


def _inside(place: str) -> str:
    """Return where a place of the host's is inside: under a private folder it would be covered."""
    covered = any(Path(place).is_relative_to(folder) for folder in PRIVATE)
    return f"{MOVED}{place}" if covered else place


def interpreter(python: str, outside: str, place: str) -> list[str]:
    """Return the command of the warm worker itself, up to the number of its socket.

    `place` is the folder where it finds what is ours.
    """
    return [python, "-s", "-B", "-c", PROGRAM, outside, place]


def outside_user() -> str:
    """User that submissions are outside: root's must not be root, whom no limit holds."""
    return str(ROOT_USERS + os.getpid() % 5000 if os.geteuid() == 0 else 1000)


def environment(python: str) -> dict[str, str]:
    """Return all that a worker's environment holds: nothing of the grader's own."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return one | {
        "HOME": "/tmp",  # noqa: S108 -- inside: a disk in memory, of each submission's own
        "USER": "student",
        "LOGNAME": "student",
        "PATH": f"{Path(python).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": f"{INSIDE}/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",  # noqa: S108 -- inside
        "TRITON_INTERPRET": "1",  # kernels are graded by Triton's interpreter: no GPU is needed
    }


def _folders(places: list[str]) -> list[str]:
    """Make folders that anyone inside may pass through: bubblewrap's own are for the owner only."""
    found = {parent for place in places for parent in (Path(place), *Path(place).parents)}
    system = tuple(Path(place) for place in SYSTEM)
    return [
        word
        for path in sorted(found - {Path("/")})
        if not any(path.is_relative_to(place) for place in system)
        for word in ("--perms", "0755", "--dir", str(path))
    ]


def _namespaces() -> list[str]:
    """As root the user namespace stays the host's: the worker gives submissions a user each."""
    words = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    if os.geteuid() == 0:
        return [*words, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*words, "--unshare-user", "--uid", "1000", "--gid", "1000"]


def _installed(python: tuple[str, ...]) -> list[Path]:
    """Where our own packages are installed, to be hidden: the exercises are among them."""
    found = {Path(place) / name for place in python for name in ("autograder", "bnlib")}
    return sorted(path for path in found if path.is_dir())


def _ours(package: Path, reference: Path, fonts: Path) -> list[str]:
    worker = package / "worker"
    return [
        *("--ro-bind", str(worker / "standin.py"), f"{INSIDE}/autograder/__init__.py"),
        *("--ro-bind", str(worker), f"{INSIDE}/autograder/worker"),
        *("--ro-bind", str(reference), f"{INSIDE}/bnlib"),
        *("--ro-bind", str(fonts), f"{INSIDE}/matplotlib"),
    ]


def font_list() -> Path:
    """Return matplotlib's cache folder, with its list of fonts made: slow, and once a machine."""
    import matplotlib.font_manager as _  # noqa: F401 -- the import makes the list

    return Path(mpl.get_cachedir())


def _program() -> str:
    return shutil.which("bwrap") or "bwrap"


@functools.cache
def find_fault() -> str:
    """Say why there is no sandbox on this machine and what to do; empty if there is one.

    It is tried for real: hosts without user namespaces have bubblewrap and cannot run it.
    """
    if sys.platform != "linux":
        return "bubblewrap runs on Linux only: grade on a Linux machine"
    if shutil.which("bwrap") is None:
        return f"bubblewrap is not installed: {INSTALL}"
    words = [_program(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", *_namespaces()]
    trial = [*words, "--die-with-parent", sys.executable, "-S", "-c", TRIAL]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot run here ({error}): {ALLOW}"
    if done.returncode == 0:
        return ""
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"bubblewrap cannot run here ({reason}): {ALLOW}"


# inside, a submission gets namespaces of its own: that, too, must be allowed
TRIAL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x7C020000) != 0:
    sys.exit("namespaces in the sandbox: " + os.strerror(ctypes.get_errno()))
"""
