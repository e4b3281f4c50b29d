"""The cases by family, each family in a module of its own."""

from tests.adversarial.case import Case
from tests.adversarial.cheats import patching

FAMILIES: dict[str, tuple[Case, ...]] = {
    "patching": patching.CASES,
}
