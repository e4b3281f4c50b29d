"""Cheats and accidents with processes, signals, time, memory and disk."""

from __future__ import annotations

from tests.adversarial.case import Case

CENTER = "    return x - x.mean(axis=0)\n"


def _cell(name: str, why: str, code: str, *shows: str) -> Case:
    """Make a submission with a bad cell of its own: every exercise keeps its points."""
    return Case(name, why, first=code.strip(), shows=shows)


def _asked(name: str, why: str, verdict: str, code: str, first: str = "") -> Case:
    """Make a submission whose function does harm when it is asked: it loses its own points."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    center = f"def center(x):\n{lines}{CENTER}"
    return Case(name, why, {"center": verdict}, first=first, answers={"center": center})


ENDINGS = (
    _cell("exit-os-cell", "os._exit in a cell", "import os\nos._exit(0)"),
    _cell("exit-sys-cell", "sys.exit in a cell", "import sys\nsys.exit(0)"),
    _cell("exit-call-cell", "exit() in a cell", "exit()"),
    _cell("exit-quit-cell", "quit in a cell", "quit"),
    _cell("abort-cell", "os.abort in a cell", "import os\nos.abort()"),
    _cell("segfault-cell", "reads address 0 in a cell", "import ctypes\nctypes.string_at(0)"),
    _asked("exit-os", "os._exit when asked", "nothing crashed", "import os\nos._exit(0)"),
    _asked("exit-sys", "sys.exit when asked", "nothing error", "import sys\nsys.exit(0)"),
    _asked("abort", "os.abort when asked", "nothing crashed", "import os\nos.abort()"),
    _asked("segfault", "reads address 0", "nothing crashed", "import ctypes\nctypes.string_at(0)"),
    _asked(
        "stack-overflow",
        "recursion in C without end",
        "nothing crashed",
        """
import sys
sys.setrecursionlimit(10**9)
class Deep:
    def __add__(self, other):
        return self + other
Deep() + 1
""",
    ),
    _asked("recursion", "recursion without end", "nothing error", "return center(x)"),
    _asked(
        "raise-keyboard", "raises KeyboardInterrupt", "nothing error", "raise KeyboardInterrupt"
    ),
    _asked(
        "raise-base",
        "raises a BaseException of its own",
        "nothing error",
        'raise type("Odd", (BaseException,), {})()',
    ),
    _cell(
        "kill-all",
        "kills every process that it may, its parent and itself",
        """
import os, signal
for pid in (-1, 0, os.getppid(), os.getpid(), 1, 2, 3):
    try:
        os.kill(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGSTOP)
    except OSError as error:
        print(type(error).__name__)
print("killed", "all")
""",
        "killed all",
    ),
    _cell(
        "kill-by-child",
        "a child kills the process that it came from",
        "import os, signal\nif os.fork() == 0:\n    os.kill(os.getppid(), 9)\n"
        "    os._exit(0)\nos.wait()",
    ),
)

ENDLESS = (
    _cell("endless-cell", "a cell without end", "while True:\n    pass"),
    _cell(
        "endless-cell-except",
        "a cell without end that catches everything",
        "while True:\n    try:\n        while True:\n            pass\n    except:\n        pass",
    ),
    _asked("endless", "a loop without end", "nothing timeout", "while True:\n    pass"),
    _asked(
        "endless-except",
        "a loop that catches everything",
        "nothing timeout",
        "while True:\n    try:\n        while True:\n            pass\n    except:\n        pass",
    ),
    _asked(
        "alarm-ignored",
        "ignores the alarm",
        "nothing timeout",
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass",
    ),
    _asked(
        "alarm-blocked",
        "blocks every signal",
        "nothing timeout",
        """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    pass
""",
    ),
    _asked(
        "alarm-reset",
        "sets the alarm back again and again",
        "nothing timeout",
        "import signal\nwhile True:\n    signal.setitimer(signal.ITIMER_REAL, 0)",
    ),
    _asked(
        "alarm-in-c",
        "never comes back from C",
        "nothing timeout",
        "import ctypes\nctypes.PyDLL(None).sleep(1000)",
    ),
    _asked(
        "clock-patched",
        "turns the clocks back, and has no end",
        "nothing timeout",
        """
import time
time.sleep = lambda s: None
time.time = time.monotonic = time.perf_counter = lambda: 0.0
while True:
    pass
""",
    ),
    _asked(
        "lock-held",
        "waits for a lock that it holds",
        "nothing timeout",
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    ),
    _asked(
        "destructor-endless",
        "an object whose end never ends",
        "nothing timeout",
        "class Bog:\n    def __del__(self):\n        while True:\n            try:\n"
        "                while True:\n                    pass\n            except:\n"
        "                pass\nBog()",
    ),
    _cell(
        "exit-hook-endless",
        "an exit hook and a thread without end",
        """
import atexit, threading, time
def forever():
    while True:
        time.sleep(1)
