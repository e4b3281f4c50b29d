"""The page of verdicts: a table of all claims, then what each rests on."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from bnlib.claims import difference_interval
from bnlib.experiments.catalogue import identifiers
from bnlib.experiments.records import RESULTS, Record, load
from bnlib.experiments.vocabulary import Measure

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"

HEAD = """\
# Does batch norm do what is said of it?

Every claim of the literature that the course mentions, tried on small networks and small data, by
code that you can read and run: one module each in
[`bnlib/experiments`](../bnlib/experiments). This page is generated; `make experiments` runs what
has changed and writes it again.

**How to read it.** Each run is repeated with several seeds. A verdict is *supported* if the 95 %
interval of the difference of means (Welch) lies on the side that the claim says, *refuted* if it
lies on the other side, *undecided* if it holds 0; where several measures decide, all of them have
to support a claim. Runs that diverged count as worst (`bnlib.claim`). A verdict is about the set-up
below it, a laptop's minute of it, and not the last word on a paper's claim about ImageNet.
"""


def page(records: Sequence[Record]) -> str:
    """Return the page as Markdown: how to read it, the table, a section for each experiment."""
    counts = Counter(found.outcome.verdict for found in records)
    seconds = sum(found.outcome.seconds for found in records)
    tally = ", ".join(f"{counts[v]} {v}" for v in ("supported", "refuted", "undecided"))
    rows = [
        f"{len(records)} claims: {tally}. Cost of all: {seconds / 60:.0f} minutes on one core.\n",
        "| claim | source | verdict | measured | seeds | cost |",
        "|---|---|---|---|---|---|",
        *(_row(found) for found in records),
    ]
    sections = [_section(found) for found in records]
    return "\n".join([HEAD, *rows, "", *sections])


def write_page(path: Path = PAGE, folder: Path = RESULTS) -> None:
    """Write the page of all results there are; outside of a checkout there is none to write."""
    if path.parent.is_dir():
        path.write_text(page(known_records(folder)), encoding="utf-8", newline="\n")


def known_records(folder: Path = RESULTS) -> list[Record]:
    """Return the records of all experiments that have run, in the table's order."""
    return [found for name in identifiers() if (found := load(name, folder)) is not None]


def numbers(measure: Measure) -> str:
    """Return a measure in a line: both means, and the interval of their difference."""
    return (
        f"{measure.name}: {measure.with_label} {mean_of(measure.with_bn, measure.unit)}, "
        f"{measure.without_label} {mean_of(measure.without_bn, measure.unit)}"
        f" (difference {interval_of(measure)})"
    )


def mean_of(values: Sequence[float], unit: str = "") -> str:
    """Return the mean of the runs that did not diverge, and how many did."""
    finite = [value for value in values if math.isfinite(value)]
    gone = len(values) - len(finite)
    diverged = f"{gone} of {len(values)} diverged" if gone else ""
    if not finite:
        return diverged
    mean = f"{_number(fmean(finite))}{_unit(unit)}"
    return f"{mean} ({diverged})" if diverged else mean


def interval_of(measure: Measure) -> str:
    """Return the 95 % interval of the difference, or why there is none."""
    values = [*measure.with_bn, *measure.without_bn]
    if not all(map(math.isfinite, values)):
        return "by rank"
    if min(len(measure.with_bn), len(measure.without_bn)) < 2:
        return "one seed"
    low, high = difference_interval(measure.with_bn, measure.without_bn)
    return f"{_number(low)} to {_number(high)}"


def _row(found: Record) -> str:
    """Return a row of the table."""
    measured = "<br>".join(numbers(m) for m in found.outcome.measures if m.decides)
    cells = [
        f"[{found.claim}](#{found.id})",
        found.source,
        f"**{found.outcome.verdict}**",
        measured,
        str(found.outcome.seeds),
        f"{found.outcome.seconds:.0f} s",
    ]
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _section(found: Record) -> str:
    """Return the paragraphs below the table on one experiment."""
    outcome = found.outcome
    rows = "\n".join(
        f"| {_cell(m.name)} | {_cell(f'{m.with_label} {mean_of(m.with_bn, m.unit)}')} "
        f"| {_cell(f'{m.without_label} {mean_of(m.without_bn, m.unit)}')} "
        f"| {interval_of(m)} | {m.verdict if m.decides else '–'} |"
        for m in outcome.measures
    )
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return f"""## {found.id}

> {found.claim} ({found.source})

**{outcome.verdict.capitalize()}.** {outcome.comparison}

| measured | first | second | 95 % of the difference | alone it says |
|---|---|---|---|---|
{rows}

*The paper's figure.* {outcome.paper}

*Set-up.* {outcome.setup} {outcome.seeds} seeds, {outcome.seconds:.0f} s on one core ({versions}).
Run it: `python -m bnlib.experiments {found.id} --again`.
"""


def _number(value: float) -> str:
    """Return a number with three significant digits, with a minus sign that is one."""
    text = f"{value:.3g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{int(value)}" if 0 <= int(exponent) < 6 else f"{mantissa}·10^{int(exponent)}"
    return text.replace("-", "−")


def _unit(unit: str) -> str:
    """Return a unit as it follows a number."""
    return f" {unit}" if unit and unit != "ratio" else ""


def _cell(text: str) -> str:
    """Return text that does not end its table cell."""
    return text.replace("|", "\\|").replace("\n", " ")
