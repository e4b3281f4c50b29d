"""What handing in late costs: the course's plugin, as nbgrader calls it."""

from datetime import datetime, timedelta

import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from traitlets.config import Config

from autograder.errors import GradingError
from autograder.gradebook import Writer, dump, late_plugin
from tests.gradebook.books import COURSE, UNIT, by_person, marks

DUE = datetime(2030, 1, 10, 12)
LATE = DUE + timedelta(hours=2)


class Rule:
    """A plugin that answers the same always, and notes what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        """Answer as nbgrader's own plugin does."""
        self.asked.append((student_id, score, total_seconds_late))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class HalfPlugin(LateSubmissionPlugin):
    """An instructor's own: half of the points."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        """Take off half."""
        return score / 2


def write(url, rule, **changes):
    """Write Ann's marks under a rule."""
    with Writer(url, COURSE, rule) as writer:
        writer.write(marks(**changes))


def cost(url):
    """Return what handing in late has cost the notebook."""
    (row,) = [r for r in dump(url)["submitted_notebook"] if r["notebook_id"][1] == "all"]
    return row["late_submission_penalty"]


def test_a_late_notebook_costs_what_the_plugin_says(url):
    """In points, on the submitted notebook."""
    write(url, Rule(0.5), timestamp=LATE)
    assert cost(url) == 0.5


def test_the_plugin_hears_student_score_and_seconds(url):
    """The score is the notebook's: automatic points here."""
    rule = Rule(0.5)
    write(url, rule, timestamp=LATE)
    assert rule.asked == [("ann", 2.5, 7200.0)]


def test_the_score_counts_what_a_person_gave(url):
    """Manual score and extra credit are part of what a penalty is taken off."""
    write(url, None)
    by_person(url, "test_mean", manual_score=0.25, extra_credit=0.5)
    rule = Rule(None)
    write(url, rule, timestamp=LATE)
    assert rule.asked == [("ann", 0.25 + 0.5 + 1.5, 7200.0)]


def test_in_time_nobody_asks_the_plugin(url):
    """To the second."""
    rule = Rule(0.5)
    write(url, rule, timestamp=DUE)
    assert (rule.asked, cost(url)) == ([], None)


def test_without_a_time_nothing_is_late(url):
    """Nobody knows when it was handed in."""
    rule = Rule(0.5)
    write(url, rule)
    assert (rule.asked, cost(url)) == ([], None)


def test_an_extension_moves_the_due_date(url):
    """It was given by a person to this student."""
    write(url, None)
    with Gradebook(url, COURSE) as book:
        book.grant_extension(UNIT, "ann", hours=1)
    rule = Rule(0.5)
    write(url, rule, timestamp=LATE)
    assert rule.asked == [("ann", 2.5, 3600.0)]


def test_a_penalty_goes_when_the_reason_does(url):
    """An extension was granted, and the submission graded again."""
    write(url, Rule(0.5), timestamp=LATE)
    with Gradebook(url, COURSE) as book:
        book.grant_extension(UNIT, "ann", days=1)
    write(url, Rule(0.5), timestamp=LATE)
    assert cost(url) is None


@pytest.mark.parametrize(("answer", "kept"), [(-1.0, 0.0), (99.0, 2.5), (None, None)])
def test_a_penalty_is_between_nothing_and_the_score(url, answer, kept):
    """As nbgrader corrects it."""
    write(url, Rule(answer), timestamp=LATE)
    assert cost(url) == kept


@pytest.mark.parametrize(
    ("answer", "words"), [(ZeroDivisionError("by 0"), "by 0"), (float("nan"), "nan"), ("1", "'1'")]
)
def test_a_faulty_plugin_stops_the_submission(url, answer, words):
    """The rows written before it was asked are taken back."""
    before = dump(url)
    with pytest.raises(GradingError, match=words):
        write(url, Rule(answer), timestamp=LATE)
    assert dump(url) == before


def test_without_a_plugin_being_late_costs_nothing(url):
    """As with nbgrader's own default."""
    write(url, None, timestamp=LATE)
    assert cost(url) is None


def test_the_course_s_configuration_names_the_plugin(url):
    """By class or by its dotted name, as in nbgrader_config.py."""
    config = Config()
    config.AssignLatePenalties.plugin_class = f"{__name__}.HalfPlugin"
    write(url, late_plugin(config), timestamp=LATE)
    assert cost(url) == 1.25


def test_the_configuration_reaches_nbgrader_s_own_plugin(url):
    """Its method `zero` takes everything."""
    config = Config()
    config.LateSubmissionPlugin.penalty_method = "zero"
    write(url, late_plugin(config), timestamp=LATE)
    assert cost(url) == 2.5
