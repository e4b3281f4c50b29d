"""Run a command as a user would, with a clock and an eye on its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.grading.memory import Taken, Watcher

BIN = Path(sys.executable).parent
SEED = 4  # of everyone's cases: marks can only agree on the same ones
COMMAND_SECONDS = 3600


@dataclass(frozen=True)
class Ran:
    """What a command took."""

    seconds: float
    """From its start to its end."""
    peak: Taken
    """Most memory of it and its descendants."""
    watching: float
    """Processor time of looking at the memory, as a share of the seconds."""


def run(
    commands: Sequence[Sequence[str | Path]],
    folder: Path,
    look: float | None,
    at_once: int = 1,
) -> Ran:
    """Run commands in `folder`, some of them at once; raise if one fails.

    Parameters
    ----------
    commands
        Programs with their arguments.
    folder
        Where; it also gets their home folder and a log.
    look
        Seconds between two looks at the memory; None to leave them alone.
    at_once
        How many may run side by side.
    """
    waiting: list[Sequence[str | Path]] = list(commands)
    running: list[subprocess.Popen[bytes]] = []
    watcher = Watcher(lambda: [p.pid for p in list(running)], look) if look else None
    if watcher is not None:
        watcher.start()
    start = time.perf_counter()
    with (folder / "log.txt").open("ab") as log:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_start(waiting.pop(0), folder, log))
            running.remove(_wait_for_one(running, folder / "log.txt"))
    seconds = time.perf_counter() - start
    if watcher is None:
        return Ran(seconds, Taken(0, 0), 0.0)
    watcher.stop()
    return Ran(seconds, watcher.peak, watcher.busy / seconds)


def environment(folder: Path) -> dict[str, str]:
    """Return what the commands get: nothing of the user's own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER_", "NBGRADER_"))}
    return kept | {
        "HOME": str(folder / "home"),
        "PATH": f"{BIN}:{os.environ['PATH']}",  # as in an activated environment
        "OMP_NUM_THREADS": "1",
        "AUTOGRADER_SEED": str(SEED),
        "BATCHNORM_COURSE_PROGRESS": str(folder / "home" / "progress.json"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def _start(command: Sequence[str | Path], folder: Path, log: object) -> subprocess.Popen[bytes]:
    (folder / "home").mkdir(exist_ok=True)
    words = [str(word) for word in command]
    return subprocess.Popen(
        words, cwd=folder, env=environment(folder), stdout=log, stderr=log,
        stdin=subprocess.DEVNULL,
    )  # type: ignore[call-overload, no-any-return]  # fmt: skip


def _wait_for_one(running: list[subprocess.Popen[bytes]], log: Path) -> subprocess.Popen[bytes]:
    end = time.monotonic() + COMMAND_SECONDS
    while True:
        for process in running:
            if process.poll() is None:
                continue
            if process.returncode != 0:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise RuntimeError(f"{process.args} ended with {process.returncode}:\n{tail}")
            return process
        if time.monotonic() > end:
            raise TimeoutError(f"{running[0].args} does not end.")
        time.sleep(0.01)
