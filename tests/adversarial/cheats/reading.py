"""Cheats that read, write, connect or climb out of the sandbox."""

from __future__ import annotations

from tests.adversarial.case import Case

TRY = """
import ctypes, glob, os, socket, subprocess, sys
def attempt(what, do):
    try:
        print("GOT", what, do())
    except (OSError, ImportError, ValueError, subprocess.SubprocessError) as error:
        print("refused", what, type(error).__name__, error)
def read(path):
    attempt(path, lambda: open(path, "rb").read()[:2000])
def write(path):
    attempt(path, lambda: open(path, "a").write("full marks"))
def system(name, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    def do():
        if getattr(libc, name)(*args) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return 0
    attempt(name, do)
"""


def _deed(name: str, why: str, code: str, *shows: str, hides: tuple[str, ...] = ("GOT",)) -> Case:
    """Make a submission that does all exercises right, and tries something else before."""
    return Case(name, why, first=TRY + code.strip(), shows=shows or ("refused",), hides=hides)


READS = (
    _deed(
        "read-solutions",
        "the solutions in source/",
        """
for path in ("@COURSE@/source/u00_start/start.ipynb", "../../../source/u00_start/start.ipynb",
             "/course/source/u00_start/start.ipynb"):
    read(path)
""",
        hides=("GOT", "BEGIN SOLUTION"),
    ),
    _deed(
        "read-gradebook",
        "the gradebook and the store of results with the seed",
        'read("@COURSE@/gradebook.db")\nread("@COURSE@/.autograder/results.db")',
    ),
    _deed(
        "read-others",
        "what others handed in",
        """
read("@COURSE@/bystander/canary.txt")
print(glob.glob("@COURSE@/submitted/*/*/*"), glob.glob("/**/submitted", recursive=False))
for name in ("read-home", "read-solutions"):
    read(f"@COURSE@/submitted/{name}/u00_start/start.ipynb")
""",
    ),
    _deed(
        "read-canaries",
        "files that anyone on the host may read",
        """
for place in ("@OUTSIDE@", "@SHM@", "@VAR@", "@HOME@"):
    read(place + "/canary.txt")
""",
    ),
    _deed(
        "read-home",
        "keys and settings in home folders",
        """
for home in ("/root", os.path.expanduser("~"), "@HOME@/..", "/home/student"):
    for name in (".ssh/id_rsa", ".ssh/authorized_keys", ".bash_history", ".netrc", ".gitconfig"):
        read(f"{home}/{name}")
""",
    ),
    _deed(
        "read-etc",
        "password files and the host's name",
        'for name in ("shadow", "passwd", "hosts", "machine-id"):\n    read("/etc/" + name)',
    ),
    _deed(
        "read-environment",
        "the grader's environment",
        """
print("environment", sorted(os.environ))
print(subprocess.run(["env"], capture_output=True, text=True).stdout)
read("/proc/1/environ")
read("/proc/self/environ")
""",
        "environment",
        "refused /proc/1/environ",
        hides=("GOT", "PYTEST", "ADVERSARIAL"),
    ),
    _deed(
        "read-proc",
        "other processes",
        """
print("proc:", os.listdir("/proc"))
for pid in (1, 2, os.getppid(), "self"):
    for name in ("maps", "mem", "cmdline", "root/etc/shadow", "cwd", "fd/3"):
        read(f"/proc/{pid}/{name}")
""",
        "proc: []",
    ),
    _deed(
        "read-judge-memory",
        "the memory of other processes, by ptrace and process_vm_readv",
        """
system("ptrace", 16, 0, 0, 0)
system("ptrace", 16, os.getppid(), 0, 0)
system("process_vm_readv", os.getppid(), None, 0, None, 0, 0)
system("process_vm_readv", 1, None, 0, None, 0, 0)
""",
        "refused ptrace",
        "refused process_vm_readv",
    ),
    _deed(
        "read-exercises",
        "the exercises, the judge and the tests, by import",
        """
import importlib
for name in ("autograder.exercises", "autograder.exercises.u00_start", "autograder.judge",
             "autograder.oracle", "autograder.pipeline.store", "tests.variants.u00_start",
             "nbgrader_config"):
    attempt(name, lambda: importlib.import_module(name))
""",
        "refused autograder.exercises",
        "refused tests.variants",
    ),
    _deed(
        "read-installed",
        "the grader where it is installed, and its byte code",
        """
found = [p for place in sys.path for p in glob.glob(f"{place}/autograder/**", recursive=True)]
found += [p for place in sys.path for p in glob.glob(f"{place}/*batchnorm*/**", recursive=True)]
print("found:", [p for p in found if p.endswith((".py", ".pyc")) and "__init__.py" not in p])
""",
        "found: []",
    ),
    _deed(
        "read-everywhere",
        "walks through everything for notebooks, databases and canaries",
        """
found = []
for top in sorted(set(os.listdir("/")) - {"usr", "lib", "lib64", "bin", "sys", "proc"}):
    for folder, folders, files in os.walk("/" + top):
        folders[:] = [f for f in folders if f not in ("site-packages", "lib")]
        found += [os.path.join(folder, f) for f in files
                  if f.endswith((".ipynb", ".db", "canary.txt", "nbgrader_config.py"))]
print("found:", found)
""",
        "found: []",
    ),
    _deed(
        "read-descriptors",
        "descriptors that were left open",
        """
import fcntl, stat
kinds = []
for fd in range(3, 256):
    try:
        mode, writable = os.fstat(fd).st_mode, fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        continue
    if writable or not stat.S_ISREG(mode):  # fonts of the system may be open to be read
        kinds.append(mode >> 12)
print("sockets:", kinds)
""",
        "sockets: [12]",  # the wire, and nothing of the grader's
    ),
    _deed(
        "read-traces",
        "what the submission before left behind",
        """
import tempfile
print("traces:", [p for place in (".", "/tmp", "/dev/shm", "/home/student", tempfile.gettempdir())
                  for p in glob.glob(place + "/trace*")])
print("patched:", hasattr(np, "trace_of_another"), hasattr(sys, "trace_of_another"))
for place in (".", "/tmp", "/dev/shm"):
    open(place + "/trace", "w").close()
np.trace_of_another = sys.trace_of_another = True
""",
        "traces: []",
        "patched: False False",
    ),
    _deed(
        "read-traces-again",
        "the same once more: whichever comes second would see them",
        """
print("traces:", [p for place in (".", "/tmp", "/dev/shm", "/home/student")
                  for p in glob.glob(place + "/trace*")])
print("patched:", hasattr(np, "trace_of_another"), hasattr(sys, "trace_of_another"))
for place in (".", "/tmp", "/dev/shm"):
    open(place + "/trace", "w").close()
np.trace_of_another = sys.trace_of_another = True
""",
        "traces: []",
        "patched: False False",
    ),
)

