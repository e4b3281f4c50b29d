"""Run cells as Jupyter would: one IPython shell without kernel, front end or history."""

from __future__ import annotations

import base64
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from IPython.core import pylabtools
from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.worker.figures import print_figure
from autograder.worker.outputs import OutputFloodError, Outputs, text_stream

TRACEBACK_LINES = 60  # of an error's traceback that are kept: the last ones
MESSAGE_LIMIT = 2000  # characters of an error's message
# what IPython changes: magics, system commands, help, prompts, lines of blanks
IPYTHONS_OWN = re.compile(
    r"\A\s|^[^\S\n]+$|^\s*(?:[%!?,;/]|>>>|\.\.\.|In \[)|\?\s*$|=[\s\\]*[%!]", re.MULTILINE
)
RING_AGAIN = 0.25  # seconds: an `except:` in a loop may swallow the first alarm


class TimeUpError(BaseException):
    """The time is up; a `BaseException`, so that `except Exception` lets it pass."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise `TimeUpError` in the block once it has run for `seconds`, and again until it ends."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TimeUpError(f"it was stopped after {seconds:g} seconds")

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, RING_AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass(frozen=True)
class Ran:
    """What one cell did."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    """Outputs as nbformat writes them."""
    stopped: str = ""
    """Why it was stopped: `TimeLimit`, `OutputLimit` or `MemoryError`; empty if it was not."""
    error: str = ""
    """The exception that ended it, if any: ``SyntaxError: '(' was never closed``."""
    seconds: float = 0.0
    """Wall time."""


STOPPED: dict[type[BaseException], str] = {
    TimeUpError: "TimeLimit",
    OutputFloodError: "OutputLimit",
    MemoryError: "MemoryError",
}


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    """Where `display` ends up."""

    outputs: Outputs

    def publish(self, data: Any, metadata: Any = None, **_options: Any) -> None:
        """Keep one display."""
        _keep(self.outputs, "display_data", data)

    def clear_output(self, wait: bool = False) -> None:
        """Forget what was shown."""
        self.outputs.clear()


class _Hook(DisplayHook):  # type: ignore[misc]
    """Where the value of a cell's last line ends up."""

    outputs: Outputs

    def write_output_prompt(self) -> None:
        """Print no prompt."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Keep the value."""
        _keep(self.outputs, "execute_result", format_dict)


def _keep(outputs: Outputs, kind: str, data: Any) -> None:
    shown = {str(mime): _text(value) for mime, value in dict(data).items()}
    known = {mime: text for mime, text in shown.items() if text is not None}
    output: dict[str, Any] = {"output_type": kind, "data": known, "metadata": {}}
    if kind == "execute_result":
        output["execution_count"] = None
    outputs.add(output, sum(map(len, known.values())))


def _text(value: Any) -> str | None:
    """Return texts, and pictures in base64; what only a program in the browser could show, not."""
    if type(value) is bytes:
        return base64.b64encode(value).decode()
    return str.__str__(value) if isinstance(value, str) else None


class _Shell(InteractiveShell):  # type: ignore[misc]
    """IPython's shell, with errors kept as outputs."""

    outputs: Outputs
    usual_transforms: Sequence[Any] = ()

    def transform_cell(self, raw_cell: str) -> str:
        """Leave plain Python as it is: IPython reads it token by token, which takes its time."""
        if not is_plain(raw_cell) or self.transforms() != self.usual_transforms:
            return str(super().transform_cell(raw_cell))
        return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"

    def transforms(self) -> list[Any]:
        """Return all that changes a cell before it runs; a notebook may add its own."""
        manager = self.input_transformer_manager
        cleanups = manager.cleanup_transforms + manager.line_transforms
        return list(cleanups + manager.token_transformers + self.input_transformers_post)

    def should_run_async(self, raw_cell: str, **options: Any) -> bool:
        """Compile a cell to find out only if it has one of the words."""
        words = "await" in raw_cell or "async" in raw_cell
        return words and bool(super().should_run_async(raw_cell, **options))

    def enable_gui(self, gui: Any = None) -> None:
        """Need no event loop: figures are drawn into the notebook."""

    def ask_exit(self) -> None:
        """Go on: `exit` in a cell ends a kernel, and not the grading of what follows."""

    def _format_exception_for_storage(self, exception: BaseException, **_options: Any) -> Any:
        """Keep no second traceback for a history that nobody reads: making one takes 30 ms."""
        return {"ename": type(exception).__name__, "evalue": "", "traceback": []}

    def showtraceback(self, *args: Any, **_options: Any) -> None:
        """Keep the error that is handled now."""
        error = sys.exc_info()[1]
        if error is not None:
            self._keep_error(error)

    def showsyntaxerror(self, *args: Any, **_options: Any) -> None:
        """Keep the syntax error that is handled now."""
        self.showtraceback()

    def showindentationerror(self) -> None:
        """Keep the indentation error that is handled now."""
        self.showtraceback()

    def _keep_error(self, error: BaseException) -> None:
        name = type(error).__name__
        try:
            text = str(error)[:MESSAGE_LIMIT]
            lines = _traceback(error)
        except Exception:  # a student's own exception may break while it is printed
            text, lines = "", [name]
        lines = [line[:MESSAGE_LIMIT] for line in lines[-TRACEBACK_LINES:]]
        output = {"output_type": "error", "ename": name, "evalue": text, "traceback": lines}
        self.outputs.add(output, sum(map(len, lines)))


