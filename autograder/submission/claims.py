"""Which cell of a submission is which cell of the master, whatever its metadata say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from nbformat import NotebookNode

from autograder.clean import Cell, Finding
from autograder.submission.definitions import assigned_names, defined_names, is_python
from autograder.submission.master import Master


@dataclass
class Draft:
    """A cell as it was handed in, while its name is being found."""

    kind: str
    """Type of the cell."""
    source: str
    """The student's text."""
    id: str
    """Cell id, unique in the notebook."""
    role: NotebookNode
    """nbgrader's metadata of the cell, empty if it has none."""
    name: str = ""
    """Name of the master's cell that it is, as far as known; empty for the student's own."""
    findings: list[Finding] = field(default_factory=list)
    """What had to be repaired in it."""

    @cached_property
    def defined(self) -> frozenset[str]:
        """Functions and classes that it defines, whether it is code or was once."""
        return defined_names(self.source)

    @cached_property
    def assigned(self) -> frozenset[str]:
        """Names that it assigns to."""
        return assigned_names(self.source)

    def note(self, kind: str, text: str, name: str = "") -> None:
        """Remember a repair."""
        self.findings.append(Finding(kind, text, name))


def find_names(master: Master, drafts: list[Draft]) -> list[Draft]:
    """Name the drafts, each name at most once; return them without copies of what was handed out.

    Parameters
    ----------
    master
        What was handed out.
    drafts
        The cells as they came; their `name`, `kind` and `findings` are set.

    Returns
    -------
    list of Draft
        The same ones in the same order, less nameless copies of an exercise's handed-out text:
        they hold no work, and would define the function anew, empty.
    """
    named = {cell.name: cell for cell in master.cells if cell.role != "own"}
    _take_claims(named, master, drafts)
    for draft in drafts:
        if draft.name in master.exercises and draft.kind != "code":
            _back_to_code(draft)
    _correct_swapped(named, master, drafts)
    for name in named:
        _settle(master, name, drafts)
    for cell in named.values():
        _find_missing(master, cell, drafts)
    untouched = {master.handed_out[name].strip() for name in master.exercises} - {""}
    return [draft for draft in drafts if not _is_left_over(draft, untouched)]


def _take_claims(named: dict[str, Cell], master: Master, drafts: list[Draft]) -> None:
    """Believe the grade ids first; then, where a name is left, the cell ids."""
    for draft in drafts:
        claim = str(draft.role.get("grade_id", ""))
        if claim in named:
            draft.name = claim
        elif claim:
            draft.note("unknown-grade-id", "A cell had a grade id that this unit does not know.")
    taken = {draft.name for draft in drafts}
    by_id = {cell.id: cell.name for cell in named.values()}
    for draft in drafts:
        name = by_id.get(draft.id, "")
        if name and not draft.name and name not in taken:
            draft.name = name
            _note_recognised(draft, "its cell id")


def _note_recognised(draft: Draft, by: str) -> None:
    draft.note(
        "cell-recognised",
        f"The cell `{draft.name}` had lost its grading metadata; it was recognised by {by}.",
        draft.name,
    )


def _back_to_code(draft: Draft) -> None:
    """Make an answer that was turned into text code again, or, if it is text, free it."""
    if draft.name in draft.defined and is_python(draft.source):
        was, draft.kind = draft.kind, "code"
        draft.note(
            "cell-type-restored",
            f"The cell `{draft.name}` was turned from code to {was}; it is code again.",
            draft.name,
        )
    else:
        draft.note(
            "solution-not-code",
            f"The cell `{draft.name}` was turned into {draft.kind} and is no Python code that "
            f"defines `{draft.name}`; it stays as it is and is not run.",
            draft.name,
        )
        draft.name = ""


def _correct_swapped(named: dict[str, Cell], master: Master, drafts: list[Draft]) -> None:
    """Rename a cell that defines another exercise's function, if no work by that name does.

    An untouched cell by that name defines it, but is no work.
    """
    exercises = set(master.exercises)
    settled = {d.name for d in drafts if d.name in d.defined & exercises and _is_edited(master, d)}
    for draft in drafts:
        if not draft.name or draft.name in draft.defined or draft.kind != "code":
            continue
        others = (draft.defined & exercises) - settled
        if len(others) != 1 or _is_same_text(draft, named[draft.name]):
            continue
        (name,) = others
        if _is_work(master, name, draft):
            settled.add(name)
        elif any(other.name == name for other in drafts):
            continue
        draft.note(
            "grade-id-corrected",
            f"The cell named `{draft.name}` defines `{name}` and counts as its answer.",
            name,
        )
        draft.name = name


def _settle(master: Master, name: str, drafts: list[Draft]) -> None:
    """Leave a name to the best of the drafts that bear it, of equal ones to the last."""
    claiming = [draft for draft in drafts if draft.name == name]
    chosen = max(reversed(claiming), key=lambda d: _worth(master, d), default=None)
    for draft in claiming:
        if draft is not chosen:
            draft.name = ""
            draft.note(
                "cell-repeated",
                f"The cell `{name}` was there more than once; one counts, and what the student "
                "wrote in another is kept as a cell of the student's own.",
                name,
            )


def _worth(master: Master, draft: Draft) -> tuple[bool, bool]:
    """Rank claims: work on the right function, then any work, then what was handed out."""
    if draft.name not in master.exercises:
        return False, draft.name in master.handed_out and _is_edited(master, draft)
    edited = _is_edited(master, draft)
    return edited and draft.name in draft.defined, edited


def _is_edited(master: Master, draft: Draft) -> bool:
    return _is_work(master, draft.name, draft)


def _is_work(master: Master, name: str, draft: Draft) -> bool:
    return draft.source.strip() not in ("", master.handed_out[name].strip())


def _find_missing(master: Master, cell: Cell, drafts: list[Draft]) -> None:
    """Find a nameless draft that is this cell: an answer by what it defines, others by text.

    An answer is looked for, too, where its own cell is untouched.
    """
    bearer = next((draft for draft in drafts if draft.name == cell.name), None)
    free = [draft for draft in drafts if not draft.name]
    if cell.role != "solution":
        same = (d for d in reversed(free) if _is_same_text(d, cell))
        found, by = next(same, None) if bearer is None else None, "its text"
    elif bearer is None or not _is_edited(master, bearer):
        found, by = _find_answer(master, cell.name, free, bearer), "what it defines"
    else:
        return
    if found is not None:
        if bearer is not None:
            bearer.name = ""
        found.name = cell.name
        _note_recognised(found, by)


def _find_answer(
    master: Master, name: str, free: Iterable[Draft], bearer: Draft | None
) -> Draft | None:
    """Return the last draft that defines a name: worked on, if any is. Only that beats a bearer."""
    code = [draft for draft in free if draft.kind == "code"]
    makers = [d for d in code if name in d.defined]
    if not makers and bearer is None:
        makers = [d for d in code if name in d.assigned]
    edited = [draft for draft in makers if _is_work(master, name, draft)]
    return next(reversed(edited or (makers if bearer is None else [])), None)


def _is_same_text(draft: Draft, cell: Cell) -> bool:
    return (draft.kind, draft.source.strip()) == (cell.kind, cell.source.strip())


def _is_left_over(draft: Draft, untouched: set[str]) -> bool:
    if draft.name or draft.kind != "code" or draft.source.strip() not in untouched:
        return False
    draft.note("untouched-copy", "A copy of a cell as it was handed out was left out.")
    return True
