"""Run experiments, each in a process of its own, several at a time; keep what is done."""

import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tqdm import tqdm

from bnlib.errors import ParameterError
from bnlib.experiments.catalogue import experiment
from bnlib.experiments.records import RESULTS, Record, is_current, load, record, save
from bnlib.experiments.vocabulary import Scale


def outdated(names: Sequence[str], folder: Path = RESULTS) -> list[str]:
    """Return those experiments that have never run, or not as they are now."""
    found = [(name, load(name, folder)) for name in names]
    return [name for name, known in found if known is None or not is_current(known)]


def measure(name: str, scale: Scale) -> Record:
    """Run one experiment here and now, on one thread, and return what it found."""
    import torch

    tried = experiment(name)
    torch.set_num_threads(1)  # the others run beside it
    start = time.process_time()  # not by the clock: what else runs must not count
    outcome = tried.run(scale)
    return record(tried, replace(outcome, seconds=round(time.process_time() - start, 1)))


def run(
    names: Sequence[str], *, jobs: int = 2, scale: Scale | None = None, folder: Path = RESULTS
) -> list[str]:
    """Run experiments and write their records; return the ids of those that failed.

    Parameters
    ----------
    names : sequence of str
        Ids.
    jobs : int, default 2
        How many at a time, each on one thread.
    scale : Scale or None, default None
        How much work each does. None: the full `Scale()`.
    folder : Path
        Where records go. Each is written by the process that ran the experiment, when it is done;
        an interrupt ends the others and keeps these.

    Raises
    ------
    ParameterError
        If there is no experiment of a name, or `jobs` is less than 1.
    KeyboardInterrupt
        After the running ones have been ended.
    """
    if jobs < 1:
        raise ParameterError(f"jobs must be at least 1; got {jobs}.")
    for name in names:
        experiment(name)  # a wrong name comes to light now, and not in an hour
    waiting, failed = list(names), []
    with _processes() as running, tqdm(total=len(names), unit="experiment", smoothing=0) as bar:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                running[name] = _start(name, scale or Scale(), folder)
            bar.set_postfix_str(", ".join(running))
            ready = wait([process.sentinel for process in running.values()])
            for name in [name for name, process in running.items() if process.sentinel in ready]:
                running[name].join()  # it is ending, and may take a moment to be gone
                if running.pop(name).exitcode:
                    failed.append(name)
                bar.update()
    return failed


@contextmanager
def _processes() -> Iterator[dict[str, SpawnProcess]]:
    """Hold running processes by name; whatever is left at the end is ended."""
    running: dict[str, SpawnProcess] = {}
    try:
        yield running
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join()


def _start(name: str, scale: Scale, folder: Path) -> SpawnProcess:
    """Start a process that runs one experiment and writes its record."""
    process = multiprocessing.get_context("spawn").Process(
        target=_measure_and_save, args=(name, scale, folder), daemon=True
    )
    process.start()
    return process


def _measure_and_save(name: str, scale: Scale, folder: Path) -> None:
    """Run one experiment; an interrupt is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    save(measure(name, scale), folder)
