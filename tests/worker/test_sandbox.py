"""What a submission sees and may do behind bubblewrap, tried from inside."""

from __future__ import annotations

import json
import os
import socket
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import autograder
from autograder.sandbox import Limits, SandboxError, WarmWorker, bubblewrap
from autograder.sandbox.bubblewrap import find_fault
from tests.worker.conftest import GRADERS, LIMITS, MEBIBYTE, Talk

ROOT = Path(autograder.__file__).parents[1]
INSIDE = "PATH MPLBACKEND MPLCONFIGDIR IPYTHONDIR HOME USER LOGNAME LANG TZ PYTHONHASHSEED"


def attempt(talk: Talk, source: str) -> str:
    """Run code that should fail, and return the name of its exception, or what it printed."""
    indented = "\n".join(f"    {line}" for line in source.splitlines())
    return talk.said(
        f"try:\n{indented}\nexcept BaseException as e:\n    print(type(e).__name__, e)"
    )


# --- what is seen ---------------------------------------------------------------------------------


def test_no_network(talk: Talk) -> None:
    """Neither this machine's own addresses nor others; there is nothing but a loopback, down."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert "OSError" in attempt(talk, connect) or "Refused" in attempt(talk, connect)
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert talk.said("import socket; print(socket.if_nameindex())") == "[(1, 'lo')]\n"


def test_no_socket_of_this_machine(talk: Talk, tmp_path: Path) -> None:
    """Abstract ones belong to the network, which is another one."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0autograder-test")
        server.listen()
        source = "import socket; socket.socket(socket.AF_UNIX).connect('\\0autograder-test')"
        assert "ConnectionRefusedError" in attempt(talk, source)


@pytest.mark.parametrize(
    "place", [ROOT, ROOT / "source", ROOT / "tests", ROOT / ".git", Path.cwd(), Path("/root")]
)
def test_nothing_of_the_course_is_there(talk: Talk, place: Path) -> None:
    """No sources, no tests, no gradebook, nobody's home."""
    inside = talk.said(
        "import os, sys\nn = 0\n"
        f"for folder, _, files in os.walk({str(place)!r}):\n"
        "    python = folder.startswith((os.path.realpath(sys.base_prefix), sys.prefix))\n"
        "    n += 0 if python else len(files)\nprint(n)"
    )
    assert inside == "0\n"


def test_no_exercise_and_no_judge_can_be_imported(talk: Talk) -> None:
    """`autograder` is a stand-in, and has nothing below it."""
    for name in ("exercises", "judge", "oracle", "paper", "exercises.u00_start"):
        assert "ModuleNotFoundError" in attempt(talk, f"import autograder.{name}")
    walk = (
        "import os, sys\n"
        "print([f for p in sys.path for d, _, fs in os.walk(p or '.') for f in fs "
        "if 'u00_start' in f or 'judge' in f])"
    )
    assert talk.said(walk) == "[]\n"


def test_proc_is_empty(talk: Talk) -> None:
    """No process, no command line and no memory to look at; it cannot be mounted again."""
    assert talk.said("import os; print(os.listdir('/proc'))") == "[]\n"
    mount = "import ctypes; print(ctypes.CDLL(None).mount(b'proc', b'/proc', b'proc', 0, None))"
    assert talk.said(mount) == "-1\n"


def test_it_is_the_first_process_and_sees_no_other(talk: Talk) -> None:
    """Everyone it can send a signal to is its own."""
    assert talk.said("import os; print(os.getpid(), os.getppid())") == "1 0\n"


def test_the_user_has_no_rights(talk: Talk) -> None:
    """No root inside, no capability, and no way to one."""
    assert talk.said("import os; print(os.getresuid(), os.getresgid())") == (
        "(1000, 1000, 1000) (1000, 1000, 1000)\n"
    )
    assert "OSError" in attempt(talk, "import os; os.setuid(0)")  # there is no such user
    header = "h = (ctypes.c_uint32 * 2)(0x20080522, 0); d = (ctypes.c_uint32 * 6)()"
    number = {"x86_64": 125, "aarch64": 90}[os.uname().machine]
    assert (
        talk.said(
            f"import ctypes; {header}\nctypes.CDLL(None).syscall({number}, h, d)\nprint(list(d))"
        )
        == "[0, 0, 0, 0, 0, 0]\n"
    )


def test_outside_it_is_no_user_of_this_machine(talk: Talk, request: Any) -> None:
    """A submission that root grades is not root's."""
    users = {p.uids().real for p in psutil.Process(talk.worker.pid).children(recursive=True)}
    mine = {user for user in users if user != os.getuid()}
    if request.node.callspec.params["worker"] == "root":
        assert len(mine) == 1
        assert 60000 <= mine.pop() < 65000
    else:
        assert not mine


