"""`check`, `hint`, `progress` as a student meets them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograder.hints as hints_module
import bnlib
from autograder import check, hint, progress
from autograder.check import grade_function
from autograder.errors import AutograderError, UnknownExerciseError, UsageError
from autograder.panel import RESULT_MIME, Panel, as_html, as_text
from autograder.progress import FILE_VARIABLE, load
from autograder.vocabulary import Verdict

Shown = list[Any]


def batch_mean(x: np.ndarray) -> np.ndarray:
    """Solve the exercise."""
    return x.mean(axis=0)  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def progress_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the map of this test apart from the user's."""
    path = tmp_path / "map" / "progress.json"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    """Collect what is displayed."""
    seen: Shown = []
    monkeypatch.setattr("IPython.display.display", seen.append)
    return seen  # type: ignore[return-value]


def test_the_value_is_the_score_and_prints_as_a_float(shown: Shown) -> None:
    """That is what stock nbgrader reads as partial credit."""
    score = check("u02.batch_mean", batch_mean)
    assert isinstance(score, float)
    assert float(repr(score)) == score == score.result.max_score
    assert isinstance(shown[0], Panel)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("u02.batch_meen", batch_mean), UnknownExerciseError, "Did you mean 'u02.batch_mean'?"),
        (("u02.nope", batch_mean), UnknownExerciseError, "Unit u02_forward has: batch_mean"),
        (("u77.batch_mean", batch_mean), UnknownExerciseError, "The units are: u00_start"),
        ((batch_mean, "u02.batch_mean"), UnknownExerciseError, "named by a string"),
        (("u02.batch_mean",), UsageError, "second argument"),
        (("u02.batch_mean", None), UsageError, "run the cell that defines it"),
        (("u02.batch_mean", 3.0), UsageError, "without calling it"),
    ],
)
def test_wrong_use_gets_one_sentence(
    arguments: tuple[Any, ...], error: type[AutograderError], words: str, shown: Shown
) -> None:
    """The message says what to do, and IPython shows it without a traceback."""
    with pytest.raises(error, match=words.replace("?", r"\?")) as caught:
        check(*arguments)
    assert caught.value._render_traceback_() == [f"{error.__name__}: {caught.value}"]
    assert not shown


def test_noise_of_student_code_stays_out_of_stderr(
    shown: Shown, capfd: pytest.CaptureFixture[str]
) -> None:
    """Prints and warnings of a right solution neither show up nor cost points."""

    def noisy(x: np.ndarray) -> np.ndarray:
        print("debugging")  # noqa: T201
        print("more", file=sys.stderr)  # noqa: T201
        warnings.warn("careful", stacklevel=1)
        return batch_mean(x)

    assert check("u02.batch_mean", noisy).result.verdict is Verdict.PASSED
    assert capfd.readouterr() == ("", "")


