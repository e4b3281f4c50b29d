"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.files import write_whole


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    """Text goes out in UTF-8 with the line ends it has, bytes as they are."""
    path = tmp_path / "a" / "b.txt"
    write_whole(path, "√ε\n")
    assert path.read_bytes() == "√ε\n".encode()
    write_whole(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert list(path.parent.iterdir()) == [path]


def test_after_a_failure_the_old_file_is_there_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a file that another program holds open on Windows."""
    path = tmp_path / "marks.csv"
    write_whole(path, "old")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "held open", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError, match="held open"):
        write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]
