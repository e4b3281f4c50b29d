"""The store keeps seeds and results, and says what to do when its file is damaged."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import GradingError
from autograder.pipeline.store import SEED_LIMIT, Store, key_of
from autograder.vocabulary import CaseResult, Judgement, Result, Verdict

UNIT = "u00_start"
CASE = CaseResult(
    "a batch of two", 0.5, 2.0, Judgement(0.5, "half é", "dtype", ((0.0, 1.0), (0.25, 0.5)))
)
PLAIN = CaseResult("a random batch", 1.0, 1.0, Judgement(1.0))
RESULT = Result(
    exercise="u00.center",
    score=0.67,
    max_score=1.0,
    verdict=Verdict.PARTIAL,
    misconception="dtype",
    message="half é",
    cases=(CASE, PLAIN),
    seconds=0.25,
    sandbox="bubblewrap",
)


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    """Equal in every field, cases and error maps included, also in a later run."""
    with Store(tmp_path) as store:
        store.keep([("a", RESULT), ("b", replace(RESULT, cases=()))], "run", {3: [{"x": 1}]})
    with Store(tmp_path) as store:
        found = store.results({"center": "a", "other": "b", "unknown": "c"})
        assert found == {"center": RESULT, "other": replace(RESULT, cases=())}
        assert type(found["center"].verdict) is Verdict
        assert store.outputs("run") == {3: [{"x": 1}]}
        assert store.outputs("another run") is None


def test_all_or_nothing_is_kept(tmp_path: Path) -> None:
    """A result that cannot be written leaves no other one behind."""
    broken = replace(RESULT, message=object())  # type: ignore[arg-type]
    with Store(tmp_path) as store:
        with pytest.raises(TypeError):
            store.keep([("a", RESULT), ("b", broken)], "run", {})
        assert store.results({"center": "a"}) == {}


def test_the_seed_is_drawn_once(tmp_path: Path) -> None:
    """Another run marks everyone on the same cases; each unit has its own."""
    with Store(tmp_path) as store:
        first, other = store.seed(UNIT), store.seed("u02_forward")
    with Store(tmp_path) as store:
        assert store.seed(UNIT) == first != other
        assert 0 <= first < SEED_LIMIT


def test_a_fresh_seed_replaces_the_old_one(tmp_path: Path) -> None:
    """From then on it is the unit's."""
    with Store(tmp_path) as store:
        first = store.seed(UNIT)
        fresh = store.seed(UNIT, fresh=True)
        assert fresh != first
        assert store.seed(UNIT) == fresh


def test_a_seed_can_be_given(tmp_path: Path) -> None:
    """A course that is moved, say, keeps its cases."""
    with Store(tmp_path) as store:
        store.seed(UNIT)
        store.set_seed(UNIT, 4)
        assert store.seed(UNIT) == 4


def test_marks_are_those_of_the_last_run(tmp_path: Path) -> None:
    """By exercise, for one student and unit."""
    with Store(tmp_path) as store:
        store.set_marks("ada", UNIT, {"center": RESULT})
        store.set_marks("ada", UNIT, {"center": replace(RESULT, score=1.0)})
        assert store.marks("ada", UNIT) == {"center": (1.0, "partial")}
        assert store.marks("bob", UNIT) == {}


def test_only_its_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    """The seed gives the hidden cases away."""
    with Store(tmp_path) as store:
        assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"no database " * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    """And no traceback."""
    with Store(tmp_path) as store:
        path = store.path
    path.write_bytes(content)
    with pytest.raises(GradingError, match="move it away: everything is then graded again"):
        Store(tmp_path)


def test_a_file_damaged_in_its_middle_is_the_same_error(tmp_path: Path) -> None:
    """It opens, and fails when it is read."""
    with Store(tmp_path) as store:
        store.keep([(str(i), RESULT) for i in range(200)], "run", {})
        path = store.path
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(GradingError, match="move it away"), Store(tmp_path) as store:
        store.results({"center": "150"})


def test_a_key_depends_on_every_part_and_on_nothing_else() -> None:
    """Parts do not run into one another, and a mapping's own order is what it was made with."""
    assert key_of("a", "b") == key_of("a", "b")
    assert len({key_of("a", "b"), key_of("ab"), key_of("a", "b", ""), key_of("b", "a")}) == 4