def test_the_environment_is_made_for_it(open_talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the grader's: no token, no path, no home."""
    monkeypatch.setenv("SECRET_TOKEN", "42")
    made = WarmWorker("bubblewrap")
    try:
        talk = Talk(made, made.open(LIMITS))
        seen = json.loads(talk.said("import json, os; print(json.dumps(dict(os.environ)))"))
        talk.end()
    finally:
        made.close()
    assert not {"SECRET_TOKEN", "SHELL", "PWD_OLD"} & set(seen)
    assert set(INSIDE.split()) <= set(seen)
    assert "42" not in seen.values()
    assert seen["HOME"] == "/tmp"


def test_open_files_are_its_own(talk: Talk) -> None:
    """Three streams to nowhere, and the wire."""
    source = (
        "import os, stat\nfound = []\nfor n in range(3, 300):\n    try:\n"
        "        found.append(stat.S_ISSOCK(os.fstat(n).st_mode))\n    except OSError: pass\n"
        "print(found)"
    )
    assert talk.said(source).count("True") == 1
    assert talk.said("import os; print(os.readlink('/dev/fd/1') if 0 else os.isatty(1))") == (
        "False\n"
    )


# --- what is written ------------------------------------------------------------------------------

PACKAGES = Path(sysconfig.get_paths()["purelib"])  # with what hides our own
READ_ONLY = (
    *("/", "/usr", "/etc", "/course", "/course/autograder", "/course/bnlib", "/home", "/proc"),
    *("/dev", "/moved", str(PACKAGES), str(PACKAGES / "autograder"), str(PACKAGES / "bnlib")),
)


@pytest.mark.parametrize("place", READ_ONLY)
def test_nothing_else_can_be_written(talk: Talk, place: str) -> None:
    """Only the working directory, /tmp and /dev/shm."""
    said = attempt(talk, f"open('{place}/x', 'w')")
    assert any(word in said for word in ("PermissionError", "Read-only", "FileNotFoundError"))


def test_a_signal_to_its_group_reaches_only_itself(talk: Talk) -> None:
    """A group may reach over the border of a pid namespace, and where the user is one, kills."""
    assert (
        talk.said("import os; os.kill(0, 9); print('alive')") == "alive\n"
    )  # the first never dies
    talk.end()
    following = Talk(talk.worker, talk.worker.open(LIMITS))  # the warm parent lives
    assert following.said("print('here')") == "here\n"
    following.end()


def test_the_packages_cannot_be_written(talk: Talk) -> None:
    """A student's own numpy would be everyone's."""
    source = "import numpy, pathlib; open(pathlib.Path(numpy.__file__), 'a')"
    said = attempt(talk, source)
    assert "Read-only" in said or "PermissionError" in said


def test_files_of_one_submission_are_not_those_of_the_next(open_talk: Any) -> None:
    """Working directory, /tmp and /dev/shm are each one's own."""
    places = ("x.txt", "/tmp/x.txt", "/dev/shm/x.txt")
    first = open_talk()
    for place in places:
        assert first.said(f"print(open({place!r}, 'w').write('mine'))") == "4\n"
    first.end()
    second = open_talk()
    said = second.said("import os; print(os.listdir('.'), os.listdir('/tmp'))")
    assert said == "[] []\n"
    for place in places:
        assert "FileNotFoundError" in attempt(second, f"open({place!r})")
    assert not Path("/tmp/x.txt").exists()


def test_files_handed_in_are_in_the_working_directory(talk: Talk) -> None:
    """Where `open` and `import` find them."""
    talk.files({"data/x.csv": b"1,2", "helper.py": b"seven = 7"})
    assert talk.said("import helper; print(helper.seven, open('data/x.csv').read())") == "7 1,2\n"


# --- limits ---------------------------------------------------------------------------------------

BOUNDS = {
    "memory": ("bytearray(600 << 20)", "MemoryError"),
    "memory of a child": (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'b = bytearray(1 << 31)'], check=True)",
        "CalledProcessError",
    ),
    "one file": ("open('big', 'wb').write(bytes(5 << 20))", "File too large"),
    "the disk": (
        "for i in range(5): open(f'f{i}', 'wb').write(bytes(3 << 20))",
        "No space left",
    ),
    "shared memory": (
        "for i in range(5): open(f'/dev/shm/f{i}', 'wb').write(bytes(3 << 20))",
        "No space left",
    ),
    "many small files": (
        "for i in range(10_000): open(f'f{i}', 'w').close()",
        "No space left",
    ),
    "open files": ("files = [open('/dev/null') for i in range(100)]", "Too many open files"),
    "processes": (
        "import os, time\nfor i in range(40):\n    if os.fork() == 0: time.sleep(60)",
        "BlockingIOError",
    ),
    "threads": (
        "import threading, time\n"
        "for i in range(40): threading.Thread(target=time.sleep, args=(3,), daemon=True).start()",
        "can't start new thread",
    ),
}


