"""The cases by family, each family in a module of its own."""

from tests.adversarial.case import Case
from tests.adversarial.cheats import patching, process, reading, wire

FAMILIES: dict[str, tuple[Case, ...]] = {
    "patching": patching.CASES,
    "wire": wire.CASES,
    "process": process.CASES,
    "reading": reading.CASES,
}
