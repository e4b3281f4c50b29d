"""What the writer leaves in the gradebook, in SQLite and in PostgreSQL."""

from datetime import datetime, timedelta, timezone

import pytest
from nbgrader.api import Gradebook
from sqlalchemy.engine import make_url
from traitlets.config import Config

from autograder.errors import GradingError
from autograder.gradebook import Writer, dump, late_plugin
from tests.gradebook.books import COURSE, NOTEBOOK, UNIT, by_person, marks, row_of

HANDED_IN = datetime(2030, 1, 9, 8, 30)


def test_scores_are_in_the_gradebook(writer):
    """They can be read back by the name of the test cell."""
    writer.write(marks())
    scores = writer.scores(UNIT, "ann")
    assert (scores["test_mean"], scores["test_var"]) == (1.0, 1.5)


def test_a_graded_cell_waits_for_nobody(writer, url):
    """As nbgrader does: an automatic score needs no person."""
    writer.write(marks())
    assert row_of(dump(url), "grade", "test_var")["needs_manual_grade"] is False


def test_a_new_student_is_made(writer, url):
    """As nbgrader does, whose gradebook starts without any."""
    writer.write(marks(student="zoë"))
    assert [row["id"] for row in dump(url)["student"]] == ["zoë"]


def test_a_known_student_keeps_the_name(writer, url):
    """It was imported from the university's list."""
    with Gradebook(url, COURSE) as book:
        book.add_student("ann", first_name="Ann", email="ann@example.org")
    before = dump(url)["student"]
    writer.write(marks())
    assert dump(url)["student"] == before


def test_the_same_marks_again_write_nothing(sqlite, tmp_path):
    """The file stays the same byte for byte, so an interrupted run may start over."""
    with Writer(sqlite, COURSE) as writer:
        writer.write(marks(timestamp=HANDED_IN, unanswered=frozenset({"explain"})))
    before = (tmp_path / "gradebook.db").read_bytes()
    with Writer(sqlite, COURSE) as writer:
        writer.write(marks(timestamp=HANDED_IN, unanswered=frozenset({"explain"})))
    assert (tmp_path / "gradebook.db").read_bytes() == before


def test_the_same_marks_again_make_no_new_row_version(postgresql, server):
    """Seen from the server, where an update to the same value would be one, too."""

    def versions():
        with server.connect(make_url(postgresql).database) as connection:
            found = [
                connection.execute(f"SELECT id, ctid, xmin FROM {table} ORDER BY id").fetchall()
                for table in ("submitted_assignment", "submitted_notebook", "grade", "comment")
            ]
        return found

    one = marks(timestamp=HANDED_IN + timedelta(days=9), unanswered=frozenset({"explain"}))
    config = Config()
    config.LateSubmissionPlugin.penalty_method = "zero"
    with Writer(postgresql, COURSE, late_plugin(config)) as writer:
        writer.write(one)
        before = versions()
        writer.write(one)
        assert versions() == before


def test_new_marks_replace_the_old_ones(writer):
    """A second grading counts, upwards and downwards."""
    writer.write(marks())
    writer.write(marks(scores={"test_mean": 0.0, "test_var": 2.0}))
    scores = writer.scores(UNIT, "ann")
    assert (scores["test_mean"], scores["test_var"]) == (0.0, 2.0)


def test_other_submissions_stay_as_they_are(writer):
    """Each write touches one student."""
    writer.write(marks())
    writer.write(marks(student="ben", scores={"test_mean": 0.0, "test_var": 0.0}))
    assert writer.scores(UNIT, "ann")["test_var"] == 1.5


def test_what_could_not_be_graded_waits_for_a_person(writer, url):
    """It has no score, which is neither 0 nor full."""
    writer.write(marks())
    writer.write(marks(scores={"test_mean": None, "test_var": 2.0}))
    row = row_of(dump(url), "grade", "test_mean")
    assert (row["auto_score"], row["needs_manual_grade"]) == (None, True)
    assert writer.scores(UNIT, "ann")["test_mean"] is None


def test_a_manual_score_is_never_changed(writer, url):
    """It wins over the automatic one, which is updated beside it and shown for review."""
    writer.write(marks())
    by_person(url, "test_mean", manual_score=0.25, needs_manual_grade=False)
    writer.write(marks(scores={"test_mean": 0.75, "test_var": 2.0}))
    row = row_of(dump(url), "grade", "test_mean")
    assert (row["manual_score"], row["auto_score"]) == (0.25, 0.75)
    assert row["needs_manual_grade"] is True
    assert writer.scores(UNIT, "ann")["test_mean"] == 0.25


def test_extra_credit_is_never_changed(writer, url):
    """It counts on top of the score."""
    writer.write(marks())
    by_person(url, "test_mean", extra_credit=0.5)
    writer.write(marks(scores={"test_mean": 0.0, "test_var": 2.0}))
    assert writer.scores(UNIT, "ann")["test_mean"] == 0.5


def test_a_manual_comment_is_never_changed(writer, url):
    """Automatic comments come and go beside it."""
    writer.write(marks(unanswered=frozenset({"explain"})))
    by_person(url, "explain", manual_comment="Come and see me.")
    writer.write(marks())
    row = row_of(dump(url), "comment", "explain")
    assert (row["manual_comment"], row["auto_comment"]) == ("Come and see me.", None)


def test_an_empty_answer_scores_zero_and_says_so(writer, url):
    """No person needs to look at it."""
    writer.write(marks(unanswered=frozenset({"explain"})))
    content = dump(url)
    grade = row_of(content, "grade", "explain")
    assert (grade["auto_score"], grade["needs_manual_grade"]) == (0.0, False)
    assert row_of(content, "comment", "explain")["auto_comment"] == "No response."


