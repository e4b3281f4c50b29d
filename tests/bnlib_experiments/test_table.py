"""The page of verdicts says what the records say."""

import math
from dataclasses import replace

import pytest

from bnlib.experiments import Measure
from bnlib.experiments.records import save
from bnlib.experiments.table import (
    PAGE,
    interval_of,
    known_records,
    mean_of,
    numbers,
    page,
    write_page,
)
from tests.bnlib_experiments.planted import CLEAR, OPEN, TURNED, record

NAN = math.nan


def test_the_page_in_the_repository_is_that_of_the_results():
    """Otherwise: `make experiments`."""
    assert PAGE.read_text(encoding="utf-8") == page(known_records())


def test_a_row_has_claim_source_verdict_numbers_seeds_and_cost():
    """And leads to its section."""
    (row,) = [line for line in page([record()]).splitlines() if line.startswith("| [It is")]
    assert row == (
        "| [It is faster.](#planted) | Someone 2020 | **supported** "
        "| time: batch norm 1 s, none 2 s (difference −1.23 to −0.773) | 3 | 12 s |"
    )


def test_a_section_has_set_up_paper_and_comparison():
    """With every measure, also those that do not decide."""
    text = page([record(CLEAR, replace(TURNED, name="aside", decides=False))])
    section = text[text.index("## planted") :]
    for words in (
        "Someone 2020",
        "The paper's figure is 7.",
        "Ours is smaller",
        "A network. 3 seeds, 12 s on one core (python 3.11, numpy 2.0, torch 2.6)",
        "python -m bnlib.experiments planted --again",
        "| time | batch norm 1 s | none 2 s | −1.23 to −0.773 | supported |",
        "| aside | batch norm 2 s | none 1 s | 0.773 to 1.23 | – |",
    ):
        assert words in section
    assert "aside" not in text[: text.index("## planted")]


def test_the_verdicts_are_counted():
    """One line above the table."""
    found = [record(CLEAR), record(TURNED), record(OPEN), record(OPEN)]
    assert "4 claims: 1 supported, 1 refuted, 2 undecided. Cost of all: 1 minute" in page(found)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, 2.0], "1.5 %"),
        ([1234.5], "1234 %"),
        ([-0.00001234], "−1.23·10^−5 %"),
        ([1.0, NAN, math.inf, 3.0], "2 % (2 of 4 diverged)"),
        ([NAN, NAN], "2 of 2 diverged"),
    ],
)
def test_a_mean_is_that_of_the_runs_that_ended_well(values, text):
    """With how many did not; three digits, and a minus sign that is one."""
    assert mean_of(values, "%") == text


def test_an_interval_that_cannot_be_had_says_why():
    """Runs that diverged are compared by rank; one seed has no interval."""
    assert interval_of(replace(CLEAR, with_bn=(1.0, NAN, 1.0))) == "by rank"
    assert interval_of(replace(CLEAR, with_bn=(1.0,))) == "one seed"


def test_labels_may_be_others_than_batch_norm_and_none():
    """Before and after, say; a ratio has no unit."""
    measure = Measure("m", "ratio", (1.0, 2.0), (3.0, 4.0), with_label="A", without_label="B")
    assert numbers(measure).startswith("m: A 1.5, B 3.5 (difference")


def test_a_bar_in_a_text_does_not_end_its_cell():
    """Markdown's own sign."""
    row = next(line for line in page([record(claim="a | b")]).splitlines() if "#planted" in line)
    assert "a \\| b" in row


def test_outside_of_a_checkout_no_page_is_written(tmp_path):
    """An installed package has no docs folder."""
    save(record(), tmp_path)
    write_page(tmp_path / "docs" / "verdicts.md", tmp_path)
    assert not (tmp_path / "docs").exists()
    (tmp_path / "docs").mkdir()
    write_page(tmp_path / "docs" / "verdicts.md", tmp_path)
    assert "0 claims" in (tmp_path / "docs" / "verdicts.md").read_text()  # planted is none of ours
