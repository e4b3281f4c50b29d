"""A unit's exam paper: the hidden cases of every exercise, drawn once for the whole class."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.exercises import exercises_of
from autograder.oracle import expected_answer
from autograder.version import GRADER_VERSION
from autograder.vocabulary import Case, Exercise
from autograder.worker import wire
from autograder.worker.interpreter import Answer


@dataclass(frozen=True, eq=False)
class Question:
    """One exercise with its cases, ready to be asked."""

    exercise: Exercise
    """The exercise."""
    cases: tuple[Case, ...]
    """The cases, the same for the whole class."""
    frame: bytes
    """The message that asks for all of them."""
    digest: str
    """Hash of everything that decides what an answer to it is worth."""


@dataclass(frozen=True, eq=False)
class Paper:
    """All questions of a unit."""

    unit: str
    """Unit folder."""
    seed: int
    """Seed of the generator that the cases are drawn from; secret."""
    questions: Mapping[str, Question]
    """By the exercise's bare name, in the order of the notebook."""


@lru_cache(maxsize=32)
def set_paper(unit: str, seed: int, case_seconds: float) -> Paper:
    """Draw the cases of a unit from a seed.

    Parameters
    ----------
    unit
        Unit folder.
    seed
        The class's secret seed; each exercise draws from a generator of its own.
    case_seconds
        Wall time that one case gets.
    """
    questions = {e.name: _question(e, seed, case_seconds) for e in exercises_of(unit)}
    return Paper(unit, seed, questions)


def _question(exercise: Exercise, seed: int, case_seconds: float) -> Question:
    cases = tuple(exercise.cases(np.random.default_rng(seed)))
    frame = wire.encode(
        {
            "kind": "ask",
            **_as_asked(cases),
            "seconds": case_seconds,
            "forbidden": list(exercise.forbidden),
        },
        layouts=True,
    )
    return Question(exercise, cases, frame, _digest(exercise, cases, frame))


def _as_asked(cases: Iterable[Case]) -> dict[str, Any]:
    """Return what the worker gets of cases: neither names nor anything to judge by.

    Most cases of a question do the same with other inputs: what is done and reported, a form, goes
    once.
    """
    forms: list[dict[str, Any]] = []
    asked = []
    for case in cases:
        report = list(dict.fromkeys((*case.report, *case.unchanged)))
        form = {"script": [astuple(step) for step in case.script], "report": report}
        if form not in forms:
            forms.append(form)
        asked.append({"form": forms.index(form), "inputs": dict(case.inputs)})
    return {"forms": forms, "cases": asked}


def _digest(exercise: Exercise, cases: tuple[Case, ...], frame: bytes) -> str:
    """Hash what is asked, what is right, what it is worth, and what is said about it.

    Two specs with the same hash give every answer the same mark; hints and minutes may change.
    """
    text = hashlib.sha256(GRADER_VERSION.encode())
    text.update(frame)
    for part in _parts(exercise, cases):
        text.update(part)
        text.update(b"\0")
    return text.hexdigest()


def _parts(exercise: Exercise, cases: tuple[Case, ...]) -> Iterator[bytes]:
    yield repr((exercise.id, exercise.points, sorted(exercise.tolerances.items()))).encode()
    for case in cases:
        worth = (case.name, case.report, case.unchanged, case.weight, case.gate, case.tolerance)
        yield repr((*worth, case.dtype_of, case.help)).encode()
        if exercise.judge is None:
            yield _told(expected_answer(exercise, case))
    for idea in exercise.misconceptions:
        yield repr((idea.name, idea.help)).encode()
        yield _source(idea.variant) + _source(idea.signs)
    yield _source(exercise.judge)


def _told(answer: Answer) -> bytes:
    return wire.encode({"values": dict(answer.values)})


def _source(function: Any) -> bytes:
    """Return a function's text; what has none is known by what it is called."""
    if function is None:
        return b""
    try:
        return inspect.getsource(function).encode()
    except (OSError, TypeError):
        return repr(getattr(function, "__qualname__", type(function).__qualname__)).encode()
