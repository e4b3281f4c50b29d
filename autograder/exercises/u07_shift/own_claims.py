"""Exercise `my_claims`: what the student says of the student's own log, held against that log.

Which way a run went does not matter: a verdict is right if it follows from the numbers beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.exercises.u07_shift.claims import deciding, error, freedom, t_quantile
from autograder.exercises.u07_shift.networks import UNIT
from autograder.vocabulary import Case, Exercise, Judgement, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import call
from autograder.worker.values import Plain, Tensor

SCRIPT = (call("my_claims", into="claims"),)
MEASUREMENTS, SEEDS = 4, 5  # that the notebook's log holds
WORDS = ("supported", "refuted", "undecided")
PARTS = {"with_bn", "without_bn", "verdict"}
FORM, RUNS, VERDICTS = (
    "four measurements with two samples and a verdict each",
    "five seeds on each side",
    "each verdict follows from the numbers beside it",
)
BORDER = (0.97, 1.0, 1.03)  # of the half width: a table of three digits may fall on either side
SHOWN = 2  # entries that are named
Claims = dict[str, tuple[np.ndarray, np.ndarray, str]]


def cases(_rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `my_claims`; nothing is drawn, for the evidence is the student's own."""
    for name, weight in ((FORM, 0.5), (RUNS, 0.5), (VERDICTS, 3.0)):
        yield Case(name, {}, SCRIPT, ("claims",), dtype_of=None, weight=weight, gate=name == FORM)


def judge(case: Case, answer: Answer) -> Judgement:
    """Look at one side of the student's claims."""
    claims = read(answer.values.get("claims"))
    if isinstance(claims, str):
        return Judgement(0.0, claims, "form")
    if case.name == FORM:
        return Judgement(1.0)
    if case.name == RUNS:
        return _judge_runs(claims)
    wrong = [name for name, entry in claims.items() if entry[2] not in allowed(*entry[:2])]
    if not wrong:
        return Judgement(1.0)
    text = (
        f"The verdict of {_named(wrong)} does not follow from its own samples: apply your `claim` "
        "to the two lists that stand beside it, in this order."
    )
    return Judgement(1.0 - len(wrong) / len(claims), text, "verdict")


def read(value: Plain) -> Claims | str:
    """Read what `my_claims` returned, or say in a sentence what is not as it should be."""
    if value is None:
        return "`my_claims` returns None. Did you forget the `return`?"
    if not isinstance(value, dict):
        return f"`my_claims` must return a dict; it returns a `{type(value).__name__}`."
    if len(value) < MEASUREMENTS:
        return f"The log has {MEASUREMENTS} measurements; `my_claims` returns {len(value)}."
    claims: Claims = {}
    for name, entry in value.items():
        if not isinstance(entry, dict) or entry.keys() != PARTS:
            return (
                f"The entry of {name!r} must be a dict with the keys 'with_bn', 'without_bn' and "
                "'verdict'."
            )
        samples = [_sample(entry[side]) for side in ("with_bn", "without_bn")]
        if any(sample is None for sample in samples):
            return f"The samples of {name!r} must be lists of numbers, one for each run."
        if entry["verdict"] not in WORDS:
            return f"The verdict of {name!r} must be one of {', '.join(map(repr, WORDS))}."
        claims[name] = (np.array(samples[0]), np.array(samples[1]), str(entry["verdict"]))
    return claims


def _sample(value: Plain) -> np.ndarray | None:
    items = value if isinstance(value, list | tuple) else [value]
    arrays = []
    for item in items:
        number = item.array if isinstance(item, Tensor) else item
        if isinstance(number, bool) or not isinstance(
            number, int | float | np.generic | np.ndarray
        ):
            return None
        arrays.append(np.ravel(np.asarray(number)))
    flat = np.concatenate(arrays) if arrays else np.array([])
    return flat.astype(np.float64) if flat.size and flat.dtype.kind in "iuf" else None


