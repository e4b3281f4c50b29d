"""What a worker says that cells showed, made fit for a notebook that other people open.

Outputs come from a student's process: their form is checked here, and what could run in the
browser of whoever opens the notebook is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from autograder.panel import RESULT_MIME
from autograder.safe_html import sanitise_html

Output = dict[str, Any]

OUTPUTS_LIMIT = 520  # of one cell: a little more than an honest worker keeps
TEXT_LIMIT = 2**20  # characters of one text
PICTURE_LIMIT = 8 * 2**20  # characters of one picture in base64
LINES_LIMIT = 80  # of a traceback
STREAMS = ("stdout", "stderr")
PICTURES = ("image/png", "image/jpeg", "image/gif")
TEXTS = ("text/plain", "text/latex", "text/markdown")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
TERMINAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")  # all but tab, line ends, escape


def clean_outputs(outputs: Iterable[Mapping[str, Any]]) -> list[Output]:
    """Return valid nbformat outputs; what is none, or could run as a script, is left out."""
    cleaned = []
    for output, _ in zip(outputs, range(OUTPUTS_LIMIT), strict=False):
        good = _clean(output)
        if good is not None:
            cleaned.append(good)
    return cleaned


def _clean(output: Mapping[str, Any]) -> Output | None:
    match output:
        case {"output_type": "stream", "name": str(name), "text": str(text)} if name in STREAMS:
            return {"output_type": "stream", "name": name, "text": _text(text)}
        case {
            "output_type": "error",
            "ename": str(name),
            "evalue": str(value),
            "traceback": list(lines),
        }:
            kept = [_text(line) for line in lines[:LINES_LIMIT] if type(line) is str]
            error = {"ename": _text(name), "evalue": _text(value), "traceback": kept}
            return {"output_type": "error", **error}
        case {"output_type": "display_data" | "execute_result" as kind, "data": dict(data)}:
            shown = _bundle(data)
            if not shown:
                return None
            count = {"execution_count": None} if kind == "execute_result" else {}
            return {"output_type": str(kind), "data": shown, "metadata": {}, **count}
    return None


def _bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for mime, value in data.items():
        if type(value) is not str or mime == RESULT_MIME:
            continue
        if mime in TEXTS:
            kept[mime] = _text(value)
        elif mime == "text/html":
            kept[mime] = sanitise_html(_text(value))
        elif mime in PICTURES and len(value) <= PICTURE_LIMIT and BASE64.fullmatch(value):
            kept[mime] = value
    return kept


def _text(text: str) -> str:
    return (
        TERMINAL.sub("\N{REPLACEMENT CHARACTER}", text[:TEXT_LIMIT])
        .encode("utf-8", "replace")
        .decode()
    )
