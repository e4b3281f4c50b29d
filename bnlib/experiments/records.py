"""Results on disk: one JSON file an experiment, written whole or not at all."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from bnlib.claims import Verdict
from bnlib.experiments.catalogue import PACKAGE
from bnlib.experiments.fingerprint import fingerprint
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome

RESULTS = Path(__file__).parent / "results"
DIGITS = 6  # significant ones are kept: more than any seed-to-seed difference means


@dataclass(frozen=True)
class Record:
    """An outcome, and what it is the outcome of."""

    id: str
    """The experiment."""
    claim: str
    """What it tries, as it stood when it ran."""
    source: str
    """Who claims it."""
    outcome: Outcome
    """What it found."""
    code: str
    """Fingerprint of the code that ran."""
    versions: Mapping[str, str]
    """Python, numpy and torch that it ran with."""


def record(experiment: Experiment, outcome: Outcome) -> Record:
    """Put an outcome together with what it is the outcome of."""
    return Record(
        experiment.id,
        experiment.claim,
        experiment.source,
        outcome,
        fingerprint(f"{PACKAGE}.{experiment.id}"),
        current_versions(),
    )


def current_versions() -> dict[str, str]:
    """Return the versions that numbers depend on; not whether torch was built for a GPU."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": version("numpy"),
        "torch": version("torch").partition("+")[0],
    }


def is_current(found: Record) -> bool:
    """Say whether running the experiment again could give other numbers."""
    return (
        found.code == fingerprint(f"{PACKAGE}.{found.id}") and found.versions == current_versions()
    )


def save(found: Record, folder: Path = RESULTS) -> None:
    """Write a record in one step: after a crash the old one or the new one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(_plain(asdict(found)), ensure_ascii=False, indent=1) + "\n"
    new = folder / f".{found.id}.{os.getpid()}.new"
    try:
        new.write_text(content, encoding="utf-8", newline="\n")
        new.replace(folder / f"{found.id}.json")
    finally:
        new.unlink(missing_ok=True)


def load(name: str, folder: Path = RESULTS) -> Record | None:
    """Return an experiment's record, or None if it has never run."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    content["outcome"] = _outcome(content["outcome"])
    return Record(**content)


def _outcome(content: dict[str, Any]) -> Outcome:
    """Return an outcome from its plain form."""
    assert content["verdict"] in get_args(Verdict)
    measures = tuple(
        Measure(
            **{
                **entry,
                "with_bn": tuple(map(float, entry["with_bn"])),
                "without_bn": tuple(map(float, entry["without_bn"])),
            }
        )
        for entry in content["measures"]
    )
    known = {field.name for field in fields(Outcome)}
    return Outcome(**{k: v for k, v in content.items() if k in known} | {"measures": measures})


def _plain(value: Any) -> Any:
    """Return nested records as JSON can hold them: rounded, nan and infinities as text."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        rounded = float(f"{value:.{DIGITS}g}")
        return rounded if abs(rounded) < float("inf") else str(value)
    return value
