"""One run of the engine for each family, made when its first test asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.adversarial.cheats import FAMILIES
from tests.adversarial.grading import Run, run_cases

RunOf = Callable[[str], Run]


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> RunOf:
    """Return the run of a family."""
    runs: dict[str, Run] = {}

    def get(family: str) -> Run:
        if family not in runs:
            runs[family] = run_cases(FAMILIES[family], tmp_path_factory.mktemp("course"))
        return runs[family]

    return get