atexit.register(forever)
threading.Thread(target=forever).start()
""",
    ),
)

MANY = (
    _asked(
        "fork-bomb",
        "forks without end",
        "nothing timeout",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except:\n        pass",
    ),
    _cell(
        "fork-bomb-cell",
        "forks without end in a cell",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except:\n        pass",
    ),
    _cell("fork-bomb-shell", "a shell's fork bomb", "!bomb() { bomb | bomb & }; bomb"),
    _asked(
        "threads-endless",
        "starts threads without end",
        "nothing error",
        """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
""",
    ),
    _cell(
        "daemon",
        "a process that would outlive the grading",
        """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "@TOKEN@"],
                 start_new_session=True)
print("started", "it")
""",
        "started it",
    ),
    _cell(
        "daemon-double-fork",
        "a daemon made by the book: fork, setsid, fork, all descriptors closed",
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        os.execvp("python3", ["python3", "-c", "import time; time.sleep(600)", "@TOKEN@"])
    os._exit(0)
os.wait()
time.sleep(0.2)
print("started", "it")
""",
        "started it",
    ),
    _asked(
        "daemon-asked",
        "a daemon that ignores every signal, from a function that then ends its process",
        "nothing crashed",
        """
import os, signal, time
if os.fork() == 0:
    for number in range(1, 32):
        if number not in (9, 19):
            signal.signal(number, signal.SIG_IGN)
    os.execvp("python3", ["python3", "-c", "import time; time.sleep(600)", "@TOKEN@"])
time.sleep(0.2)
os._exit(0)
""",
    ),
    _cell(
        "zombies",
        "children that nobody waits for",
        """
import os
for _ in range(100):
    try:
        os.posix_spawn("/bin/true", ["true"], {})
    except OSError as error:
        print("no more", error)
        break
""",
        "no more",
    ),
)

MUCH = (
    _asked(
        "memory-bomb",
        "asks for memory without end",
        "nothing memory",
        "hoard = []\nwhile True:\n    hoard.append(np.empty(2**24))",
    ),
    _cell(
        "memory-bomb-cell",
        "asks for memory without end in a cell",
        "hoard = []\nwhile True:\n    hoard.append(np.empty(2**24))",
        "MemoryError",
    ),
    _asked("memory-at-once", "one array of a terabyte", "nothing memory", "np.ones(2**37).sum()"),
    _asked(
        "memory-in-children",
        "eight children that hold 200 MiB each",
        "nothing memory",
        """
import os, time
left = 8
while True:
    try:
        while left:
            left -= 1
            if os.fork() == 0:
                hoard = b"x" * (200 * 2**20)
                time.sleep(100)
                os._exit(0)
        time.sleep(100)
    except:
        pass
""",
    ),
    _asked(
        "output-flood",
        "prints without end when asked",
        "nothing output_limit",
        'while True:\n    print("x" * 1_000_000)',
    ),
    _cell(
        "output-flood-cell",
        "prints without end in a cell",
        'while True:\n    print("x" * 1_000_000)',
        "the rest of this cell's output was cut",
    ),
    _asked(
        "output-flood-descriptor",
        "writes to descriptors 1 and 2 without end",
        "nothing timeout",
        'import os\nwhile True:\n    os.write(1, b"x" * 65536)\n    os.write(2, b"x" * 65536)',
    ),
    _asked(
        "output-flood-process",
        "a program that prints without end",
        "nothing timeout",
        'import subprocess\nsubprocess.run(["yes"])',
    ),
    _cell("display-flood", "10 000 displays", "for i in range(10_000):\n    display(i)"),
    _cell(
        "file-flood",
        "makes files until it may no more",
        """
made = 0
try:
    while True:
        open(f"file-{made}", "w").close()
        made += 1
except OSError as error:
    print("stopped:", error)
""",
        "No space left on device",
    ),
    _cell(
        "file-giant",
        "one file without end",
        """
try:
    with open("giant", "wb") as file:
        while True:
            file.write(bytes(2**20))
except OSError as error:
    print("stopped:", error)
""",
        "File too large",
    ),
    _cell(
        "disk-full",
        "many large files, in every place that takes them",
        """
for place in (".", "/tmp", "/dev/shm"):
    try:
        for number in range(100):
            with open(f"{place}/large-{number}", "wb") as file:
                file.write(bytes(30 * 2**20))
        print("no limit in", place)
    except OSError as error:
        print("stopped:", place, error)
""",
        "stopped: .",
        "stopped: /tmp",
        "stopped: /dev/shm",
    ),
    _cell(
        "descriptors-used-up",
        "opens files until it may no more, and keeps them",
        """
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError as error:
    print("stopped:", error)
""",
        "Too many open files",
    ),
    _cell(
        "limits-raised",
        "raises its own limits",
        """
import resource
for which in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE,
              resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("raised", which)
    except (ValueError, OSError):
        print("refused", which)
""",
        "refused 9",
        "refused 6",
        "refused 7",
        "refused 1",
    ),
)

CASES = ENDINGS + ENDLESS + MANY + MUCH
