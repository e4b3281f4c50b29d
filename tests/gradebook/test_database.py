"""Databases that others use, that are old or broken, or that go away meanwhile."""

import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest
from nbgrader.api import get_alembic_version
from sqlalchemy.engine import make_url

from autograder.errors import GradingError
from autograder.gradebook import Writer, dump
from tests.gradebook.books import COURSE, UNIT, marks

MOMENT = 0.3  # seconds that somebody else holds the gradebook


def open_file(url):
    """Open a SQLite gradebook as another program does, each statement a transaction."""
    path = make_url(url).database
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


@contextmanager
def later(action):
    """Do something a moment later, in another thread."""
    timer = threading.Timer(MOMENT, action)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_file_is_waited_for(sqlite, lock):
    """A formgrader writes for a moment."""
    other = open_file(sqlite)
    with Writer(sqlite, COURSE) as writer:
        other.execute(f"BEGIN {lock}")
        with later(lambda: other.execute("COMMIT")):
            writer.write(marks())
        assert writer.scores(UNIT, "ann")["test_var"] == 1.5
    other.close()


def test_a_reader_that_lets_go_is_waited_for(sqlite):
    """SQLite refuses to commit while somebody reads."""
    other = open_file(sqlite)
    with Writer(sqlite, COURSE) as writer:
        other.execute("BEGIN")
        other.execute("SELECT * FROM student").fetchall()
        with later(lambda: other.execute("COMMIT")):
            writer.write(marks())
        assert writer.scores(UNIT, "ann")["test_var"] == 1.5
    other.close()


def test_a_file_that_stays_locked_is_given_up(sqlite):
    """The message says what to close; nothing is written."""
    before, other = dump(sqlite), open_file(sqlite)
    with Writer(sqlite, COURSE, patience=0.1) as writer:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradingError, match=r"held by another program.*close formgrader"):
            writer.write(marks())
    other.close()
    assert dump(sqlite) == before


def test_a_locked_row_is_waited_for(postgresql, server):
    """A person enters a score for the same cell at the same time; both count."""
    with Writer(postgresql, COURSE) as writer:
        writer.write(marks())
        with server.connect(make_url(postgresql).database) as other:
            other.execute("BEGIN")
            other.execute("UPDATE grade SET manual_score = 0.25")
            with later(lambda: other.execute("COMMIT")):
                writer.write(marks(scores={"test_mean": 0.5, "test_var": 0.5}))
        (row,) = [r for r in dump(postgresql)["grade"] if r["cell_id"][2] == "test_mean"]
        assert (row["auto_score"], row["manual_score"]) == (0.5, 0.25)
        assert row["needs_manual_grade"] is True


def test_a_locked_row_is_given_up(postgresql, server):
    """The server itself would wait for ever."""
    with Writer(postgresql, COURSE, patience=0.1) as writer:
        writer.write(marks())
        with server.connect(make_url(postgresql).database) as other:
            other.execute("BEGIN")
            other.execute("UPDATE grade SET manual_score = 0.25")
            with pytest.raises(GradingError, match="held by another program"):
                writer.write(marks(scores={"test_mean": 0.5, "test_var": 0.5}))
            other.execute("ROLLBACK")


def test_a_row_that_others_make_meanwhile_is_taken_over(postgresql, server):
    """The same student is entered in formgrader and here."""
    with Writer(postgresql, COURSE) as writer:
        with server.connect(make_url(postgresql).database) as other:
            other.execute("BEGIN")
            other.execute("INSERT INTO student (id, first_name) VALUES ('ann', 'Ann')")
            with later(lambda: other.execute("COMMIT")):
                writer.write(marks())
        assert writer.scores(UNIT, "ann")["test_var"] == 1.5
    assert dump(postgresql)["student"][0]["first_name"] == "Ann"


def test_a_lost_connection_is_made_again(postgresql, server):
    """The server was restarted between two submissions."""
    with Writer(postgresql, COURSE) as writer:
        writer.write(marks())
        name = make_url(postgresql).database
        server.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        writer.write(marks(student="ben"))
        assert writer.scores(UNIT, "ben")["test_var"] == 1.5


def test_a_server_that_is_not_there_is_said_at_once(tmp_path):
    """Waiting would not help."""
    with pytest.raises(GradingError, match="cannot be used"):
        Writer(f"postgresql+psycopg://course@/gone?host={tmp_path}", COURSE)


def test_the_password_stays_out_of_messages(tmp_path):
    """They are printed, and copied into reports."""
    with pytest.raises(GradingError) as caught:
        Writer(f"postgresql+psycopg://course:s3cret@/gone?host={tmp_path}", COURSE)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["gradebook.db", "nosuch://host/name", "mysql://host/name"])
def test_an_address_of_no_database_is_refused(wrong):
    """The message shows what an address looks like."""
    with pytest.raises(GradingError, match=r"sqlite:////path/gradebook\.db"):
        Writer(wrong, COURSE)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """It is left as it is."""
    path = tmp_path / "gradebook.db"
    path.write_text("something else, and long enough to be looked at" * 40)
    before = path.read_bytes()
    with pytest.raises(GradingError, match="cannot be used: file is not a database"):
        Writer(f"sqlite:///{path}", COURSE)
    assert path.read_bytes() == before


def test_a_new_gradebook_is_made_with_its_version(tmp_path):
    """So that `nbgrader db upgrade` knows where it stands."""
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    Writer(url, COURSE).close()
    with closing(open_file(url)) as file:
        found = file.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [(get_alembic_version(),)]
    assert dump(url)["course"] == [{"id": COURSE}]


def test_a_gradebook_that_was_half_made_is_completed(sqlite):
    """Nbgrader was killed while it made the tables."""
    before, other = dump(sqlite), open_file(sqlite)
    other.execute("DROP TABLE alembic_version")
    other.execute("DROP TABLE comment")
    Writer(sqlite, COURSE).close()
    assert other.execute("SELECT count(*) FROM alembic_version").fetchall() == [(1,)]
    other.close()
    assert dump(sqlite) == before


def test_an_older_nbgrader_s_gradebook_is_refused(sqlite):
    """The message names the command that brings it up to date."""
    other = open_file(sqlite)
    other.execute("ALTER TABLE grade DROP COLUMN extra_credit")
    other.close()
    with pytest.raises(GradingError, match=r"grade lacks extra_credit.*nbgrader db upgrade"):
        Writer(sqlite, COURSE)
