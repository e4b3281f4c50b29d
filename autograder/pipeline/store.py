"""What has been graded already, by its content: the same work under the same spec is graded once.

A SQLite file in the course folder, written by one process. It may be deleted at any time but for
the seeds in it: then everything is graded again, on fresh cases.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.errors import GradingError
from autograder.shown import Output
from autograder.vocabulary import CaseResult, Judgement, Result, Verdict

FOLDER = ".autograder"
FILE = "results.db"
SEED_LIMIT = 2**53  # fits in JSON's numbers; nobody guesses it
SCHEMA = """
create table if not exists seeds (unit text primary key, seed integer not null);
create table if not exists results (key text primary key, result text not null);
create table if not exists outputs (key text primary key, outputs text not null);
create table if not exists marks (
    student text, unit text, exercise text, score real, verdict text,
    primary key (student, unit, exercise)
);
"""


class Store:
    """The file of results; a context manager.

    Parameters
    ----------
    root
        The course folder.

    Raises
    ------
    GradingError
        If the file cannot be opened, or is none of ours; on leaving, if it could not be used.
    """

    def __init__(self, root: Path) -> None:
        folder = root / FOLDER
        self.path = folder / FILE
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=30.0)
            # what a power cut takes back is made again; a killed process loses nothing
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise self._fault("opened", error) from error

    def __enter__(self) -> Store:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):
            raise self._fault("used", error) from error

    def _fault(self, what: str, error: Exception) -> GradingError:
        return GradingError(
            f"The store of results {self.path} cannot be {what}: {error}. If it is damaged, "
            "move it away: everything is then graded again, on fresh cases."
        )

    def seed(self, unit: str, fresh: bool = False) -> int:
        """Return the unit's secret seed; draw it the first time, or if a fresh one is asked for."""
        row = self._db.execute("select seed from seeds where unit = ?", (unit,)).fetchone()
        if row is None or fresh:
            self.set_seed(unit, secrets.randbelow(SEED_LIMIT))
            return self.seed(unit)
        return int(row[0])

    def set_seed(self, unit: str, seed: int) -> None:
        """Make this the unit's seed from now on."""
        with self._db:
            self._db.execute("insert or replace into seeds values (?, ?)", (unit, seed))

    def results(self, keys: Mapping[str, str]) -> dict[str, Result]:
        """Return the results that are known: by name, from keys by name."""
        found = {}
        for name, key in keys.items():
            row = self._db.execute("select result from results where key = ?", (key,)).fetchone()
            if row is not None:
                found[name] = _read_result(json.loads(row[0]))
        return found

    def outputs(self, key: str) -> dict[int, list[Output]] | None:
        """Return what the cells of a submission showed, if it is known."""
        row = self._db.execute("select outputs from outputs where key = ?", (key,)).fetchone()
        if row is None:
            return None
        return {int(index): items for index, items in json.loads(row[0]).items()}

    def keep(
        self,
        results: Iterable[tuple[str, Result]],
        key: str,
        outputs: Mapping[int, list[Output]] | None,
    ) -> None:
        """Keep results by key, and the outputs of the run, all or nothing."""
        with self._db:
            self._db.executemany(
                "insert or replace into results values (?, ?)",
                [(k, json.dumps(result, default=vars)) for k, result in results],
            )
            if outputs is not None:
                row = (key, json.dumps({str(i): items for i, items in outputs.items()}))
                self._db.execute("insert or replace into outputs values (?, ?)", row)

    def marks(self, student: str, unit: str) -> dict[str, tuple[float | None, str]]:
        """Return score and verdict by exercise, as they were last written to the gradebook."""
        rows = self._db.execute(
            "select exercise, score, verdict from marks where student = ? and unit = ?",
            (student, unit),
        )
        return {exercise: (score, verdict) for exercise, score, verdict in rows}

    def set_marks(self, student: str, unit: str, results: Mapping[str, Result]) -> None:
        """Remember what has been written to the gradebook."""
        rows = [(student, unit, n, r.score, str(r.verdict)) for n, r in results.items()]
        with self._db:
            self._db.executemany("insert or replace into marks values (?, ?, ?, ?, ?)", rows)


def key_of(*parts: object) -> str:
    """Return the key of what these parts decide."""
    line = json.dumps(parts, separators=(",", ":"), default=str)
    return hashlib.sha256(line.encode()).hexdigest()


def _read_result(data: dict[str, Any]) -> Result:
    cases = tuple(_read_case(case) for case in data.pop("cases"))
    return Result(**{**data, "verdict": Verdict(data["verdict"]), "cases": cases})


def _read_case(data: dict[str, Any]) -> CaseResult:
    judgement = data.pop("judgement")
    error_map = judgement.pop("error_map")
    rows = None if error_map is None else tuple(tuple(row) for row in error_map)
    return CaseResult(**data, judgement=Judgement(**judgement, error_map=rows))
