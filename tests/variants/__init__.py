"""Right and wrong implementations of every exercise, as text.

`load(unit)` reads ``<unit>.py`` beside this file: cells that open with
``# %% right <exercise>: <what it does>`` or ``# %% wrong <exercise>: <what it does> -> <name>``,
where `<name>` is the misconception or fault that a check must then name. A cell
``# %% given <exercise>: <what it is>`` stands before every variant of that exercise.
"""

from __future__ import annotations

import linecache
import os
import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

HEADER = re.compile(
    r"^# %% (?P<kind>right|wrong|given) (?P<exercise>\w+): "
    r"(?P<title>.+?)(?: -> (?P<names>[\w-]+))?$",
    re.M,
)
NUMBERS = count()


@dataclass(frozen=True)
class Variant:
    """One implementation of one exercise."""

    unit: str
    kind: str
    exercise: str
    title: str
    names: str | None
    source: str

    @property
    def right(self) -> bool:
        """Whether it must pass."""
        return self.kind == "right"

    def __str__(self) -> str:
        return f"{self.unit}:{self.kind}:{self.exercise}:{self.title}".replace(" ", "_")

    def build(self) -> Any:
        """Run the source and return the function or class it defines; None if it defines none."""
        if "torch" in self.source:  # its first import takes seconds, which a case does not have
            import torch  # noqa: F401
        if "triton" in self.source:  # as the notebook's first cell says it
            os.environ["TRITON_INTERPRET"] = "1"
            import triton  # noqa: F401
        namespace: dict[str, Any] = {"np": np, "__name__": "student"}
        name = f"<student {next(NUMBERS)}>"  # a kernel is read again as text, by its file's name
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(True), name)
        exec(compile(self.source, name, "exec"), namespace)
        return namespace.get(self.exercise)


def load(unit: str) -> list[Variant]:
    """Read the variants of a unit.

    Raises ValueError if a cell's header cannot be read: a variant that is passed over in silence
    would be a test that cannot fail.
    """
    path = Path(__file__).parent / f"{unit}.py"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    heads = list(HEADER.finditer(text))
    if len(heads) != text.count("# %%"):
        readable = {m.start() for m in heads}
        bad = next(m for m in re.finditer("# %%.*", text) if m.start() not in readable)
        raise ValueError(f"tests/variants/{unit}.py: cannot read the header {bad.group()!r}")
    ends = [*(m.start() for m in heads[1:]), len(text)][: len(heads)]
    cells = [(m, text[m.end() : end].strip() + "\n") for m, end in zip(heads, ends, strict=True)]
    before = {m["exercise"]: source + "\n\n" for m, source in cells if m["kind"] == "given"}
    return [
        Variant(
            unit,
            m["kind"],
            m["exercise"],
            m["title"],
            m["names"],
            before.get(m["exercise"], "") + source,
        )
        for m, source in cells
        if m["kind"] != "given"
    ]
