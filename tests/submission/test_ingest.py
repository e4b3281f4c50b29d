"""Whatever file is handed in becomes a valid notebook, or a sentence that says why not."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

import nbformat
import pytest

from autograder.errors import SubmissionError
from autograder.submission import decode, ingest
from autograder.submission.ingest import CELLS_LIMIT
from tests.submission import notebooks as nb

TEXT = json.dumps(nb.solved(), ensure_ascii=False)
LOST = "\N{REPLACEMENT CHARACTER}"
SOURCES = [cell.source for cell in nb.solved().cells]


def notebook_of(*cells: Any, **more: Any) -> bytes:
    """Return the bytes of a notebook with these cells."""
    fields = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    return json.dumps(fields | more).encode()


def cell(**fields: Any) -> dict[str, Any]:
    """Return a code cell with other fields."""
    plain = {"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1", "outputs": []}
    return plain | {"execution_count": None} | fields


def read(data: bytes) -> tuple[list[str], list[str]]:
    """Return sources and kinds of findings; what was read must be a valid notebook."""
    notebook, findings = ingest(data)
    nbformat.validate(notebook)
    return [c.source for c in notebook.cells], [f.kind for f in findings]


def test_an_honest_notebook_needs_no_repair() -> None:
    """All its texts are there and there is nothing to say."""
    assert read(TEXT.encode()) == (SOURCES, [])


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), ["byte-order-mark"]),
        (TEXT.encode("utf-16"), ["byte-order-mark", "utf-16"]),
        (TEXT.encode("utf-16-le"), ["utf-16"]),
        (TEXT.encode("utf-16-be"), ["utf-16"]),
        (TEXT.encode() + bytes(4096), ["nul-bytes"]),
        (bytes(3) + TEXT.encode(), ["nul-bytes"]),
    ],
    ids=["bom", "utf-16", "utf-16-le", "utf-16-be", "nul-at-end", "nul-at-start"],
)
def test_other_encodings_read_the_same(data: bytes, kinds: list[str]) -> None:
    """What Windows editors and a full disk make of a file costs no text."""
    assert read(data) == (SOURCES, kinds)


@pytest.mark.parametrize(
    ("data", "sources", "kinds"),
    [
        (notebook_of(cell(source=["a\n", "b"])), ["a\nb"], []),
        (notebook_of(cell(source="a\r\nb\rc")), ["a\nb\nc"], ["line-ends"]),
        (notebook_of(cell(source="a\0b")), ["ab"], ["nul-bytes"]),
        (notebook_of(cell(source="a\ud800b")), [f"a{LOST}b"], ["lone-surrogates"]),
        (notebook_of(cell(source=["\ud83d", "\ude00"])), ["😀"], ["lone-surrogates"]),
        (notebook_of(cell(source=["a", 3, "b"])), ["ab"], ["cell-source"]),
        (notebook_of(cell(source=3)), [""], ["cell-source"]),
        (notebook_of({"cell_type": "code", "id": "a"}), [""], ["cell-source"]),
        (notebook_of(cell(), 3, None), ["x = 1"], ["cell-dropped"]),
        (notebook_of(cell(metadata=3)), ["x = 1"], ["cell-metadata"]),
        (notebook_of(cell(metadata={"nbgrader": [1]})), ["x = 1"], ["cell-metadata"]),
        (notebook_of(cell(cell_type="spell")), ["x = 1"], ["cell-type"]),
        (notebook_of(cell(), metadata=[]), ["x = 1"], ["notebook-metadata"]),
        (notebook_of(cell(), nbformat_minor="new"), ["x = 1"], ["format-number"]),
        (notebook_of(cell(), nbformat_minor=99), ["x = 1"], ["format-number"]),
        (notebook_of(cell(), nbformat=True), ["x = 1"], ["format-number"]),
        (notebook_of(cell(outputs={"a": float("nan")})), ["x = 1"], ["json-constant"]),
        (notebook_of(cell()).replace(b'"id"', b'"id": "z", "id"'), ["x = 1"], ["duplicate-keys"]),
        (notebook_of(cell(source="ä")).replace(b"\\u00e4", b"\xe4"), [LOST], ["undecodable-bytes"]),
        (notebook_of(cell(id="a b")), ["x = 1"], ["cell-ids"]),
        (notebook_of(cell(), cell()), ["x = 1", "x = 1"], ["cell-ids"]),
    ],
)  # fmt: skip
def test_each_damage_is_repaired_and_told(
    data: bytes, sources: list[str], kinds: list[str]
) -> None:
    """The text is kept, and one finding says what was wrong."""
    assert read(data) == (sources, kinds)


def test_repairs_of_one_kind_are_one_finding_with_a_count() -> None:
    """A notebook of 30 cells without ids gets one line, not thirty."""
    found = nb.solved()
    for one in found.cells:
        del one["id"]
    _, findings = ingest(json.dumps(found).encode())
    assert [f.kind for f in findings] == ["cell-ids"]
    assert findings[0].text.startswith(f"{len(found.cells)} cells")


def test_unknown_cell_that_ran_is_code() -> None:
    """A cell type that nobody knows is code where there are outputs, and raw text elsewhere."""
    ran, text = cell(cell_type=None), {"cell_type": None, "id": "b", "source": "t"}
    notebook, _ = ingest(notebook_of(ran, text))
    assert [c.cell_type for c in notebook.cells] == ["code", "raw"]


def test_outputs_and_foreign_metadata_are_left_out() -> None:
    """Roles and tags are all that is kept beside the text."""
    role = {"grade_id": "f", "grade": True, "points": 3, "solution": "yes", "other": 1}
    output = {"output_type": "stream", "name": "stdout", "text": "2.0"}
    metadata = {"nbgrader": role, "collapsed": True, "tags": ["a", 3]}
    notebook, findings = ingest(notebook_of(cell(metadata=metadata, outputs=[output])))
    assert notebook.cells[0].metadata == {
        "nbgrader": {"grade_id": "f", "grade": True, "points": 3},
        "tags": ["a"],
    }
    assert notebook.cells[0].outputs == []
    assert findings == ()


@pytest.mark.filterwarnings("ignore")
def test_format_3_reads_as_nbformat_reads_it() -> None:
    """An old notebook gets the cells that nbformat's own converter makes of it."""
    old = nbformat.convert(nb.solved(), 3)
    heading = {"cell_type": "heading", "level": 2, "source": "The\nend", "metadata": {}}
    old.worksheets[0].cells.append(nbformat.from_dict(heading))
    data = json.dumps(old).encode()
    sources, kinds = read(data)
    assert sources == [c.source for c in nbformat.convert(old, 4).cells]
    assert kinds == ["old-format", "cell-ids"]
    assert "format 3" in ingest(data)[1][0].text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\0", "empty"),
        (TEXT.encode()[: len(TEXT) // 2], "cut off"),
        (TEXT.rstrip()[:-1].encode(), "cut off"),
        (b'{"cells": [', "cut off"),
        (b"x" * 100 + TEXT.encode(), "not valid JSON"),
        (b"PK\x03\x04" + bytes(range(256)) * 9, "not valid JSON"),
        (b"[1, 2]", "no notebook"),
        (b'"text"', "no notebook"),
        (b'{"nbformat": 4}', "no notebook"),
        (b'{"cells": {"a": 1}}', "no notebook"),
        (b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"cells": [], "n": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b" " * (decode.BYTES_LIMIT + 1), "at most 16 MiB"),
        (b'{"cells": [' + b"[]," * decode.BRACKETS_LIMIT + b"3]}", "lists and objects"),
        (notebook_of(*[cell()] * (CELLS_LIMIT + 1)), f"at most {CELLS_LIMIT} cells"),
    ],
    ids=lambda value: re.sub(r"\W+", "-", value) if isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_why_and_what_to_do(data: bytes, words: str) -> None:
    """One error with a sentence on what came and one on what to hand in."""
    with pytest.raises(SubmissionError, match=words) as caught:
        ingest(data)
    assert re.search(r"hand (it )?in", str(caught.value), re.I) or "can be meant" in str(
        caught.value
    )
