"""Run jobs side by side: in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from autograder.errors import GradingError
from autograder.pipeline.job import Graded, Job, grade
from autograder.sandbox import SandboxError

AHEAD = 2  # jobs that wait for each lane: enough to keep it busy, few enough to keep memory flat
ANSWER_SECONDS = 20.0  # that a scheduler has to answer in
LOSSES = 3  # of one job with its process, before it counts as a fault of ours

Outcome = Graded | GradingError
Done = tuple[Any, Outcome]


class Engine(Protocol):
    """What runs jobs."""

    def run(self, jobs: Iterable[tuple[Any, Job]]) -> Iterator[Done]:
        """Run named jobs; yield each name with what became of it, as they finish."""


class LocalPool:
    """Processes on this machine, each with a warm worker of its own.

    A process that dies takes its job along, and the pool with it: a new pool does what is left.

    Parameters
    ----------
    workers
        How many.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None:  # Ctrl-C, say: nobody waits for what is running
            for lane in multiprocessing.active_children():
                lane.kill()
        self.close()

    def close(self) -> None:
        """End the processes, and their workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def run(self, jobs: Iterable[tuple[Any, Job]]) -> Iterator[Done]:
        """Run named jobs; yield each name with what became of it, as they finish."""
        waiting = iter(jobs)
        again: list[tuple[Any, Job, int]] = []
        running: dict[Future[Graded], tuple[Any, Job, int]] = {}
        while True:
            while len(running) < AHEAD * self._workers:
                entry = again.pop() if again else _next(waiting)
                if entry is None:
                    break
                try:
                    running[self._start().submit(_in_lane, entry[1])] = entry
                except BrokenProcessPool:
                    again.append(entry)
                    if running:  # those are lost, too: below, where the pool is closed
                        break
                    self.close()
            if not running and not again:
                return
            done, _ = futures.wait(running, return_when=futures.FIRST_COMPLETED)
            for future in done:
                name, job, losses = running.pop(future)
                error = future.exception()
                if isinstance(error, BrokenProcessPool) and losses + 1 < LOSSES:
                    again.append((name, job, losses + 1))
                else:
                    yield name, _outcome(future, error)
            if any(isinstance(f.exception(), BrokenProcessPool) for f in done):
                self.close()

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._workers, context, initializer=_prepare_lane, initargs=(os.getpid(),)
            )
        return self._pool


def _next(waiting: Iterator[tuple[Any, Job]]) -> tuple[Any, Job, int] | None:
    entry = next(waiting, None)
    return None if entry is None else (*entry, 0)


def _outcome(future: Future[Graded], error: BaseException | None) -> Outcome:
    if error is None:
        return future.result()
    if isinstance(error, GradingError):
        return error
    return SandboxError(f"The process that graded it was lost: {type(error).__name__}: {error}")


def _prepare_lane(main: int) -> None:
    """Leave Ctrl-C to the main process, and use one thread: the lanes are the parallelism."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    _end_with_parent()
    if os.getppid() != main:  # it was killed before the kernel was asked
        os._exit(1)


def _end_with_parent() -> None:
    """Ask the kernel to end this lane if the main process is killed; Linux only."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def _in_lane(job: Job) -> Graded:
    return grade(job)


class DaskCluster:
    """The same jobs on a Dask cluster; the scheduler repeats what a lost worker had in hand.

    Parameters
    ----------
    address
        The scheduler's address: ``tcp://host:8786``.

    Raises
    ------
    GradingError
        If Dask is not installed, or nobody answers there.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise GradingError(
                "Grading on a cluster needs Dask: pip install 'batchnorm-course[dask]'."
            ) from error
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=ANSWER_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise GradingError(
                f"No Dask scheduler answers at {address} ({error}): start one with `dask "
                "scheduler`, and workers with `dask worker ADDRESS --nthreads 1`."
            ) from error

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def run(self, jobs: Iterable[tuple[Any, Job]]) -> Iterator[Done]:
        """Run named jobs; yield each name with what became of it, as they finish."""
        import distributed

        waiting = iter(jobs)
        names: dict[Any, Any] = {}
        as_completed: Any = distributed.as_completed
        finished = as_completed(loop=self._client.loop)

        def submit() -> None:
            entry = next(waiting, None)
            if entry is not None:
                future = self._client.submit(grade, entry[1], pure=False, retries=LOSSES)
                names[future.key] = entry[0]
                finished.add(future)

        lanes = max(sum(self._client.nthreads().values()), 1)
        for _ in range(AHEAD * lanes):
            submit()
        for future in finished:
            submit()
            error = future.exception()
            yield names.pop(future.key), _outcome(future, error)
            future.release()


def open_engine(workers: int, address: str | None) -> LocalPool | DaskCluster:
    """Return what runs jobs: processes here, or the cluster at `address`."""
    return LocalPool(workers) if address is None else DaskCluster(address)


__all__ = ["DaskCluster", "Engine", "LocalPool", "Outcome", "open_engine"]
