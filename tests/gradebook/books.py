"""Gradebooks to write to: one released unit with every kind of cell, and marks for it."""

from dataclasses import replace

from nbgrader.api import Gradebook

from autograder.gradebook import Marks, Writer

COURSE = "batchnorm"
UNIT, NOTEBOOK = "u09_all", "all"
DUE = "2030-01-10 12:00:00"
MARKS = Marks(
    student="ann",
    unit=UNIT,
    notebook=NOTEBOOK,
    scores={"test_mean": 1.0, "test_var": 1.5},
    unanswered=frozenset(),
)


def marks(**changes):
    """Return marks that differ in some fields."""
    return replace(MARKS, **changes)


def release(url):
    """Make a gradebook that knows the unit: two tests, a text that a person grades, a task."""
    Writer(url, COURSE).close()
    with Gradebook(url, COURSE) as book:
        book.add_assignment(UNIT, duedate=DUE)
        book.add_notebook(NOTEBOOK, UNIT)
        where = {"notebook": NOTEBOOK, "assignment": UNIT}
        for name, points in (("mean", 1), ("var", 2)):
            book.add_solution_cell(name, **where)
            book.add_grade_cell(f"test_{name}", max_score=points, cell_type="code", **where)
        book.add_solution_cell("explain", **where)
        book.add_grade_cell("explain", max_score=3, cell_type="markdown", **where)
        book.add_task_cell("plot", max_score=4, cell_type="markdown", **where)
        book.add_notebook("extra", UNIT)
        book.add_grade_cell("test_more", "extra", UNIT, max_score=5, cell_type="code")


def by_person(url, cell, student="ann", **values):
    """Do what formgrader does when a person grades: set columns of a grade or a comment."""
    with Gradebook(url, COURSE) as book:
        find = book.find_comment if "manual_comment" in values else book.find_grade
        row = find(cell, NOTEBOOK, UNIT, student)
        for name, value in values.items():
            setattr(row, name, value)
        book.db.commit()


def row_of(content, table, cell):
    """Return the only grade or comment on a cell."""
    (row,) = [row for row in content[table] if row["cell_id"][2] == cell]
    return row