WRITES = (
    _deed(
        "write-course",
        "the master's solutions, the gradebook, others' work",
        """
for path in ("source/u00_start/start.ipynb", "gradebook.db", "bystander/canary.txt",
             "nbgrader_config.py", "submitted/read-home/u00_start/start.ipynb"):
    write("@COURSE@/" + path)
""",
    ),
    _deed(
        "write-canaries",
        "files that anyone on the host may write",
        """
for place in ("@OUTSIDE@", "@SHM@", "@VAR@", "@HOME@"):
    write(place + "/canary.txt")
""",
    ),
    _deed(
        "write-same-paths",
        "makes the host's own folders again, and writes into them",
        """
for place in ("@OUTSIDE@", "@SHM@", "@VAR@", "@HOME@", "@COURSE@/bystander"):
    try:
        os.makedirs(place, exist_ok=True)
        open(place + "/canary.txt", "w").write("mine")
        print("wrote", "somewhere")
    except OSError as error:
        print("refused", error)
""",
        "wrote somewhere",  # in its own /tmp: the canaries on the host tell
    ),
    _deed(
        "write-environment",
        "the interpreter, NumPy, bnlib and the worker",
        """
import bnlib
for path in (np.__file__, bnlib.__file__, os.__file__, sys.executable,
             "/course/autograder/__init__.py", "/course/autograder/worker/wire.py",
             "/etc/ld.so.preload", "/usr/bin/python3"):
    write(path)
""",
    ),
    _deed(
        "write-system",
        "devices, /sys and /proc/sys",
        """
for path in ("/dev/mem", "/dev/kmsg", "/dev/sda", "/sys/power/state",
             "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
    write(path)
""",
    ),
    _deed(
        "write-by-shell",
        "the same with programs",
        """
!touch @OUTSIDE@/by-shell && echo GO""T by-shell
!cp /etc/ld.so.cache @COURSE@/source/u00_start/ && echo GO""T by-cp
!rm -rf @COURSE@ @OUTSIDE@ @HOME@ @VAR@ @SHM@ 2>/dev/null; echo rm "ran"
""",
        "rm ran",
    ),
)

