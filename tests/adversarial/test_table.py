"""The README lists the cases as they are, and there are enough of them."""

from __future__ import annotations

from collections import Counter

from tests.adversarial.cheats import FAMILIES
from tests.adversarial.table import README, page

LEAST = 80  # named cheats and accidents


def test_the_readme_is_up_to_date() -> None:
    """What the README says is what `python -m tests.adversarial.table` would write."""
    assert README.read_text(encoding="utf-8") == page(), "run python -m tests.adversarial.table"


def test_every_case_has_a_name_of_its_own() -> None:
    """A name is a student's folder: two of one unit would overwrite each other."""
    names = Counter(case.name for cases in FAMILIES.values() for case in cases)
    assert [name for name, count in names.items() if count > 1] == []


def test_there_are_enough_cheats_and_accidents() -> None:
    """The honest ones do not count."""
    assert sum(len(cases) for name, cases in FAMILIES.items() if name != "honest") >= LEAST
