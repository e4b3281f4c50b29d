"""Two thousand broken notebooks: each is made clean or refused with a sentence, and quickly."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from autograder.errors import SubmissionError
from autograder.submission import Clean, code_digest, ingest, render, sanitise
from tests.submission import notebooks as nb

ROUNDS = 20
PER_ROUND = 100  # together 2,000
SECONDS = 5.0  # for one notebook, on a busy machine; the usual one takes a thousandth of it
VALIDATED = 10  # every tenth is validated, which takes longer than all the rest
STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 0, 3.5, 10**40, "", "code", "a\0b", "\ud800", "test_center", [], {}, [[]]),
    *(["x\n", 1], {"a": 1}, float("nan"), float("inf"), "é\r\n", "def center(x): return x"),
)
Bytes = Callable[[random.Random, bytes], bytes]
Tree = Callable[[random.Random, Any], None]


def flip(rng: random.Random, data: bytes) -> bytes:
    """Change some bytes."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


def cut(rng: random.Random, data: bytes) -> bytes:
    """Lose the end, or the beginning."""
    at = rng.randrange(len(data))
    return rng.choice((data[:at], data[at:]))


def repeat(rng: random.Random, data: bytes) -> bytes:
    """Write a piece again, elsewhere."""
    start, to = rng.randrange(len(data)), rng.randrange(len(data))
    return (
        data[:to]
        + data[start : start + rng.choice((1, 50, 5000))] * rng.choice((1, 2, 20))
        + data[to:]
    )


def encode_again(rng: random.Random, data: bytes) -> bytes:
    """Save in another encoding, cut within a character now and then."""
    text = data.decode(errors="replace")
    made = text.encode(
        rng.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp1252")), "replace"
    )
    return made[: len(made) - rng.choice((0, 0, 1))]


def nest(rng: random.Random, data: bytes) -> bytes:
    """Put a deep nest in the place of some value."""
    deep = rng.choice((10, 900, 990, 1010, 100_000))
    opened, closed = rng.choice(((b"[", b"]"), (b'{"cells":', b"}")))
    at = data.find(b": ", rng.randrange(len(data))) + 2
    end = data.find(b"\n", at)
    return data[:at] + opened * deep + b"[]" + closed * deep + data[end:]


def nothing(rng: random.Random, data: bytes) -> bytes:
    """Leave the bytes as they are."""
    return data


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value: a container and a key or index in it."""
    found, waiting = [], [tree]
    while waiting:
        one = waiting.pop()
        inside = list(one.items()) if isinstance(one, dict) else list(enumerate(one))
        found += [(one, key) for key, _ in inside]
        waiting += [value for _, value in inside if isinstance(value, dict | list)]
    return found


def delete(rng: random.Random, tree: Any) -> None:
    """Lose a key or an element."""
    inside, key = rng.choice(places(tree))
    del inside[key]


def exchange(rng: random.Random, tree: Any) -> None:
    """Put a value of some type in the place of another."""
    inside, key = rng.choice(places(tree))
    inside[key] = rng.choice(STRANGE)


def confuse(rng: random.Random, tree: Any) -> None:
    """Write one value from elsewhere in the tree in the place of another."""
    (source, one), (inside, key) = rng.choices(places(tree), k=2)
    inside[key] = json.loads(json.dumps(source[one]))


def shuffle(rng: random.Random, tree: Any) -> None:
    """Move, copy, or lose cells."""
    cells = tree.get("cells")
    if isinstance(cells, list) and cells:
        cell = rng.choice(cells)
        if rng.random() < 0.5:
            cells.remove(cell)
        cells[rng.randrange(len(cells) + 1) :][:0] = [cell]
        cells.insert(rng.randrange(len(cells) + 1), json.loads(json.dumps(cell)))


def swell(rng: random.Random, tree: Any) -> None:
    """Make some text huge."""
    texts = [(i, k) for i, k in places(tree) if isinstance(i[k], str)]
    inside, key = rng.choice(texts)
    inside[key] = (
        rng.choice(("x", "'", "(", "\n", "#\n", "def center(x):\n", "\U0001f600")) * 50_000
    )


BYTES: tuple[Bytes, ...] = (nothing, nothing, nothing, flip, cut, repeat, encode_again, nest)
TREES: tuple[Tree, ...] = (delete, exchange, confuse, shuffle, swell)
START = json.dumps(nb.solved(), indent=1)


def broken(rng: random.Random) -> bytes:
    """Break a notebook in up to five ways."""
    tree = json.loads(START)
    for _ in range(rng.randrange(6)):
        if isinstance(tree, dict) and places(tree):
            rng.choice(TREES)(rng, tree)
    return rng.choice(BYTES)(rng, json.dumps(tree, indent=1).encode())


def outcome(data: bytes, validated: bool) -> str:
    """Say what became of a file; any error but a `SubmissionError` leaves this function."""
    try:
        read, findings = ingest(data)
        made = sanitise(nb.master(), read, findings)
    except SubmissionError as refusal:
        sentence = str(refusal)
    else:
        return made_clean(made, validated)
    assert len(sentence) > 20
    assert sentence.isprintable()
    return "refused"


def made_clean(made: Clean, validated: bool) -> str:
    """Check that a clean submission is one, and can be rendered."""
    rendered = render(made, master=nb.master())
    assert len(code_digest(made)) == 64
    assert all(f.text.isprintable() for f in made.findings)
    assert {c.name for c in made.cells if c.role == "test"} == {"test_center", "test_column_scale"}
    json.dumps(rendered, ensure_ascii=False, allow_nan=False).encode()
    if validated:
        nbformat.validate(rendered)
        MetadataValidator().validate_nb(rendered)
    return "repaired" if made.findings else "clean"


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_broken_notebooks_are_made_clean_or_refused(seed: int) -> None:
    """Never another error, never without end, and not all the same way."""
    rng = random.Random(seed)
    seen: Counter[str] = Counter()
    for number in range(PER_ROUND):
        data = broken(rng)
        start = time.perf_counter()
        seen[outcome(data, number % VALIDATED == 0)] += 1
        assert time.perf_counter() - start < SECONDS
    assert min(seen["refused"], seen["repaired"]) > PER_ROUND // 10, seen