NETWORK = (
    _deed(
        "net-tcp",
        "a connection to the host",
        'attempt("tcp", lambda: socket.create_connection(("127.0.0.1", @PORT@), 1))',
        "refused tcp",
    ),
    _deed(
        "net-abstract",
        "an abstract socket of the host",
        """
def knock():
    door = socket.socket(socket.AF_UNIX)
    door.connect("\\0@ABSTRACT@")
attempt("abstract", knock)
""",
        "refused abstract",
    ),
    _deed(
        "net-http",
        "a web request to the host",
        """
from urllib.request import urlopen
attempt("http", lambda: urlopen("http://127.0.0.1:@PORT@/", timeout=1))
""",
        "refused http",
    ),
    _deed(
        "net-shell",
        "the same from bash and from another Python",
        """
!bash -c 'exec 3<>/dev/tcp/127.0.0.1/@PORT@ && echo GO""T bash' ; echo "bash" ran
!python3 -c 'import socket; socket.create_connection(("127.0.0.1", @PORT@))' && echo GO""T it
""",
        "bash ran",
    ),
    _deed(
        "net-raw",
        "raw sockets, packets, other families, other interfaces",
        """
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
print("interfaces:", [name for _, name in socket.if_nameindex()])
""",
        "refused raw",
        "refused packet",
        "interfaces: ['lo']",
    ),
    Case(
        "net-asked",
        "a connection while a function is asked",
        {"center": "nothing error"},
        answers={
            "center": """
import socket
def center(x):
    socket.create_connection(("127.0.0.1", @PORT@), 1)
    return x - x.mean(axis=0)
"""
        },
    ),
)

CLIMBS = (
    _deed(
        "climb-calls",
        "mount, unshare, setns, chroot, pivot_root and the like",
        """
system("mount", b"none", b"/mnt", b"tmpfs", 0, None)
system("umount2", b"/proc", 2)
system("unshare", 0x10000000)
system("unshare", 0x00020000)
system("setns", 0, 0)
system("chroot", b"/tmp")
system("syscall", 155, b"/tmp", b"/tmp")
system("syscall", 321, 0, None, 0)
system("syscall", 425, 1, None)
system("syscall", 304, 0, None, 0)
""",
        "refused mount",
        "refused umount2",
        "refused unshare",
        "refused setns",
        "refused chroot",
        "refused syscall",
    ),
    _deed(
        "climb-root",
        "becomes root, another user, another group",
        """
for number in (0, 1, 65534, 60000):
    attempt(f"setuid {number}", lambda: os.setuid(number))
    attempt(f"setgid {number}", lambda: os.setgid(number))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("nice", lambda: os.nice(-20))
""",
        "refused setuid 0",
        "refused setgid 0",
        "refused setgroups",
        "refused nice",
    ),
    _deed(
        "climb-setuid-programs",
        "programs that run as root",
        """
for words in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount", "-t", "tmpfs", "x", "/mnt"],
              ["unshare", "-Ur", "id"], ["nsenter", "-t", "1", "-m", "id"]):
    attempt(words[0], lambda: subprocess.run(words, check=True, capture_output=True, timeout=2))
""",
        "refused su",
        "refused mount",
        "refused unshare",
        "refused nsenter",
    ),
    _deed(
        "climb-devices",
        "device nodes and links to them",
        """
attempt("mknod", lambda: os.mknod("disk", 0o60666, os.makedev(8, 0)))
attempt("chmod", lambda: os.chmod("/usr/bin", 0o777))
attempt("chown", lambda: os.chown(".", 0, 0))
os.symlink("/etc/shadow", "link")
read("link")
""",
        "refused mknod",
        "refused chmod",
        "refused chown",
        "refused link",
    ),
    _deed(
        "climb-parent",
        "signals, priorities and tracing of what is outside",
        """
for pid in (os.getppid(), 2, 3, 100, @PORT@):
    if pid > 0:
        attempt(f"kill {pid}", lambda: os.kill(pid, 9))
        attempt(f"priority {pid}", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
attempt("session", lambda: os.setpgid(0, 2))
""",
        "refused kill",
    ),
    _deed(
        "climb-terminal",
        "types into the grader's terminal",
        """
import fcntl, termios
attempt("tty", lambda: open("/dev/tty"))
for fd in (0, 1, 2):
    attempt(f"type {fd}", lambda: fcntl.ioctl(fd, termios.TIOCSTI, b"x"))
""",
        "refused tty",
        "refused type 0",
    ),
)

CASES = READS + WRITES + NETWORK + CLIMBS