def is_plain(cell: str) -> bool:
    """Say whether IPython certainly runs a cell as it is; a single line may be a magic's name."""
    return len(cell.splitlines()) > 1 and not IPYTHONS_OWN.search(cell)


def _named(error: BaseException | None) -> str:
    if error is None:
        return ""
    try:
        text = str(error)
    except Exception:  # a student's own exception may break while it is printed
        text = ""
    return f"{type(error).__name__}: {text[:MESSAGE_LIMIT]}".removesuffix(": ")


def _traceback(error: BaseException) -> list[str]:
    """Return the lines of a traceback: the student's cells, and the last place outside of them."""
    told = traceback.TracebackException.from_exception(error, lookup_lines=False)
    link: traceback.TracebackException | None = told
    while link is not None:
        last = len(link.stack) - 1
        link.stack[:] = [
            frame
            for i, frame in enumerate(link.stack)
            if frame.filename.startswith("<ipython-input-") or i == last
        ]
        link = link.__cause__ or link.__context__
    return "".join(told.format()).splitlines()


class Notebook:
    """The namespace of a notebook, and the shell that runs cells in it."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False  # it would start a thread
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "nocolor"
        pylabtools.print_figure = print_figure
        _Shell.displayhook_class, _Shell.display_pub_class = _Hook, _Publisher
        self.outputs = Outputs()
        self.shell = _Shell.instance(config=config)
        self.shell.usual_transforms = self.shell.transforms()
        for part in (self.shell, self.shell.displayhook, self.shell.display_pub):
            part.outputs = self.outputs

    @property
    def namespace(self) -> dict[str, Any]:
        """Names that cells have defined."""
        names: dict[str, Any] = self.shell.user_ns
        return names

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Forget afterwards all that is run in this block."""
        streams = sys.stdout, sys.stderr
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams
            self.shell.reset(new_session=True)
            get_asyncio_loop().close()  # its open files would be one for all submissions
            self.shell.execution_count = 1
            self.outputs.start()
            self._show_figures_first()

    def _show_figures_first(self) -> None:
        """Show and close the figures that a cell leaves, before what draws all that there are."""
        inline = sys.modules.get("matplotlib_inline.backend_inline")  # it needs a shell when loaded
        if inline is not None:
            after_cell = self.shell.events.callbacks["post_execute"]
            after_cell.sort(key=lambda callback: callback is not inline.flush_figures)

    def capture(self) -> None:
        """Turn `sys.stdout` and `sys.stderr` into outputs, from now on."""
        sys.stdout = text_stream(self.outputs, "stdout")
        sys.stderr = text_stream(self.outputs, "stderr")

    def run(self, source: str, seconds: float) -> Ran:
        """Run one cell for at most `seconds`; whatever it raises is one of its outputs."""
        self.outputs.start()
        start = time.perf_counter()
        raised: BaseException | None = None
        try:
            with alarm(seconds):
                if not (hasattr(sys.stdout, "write") and hasattr(sys.stderr, "write")):
                    self.capture()  # a cell before left no stream, and IPython wants one
                result = self.shell.run_cell(source, store_history=True)
            raised = result.error_before_exec or result.error_in_exec
        except BaseException as error:  # of the shell's own: hooks, an alarm between two lines
            raised = error
            self.shell._keep_error(error)
        stopped = next((word for kind, word in STOPPED.items() if isinstance(raised, kind)), "")
        took = time.perf_counter() - start
        return Ran(self.outputs.finish(), stopped, _named(raised), round(took, 4))
