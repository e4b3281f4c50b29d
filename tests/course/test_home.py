"""The home notebook: its map is the course."""

import re
from pathlib import Path

import pytest

from autograder.exercises import units

ROOT = Path(__file__).parents[2]
HOME = ROOT / "course" / "home.py"
LINK = re.compile(r"\]\(([^)]+\.ipynb)\)")
ALL = {f"u{number:02}" for number in range(14)}


def rows() -> dict[str, str]:
    """Lines of the map by unit number."""
    lines = re.findall(r"^# \| (u\d\d) .*$", HOME.read_text("utf-8"), re.M)
    text = HOME.read_text("utf-8")
    return {
        unit: next(x for x in text.splitlines() if x.startswith(f"# | {unit} ")) for unit in lines
    }


@pytest.mark.parametrize("unit", units())
def test_every_unit_with_exercises_is_on_the_map(unit):
    """With its lecture and its assignment."""
    number, _, name = unit.partition("_")
    links = LINK.findall(rows()[number])
    assert links == [f"{unit}/lecture.ipynb", f"../release/{unit}/{name}.ipynb"]


def test_every_link_of_the_map_has_a_text_behind_it():
    """A notebook that is linked is built from a text in the repository."""
    for link in LINK.findall(HOME.read_text("utf-8")):
        folder = Path(link).parts[-2]
        master = "lecture" if link.endswith("lecture.ipynb") else "assignment"
        assert (ROOT / "course" / folder / f"{master}.py").exists(), link


def test_units_that_do_not_exist_are_called_in_preparation():
    """Every unit of the curriculum is either on the map or said to be missing."""
    text = HOME.read_text("utf-8")
    paragraph = text[text.index("**In preparation**") :].split("#\n")[0]
    assert set(re.findall(r"u\d\d(?= \()", paragraph)) == ALL - rows().keys()
