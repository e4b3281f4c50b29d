"""The list of repairs that reading a damaged file takes: one finding a kind, with its count."""

from __future__ import annotations

from collections import Counter

from autograder.clean import Finding

TEXTS = {
    "byte-order-mark": "The file began with a byte order mark, which was left out.",
    "utf-16": "The file was not UTF-8 but {what}; it was converted.",
    "undecodable-bytes": "Some bytes of the file are no text; they were replaced by \N{REPLACEMENT CHARACTER}.",  # noqa: E501
    "nul-bytes": "The file held NUL bytes, which were left out.",
    "json-constant": "The file held NaN or Infinity, which JSON does not know; read as null.",
    "duplicate-keys": "An object in the file had the same key twice; the last one counts.",
    "old-format": "The notebook is in the old format {what}; it was converted to format 4.",
    "format-number": "The notebook's format number was missing or wrong; it was read as 4.5.",
    "notebook-metadata": "The notebook's metadata had the wrong type and was left out.",
    "cell-dropped": "{count} of the notebook's cells were no cells and were left out.",
    "cell-type": "{count} cells had no known cell type; they were read as code if they had run.",
    "cell-source": "{count} cells had no text, or a text of the wrong type; what was text is kept.",
    "cell-metadata": "{count} cells had metadata of the wrong type, which was left out.",
    "cell-ids": "{count} cells had no valid id of their own; new ids were made.",
    "lone-surrogates": "{count} cells held halves of characters; they were replaced by \N{REPLACEMENT CHARACTER}.",  # noqa: E501
    "line-ends": "{count} cells had line ends of another system; they were converted.",
}


class Repairs:
    """What was repaired so far."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._what: dict[str, str] = {}

    def note(self, kind: str, what: str = "") -> None:
        """Remember one repair; `what` fills the sentence, once a kind."""
        self._counts[kind] += 1
        self._what.setdefault(kind, what)

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding a kind, in the order of `TEXTS`."""
        return tuple(
            Finding(kind, text.format(count=self._counts[kind], what=self._what[kind]))
            for kind, text in TEXTS.items()
            if kind in self._counts
        )
