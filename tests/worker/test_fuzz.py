"""Ten thousand damaged answers: each is a message, a verdict or a refusal, and none earns points.

What a submission's process sends is a student's to choose. So every frame here is one that student
code could write on the wire, and it goes the whole way: reading, the checks of its form, the judge.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from autograder.execution import _read_answer, _read_answers, _read_ran, _StopError
from autograder.judge import assess
from autograder.oracle import ask_of, expected_answer, tolerance_for
from autograder.paper import set_paper
from autograder.vocabulary import Case, Exercise, Result
from autograder.worker import wire
from autograder.worker.interpreter import Answer

SEED = 7  # of the papers
ROUNDS = 20
PER_ROUND = 500  # together 10,000
SECONDS = 5.0  # for one frame, on a busy machine; the usual one takes a thousandth of it
EXERCISES = (
    *(("u00_start", "center"), ("u00_start", "column_scale"), ("u02_forward", "batchnorm_forward")),
    *(("u02_forward", "identity_affine"), ("u02_forward", "streaming_mean_var")),
    *(("u03_modes", "update_running"), ("u03_modes", "momentum_from_keras")),
    *(("u03_modes", "BatchNorm1d"), ("u03_modes", "eval_as_affine")),
    *(("u04_backward_graph", "batchnorm_backward"), ("u04_backward_graph", "design_check")),
    ("u05_backward_closed", "normalize_jacobian"),
)
STRANGE: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 7, 2**31, 2**63, -(2**64), 10**400, 3.5, -0.0, 1e308, ""),
    *(float("nan"), float("inf"), "a", "l", "\ud800", "answers", "ran", "|O", ">f4", "<f2", "|b1"),
    *("Crash", "Shortcut", "NotImplementedError", "MissingName", "TimeLimit", "NoItems", "None"),
    *([], {}, ["l"], ["t"], ["f", "ndarray"], ["b", 4, 0], ["g", "model", {}], ["n", "<f8", 0]),
    *(["a", "<f8", [1], 0], ["a", "<f4", [0], 0], ["a", "|b1", [2, 2], 0], ["a", "<i8", [], 0]),
    *(["a", "<f8", [2**39] * 8, 0], ["l", ["l", ["l"]]], ["t", 1, 2], {"": 1}, {"NaN": ["l", 1]}),
    ["s", "<f8", [2], [8], 0, 16, 0],
)
FAILURES = ("NotImplementedError", "MissingName", "NoItems", "TimeLimit", "MemoryLimit", "Crash")
WORDS = (b"[", b"]", b"{", b"}", b'"', b",", b"NaN", b"-1", b"1e999", b"null", b"99999999999")


# --- honest frames --------------------------------------------------------------------------------


@cache
def questions() -> tuple[tuple[Exercise, tuple[Case, ...]], ...]:
    """Return the exercises with their cases."""
    found = (set_paper(unit, SEED, 5.0).questions[name] for unit, name in EXERCISES)
    return tuple((question.exercise, question.cases) for question in found)


def as_frame(answer: Answer, failure: Any = None) -> bytes:
    """Return what the worker sends for an answer."""
    part = {"values": dict(answer.values), "seconds": 0.01, "shortcuts": [], "failure": failure}
    return wire.encode({"kind": "answers", "answers": [part]})


@cache
def seeds() -> tuple[tuple[Exercise, Case, tuple[bytes, ...]], ...]:
    """Return, for every case, the frames that are damaged: right ones, wrong ones, failures."""
    found = []
    for exercise, cases in questions():
        makers = [exercise.oracle, *(m.variant for m in exercise.misconceptions[:3] if m.variant)]
        for case in cases:
            asks = [ask_of({**exercise.namespace, exercise.name: maker}) for maker in makers]
            with np.errstate(all="ignore"):
                frames = [as_frame(ask(case)) for ask in asks]
            for kind in FAILURES:
                failure = {"kind": kind, "message": "m", "step": 0, "line": "line 2: x"}
                frames.append(as_frame(Answer({}, None, 0.0), failure))
            found.append((exercise, case, tuple(frames)))
    return tuple(found)


RAN = wire.encode(
    {
        "kind": "ran",
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "hello\n"},
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]},
            {"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": {}},
        ],
        "stopped": "",
        "error": "",
        "seconds": 0.1,
    }
)


# --- damage ---------------------------------------------------------------------------------------


def flip(rng: random.Random, frame: bytes) -> bytes:
    """Change some bytes, of the body more often than not: those are numbers."""
    made = bytearray(frame)
    start = rng.choice((0, 12, wire.PREFIX.size + _header_size(frame)))
    for _ in range(rng.choice((1, 3, 30))):
        made[rng.randrange(min(start, len(made) - 1), len(made))] = rng.randrange(256)
    return bytes(made)


def cut(rng: random.Random, frame: bytes) -> bytes:
    """Lose a part; every other time the prefix tells the truth about what is left."""
    start = rng.randrange(len(frame))
    return _told(rng, frame[:start] + frame[start + rng.choice((1, 8, 100, 10**6)) :], frame)


def splice(rng: random.Random, frame: bytes) -> bytes:
    """Put a piece of this frame, of another one or a word of JSON somewhere."""
    at, to = rng.randrange(len(frame)), rng.randrange(12, len(frame) + 1)
    other = rng.choice((frame, RAN))
    piece = rng.choice((other[at : at + rng.choice((1, 40, 400))], rng.choice(WORDS)))
    return _told(rng, frame[:to] + piece * rng.choice((1, 1, 50)) + frame[to:], frame)


def change_nodes(rng: random.Random, frame: bytes) -> bytes:
    """Write something else into the header, as JSON: tags, names, shapes, offsets, nests."""
    split = wire.PREFIX.size + _header_size(frame)
    tree, body = json.loads(frame[wire.PREFIX.size : split]), frame[split:]
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        holder, key = rng.choice(_places(tree))
        _change(rng, holder, key, _places(tree))
    if rng.random() < 0.1:
        body = rng.choice((b"", body[1:], body * 2, bytes(len(body))))
    header = json.dumps(tree, separators=(",", ":")).encode()
    return wire.PREFIX.pack(wire.MAGIC, len(header), len(body)) + header + body


def _change(rng: random.Random, holder: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    value = holder[key]
    kind = rng.randrange(6)
    if kind == 0 and isinstance(value, int):
        holder[key] = value + rng.choice((-8, -1, 1, 8, 2**20))
    elif kind == 1 and isinstance(holder, dict):
        holder[rng.choice(("x", "", "kind", "values", "y", key + "2"))] = holder.pop(key)
    elif kind == 2:
        del holder[key]
    elif kind == 3:
        other, place = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[place]))
    elif kind == 4:
        for _ in range(rng.choice((1, 3, 20, 200))):
            value = rng.choice((["l", value], ["t", value], {"a": value}))
        holder[key] = value
    else:
        holder[key] = json.loads(json.dumps(rng.choice(STRANGE)))


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value: a container, and a key or index in it."""
    found, waiting = [], [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found or [({"": tree}, "")]


def _header_size(frame: bytes) -> int:
    return int(wire.PREFIX.unpack(frame[: wire.PREFIX.size])[1])


def _told(rng: random.Random, made: bytes, frame: bytes) -> bytes:
    """Correct the sizes in the prefix, now and then, so that reading goes on."""
    if rng.random() < 0.3 or len(made) < wire.PREFIX.size:
        return made
    content = made[wire.PREFIX.size :]
    header = min(len(content), _header_size(frame) + rng.choice((0, len(made) - len(frame))))
    prefix = wire.PREFIX.pack(wire.MAGIC, max(header, 0), len(content) - max(header, 0))
    return prefix + content


DAMAGES = (flip, flip, cut, splice, change_nodes, change_nodes, change_nodes)


# --- the way through ------------------------------------------------------------------------------


def judged(exercise: Exercise, case: Case, frame: bytes) -> Result | str:
    """Take a frame all the way; return the result, or at which door it was turned away."""
    try:
        message = wire.decode(frame, inbound=True)
    except wire.WireError:
        return "no message"
    with contextlib.suppress(_StopError):
        _read_ran(message)
    try:
        (part,) = _read_answers(message, 1)
        answer = _read_answer(part, case)
    except _StopError:
        return "no answer"
    result = assess(exercise, [replace(case, weight=1.0)], lambda _case: answer)
    assert 0.0 <= result.score <= result.max_score
    json.dumps(result.message).encode()
    if result.score > 0.0:
        _require_right(exercise, case, answer)
    return result


def _require_right(exercise: Exercise, case: Case, answer: Answer) -> None:
    """Require of an answer with points that NumPy, too, finds it right; where it can tell."""
    assert answer.failure is None
    if exercise.judge is not None:
        return
    tolerance = case.tolerance or tolerance_for(exercise, case)
    expected = expected_answer(exercise, case).values
    for name in case.report:
        _require_close(answer.values[name], expected[name], tolerance)


def _require_close(got: Any, expected: Any, tolerance: Any) -> None:
    if isinstance(expected, list | tuple):
        assert len(got) == len(expected)
        for mine, ours in zip(got, expected, strict=True):
            _require_close(mine, ours, tolerance)
    elif isinstance(expected, dict):
        assert list(sorted(got)) == sorted(expected)
        for key, ours in expected.items():
            _require_close(got[key], ours, tolerance)
    elif isinstance(expected, np.ndarray | np.floating | float):
        assert np.shape(got) == np.shape(expected)
        rtol, atol = tolerance.rtol * 1.001, tolerance.atol * 1.001 + 1e-300
        np.testing.assert_allclose(np.asarray(got, float), expected, rtol, atol)
    else:
        assert got == expected


def test_undamaged_frames_earn_what_they_should() -> None:
    """Otherwise what follows would show nothing: the reference's answers get their points."""
    for exercise, case, frames in seeds():
        right = judged(exercise, case, frames[0])
        assert isinstance(right, Result)
        if exercise.judge is None and case.dtype_of is not None:
            assert right.score > 0.0, (exercise.id, case.name, right.message)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_damaged_frame_is_judged_or_refused(round_: int) -> None:
    """No other exception, no points for what is not right, and soon."""
    rng = random.Random(round_)
    seen: Counter[str] = Counter()
    for number in range(PER_ROUND):
        exercise, case, frames = rng.choice(seeds())
        original = rng.choice((frames[0], *frames))
        damage = rng.choice(DAMAGES)
        frame = damage(rng, RAN if rng.random() < 0.05 else original)
        start = time.perf_counter()
        try:
            outcome = judged(exercise, case, frame)
        except Exception as error:
            raise AssertionError(
                f"{exercise.id}, {case.name}, {damage.__name__} {number}: {frame!r}"
            ) from error
        assert time.perf_counter() - start < SECONDS
        seen[outcome if isinstance(outcome, str) else "judged"] += 1
    assert min(seen["judged"], seen["no message"], seen["no answer"]) > PER_ROUND // 50, seen
