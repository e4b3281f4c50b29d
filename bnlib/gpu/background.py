"""A queue that is worked off beside the caller: what a stream of a GPU is, on any computer.

Real work in real time, by one thread. Whoever puts work in gets control back at once, and a clock
read then tells nothing of the work.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType


class Background:
    """One worker and its queue; a context manager, so that the worker ends with the block.

    Examples
    --------
    >>> found = []
    >>> with Background() as queue:
    ...     queue.launch(lambda: found.append("done"))
    ...     queue.synchronize()
    >>> found
    ['done']
    """

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._waiting: list[Future[object]] = []

    def launch(self, work: Callable[[], object]) -> None:
        """Put work into the queue, and come back at once."""
        self._waiting.append(self._worker.submit(work))

    def synchronize(self) -> None:
        """Wait until the queue is empty; what a piece of work raised is raised here.

        So it is on a GPU: an error shows where one waits, not where it happened.
        """
        waiting, self._waiting = self._waiting, []
        for piece in waiting:
            piece.result()

    def __enter__(self) -> "Background":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._worker.shutdown(wait=True)
