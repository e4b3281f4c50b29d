"""Collect what cells show and print, as nbformat outputs, within bounds."""

from __future__ import annotations

import io
from typing import Any

OUTPUT_BYTES = 2**20  # kept of one cell's outputs; more is cut, with a line that says so
FLOOD_BYTES = 64 * 2**20  # written by one cell: more than this has no end, and the cell is stopped
OUTPUT_COUNT = 500  # outputs of one cell
CUT = "\n... the rest of this cell's output was cut: more than 1 MiB ...\n"


class OutputFloodError(BaseException):
    """A cell writes without end; a `BaseException`, so that `except Exception` lets it pass."""


class Outputs:
    """The outputs of the cell that runs now."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.kept = 0
        self.written = 0
        self.is_cut = False

    def start(self) -> None:
        """Forget everything: another cell begins."""
        self.__init__()  # type: ignore[misc]

    def write(self, name: str, text: str) -> None:
        """Add text to a stream; consecutive pieces of one stream become one output."""
        self.written += len(text)
        if self.written > FLOOD_BYTES:
            raise OutputFloodError(f"more than {FLOOD_BYTES >> 20} MiB of output")
        room = OUTPUT_BYTES - self.kept
        if not text or (not self._fits(len(text)) and room <= 0):
            return
        text = text[:room]
        last = self.items[-1] if self.items else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def add(self, output: dict[str, Any], size: int) -> None:
        """Add an output that is not text on a stream."""
        self.written += size
        if self._fits(size):
            self.items.append(output)

    def finish(self) -> list[dict[str, Any]]:
        """Return the cell's outputs; a last line says so if some were cut."""
        if self.is_cut:
            self.items.append({"output_type": "stream", "name": "stdout", "text": CUT})
        return self.items

    def clear(self) -> None:
        """Drop what has been shown so far, as `clear_output` asks for."""
        self.items.clear()

    def _fits(self, size: int) -> bool:
        self.kept += size
        fits = self.kept <= OUTPUT_BYTES and len(self.items) < OUTPUT_COUNT
        self.is_cut = self.is_cut or not fits
        return fits


class Stream(io.RawIOBase):
    """The lower end of `sys.stdout` or `sys.stderr`: bytes that become text on a stream."""

    def __init__(self, outputs: Outputs, name: str) -> None:
        super().__init__()
        self._outputs, self._stream = outputs, name

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        content = bytes(data)
        self._outputs.write(self._stream, content.decode("utf-8", "replace"))
        return len(content)


def text_stream(outputs: Outputs, name: str) -> io.TextIOWrapper:
    """Return a text file that writes into `outputs` at once."""
    return io.TextIOWrapper(
        Stream(outputs, name),  # type: ignore[arg-type]
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )
