"""The cases by family, each family in a module of its own."""

from tests.adversarial.case import Case
from tests.adversarial.cheats import (
    accidents,
    answers,
    copied,
    format,
    honest,
    patching,
    process,
    reading,
    wire,
)

FAMILIES: dict[str, tuple[Case, ...]] = {
    "patching": patching.CASES,
    "wire": wire.CASES,
    "process": process.CASES,
    "reading": reading.CASES,
    "format": format.CASES,
    "answers": answers.CASES,
    "copied": copied.CASES,
    "accidents": accidents.CASES,
    "honest": honest.CASES,
}
