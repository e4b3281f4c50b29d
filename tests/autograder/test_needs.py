"""An exercise whose package is missing is not judged: nobody loses points for it."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from autograder import check
from autograder.clean import Clean
from autograder.errors import NotInstalledError
from autograder.execution import Execution
from autograder.exercises import find
from autograder.marking import mark
from autograder.needs import installed, require_installed
from autograder.paper import set_paper
from autograder.vocabulary import Verdict

NOWHERE = "no_such_package_anywhere"


def test_a_missing_package_is_named() -> None:
    """The text says what to install, and that no points are lost."""
    needy = replace(find("u00.center"), needs=("numpy", NOWHERE))
    with pytest.raises(NotInstalledError, match=rf"u00\.center needs `{NOWHERE}`.*pip install"):
        require_installed(needy)
    require_installed(find("u00.center"))


def test_what_is_hidden_from_imports_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what a host blocks on purpose."""
    assert installed("numpy")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not installed("torch")


def test_a_grader_without_the_package_grades_the_rest() -> None:
    """The exercise is `not_graded`, with the reason; its neighbour gets its mark as ever."""
    questions = dict(set_paper("u00_start", 0, 5.0).questions)
    needy = replace(questions["center"].exercise, needs=(NOWHERE,))
    questions["center"] = replace(questions["center"], exercise=needy)
    results = mark(Clean("u00_start", (), (), {}), Execution(), questions, "none")
    assert results["center"].verdict is Verdict.NOT_GRADED
    assert NOWHERE in results["center"].message
    assert results["column_scale"].verdict is not Verdict.NOT_GRADED


def test_check_says_so_instead_of_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """A student without the package sees what to do, and no 0."""
    needy = replace(find("u00.center"), needs=(NOWHERE,))
    module = sys.modules["autograder.check"]  # the package's name for it is the function's
    monkeypatch.setattr(module, "find", lambda _id: needy)
    with pytest.raises(NotInstalledError, match=NOWHERE):
        check("u00.center", lambda x: x)
