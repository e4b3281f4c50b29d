"""The words of the grader: Exercise, Case, Misconception, Verdict, Result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from autograder.version import GRADER_VERSION
from autograder.worker.interpreter import Answer
from autograder.worker.script import Script

# What solves an exercise of this course before one has begun. `autograder.worker.shortcuts` says
# how these are read.
READY_MADE = (
    *("bnlib", "!bnlib.plots", "!bnlib.plots.*", "!bnlib.widgets", "!bnlib.widgets.*"),
    *("!bnlib.errors", "!bnlib.errors.*", "!bnlib.*Error"),
    *("autograder", "!autograder.check", "!autograder.hint", "!autograder.progress"),
    *("torch.*batch_norm*", "torch.*batchnorm*", "torch.*BatchNorm*"),
    *("torch.*layer_norm*", "torch.*LayerNorm*", "torch.*group_norm*", "torch.*GroupNorm*"),
    *("torch.*instance_norm*", "torch.*instancenorm*", "torch.*InstanceNorm*"),
    *("torch.nn.utils.fus*", "torch.optim.swa_utils.update_bn"),
)
NOT_RUN = "not run"  # fault of a case that was not asked, after one that did not end


class Verdict(StrEnum):
    """What became of one exercise of one submission."""

    PASSED = "passed"
    PARTIAL = "partial"
    WRONG = "wrong"
    ERROR = "error"
    NOT_ATTEMPTED = "not_attempted"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    CRASHED = "crashed"
    FORBIDDEN = "forbidden"
    TAMPERED = "tampered"
    NOT_GRADED = "not_graded"


@dataclass(frozen=True)
class Tolerance:
    """How far an answer may be off: ``|answer - expected| <= rtol*|expected| + atol``."""

    rtol: float
    """Part of each expected entry's own size."""
    atol: float
    """Absolute part, in the units of the answer."""
    reason: str
    """Why this much: dtype eps times the condition of the formula, never tuned until green."""


@dataclass(frozen=True, eq=False)
class Case:
    """One behaviour of an exercise on concrete inputs; equal to itself alone."""

    name: str
    """What is looked at, in the student's words: "a float32 batch far from zero"."""
    inputs: Mapping[str, Any]
    """Named arguments: plain values and `Given` helpers."""
    script: Script
    """What is done with them."""
    report: tuple[str, ...]
    """Names of the values that are compared with the oracle's."""
    unchanged: tuple[str, ...] = ()
    """Names of inputs that must be bit for bit the same afterwards."""
    weight: float = 1.0
    """Share of the points, relative to the other cases."""
    gate: bool = False
    """A case everyone must pass: if it fails the exercise scores 0. The asserts that stand in the
    notebook's test cell are gates, so that every grader gives the same marks."""
    idle: bool = False
    """Whether code that does nothing of the exercise passes it, too (what has to stay as it was, an
    error that has to be raised): it earns its weight only where some other case earns."""
    tolerance: Tolerance | None = None
    """Instead of the exercise's tolerance, where the inputs are worse conditioned."""
    dtype_of: str | None = "x"
    """Input whose floating dtype the reported arrays must have; None: any floating dtype."""
    help: str = ""
    """One sentence shown when this case fails and no misconception explains it."""


@dataclass(frozen=True)
class Judgement:
    """How well one answer fits one case."""

    share: float
    """Share of the case's weight that is earned, in [0, 1]."""
    message: str = ""
    """What is wrong, in words for the student; empty if nothing is."""
    fault: str = ""
    """Short name of a fault that needs no misconception: `shape`, `dtype`, `modified`, ..."""
    error_map: tuple[tuple[float, ...], ...] | None = None
    """Relative size of the error per entry of a 2-d answer, in [0, 1]; None if not to be shown."""


@dataclass(frozen=True)
class Misconception:
    """A wrong idea with a name, recognised by what it would have answered."""

    name: str
    """Short slug, shown in class reports: `divides-by-n-minus-1`."""
    help: str
    """One sentence to the student: what was done, and what to look at instead."""
    variant: Callable[..., Any] | None = None
    """The wrong implementation, with the exercise's name and signature."""
    signs: Callable[[Case, Answer, Answer], bool] | None = None
    """Instead of a variant: does `(case, answer, expected)` look like it?"""


@dataclass(frozen=True)
class Exercise:
    """An exercise as data plus an oracle."""

    unit: str
    """Unit folder: `u02_forward`."""
    name: str
    """Function or class the student writes: `batch_var`."""
    points: int
    """Points for a full solution."""
    minutes: int
    """Time a student needs, measured."""
    oracle: Callable[..., Any]
    """The reference, with the exercise's signature; run on float64 copies of the inputs."""
    cases: Callable[[np.random.Generator], Iterable[Case]]
    """The behaviours that are looked at, drawn from a random generator: sizes, values, layouts.
    `check` draws them with a fresh seed, the grader with the class's secret one."""
    tolerances: Mapping[str, Tolerance]
    """Tolerance by the dtype name of the case's `dtype_of` input."""
    misconceptions: tuple[Misconception, ...] = ()
    """Wrong ideas to recognise, the most telling first."""
    hints: tuple[str, ...] = ()
    """Staged help in Markdown: a nudge, an outline, almost the code."""
    namespace: Mapping[str, Any] = field(default_factory=dict)
    """Names beside the exercise's own that its scripts use, for the oracle's side."""
    judge: Callable[[Case, Answer], Judgement] | None = None
    """Instead of the comparison with the oracle, where many answers are right."""
    forbidden: tuple[str, ...] = READY_MADE
    """Dotted names that a solution may not use, as `worker.shortcuts.is_forbidden` reads them."""
    needs: tuple[str, ...] = ()
    """Modules without which no answer can be had: where one is missing, nothing is graded."""

    @property
    def unit_number(self) -> str:
        """First part of the unit's name: `u02`."""
        return self.unit.partition("_")[0]

    @property
    def id(self) -> str:
        """Name under which `check` knows the exercise: `u02.batch_var`."""
        return f"{self.unit_number}.{self.name}"


@dataclass(frozen=True)
class CaseResult:
    """What became of one case."""

    name: str
    """The case's name."""
    share: float
    """Share of its weight earned."""
    weight: float
    """Its weight."""
    judgement: Judgement
    """What was seen."""

    @property
    def passed(self) -> bool:
        """Whether the whole weight was earned."""
        return self.share >= 1.0


@dataclass(frozen=True)
class Result:
    """What became of one exercise of one submission."""

    exercise: str
    """The exercise's id: `u02.batch_var`."""
    score: float
    """Points earned, rounded to 0.01."""
    max_score: float
    """Points to be had."""
    verdict: Verdict
    """In one word."""
    misconception: str
    """Name of the wrong idea or fault that was recognised, or empty."""
    message: str
    """In one or two sentences for the student."""
    cases: tuple[CaseResult, ...] = ()
    """One by one."""
    seconds: float = 0.0
    """Time the student's code took."""
    seed: int | None = None
    """Seed the cases were drawn from; None where it is secret."""
    grader_version: str = GRADER_VERSION
    """Version of the scoring rules."""
    sandbox: str = "none"
    """What held the student's code: `none` is the student's own kernel."""
