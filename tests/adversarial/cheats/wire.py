"""Cheats on the wire: the socket to the judge, found and used by student code."""

from __future__ import annotations

from tests.adversarial.case import IDLE, Case

FIND = """
import os, socket, stat, struct, json
def wires():
    found = []
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.append(fd)
        except OSError:
            pass
    return found
def frame(message, body=b""):
    header = json.dumps(message).encode()
    return struct.pack(">4sII", b"BNW1", len(header), len(body)) + header + body
def say(data):
    for fd in wires():
        os.write(fd, data)
RAN = {"kind": "ran", "outputs": ["l"], "stopped": "", "error": "", "seconds": 0.1}
PART = {"values": {"centered": 1.0, "x": 1.0}, "failure": None, "seconds": 0.1,
        "shortcuts": ["l"], "score": 1.0, "verdict": "passed"}
ANSWER = {"kind": "answers", "answers": ["l", PART], "score": 1.0, "verdict": "passed"}
MANY = {"kind": "answers", "answers": ["l", *[PART] * 40]}
print("wires", len(wires()))
"""
LATE = {"center": "nothing wrong", "column_scale": "nothing tampered"}
BOTH = {"center": "nothing tampered", "column_scale": "nothing tampered"}
ONE = {"center": "nothing tampered"}


def _in_cell(name: str, why: str, code: str, gets: dict[str, str]) -> Case:
    """Make a cheat that meddles in a cell of its own, and has an answer worth nothing."""
    source = FIND + code
    return Case(name, why, gets, first=source, answers={"center": IDLE})


def _in_answer(name: str, why: str, code: str, gets: dict[str, str]) -> Case:
    """Make a cheat that meddles while it is asked."""
    center = f"def center(x):\n{code.rstrip()}\n    return x\n"
    shows = ("wires 1",)  # there is one, and it was found
    return Case(name, why, gets, first=FIND, answers={"center": center}, shows=shows)


IN_CELLS = (
    _in_cell(
        "wire-forged-answers",
        "writes forged answers before the question comes",
        "say(frame(RAN) + frame(ANSWER) * 40)",
        LATE,
    ),
    _in_cell(
        "wire-double-reply",
        "answers its own cell twice: all that follows would be one late",
        "say(frame(RAN))",
        BOTH,
    ),
    _in_cell(
        "wire-forged-result",
        "sends a finished result with full marks",
        'say(frame({"kind": "result", "exercise": "u00.center", "score": 1.0, "max_score": 1.0}))',
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-garbage",
        "writes a megabyte of noise",
        "say(bytes(range(256)) * 4096)",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-huge-header",
        "announces a frame of 4 GiB",
        'say(struct.pack(">4sII", b"BNW1", 2**32 - 1, 2**32 - 1))',
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-drip",
        "announces 20 MiB and lets them drip in",
        """
import time
say(struct.pack(">4sII", b"BNW1", 20 * 2**20, 0))
for _ in range(1000):
    say(b" ")
    time.sleep(0.01)
""",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-deep-json",
        "sends JSON nested a hundred thousand deep",
        'text = b"[" * 100_000\nsay(struct.pack(">4sII", b"BNW1", len(text), 0) + text)',
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-closed",
        "closes the wire",
        "for fd in wires():\n    os.close(fd)",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-shut-down",
        "shuts the wire down in both directions",
        """
for fd in wires():
    socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_RDWR)
""",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-replaced",
        "puts a pipe where the wire was",
        """
read, write = os.pipe()
for fd in wires():
    os.dup2(write, fd)
""",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-descriptors-sent",
        "passes 200 descriptors to the judge",
        """
for fd in wires():
    end = socket.socket(fileno=os.dup(fd))
    socket.send_fds(end, [b"x"], [0] * 200)
""",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-thread-writes",
        "a thread writes forged answers whenever it can",
        """
import threading, time
def flood():
    while True:
        say(frame(ANSWER))
        time.sleep(0.0005)
threading.Thread(target=flood, daemon=True).start()
time.sleep(0.2)
""",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-fork-in-cell",
        "a forked child goes on as the submission, and answers, too",
        """
import time
if os.fork() == 0:
    time.sleep(0.1)
""",
        {"center": "nothing wrong"},
    ),
    _in_cell(
        "wire-fork-writes",
        "a child that outlives its cell writes forged answers",
        """
import time
if os.fork() == 0:
    try:
        while True:
            say(frame(ANSWER))
            time.sleep(0.001)
    finally:
        os._exit(0)
time.sleep(0.2)
""",
        {"center": "nothing wrong"},
    ),
)

IN_ANSWERS = (
    _in_answer(
        "wire-too-many-answers",
        "sends more answers in one message than cases were asked",
        "    say(frame(MANY))",
        ONE,
    ),
    _in_answer(
        "wire-answer-forged",
        "the asked function sends an answer of its own",
        "    say(frame(ANSWER))",
        LATE,
    ),
    _in_answer(
        "wire-answers-forged",
        "the asked function sends all answers, and ends the process",
        "    say(frame(ANSWER) * 40)\n    os._exit(0)",
        LATE,
    ),
    _in_answer("wire-answer-garbage", "the asked function writes noise", "    say(bytes(64))", ONE),
    _in_answer(
        "wire-answer-closed",
        "the asked function closes the wire",
        "    for fd in wires():\n        os.close(fd)",
        {"center": "nothing crashed"},
    ),
    _in_answer(
        "wire-answer-fork",
        "the asked function forks, and both return",
        "    os.fork()",
        {"center": "nothing wrong"},
    ),
    _in_answer(
        "wire-answer-read",
        "the asked function reads what comes next on the wire",
        "    for fd in wires():\n        os.set_blocking(fd, True)\n        os.read(fd, 100000)",
        {"center": "nothing timeout"},
    ),
    _in_answer(
        "wire-answer-failure-type",
        "its answer's failure is no failure but a list of marks",
        '    say(frame({**ANSWER, "answers": ["l", {**PART, "failure": ["l", 1.0]}]}))',
        ONE,
    ),
    _in_answer(
        "wire-answer-pickle",
        "sends a pickle that would run a command",
        "    import pickle\n    class Run:\n        def __reduce__(self):\n"
        '            return os.system, ("touch @OUTSIDE@/pickled",)\n    say(pickle.dumps(Run()))',
        ONE,
    ),
)

CASES = IN_CELLS + IN_ANSWERS
