"""Open nbgrader's database, and run transactions on it that wait for whoever else is in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from nbgrader.api import Base, Course, get_alembic_version
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError

from autograder.environment import put_programs_on_path
from autograder.errors import GradingError

T = TypeVar("T")

PATIENCE_SECONDS = 60.0  # a formgrader's page or a backup holds the database for less
BUSY_SECONDS = 1.0  # how long the database itself waits before a transaction is tried again
PAUSE_SECONDS = 0.05  # between two tries
COLLISIONS = 3  # rows that others made at the same time, in one transaction: more is a fault


class Database:
    """A gradebook's database.

    Parameters
    ----------
    db_url
        As nbgrader's ``c.CourseDirectory.db_url``.
    patience
        Seconds to wait for a database that another program holds.
    """

    def __init__(self, db_url: str, patience: float = PATIENCE_SECONDS) -> None:
        self.engine = _make_engine(db_url)
        self.patience = patience
        self._reached = False

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` reads, in one transaction."""
        return self._run(work, writes=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` as one transaction: all of it is written, or nothing.

        It is run again where somebody else was in its way, so it must only touch the database.

        Raises
        ------
        GradingError
            If the database cannot be written, or stays locked for longer than `patience`.
        """
        return self._run(work, writes=True)

    def _run(self, work: Callable[[Connection], T], writes: bool) -> T:
        deadline, collisions = time.monotonic() + self.patience, 0
        while True:
            try:
                with self._connect(writes) as connection, connection.begin():
                    self._reached = True
                    return work(connection)
            except DBAPIError as error:
                collisions += isinstance(error, IntegrityError)
                if not self._passes(error) or collisions > COLLISIONS:
                    raise self._failed(error) from error
                if time.monotonic() > deadline:
                    raise self._held(error) from error
            time.sleep(PAUSE_SECONDS)

    def _connect(self, writes: bool) -> Connection:
        connection = self.engine.connect()
        if not writes and self.engine.dialect.name == "postgresql":  # all of it as at one moment
            return connection.execution_options(isolation_level="REPEATABLE READ")
        return connection

    def _passes(self, error: DBAPIError) -> bool:
        """Whether the same may well succeed a moment later."""
        if isinstance(error, IntegrityError):
            return True  # somebody else made the same row at the same time: now it is there
        if self.engine.dialect.name == "sqlite":
            return "locked" in str(error.orig)
        return isinstance(error, OperationalError) and self._reached

    def _held(self, error: DBAPIError) -> GradingError:
        return GradingError(
            f"The gradebook {self._name} was held by another program for {self.patience:g} s "
            f"({_reason(error)}): close formgrader, or whatever else has it open, and run the same "
            "command again. What was written so far is kept."
        )

    def _failed(self, error: DBAPIError) -> GradingError:
        return GradingError(
            f"The gradebook {self._name} cannot be used: {_reason(error)}. Check "
            "c.CourseDirectory.db_url in nbgrader_config.py, that the database can be written, and "
            "the space on its disk; then run the same command again. What was written so far is "
            "kept."
        )

    @property
    def _name(self) -> str:
        return self.engine.url.render_as_string(hide_password=True)


def _make_engine(db_url: str) -> Engine:
    sqlite = db_url.startswith("sqlite")
    try:
        engine = create_engine(db_url, connect_args={"timeout": BUSY_SECONDS} if sqlite else {})
    except (ArgumentError, ImportError) as error:
        raise GradingError(
            f"The gradebook's db_url must name a database that this environment can open, as in "
            f"sqlite:////path/gradebook.db or postgresql+psycopg://user@host/name: {error}. For "
            "PostgreSQL, `pip install 'batchnorm-course[postgres]'`."
        ) from error
    if sqlite:
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    """Begin before the first read, where the driver would only at the first write.

    So SQLite sees it if somebody writes between what is read and what is written: it refuses, and
    the transaction is run again.
    """
    connection.exec_driver_sql("BEGIN")


def _set_up_postgresql(connection: Any, record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.commit()


def _reason(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split()).rstrip(".")


def prepare(connection: Connection, course_id: str) -> None:
    """Make what is missing of nbgrader's tables, the version it notes, and the course.

    nbgrader makes them one by one: if it was killed meanwhile, the rest is made here.

    Raises
    ------
    GradingError
        If the tables are an older nbgrader's.
    """
    Base.metadata.create_all(connection)
    found = inspect(connection)
    for table in Base.metadata.sorted_tables:
        columns = {column["name"] for column in found.get_columns(table.name)}
        if lacking := sorted(set(table.columns.keys()) - columns):
            raise GradingError(
                f"The gradebook is an older nbgrader's: its table {table.name} lacks "
                f"{', '.join(lacking)}. Run `nbgrader db upgrade`, and grade again."
            )
    if not found.has_table("alembic_version"):
        put_programs_on_path()
        version = get_alembic_version()
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), locals())
    course = Course.__table__
    if connection.scalar(select(course.c.id).where(course.c.id == course_id)) is None:
        connection.execute(course.insert(), {"id": course_id})
