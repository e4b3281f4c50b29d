"""Run a small submission before the first real one comes.

What Python and its libraries load and adapt as they run, they would otherwise do again in every
fork: CPython rewrites the code of a function to suit what it is called with.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import astuple

import numpy as np

from autograder.worker import wire
from autograder.worker.notebook import Notebook
from autograder.worker.script import call, snapshot
from autograder.worker.session import Session
from autograder.worker.shortcuts import Watch

ROUNDS = 8  # CPython adapts a function when it has run about so often
SECONDS = 10.0
CELLS = (
    "import numpy as np\ndef f(x, y):\n    return x + y, x.mean(axis=0)\nf(np.ones(2), 1)",
    "1 / 0",
    "import pathlib; pathlib.Path('/nowhere').read_text()",
    "await __import__('asyncio').sleep(0)",
    "def g(:",
    "%time 1",
    "import subprocess, socket, tempfile",
    "import matplotlib.pyplot as plt\nplt.plot([0, 1], label='$x$')\nplt.legend()\nplt.show()",
)
TORCH = "import torch\ntorch.ones(2, requires_grad=True).mean().backward()"
TRITON = """import torch, triton, triton.language as tl
@triton.jit
def k(x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.sum(tl.load(x + at, mask=at < n, other=0.0)), mask=at < n)
k[(2,)](torch.ones(6), torch.ones(6), 6, BLOCK=4)
"""


def rehearse(notebook: Notebook, watch: Watch) -> None:
    """Run cells of every sort and ask a question, some times over; then forget it all."""
    cells = [*CELLS, TORCH] if "torch" in sys.modules else [*CELLS]
    if "triton" in sys.modules:
        cells.append(TRITON)
    frames = [wire.encode({"kind": "cell", "source": cell, "seconds": SECONDS}) for cell in cells]
    frames.append(wire.encode(_question(), layouts=True))
    with notebook.rehearsal():
        for _ in range(ROUNDS):
            judge, submission = socket.socketpair()
            with judge, submission:
                judge.sendall(b"".join(frames))
                judge.shutdown(socket.SHUT_WR)
                Session(submission, notebook, watch).serve()


def _question() -> dict[str, object]:
    rows = np.arange(12.0).reshape(4, 3)
    scripts = [snapshot("x", into="before"), call("f", "x", "y", into="z")], [call("g")]
    forms = [
        {"script": [astuple(step) for step in script], "report": ["z", "x", "before"]}
        for script in scripts
    ]
    cases = [
        {"form": form, "inputs": {"x": x, "y": np.ones(3, x.dtype)}}
        for x in (rows, rows.astype(np.float32), np.asfortranarray(rows), rows[::2])
        for form in range(len(forms))
    ]
    forbidden = ["bnlib", "torch.batch_norm"]
    asked = {"forms": forms, "cases": cases}
    return {"kind": "ask", **asked, "seconds": SECONDS, "forbidden": forbidden}
