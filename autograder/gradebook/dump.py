"""The whole content of a gradebook as plain data, the same for equal gradebooks."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import Base
from sqlalchemy import Connection, Table, select

from autograder.gradebook.database import Database

Plain = str | int | float | bool | None | list["Plain"]

NAMES = {  # what makes a row of each table unique, ids apart; an id here is another table's
    "course": ("id",),
    "student": ("id",),
    "assignment": ("name",),
    "notebook": ("assignment_id", "name"),
    "base_cell": ("notebook_id", "type", "name"),
    "grade_cells": ("id",),
    "solution_cells": ("id",),
    "task_cells": ("id",),
    "source_cell": ("notebook_id", "name"),
    "submitted_assignment": ("assignment_id", "student_id"),
    "submitted_notebook": ("assignment_id", "notebook_id"),
    "grade": ("notebook_id", "cell_id"),
    "comment": ("notebook_id", "cell_id"),
}


def dump(db_url: str) -> dict[str, list[dict[str, Plain]]]:
    """Return a gradebook's rows by table, in the order of their names.

    Random ids are left out: where one row points at another, the other's name stands. So two
    gradebooks with the same content give equal dumps, whatever database holds them. All of it is
    JSON.

    Raises
    ------
    GradingError
        If the database cannot be read.
    """
    database = Database(db_url)
    try:
        return database.read(_dump)
    finally:
        database.close()


def _dump(connection: Connection) -> dict[str, list[dict[str, Plain]]]:
    content: dict[str, list[dict[str, Plain]]] = {}
    names: dict[str, dict[str, Plain]] = {}  # by table and id
    for table in Base.metadata.sorted_tables:  # those that others point at come first
        names[table.name], content[table.name] = {}, []
        for record in connection.execute(select(table)).mappings():
            row = {c.name: _plain(table, c.name, record[c.name], names) for c in table.columns}
            name = [row[column] for column in NAMES[table.name]]
            names[table.name][record["id"]] = name if len(name) > 1 else name[0]
            if "id" not in NAMES[table.name]:
                del row["id"]
            content[table.name].append(row)
        content[table.name].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return content


def _plain(table: Table, column: str, value: Any, names: dict[str, dict[str, Plain]]) -> Plain:
    """Return a value as JSON, and the name of the row for a key of another table."""
    for key in table.columns[column].foreign_keys:
        return names[key.column.table.name].get(value) if value is not None else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    plain: Plain = value
    return plain
