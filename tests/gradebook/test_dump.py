"""What makes two gradebooks equal."""

import json

from autograder.gradebook import Writer, dump
from tests.gradebook.books import COURSE, by_person, marks, release


def test_gradebooks_made_apart_are_equal(sqlite, tmp_path):
    """Their ids are random: they are no content."""
    other = f"sqlite:///{tmp_path / 'other.db'}"
    release(other)
    for url in (sqlite, other):
        with Writer(url, COURSE) as writer:
            writer.write(marks())
    assert dump(sqlite) == dump(other)


def test_the_order_of_writing_does_not_count(sqlite, sqlite_copy):
    """Submissions are graded in parallel."""
    for url, students in ((sqlite, "abc"), (sqlite_copy, "cab")):
        with Writer(url, COURSE) as writer:
            for student in students:
                writer.write(marks(student=student))
    assert dump(sqlite) == dump(sqlite_copy)


def test_any_difference_shows(sqlite):
    """One flag of one row is enough."""
    with Writer(sqlite, COURSE) as writer:
        writer.write(marks())
    before = dump(sqlite)
    by_person(sqlite, "test_mean", needs_manual_grade=True)
    assert dump(sqlite) != before


def test_it_is_json(sqlite):
    """Keys, times and all."""
    with Writer(sqlite, COURSE) as writer:
        writer.write(marks())
    content = dump(sqlite)
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_it_names_what_a_row_points_at(sqlite):
    """A grade belongs to a submission's notebook and to a cell."""
    with Writer(sqlite, COURSE) as writer:
        writer.write(marks())
    (grade,) = [row for row in dump(sqlite)["grade"] if row["cell_id"][2] == "test_var"]
    assert grade["notebook_id"] == [["u09_all", "ann"], ["u09_all", "all"]]
    assert grade["cell_id"] == [["u09_all", "all"], "GradeCell", "test_var"]
