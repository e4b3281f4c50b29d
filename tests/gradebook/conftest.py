import shutil

import pytest

from autograder.gradebook import Writer
from tests.gradebook.books import COURSE, release
from tests.gradebook.server import running_server


@pytest.fixture(scope="session")
def server():
    """Run a PostgreSQL server for all tests."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def released_file(tmp_path_factory):
    """Make one released gradebook in SQLite."""
    path = tmp_path_factory.mktemp("released") / "gradebook.db"
    release(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def released_database(server):
    """Make one released gradebook in PostgreSQL."""
    server.do("CREATE DATABASE released")
    release(server.url("released"))
    return "released"


@pytest.fixture
def sqlite(released_file, tmp_path):
    """Return the address of a released gradebook in SQLite of the test's own."""
    return f"sqlite:///{shutil.copy(released_file, tmp_path / 'gradebook.db')}"


@pytest.fixture
def sqlite_copy(released_file, tmp_path):
    """Return the address of a second one, to compare with."""
    return f"sqlite:///{shutil.copy(released_file, tmp_path / 'second.db')}"


@pytest.fixture
def postgresql(server, released_database):
    """Return the address of a released gradebook in PostgreSQL of the test's own."""
    return server.copy(released_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """Return the address of a released gradebook in either database."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def writer(url):
    """Open the writer on it."""
    with Writer(url, COURSE) as writer:
        yield writer
