"""Every case gets what it must get, and shows that it really tried."""

from __future__ import annotations

import pytest

from tests.adversarial.case import FULL, NOTHING, Case
from tests.adversarial.cheats import FAMILIES
from tests.adversarial.conftest import RunOf
from tests.adversarial.grading import Run

ALL = [
    pytest.param(family, case, id=f"{family}:{case.name}")
    for family, cases in FAMILIES.items()
    for case in cases
]


@pytest.mark.parametrize(("family", "case"), ALL)
def test_case(family: str, case: Case, run_of: RunOf) -> None:
    """The exercises of the case get the scores and verdicts that it says; the others all points."""
    run = run_of(family)
    assert observed(run, case) == expected(run, case)
    shown = run.shown(case)
    assert not [words for words in case.shows if words not in shown]
    assert not [words for words in case.hides if words in shown]
    assert run.secret not in run.autograded(case)


def observed(run: Run, case: Case) -> dict[str, str]:
    """Return what became of a case, in the words of `Case.gets`."""
    told = {}
    for exercise, row in run.rows[case.name].items():
        if row.score is None:
            score = "no"
        elif row.score == 0.0:
            score = NOTHING
        else:
            score = FULL if row.score == row.max_score else f"{row.score:g}"
        told[exercise] = f"{score} {row.verdict}"
    return told


def expected(run: Run, case: Case) -> dict[str, str]:
    """Return what must become of it."""
    exercises = dict.fromkeys(run.rows[case.name], f"{FULL} passed")
    return exercises | dict(case.gets)