def _judge_runs(claims: Claims) -> Judgement:
    few = [name for name, (a, b, _) in claims.items() if min(len(a), len(b)) < SEEDS]
    if few:
        text = f"{_named(few)}: fewer than {SEEDS} runs on a side. Take all seeds of the log."
        return Judgement(0.0, text, "few-runs")
    same = [
        name
        for name, (a, b, _) in claims.items()
        if np.array_equal(a, b, equal_nan=True) or len({*a.tolist(), *b.tolist()}) < SEEDS
    ]
    if same:
        text = (
            f"{_named(same)}: the samples hold the same numbers again and again. Each run has a "
            "seed of its own, and each kind of network numbers of its own."
        )
        return Judgement(0.0, text, "same-runs")
    return Judgement(1.0)


def allowed(with_bn: np.ndarray, without_bn: np.ndarray) -> set[str]:
    """Return the verdicts that two samples allow: two of them only right on the border."""

    def half_width(factor: float) -> Any:
        return lambda a, b: factor * t_quantile(freedom(a, b)) * error(a, b)

    return {deciding(half_width(factor))(with_bn, without_bn) for factor in BORDER}


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{name[:60]}'" for name in names[:SHOWN]) + more


def _says(wrong_rule: Any) -> Any:
    """Say whether all verdicts are what a wrong rule gives, and not all of them are right."""

    def signs(case: Case, answer: Answer, _expected: Answer) -> bool:
        claims = read(answer.values.get("claims"))
        return (
            case.name == VERDICTS
            and not isinstance(claims, str)
            and all(verdict == wrong_rule(a, b) for a, b, verdict in claims.values())
        )

    return signs


def reference() -> Mapping[str, Mapping[str, Any]]:
    """Return claims that follow from a made-up log, one of each verdict."""
    log = {
        "smaller": ([0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, 1.3, 1.0, 1.4]),
        "larger": ([1.1, 1.2, 1.3, 1.0, 1.4], [0.1, 0.2, 0.3, 0.2, 0.1]),
        "the same": ([1.0, 2.0, 3.0, 4.0, 5.0], [1.1, 2.1, 2.9, 4.0, 5.2]),
        "one diverged": ([0.1, 0.2, 0.3, 0.2, 0.1], [1.1, 1.2, float("inf"), 1.0, 1.4]),
    }
    rule = deciding()
    return {
        name: {"with_bn": a, "without_bn": b, "verdict": rule(a, b)} for name, (a, b) in log.items()
    }


MY_CLAIMS = Exercise(
    unit=UNIT,
    name="my_claims",
    points=2,
    minutes=6,
    oracle=reference,
    cases=cases,
    tolerances={"float64": Tolerance(0.0, 0.0, "unused: see judge")},
    judge=judge,
    forbidden=("bnlib.claim", "bnlib.claims"),  # the log itself is made with the rest of bnlib
    misconceptions=(
        Misconception(
            "verdicts-swapped",
            "Your samples and verdicts have changed sides: the claim is that the measurement is "
            "*smaller* with batch norm.",
            signs=_says(deciding(words=("refuted", "supported", "undecided"))),
        ),
        Misconception(
            "says-what-the-paper-says",
            "You say `supported` throughout, whatever the numbers. A verdict is about your runs: "
            "let `claim` decide.",
            signs=_says(lambda a, b: "supported"),
        ),
        Misconception(
            "compares-means-only",
            "Your verdicts compare the means alone. Is each difference larger than its interval?",
            signs=_says(deciding(lambda a, b: 0.0)),
        ),
    ),
    hints=(
        "`log['batch norm']` is a list with a dict for each run. One sample is one number out of "
        "each of these dicts.",
        "For each name in `log['none'][0]`: the list of `run[name]` over the runs with batch norm, "
        "the same over those without, and `claim` of the two.",
        "`{name: {'with_bn': a, 'without_bn': b, 'verdict': claim(a, b)} for ...}`, where `a` and "
        "`b` are made in a loop before, or in a function of their own.",
    ),
)
