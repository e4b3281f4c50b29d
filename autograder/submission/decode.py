"""From the bytes of a file to the JSON object in it, or a sentence that says why there is none."""

from __future__ import annotations

import codecs
import json
from typing import Any

from autograder.errors import SubmissionError
from autograder.submission.repairs import Repairs

BYTES_LIMIT = 16 * 2**20  # a notebook full of figures has 2 to 5 MiB; what is larger holds data
BRACKETS_LIMIT = 10**6  # 16 MiB of empty lists take 600 MiB to hold; scripts in outputs have 10**5
DIGITS_LIMIT = 300  # of an integer: no float has more, and no notebook needs one
TAIL = 12  # characters: a value that breaks off this close to the end was cut, not mistyped
AGAIN = "Open it in JupyterLab, save it, and hand it in again."
BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(data: bytes, repairs: Repairs) -> dict[str, object]:
    """Return the JSON object that a file holds.

    Raises
    ------
    SubmissionError
        If the file is too large, empty, cut off, no JSON, nested without end, or no object, or
        would take more memory than a notebook is worth.
    """
    if len(data) > BYTES_LIMIT:
        raise SubmissionError(
            f"The notebook may have at most {BYTES_LIMIT // 2**20} MiB; it has "
            f"{len(data) / 2**20:.1f} MiB. Clear its outputs, save it, and hand it in again."
        )
    text = _text(data, repairs)
    if not text.strip():
        raise SubmissionError(f"The file should be a notebook, but it is empty. {AGAIN}")
    brackets = text.count("[") + text.count("{")
    if brackets > BRACKETS_LIMIT:
        raise SubmissionError(
            f"The notebook's JSON may have at most {BRACKETS_LIMIT:,} lists and objects; it has up "
            f"to {brackets:,}. Clear its outputs, save it, and hand it in again."
        )
    found = _parse(text, repairs)
    if not isinstance(found, dict):
        raise SubmissionError(
            f"The file is valid JSON, but no notebook: a notebook is an object, this is a "
            f"{type(found).__name__}. Hand in the .ipynb file itself."
        )
    return found


def _text(data: bytes, repairs: Repairs) -> str:
    """Decode as the encoding that the first bytes tell, without byte order mark and NUL."""
    if data.startswith(BOMS):
        repairs.note("byte-order-mark")
    encoding = json.detect_encoding(data)
    # a few stray NUL bytes look like UTF-16, too; true UTF-16 is NUL in every second place
    if not encoding.startswith("utf-8") and (data.startswith(BOMS) or _is_wide(data)):
        repairs.note("utf-16", encoding.upper())
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        repairs.note("undecodable-bytes")
        text = data.decode(encoding, errors="replace")
    if "\0" in text:
        repairs.note("nul-bytes")
        text = text.replace("\0", "")
    return text


def _is_wide(data: bytes) -> bool:
    return data.count(0) * 4 > len(data)


def _parse(text: str, repairs: Repairs) -> object:
    def constant(_: str) -> None:
        repairs.note("json-constant")

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            repairs.note("duplicate-keys")
        return made

    try:
        return json.loads(
            text,
            strict=False,
            parse_constant=constant,
            parse_int=_integer,
            object_pairs_hook=pairs,
        )
    except json.JSONDecodeError as error:
        raise SubmissionError(_why(error, text)) from None
    except RecursionError:
        raise SubmissionError(
            f"The notebook's JSON is nested too deeply to be read. {AGAIN}"
        ) from None


def _integer(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise SubmissionError(
            f"The notebook holds a number of {len(digits)} digits, where at most {DIGITS_LIMIT} "
            f"can be meant. {AGAIN}"
        )
    return int(digits)


def _why(error: json.JSONDecodeError, text: str) -> str:
    end = len(text.rstrip())
    if error.msg.startswith("Unterminated string") or error.pos > end - TAIL:
        return (
            f"The notebook is cut off: its JSON ends in the middle, at line {error.lineno}. {AGAIN}"
        )
    return (
        f"The file is not valid JSON, which every notebook is: {error.msg} at line "
        f"{error.lineno}, column {error.colno}. {AGAIN}"
    )