def test_an_answer_waits_for_a_person(writer, url):
    """Also where an earlier version of it was empty."""
    writer.write(marks(unanswered=frozenset({"explain"})))
    writer.write(marks())
    assert writer.scores(UNIT, "ann")["explain"] is None
    assert row_of(dump(url), "comment", "explain")["auto_comment"] is None


def test_a_task_waits_for_a_person(writer, url):
    """Nothing automatic is said of it."""
    writer.write(marks())
    row = row_of(dump(url), "grade", "plot")
    assert (row["auto_score"], row["needs_manual_grade"]) == (None, True)
    assert row_of(dump(url), "comment", "plot")["auto_comment"] is None


def test_a_graded_task_is_left_alone(writer, url):
    """Autograding of nbgrader does not touch it, either."""
    writer.write(marks())
    by_person(url, "plot", manual_score=4.0, needs_manual_grade=False)
    before = dump(url)
    writer.write(marks())
    assert dump(url) == before


def test_the_unit_s_other_notebook_waits(writer, url):
    """Its rows are there, as nbgrader makes them, and say nothing yet."""
    writer.write(marks())
    row = row_of(dump(url), "grade", "test_more")
    assert (row["auto_score"], row["needs_manual_grade"]) == (None, True)


def test_a_cell_released_later_is_added(writer, url):
    """Where nbgrader would stop at the first submission that lacks it."""
    writer.write(marks())
    with Gradebook(url, COURSE) as book:
        book.add_grade_cell("test_new", NOTEBOOK, UNIT, max_score=1, cell_type="code")
    writer.write(marks(scores={"test_mean": 1.0, "test_var": 2.0, "test_new": 1.0}))
    assert writer.scores(UNIT, "ann")["test_new"] == 1.0


def test_the_time_of_handing_in_is_kept_in_utc(writer, url):
    """A zone in what came is taken into account."""
    zone = timezone(timedelta(hours=2))
    writer.write(marks(timestamp=HANDED_IN.replace(tzinfo=zone)))
    assert dump(url)["submitted_assignment"][0]["timestamp"] == "2030-01-09T06:30:00"


def test_a_later_hand_in_moves_the_time(writer, url):
    """The student handed in again."""
    writer.write(marks(timestamp=HANDED_IN))
    writer.write(marks(timestamp=HANDED_IN + timedelta(hours=1)))
    assert dump(url)["submitted_assignment"][0]["timestamp"] == "2030-01-09T09:30:00"


def test_without_a_time_the_known_one_stays(writer, url):
    """As nbgrader does, when timestamp.txt is missing."""
    writer.write(marks(timestamp=HANDED_IN))
    writer.write(marks())
    assert dump(url)["submitted_assignment"][0]["timestamp"] == "2030-01-09T08:30:00"


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "u08_gone"},
        {"notebook": "gone"},
        {"scores": {"test_mean": 1.0, "test_var": 1.0, "test_gone": 1.0}},
        {"unanswered": frozenset({"gone"})},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_the_gradebook_does_not_know_is_refused(writer, url, change):
    """The message names the command that makes it known; nothing is written."""
    before = dump(url)
    with pytest.raises(GradingError, match=r"does not know .*gone.*autograder release"):
        writer.write(marks(**change))
    assert dump(url) == before


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan"), float("inf"), -float("inf")])
def test_an_impossible_score_is_refused(writer, url, score):
    """It is a fault of ours: no row of the submission is written."""
    before = dump(url)
    with pytest.raises(GradingError, match=r"test_mean.*between 0 and 1"):
        writer.write(marks(scores={"test_mean": score, "test_var": 1.0}))
    assert dump(url) == before


def test_a_test_cell_without_score_is_refused(writer, url):
    """A forgotten exercise must not pass for one that waits for a person."""
    before = dump(url)
    with pytest.raises(GradingError, match="no score for test_var"):
        writer.write(marks(scores={"test_mean": 1.0}))
    assert dump(url) == before


def test_scores_of_nobody_are_empty(writer):
    """Nothing was handed in."""
    assert writer.scores(UNIT, "ann") == {}


def test_a_unit_is_released_or_not(writer):
    """A unit is released when the gradebook knows a notebook of it."""
    assert writer.is_released(UNIT)
    assert not writer.is_released("u08_gone")


def test_the_points_of_a_unit_s_cells(writer):
    """Tests and texts, by name; nothing for a unit that is not released."""
    points = {"explain": 3.0, "test_mean": 1.0, "test_more": 5.0, "test_var": 2.0}
    assert writer.grade_cells(UNIT) == points
    assert writer.grade_cells("u08_gone") == {}


def test_nbgrader_adds_up_what_was_written(writer, url):
    """Its own sums, which formgrader and export show."""
    writer.write(marks())
    with Gradebook(url, COURSE) as book:
        assert book.find_submission(UNIT, "ann").score == 2.5


def test_both_databases_hold_the_same(sqlite, postgresql):
    """After the same marks, with every kind of change among them."""
    for url in (sqlite, postgresql):
        with Writer(url, COURSE) as writer:
            for student in ("ann", "Ben", "zoë"):
                writer.write(marks(student=student, timestamp=HANDED_IN))
            by_person(url, "test_mean", manual_score=0.1, extra_credit=0.2)
            writer.write(marks(scores={"test_mean": 1 / 3, "test_var": None}))
            writer.write(marks(student="Ben", unanswered=frozenset({"explain", "mean"})))
    assert len(dump(sqlite)["submitted_assignment"]) == 3
    assert dump(sqlite) == dump(postgresql)
