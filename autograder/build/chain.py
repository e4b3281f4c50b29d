"""Build every notebook of the course from its text, all or nothing, and find stale ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.build.leaks import find_leaks
from autograder.build.release import to_release
from autograder.build.text import to_bytes, to_notebook
from autograder.errors import BuildError, UnknownExerciseError
from autograder.exercises import exercises_of
from autograder.exercises import units as units_with_exercises
from autograder.exercises.catalogue import UNIT_NAME
from autograder.files import write_whole
from autograder.vocabulary import Exercise

MANIFEST = Path("course/built.json")  # what each built notebook held when it was last built


@dataclass(frozen=True)
class _Masters:
    """The texts of a course: files, or what is to stand in their place."""

    root: Path
    texts: Mapping[str, str]

    def __contains__(self, path: str) -> bool:
        return path in self.texts or (self.root / path).exists()

    def parse(self, path: str, exercises: Iterable[Exercise] = ()) -> NotebookNode:
        """Read one text as a notebook."""
        points = {exercise.name: exercise.points for exercise in exercises}
        text = self.texts.get(path)
        try:
            return to_notebook(
                (self.root / path).read_text(encoding="utf-8") if text is None else text, points
            )
        except KeyError as error:
            raise BuildError(
                f"{path} has a test cell for {error}, which is no exercise of the unit. "
                f"The exercises are: {', '.join(points) or 'none'}."
            ) from error


@dataclass(frozen=True)
class Outcome:
    """What a build did."""

    written: tuple[str, ...]
    """Files that changed, relative to the course's root."""
    unchanged: tuple[str, ...]
    """Files that were up to date."""


def build(root: Path, units: Iterable[str] = (), *, overwrite: bool = False) -> Outcome:
    """Build the notebooks of some units, or of all, and write those that differ.

    Everything is built and checked in memory first: after an error no file has changed.

    Parameters
    ----------
    root
        The course's root, where ``nbgrader_config.py`` lies.
    units
        Unit folders; all units and the home notebook if empty.
    overwrite
        Also overwrite notebooks that were edited by hand since they were built.

    Raises
    ------
    BuildError
        If a text is wrong, a solution would leak, or a notebook was edited by hand.
    """
    files = render(root, units)
    manifest = _read_manifest(root)
    if not overwrite:
        _refuse_to_lose(root, files, manifest)
    different = {path: data for path, data in files.items() if _read(root / path) != data}
    manifest |= {path: _digest(data) for path, data in files.items()}
    for path, data in different.items():
        write_whole(root / path, data)
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    if _read(root / MANIFEST) != text.encode():
        write_whole(root / MANIFEST, text)
    return Outcome(tuple(sorted(different)), tuple(sorted(files.keys() - different.keys())))


def find_stale(root: Path, units: Iterable[str] = ()) -> list[str]:
    """Return the built notebooks that do not match their text."""
    files = render(root, units)
    return sorted(path for path, data in files.items() if _read(root / path) != data)


def render(
    root: Path, units: Iterable[str] = (), texts: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Build notebooks in memory: bytes by path relative to the root.

    `texts` holds masters that are to be used instead of the files, by path relative to the root.
    Raises `UnknownExerciseError` for a unit that is not in course/, and `BuildError` as `build`.
    """
    chosen, masters = tuple(units), _Masters(root, texts or {})
    known = sorted(p.name for p in (root / "course").glob("u*_*") if UNIT_NAME.fullmatch(p.name))
    for unit in chosen:
        if unit not in known:
            raise UnknownExerciseError(
                f"There is no unit {unit!r} in course/. "
                f"The units are: {', '.join(sorted({*known, *units_with_exercises()}))}."
            )
    files: dict[str, bytes] = {}
    if not chosen and "course/home.py" in masters:
        files["course/home.ipynb"] = to_bytes(masters.parse("course/home.py"))
    for unit in chosen or known:
        files |= _render_unit(masters, unit)
    return files


def _render_unit(masters: _Masters, unit: str) -> dict[str, bytes]:
    lecture, assignment = f"course/{unit}/lecture.py", f"course/{unit}/assignment.py"
    name = unit.partition("_")[2]
    files: dict[str, bytes] = {}
    if lecture in masters:
        files[f"course/{unit}/lecture.ipynb"] = to_bytes(masters.parse(lecture))
    if assignment in masters:
        try:
            exercises = exercises_of(unit)
        except UnknownExerciseError as error:
            raise BuildError(
                f"course/{unit}/assignment.py has no exercises: write "
                f"autograder/exercises/{unit}.py."
            ) from error
        source = masters.parse(assignment, exercises)
        _require_all_cells(unit, source, exercises)
        release = _release(unit, source)
        if leaks := find_leaks(source, release):
            raise BuildError(f"release/{unit} would show {'; '.join(leaks)}. Nothing was written.")
        files[f"source/{unit}/{name}.ipynb"] = to_bytes(source)
        files[f"release/{unit}/{name}.ipynb"] = to_bytes(release)
    return files


def _release(unit: str, source: NotebookNode) -> NotebookNode:
    try:
        return to_release(source)
    except BuildError as error:
        raise BuildError(f"course/{unit}/assignment.py: {error}") from error


def _require_all_cells(unit: str, notebook: NotebookNode, exercises: Iterable[Exercise]) -> None:
    """Every exercise has one solution cell, and then one test cell that ends in its check."""
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    for exercise in exercises:
        name = exercise.name
        for grade_id in (name, f"test_{name}"):
            if ids.count(grade_id) != 1:
                raise BuildError(
                    f"course/{unit}/assignment.py needs exactly one cell {grade_id!r}; "
                    f"it has {ids.count(grade_id)}."
                )
        last = notebook.cells[ids.index(f"test_{name}")].source.strip().splitlines()[-1]
        wanted = f'check("{exercise.id}", {name})'
        if last != wanted:
            raise BuildError(
                f"course/{unit}/assignment.py: the cell test_{name} must end in the line {wanted}; "
                f"it ends in {last}."
            )


def _refuse_to_lose(root: Path, files: dict[str, bytes], manifest: dict[str, str]) -> None:
    for path, data in files.items():
        present = _read(root / path)
        if present is None or path not in manifest:
            continue
        now = _digest(present)
        if now not in (manifest[path], _digest(data)):
            raise BuildError(
                f"{path} was edited by hand since it was built. `autograder pull` brings an edit "
                "of source/ or a lecture into its text; `autograder build --overwrite` drops it. "
                "Nothing was written."
            )


def _digest(data: bytes) -> str:
    """Digest what people write in a notebook: cells and their roles, without outputs."""
    try:
        notebook = nbformat.reads(data.decode(), as_version=4)
    except Exception:
        return hashlib.sha256(data).hexdigest()
    cells = [
        (c.cell_type, c.source, c.metadata.get("nbgrader", {}).get("grade_id"))
        for c in notebook.cells
    ]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read_manifest(root: Path) -> dict[str, str]:
    data = _read(root / MANIFEST)
    try:
        return dict(json.loads(data)) if data else {}
    except ValueError as error:
        raise BuildError(
            f"{MANIFEST} is not valid JSON. Delete it and build again with --overwrite once you "
            "are sure that no notebook was edited by hand."
        ) from error
