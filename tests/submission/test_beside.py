"""Which files may lie beside a notebook while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.submission import beside, keep_files, read_beside


def refused(path: str) -> list[str]:
    """Return the kinds of findings about a file that must not be kept."""
    kept, findings = keep_files({path: b"x"})
    assert kept == {}
    return [finding.kind for finding in findings]


def test_helpers_and_data_are_kept() -> None:
    """Modules of the student's own, packages, data in folders of any name."""
    files = dict.fromkeys(
        ["helpers.py", "mine/__init__.py", "data/x.npy", "numpy/notes.txt", "ä b.csv", "a.py.txt"],
        b"x",
    )
    assert keep_files(files) == (dict(sorted(files.items())), ())


@pytest.mark.parametrize(
    "path",
    [
        *("numpy.py", "torch/__init__.py", "bnlib.py", "bnlib/forward.py", "autograder/check.py"),
        *("sitecustomize.py", "usercustomize.py", "conftest.py", "json.py", "random.pyc"),
        *("numpy.cpython-311-x86_64-linux-gnu.so", "NumPy.py", "code/__init__.py", "PIL.py"),
    ],
)
def test_no_file_hides_a_module(path: str) -> None:
    """Python's own, installed ones, and the course's; in any form that an import could find."""
    assert refused(path) == ["file-shadows-module"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc/passwd", "file-unsafe-path"),
        ("../x.txt", "file-unsafe-path"),
        ("a/../../x.txt", "file-unsafe-path"),
        ("a//x.txt", "file-unsafe-path"),
        ("", "file-unsafe-path"),
        ("a\\..\\x.txt", "file-unsafe-path"),
        ("C:x.txt", "file-unsafe-path"),
        ("a\n.txt", "file-unsafe-path"),
        ("a\0.txt", "file-unsafe-path"),
        ("\udcff.txt", "file-unsafe-path"),
        ("n" * 256, "file-unsafe-path"),
        (".git/config", "file-hidden"),
        (".env", "file-hidden"),
        ("start (1).ipynb", "file-notebook"),
        ("more/other.IPYNB", "file-notebook"),
        ("x.pth", "file-startup"),
        ("x.egg-link", "file-startup"),
        ("ipython_config.py", "file-startup"),
        ("jupyter_server_config.json", "file-startup"),
    ],
)
def test_what_is_refused_by_its_name(path: str, kind: str) -> None:
    """Each for its own reason, which a finding tells."""
    assert refused(path) == [kind]


@pytest.mark.parametrize(
    "path",
    [".ipynb_checkpoints/a.txt", "a/__pycache__/b.pyc", "a/.DS_Store", "timestamp.txt"],
)
def test_what_tools_leave_behind_goes_without_a_word(path: str) -> None:
    """It is nobody's doing; the time stamp would make equal submissions differ."""
    assert keep_files({path: b"x"}) == ({}, ())


def test_no_plain_file_is_told() -> None:
    """None stands for a link, a device, or what was not read."""
    kept, findings = keep_files({"link.txt": None, "x.txt": b""})
    assert kept == {"x.txt": b""}
    assert [(f.kind, "'link.txt'" in f.text) for f in findings] == [("file-not-plain", True)]


def test_a_path_below_a_file_is_refused() -> None:
    """Where a file lies there can be no folder."""
    kept, findings = keep_files({"a": b"", "a/b": b"", "a/b/c": b""})
    assert list(kept) == ["a"]
    assert [f.kind for f in findings] == ["file-unsafe-path"]


def test_number_and_size_are_limited_in_the_order_of_the_paths() -> None:
    """What does not fit is left out; one sentence counts it."""
    many = {f"{i:03}.txt": b"" for i in range(beside.FILES_LIMIT + 5)}
    kept, findings = keep_files(many)
    assert list(kept) == list(many)[: beside.FILES_LIMIT]
    assert [f.kind for f in findings] == ["file-too-many"]
    assert "'200.txt', '201.txt', '202.txt' and 2 more" in findings[0].text
    half = bytes(beside.BYTES_LIMIT // 2)
    kept, findings = keep_files({"a": half, "b": half + b"x", "c": half})
    assert list(kept) == ["a", "c"]


def test_a_folder_is_read_without_following_links(tmp_path: Path) -> None:
    """Links to files and folders, and a pipe, are there without content."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "grades.txt").write_text("5")
    folder = tmp_path / "work"
    (folder / "data").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "x.txt").write_text("x")
    (folder / "start.ipynb").write_text("{}")
    (folder / "data" / "x.txt").write_bytes(b"1")
    (folder / "numpy.py").write_bytes(b"raise SystemExit")
    (folder / "link.txt").symlink_to(secret / "grades.txt")
    (folder / "folder").symlink_to(secret)
    (folder / "gone").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    assert read_beside(folder, "start.ipynb") == {
        "data/x.txt": b"1",
        "folder": None,
        "gone": None,
        "link.txt": None,
        "numpy.py": b"",
        "pipe": None,
    }


def test_reading_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that would go beyond it is not read; smaller ones after it are."""
    monkeypatch.setattr(beside, "BYTES_LIMIT", 10)
    for name, size in {"a": 6, "b": 5, "c": 4, "d": 1}.items():
        (tmp_path / name).write_bytes(bytes(size))
    found = read_beside(tmp_path, "start.ipynb")
    assert found == {"a": bytes(6), "b": None, "c": bytes(4), "d": None}


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """Make more folders in each other than Python can recurse; pytest could not remove them."""
    chain = [tmp_path / "/".join("d" * depth) for depth in range(1, 1200)]
    for folder in chain:
        folder.mkdir()
    yield tmp_path
    for folder in reversed(chain):
        folder.rmdir()


def test_deep_and_closed_folders_are_survived(deep: Path) -> None:
    """Neither a thousand folders in each other nor one without permission is an error."""
    closed = deep / "closed"
    closed.mkdir(mode=0)
    (deep / "x.txt").write_bytes(b"x")
    assert read_beside(deep, "start.ipynb") == {"x.txt": b"x"}
    closed.chmod(0o700)


def test_a_folder_of_very_many_entries_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk ends at a limit, folders counted."""
    monkeypatch.setattr(beside, "ENTRIES_LIMIT", 5)
    for name in "abc":
        (tmp_path / name).mkdir()
        for number in range(4):
            (tmp_path / name / f"{number}.txt").touch()
    assert len(read_beside(tmp_path, "start.ipynb")) == 4