@pytest.mark.parametrize("name", [name for name in BOUNDS if name != "processes"])
def test_a_limit_is_an_error_inside(talk: Talk, name: str) -> None:
    """The kernel says no, and the machine outside does not notice."""
    source, expected = BOUNDS[name]
    assert expected in attempt(talk, source)


def test_limits_cannot_be_raised(talk: Talk) -> None:
    """They are hard ones."""
    source = "import resource as r\nr.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY, r.RLIM_INFINITY))"
    assert "ValueError" in attempt(talk, source) or "Permission" in attempt(talk, source)


@pytest.mark.parametrize("worker", GRADERS[-1:], indirect=True)
def test_the_next_submission_has_all_its_room_again(open_talk: Any) -> None:
    """The number of processes is bounded, and those of the one before do not count."""
    for _ in range(3):
        talk = open_talk()
        assert "BlockingIOError" in attempt(talk, BOUNDS["processes"][0])
        talk.end()
    said = open_talk().said("import subprocess; print(subprocess.run(['true']).returncode)")
    assert said == "0\n"


CALLS = {
    "unshare": "libc.unshare(0x10000000)",
    "a namespace by clone": "libc.syscall(56, 0x10000011, None, None, None, 0)",
    "ptrace": "libc.ptrace(0, 0, None, None)",
    "chroot": "libc.chroot(b'/tmp')",
    "bpf": "libc.syscall(321, 0, None, 0)",
    "keys": "libc.syscall(250, 0, 0)",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of system calls are x86_64's")
@pytest.mark.parametrize("name", CALLS)
def test_calls_that_no_notebook_needs_are_refused(talk: Talk, name: str) -> None:
    """With the error of a call that is not permitted."""
    source = (
        f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nresult = {CALLS[name]}\n"
        "print(result, ctypes.get_errno())"
    )
    assert talk.said(source) == "-1 1\n"


def test_a_call_that_notebooks_need_is_not_refused(talk: Talk) -> None:
    """Threads, children and pipes are ordinary Python."""
    source = (
        "import subprocess, concurrent.futures as f\n"
        "print(subprocess.run('echo x | cat', shell=True, capture_output=True).stdout)\n"
        "with f.ThreadPoolExecutor(2) as pool: print(sum(pool.map(abs, [-1, 2])))"
    )
    assert talk.said(source) == "b'x\\n'\n3\n"


# --- the end --------------------------------------------------------------------------------------


def below(worker: WarmWorker) -> set[int]:
    """Return the processes in a worker's sandbox."""
    return {p.pid for p in psutil.Process(worker.pid).children(recursive=True)}


def settled(worker: WarmWorker) -> set[int]:
    """Return the same once no process has come or gone for a while."""
    seen, same = below(worker), 0
    for _ in range(100):
        time.sleep(0.03)
        now = below(worker)
        seen, same = now, same + 1 if now == seen else 0
        if same == 8:
            break
    return seen


SURVIVORS = {
    "children": "import subprocess\nfor i in range(4): subprocess.Popen(['sleep', '1000'])",
    "daemons": (
        "import os, time\nfor i in range(4):\n    if os.fork() == 0:\n        os.setsid()\n"
        "        if os.fork() == 0: time.sleep(1000)\n        os._exit(0)"
    ),
    "deaf to signals": (
        "import os, signal, time\nif os.fork() == 0:\n"
        "    for n in range(1, 32):\n        try: signal.signal(n, signal.SIG_IGN)\n"
        "        except OSError: pass\n    time.sleep(1000)"
    ),
    "busy threads": (
        "import threading\ndef f():\n    while True: pass\n"
        "for i in range(3): threading.Thread(target=f, daemon=True).start()"
    ),
}


@pytest.mark.parametrize("name", SURVIVORS)
def test_nothing_survives_the_end(worker: WarmWorker, name: str) -> None:
    """Not a process more is in the sandbox than before the submission."""
    Talk(worker, worker.open(LIMITS)).end()  # waits for whatever a test before has left
    before = settled(worker)
    talk = Talk(worker, worker.open(LIMITS))
    talk.cell(SURVIVORS[name])
    assert len(below(worker)) > len(before)
    talk.end()
    assert settled(worker) == before


def test_the_end_says_how_the_process_ended(worker: WarmWorker) -> None:
    """Its own exit, or our kill."""
    talk = Talk(worker, worker.open(LIMITS))
    with pytest.raises(EOFError):
        talk.cell("import os; os._exit(7)")
    time.sleep(0.2)
    assert talk.end() == 7


def test_memory_is_what_the_submission_added() -> None:
    """Children's counts as well; what the warm parent holds does not."""
    made = WarmWorker("bubblewrap")
    try:
        talk = Talk(made, made.open(LIMITS))
        assert made.memory() < 40 * MEBIBYTE
        talk.cell("import os, time\nb = b'x' * (100 << 20)")
        assert 90 * MEBIBYTE < made.memory() < 160 * MEBIBYTE
        talk.cell("if os.fork() == 0:\n    c = b'y' * (100 << 20)\n    time.sleep(1000)")
        time.sleep(0.5)
        assert made.memory() > 190 * MEBIBYTE
        talk.end()
    finally:
        made.close()


def test_the_warm_parent_has_one_thread(worker: WarmWorker) -> None:
    """Torch included: a fork in the middle of another thread's work can stand still for good."""
    talk = Talk(worker, worker.open(LIMITS, ("torch",)))
    family = psutil.Process(worker.pid).children(recursive=True)
    threads = {p.num_threads() for p in family if "python" in p.name()}
    talk.end()
    assert threads == {1}


def test_memory_is_counted_from_the_parent_that_was_forked() -> None:
    """A worker that has a larger parent, too, still sees what a small submission adds."""
    made = WarmWorker("bubblewrap")
    try:
        made.open(LIMITS, ("torch",)).close()
        made.end()
        talk = Talk(made, made.open(LIMITS))
        talk.cell("held = bytearray(100 << 20)")
        assert 90 * MEBIBYTE < made.memory() < 160 * MEBIBYTE
        talk.end()
    finally:
        made.close()


def test_the_warm_parents_memory_is_not_readable(worker: WarmWorker) -> None:
    """Its entries in /proc belong to root, whoever runs it."""
    family = psutil.Process(worker.pid).children(recursive=True)
    parents = [p.pid for p in family if "python" in p.name()]
    assert parents
    assert {Path(f"/proc/{pid}/mem").stat().st_uid for pid in parents} == {0}


# --- no sandbox -----------------------------------------------------------------------------------


@pytest.fixture
def fresh_look() -> Iterator[None]:
    """Forget what is known of this machine, before and after."""
    find_fault.cache_clear()
    yield
    find_fault.cache_clear()


def test_without_bubblewrap_the_error_says_what_to_install(
    fresh_look: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is started."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match=r"not installed: install bubblewrap \(.*apt install"):
        WarmWorker("bubblewrap")


def test_where_it_may_not_run_the_error_says_what_to_allow(
    fresh_look: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the reason that bubblewrap gave."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new space' >&2\nexit 1")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxError, match=r"No permissions to create new space.*allow user"):
        WarmWorker("bubblewrap")


def test_another_system_is_told_what_it_needs(
    fresh_look: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Students may have it; who grades needs Linux."""
    monkeypatch.setattr(bubblewrap.sys, "platform", "darwin")
    assert "grade on a Linux machine" in find_fault()


def test_a_worker_that_cannot_start_leaves_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error ends with what it wrote."""
    monkeypatch.setattr(bubblewrap, "PROGRAM", "raise SystemExit('no such luck')")
    with pytest.raises(SandboxError, match=r"ended by itself\. Its last words: no such luck"):
        WarmWorker("bubblewrap")


def test_a_worker_that_is_gone_is_an_error_of_the_machine() -> None:
    """Never of the student whose turn it was."""
    made = WarmWorker("none")
    psutil.Process(made.pid).kill()
    with pytest.raises(SandboxError, match="worker"):
        made.open(Limits())
    made.close()


def test_without_a_wall_the_same_cells_run() -> None:
    """In a folder of their own, which is gone afterwards."""
    made = WarmWorker("none")
    try:
        talk = Talk(made, made.open(LIMITS))
        folder = talk.said("import os; print(os.getcwd())").strip()
        assert Path(folder).is_dir()
        assert talk.said("1 + 1") == "2\n"
        talk.end()
        assert not Path(folder).exists()
    finally:
        made.close()
