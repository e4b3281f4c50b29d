"""Records that no experiment made: planted numbers with a known verdict."""

from bnlib.experiments.records import Record
from bnlib.experiments.vocabulary import Measure, Outcome, verdict_of

CLEAR = Measure("time", "s", (1.0, 1.1, 0.9), (2.0, 2.1, 1.9))
TURNED = Measure("time", "s", (2.0, 2.1, 1.9), (1.0, 1.1, 0.9))
OPEN = Measure("time", "s", (1.0, 3.0, 2.0), (2.1, 1.1, 2.9))


def outcome(*measures, **changes):
    """Return an outcome of given measures."""
    measures = measures or (CLEAR,)
    values = {
        "verdict": verdict_of(measures),
        "measures": measures,
        "paper": "The paper's figure is 7.",
        "comparison": "Ours is smaller | by much.",
        "setup": "A network.",
        "seeds": 3,
        "seconds": 12.3,
    }
    return Outcome(**{**values, **changes})


def record(*measures, **changes):
    """Return a record of given measures."""
    values = {
        "id": "planted",
        "claim": "It is faster.",
        "source": "Someone 2020",
        "outcome": outcome(*measures),
        "code": "0123456789abcdef",
        "versions": {"python": "3.11", "numpy": "2.0", "torch": "2.6"},
    }
    return Record(**{**values, **changes})