def test_an_endless_function_is_stopped(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that catches every exception."""
    monkeypatch.setattr(sys.modules["autograder.check"], "CASE_SECONDS", 0.2)

    def endless(x: np.ndarray) -> np.ndarray:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    score = check("u02.batch_mean", endless)
    assert (score, score.result.verdict) == (0.0, Verdict.TIMEOUT)


def test_the_same_seed_draws_the_same_cases() -> None:
    """A student can go back to the cases that failed."""
    seen: list[list[np.ndarray]] = [[], [], []]

    def spy(index: int) -> Any:
        return lambda x: seen[index].append(x) or batch_mean(x)

    for index, seed in enumerate((5, 5, 6)):
        grade_function("u02.batch_mean", spy(index), seed)
    same = all(np.array_equal(a, b) for a, b in zip(seen[0], seen[1], strict=True))
    assert same
    assert not all(np.array_equal(a, b) for a, b in zip(seen[0], seen[2], strict=True))


def test_the_panel_never_shows_an_expected_number() -> None:
    """No input and no expected entry of any case stands in the panel or its record."""
    values: list[float] = []

    def spy(x: np.ndarray) -> np.ndarray:
        values.extend(x.ravel())
        values.extend(x.mean(axis=0))
        return x[0] * 1.7

    result = grade_function("u02.batch_mean", spy, seed=11)
    text = (
        as_html(result)
        + as_text(result)
        + json.dumps(Panel(result)._repr_mimebundle_()[RESULT_MIME])
    )
    telling = {n for n in (f"{abs(v):.4g}" for v in values) if len(n) >= 5}
    assert telling
    assert not [number for number in telling if number in text]


def test_the_panel_has_a_plain_text_twin() -> None:
    """Every case and message of the HTML panel stands in the text, too."""
    result = grade_function("u02.batch_mean", lambda x: x.sum(axis=0), seed=3)
    bundle = Panel(result)._repr_mimebundle_()
    for case in result.cases:
        assert case.name in bundle["text/plain"]
        assert case.name in bundle["text/html"]
    assert result.message in bundle["text/plain"]


def test_student_text_is_escaped() -> None:
    """An error message cannot put markup into the panel."""

    def hostile(x: np.ndarray) -> np.ndarray:
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in as_html(grade_function("u02.batch_mean", hostile, seed=0))


def test_hints_come_one_stage_at_a_time(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call shows the next one, and the last one again after that."""
    monkeypatch.setattr(hints_module, "_shown", {})
    for _ in range(5):
        hint("u02.batch_mean")
    heads = [markdown.data.split(" — ")[0] for markdown in shown]
    assert heads[0] == "**Hint 1 of 3**"
    assert heads[2] == heads[4] == "**Hint 3 of 3**"
    with pytest.raises(UsageError, match="ask for 1 to 3"):
        hint("u02.batch_mean", 9)


def test_progress_remembers_the_best_score(shown: Shown, progress_path: Path) -> None:
    """A later, worse attempt does not erase a pass."""
    check("u02.batch_mean", batch_mean)
    check("u02.batch_mean", lambda x: x)
    assert load()["u02.batch_mean"]["score"] > 0
    assert "u02_forward" in progress().as_text()
    assert "batch_mean: 1 of 1 points" in progress().as_html()


def test_progress_is_not_touched_by_graders(
    shown: Shown, progress_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grading a class does not fill the instructor's own map."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check("u02.batch_mean", batch_mean)
    assert not progress_path.exists()
    assert progress().as_text() == "Your map is on your own computer."


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"u02.batch_mean": 3}', '{"u02.batch_mean": {}}']
)
def test_a_broken_map_is_an_empty_one(content: str, progress_path: Path, shown: Shown) -> None:
    """A half-written or edited file never stands in a student's way."""
    progress_path.parent.mkdir()
    progress_path.write_text(content)
    assert "u02_forward" in progress().as_text()
    check("u02.batch_mean", batch_mean)
    assert load()["u02.batch_mean"]["score"] == 1.0


def test_a_disk_that_cannot_be_written_is_no_error(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check works; only the map does not remember."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "file" / "progress.json"))
    assert check("u02.batch_mean", batch_mean) == 1.0


def test_a_graders_seed_is_used_and_not_shown(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole class gets the same cases, and no feedback names their seed."""
    monkeypatch.setenv("AUTOGRADER_SEED", "271828")
    inputs: list[np.ndarray] = []
    score = check("u02.batch_mean", lambda x: inputs.append(x) or batch_mean(x))
    assert "271828" not in str(shown[0]._repr_mimebundle_())
    again: list[np.ndarray] = []
    grade_function("u02.batch_mean", lambda x: again.append(x) or batch_mean(x), 271828)
    assert score.result.seed is None
    assert all(np.array_equal(a, b) for a, b in zip(inputs, again, strict=True))


@pytest.mark.parametrize("catching", [False, True])
def test_a_function_that_calls_the_reference_is_told_so(shown: Shown, catching: bool) -> None:
    """A ready-made solution earns nothing, even if the call is wrapped; the check itself may."""

    def ready_made(x: np.ndarray) -> np.ndarray:
        try:
            return bnlib.batch_mean(x)
        except BaseException:
            if not catching:
                raise
            return batch_mean(x)

    score = check("u02.batch_mean", ready_made)
    assert (score, score.result.verdict) == (0.0, Verdict.FORBIDDEN)
    text = as_text(score.result)
    assert "`batch_mean` calls bnlib.batch_mean." in text
    assert "Comparing with it in a cell of your own is welcome." in text
    assert check("u02.batch_mean", batch_mean) == 1.0


def test_the_source_in_the_notebook_is_looked_at() -> None:
    """In IPython what is reached by name counts, and a comparison in another cell does not."""
    cells = [
        "from autograder import check",
        "def batch_mean(x):\n    if x.shape == (0, 0):\n        from bnlib import batch_mean as f\n"
        "        return f(x)\n    return x.mean(axis=0)",
        "score = check('u02.batch_mean', batch_mean)",
        "print(score.result.verdict, score.result.message)",
        "import bnlib\ndef batch_mean(x):\n    return x.mean(axis=0)\nbnlib.batch_mean",
        "print(check('u02.batch_mean', batch_mean).result.verdict)",
    ]
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        f"for cell in {cells!r}:\n"
        "    shell.run_cell(cell, store_history=True).raise_error()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    told, _, rest = ran.stdout.partition("Ready-made")
    assert "Cell `In [2]`, line 4, uses bnlib.batch_mean: `return f(x)`." in told
    assert "forbidden Cell `In [2]`" in rest
    assert rest.rstrip().endswith("passed")
