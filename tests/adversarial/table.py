"""The table of all cases; ``python -m tests.adversarial.table`` writes it into the README."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.adversarial.case import Case
from tests.adversarial.cheats import FAMILIES

README = Path(__file__).with_name("README.md")
OPENING = """\
# Cheats, accidents, and the odd but honest

Every line below is a submission that the tests grade in the real sandbox, by family in one run of
the engine. `tests/adversarial/test_cases.py` holds each to its score and verdict;
`test_host.py` looks after each run that no file of the host was changed, nobody was called, no
process was left, and no time or memory was lost without end. It also does the same deeds without
a sandbox, to see that the watch would notice. `test_next.py` looks at what one submission could
leave for the next.

What a line does not name got all its points: a cheat in one exercise costs nothing in the others.

This page is made from the cases: `python -m tests.adversarial.table` (a test fails if it is stale).
Run them with `make test PYTEST_ARGS=tests/adversarial`.
"""


def page() -> str:
    """Return the text of the README."""
    return "\n".join([OPENING, f"{sum(map(len, FAMILIES.values()))} cases.\n", *_families()])


def _families() -> Iterator[str]:
    for family, cases in FAMILIES.items():
        module = sys.modules[f"tests.adversarial.cheats.{family}"]
        yield f"## {family.capitalize()}\n\n{inspect.cleandoc(module.__doc__ or '')}\n"
        yield "| name | what it tries | what it gets |\n|---|---|---|"
        yield from map(_line, cases)
        yield ""


def _line(case: Case) -> str:
    gets = "; ".join(
        f"`{name}` {outcome}"
        if name
        else outcome.replace("no not_graded", "not graded, and told why")
        for name, outcome in case.gets.items()
    )
    why = case.why.replace("|", "\\|")
    return f"| `{case.name}` | {why} | {gets or 'everything'} |"


if __name__ == "__main__":
    README.write_text(page(), encoding="utf-8")
