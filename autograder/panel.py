"""The panel under a check: what passed, what is wrong in words, and where, as HTML and as text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from autograder.vocabulary import NOT_RUN, CaseResult, Result, Verdict

RESULT_MIME = "application/vnd.batchnorm-course.result+json"
RIGHT, WRONG, NEUTRAL = "#009E73", "#D55E00", "#999999"  # Okabe-Ito green, vermillion; grey
TEXT = "var(--jp-ui-font-color1, inherit)"
MUTED = "var(--jp-ui-font-color2, #767676)"
CODE_FONT = "var(--jp-code-font-family, monospace)"
SIGN_COLOUR = {"✓": RIGHT, "◐": WRONG, "✗": WRONG, "–": NEUTRAL}
CELL = 12  # pixels of one entry in an error map
HEADLINES = {
    Verdict.PASSED: "All right",
    Verdict.PARTIAL: "Partly right",
    Verdict.WRONG: "Not right yet",
    Verdict.ERROR: "Your code raised an error",
    Verdict.NOT_ATTEMPTED: "Not written yet",
    Verdict.TIMEOUT: "Did not finish",
    Verdict.MEMORY: "Used too much memory",
    Verdict.OUTPUT_LIMIT: "Wrote output without end",
    Verdict.CRASHED: "Ended its own process",
    Verdict.FORBIDDEN: "Uses what is forbidden here",
    Verdict.TAMPERED: "Interfered with the grader",
    Verdict.NOT_GRADED: "Not graded: a fault of the grader",
}


@dataclass(frozen=True)
class Panel:
    """A result as something Jupyter can show."""

    result: Result
    """What to show."""

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        return {
            "text/html": as_html(self.result),
            "text/plain": as_text(self.result),
            RESULT_MIME: as_record(self.result),
        }


def as_record(result: Result) -> dict[str, Any]:
    """Return the result as JSON data: what a grader reads from the notebook."""
    return {**vars(result), "cases": [_case_record(case) for case in result.cases]}


def _case_record(case: CaseResult) -> dict[str, Any]:
    seen = {name: value for name, value in vars(case.judgement).items() if name != "error_map"}
    return {**vars(case), "judgement": seen}


@dataclass(frozen=True)
class Group:
    """Cases with one thing to say about them: a line of the panel."""

    sign: str
    """✓ right, ◐ partly right, ✗ wrong, – not run."""
    cases: tuple[CaseResult, ...]
    """Which."""
    detail: str
    """What is wrong, unless the panel has said it already."""

    everything: bool
    """Whether these are all cases there are."""

    @property
    def names(self) -> str:
        """Names of the cases, as one text; all of them failing for one reason need no list."""
        if self.everything and len(self.cases) > 1 and not self.cases[0].passed:
            return f"all {len(self.cases)} cases"
        return " · ".join(case.name for case in self.cases)


def groups(result: Result) -> list[Group]:
    """Gather cases that failed for one reason, in order; those that pass come last, together."""
    if result.verdict is Verdict.NOT_ATTEMPTED:
        return []
    gathered: dict[tuple[str, str], list[CaseResult]] = {}
    for case in sorted(result.cases, key=lambda case: case.passed):
        message = "" if case.passed else case.judgement.message
        gathered.setdefault((_sign(case), message), []).append(case)
    advice = _advice(result)
    return [
        Group(sign, tuple(c), "" if message == advice else message, len(c) == len(result.cases))
        for (sign, message), c in gathered.items()
    ]


def _sign(case: CaseResult) -> str:
    if case.passed:
        return "✓"
    if case.judgement.fault == NOT_RUN:
        return "–"
    return "◐" if case.share else "✗"


def as_text(result: Result) -> str:
    """Return the plain-text twin of the panel."""
    lines = [f"{result.exercise}: {headline(result)} — {_points(result)} points"]
    lines += [f"  {advice}" for advice in [_advice(result)] if advice]
    for group in groups(result):
        lines.append(f"  {group.sign} {group.names}")
        lines += [f"      {group.detail}"] if group.detail else []
    lines += [f"  {line}" for line in _footer(result)]
    return "\n".join(lines)


def as_html(result: Result) -> str:
    """Return the panel as one HTML element with inline styles, for dark and light themes."""
    colour = _colour(result)
    advice = _advice(result)
    parts = [
        f'<div role="group" aria-label="Check of {html.escape(result.exercise)}" style="'
        f"border:1px solid {colour}; border-left-width:6px; border-radius:4px; "
        f"padding:8px 12px; margin:4px 0; max-width:52em; color:{TEXT}; "
        'font-family:var(--jp-ui-font-family, sans-serif); line-height:1.45">',
        _header(result, colour),
    ]
    if advice:
        parts.append(
            f'<div style="margin:8px 0; padding:6px 10px; border-radius:3px; '
            f'background:color-mix(in srgb, {colour} 14%, transparent)">{_inline(advice)}</div>'
        )
    pictured = next((c for c in result.cases if c.judgement.error_map), None)
    for group in groups(result):
        picture = error_map_svg(pictured) if pictured and pictured in group.cases else ""
        parts.append(_row(group, picture))
    footer = "<br>".join(map(_inline, _footer(result)))
    parts.append(f'<div style="color:{MUTED}; font-size:90%">{footer}</div></div>')
    return "".join(parts)


def headline(result: Result) -> str:
    """Return the verdict in a few words."""
    return HEADLINES.get(result.verdict, result.verdict.replace("_", " "))


def _header(result: Result, colour: str) -> str:
    share = 100 * result.score / result.max_score if result.max_score else 0.0
    sign = "✓ " if result.verdict is Verdict.PASSED else ""
    return (
        '<div style="display:flex; gap:12px; align-items:baseline; flex-wrap:wrap">'
        f'<strong style="font-family:{CODE_FONT}">{html.escape(result.exercise)}</strong>'
        f"<strong>{sign}{html.escape(headline(result))}</strong>"
        f"<span>{_count(result)}</span>"
        f'<span style="margin-left:auto"><strong>{_points(result)}</strong> points</span></div>'
        f'<div style="height:4px; margin-top:4px; border-radius:2px; '
        f'background:color-mix(in srgb, {NEUTRAL} 35%, transparent)">'
        f'<div style="height:4px; border-radius:2px; width:{share:.0f}%; background:{RIGHT}">'
        "</div></div>"
    )


def _count(result: Result) -> str:
    """Count the cases that are right, and those that are partly right."""
    if not groups(result):
        return ""
    passed = sum(case.passed for case in result.cases)
    partly = sum(0.0 < case.share < 1.0 for case in result.cases)
    more = f", {partly} partly right" if partly else ""
    return f"{passed} of {len(result.cases)} cases right{more}"


def _row(group: Group, picture: str) -> str:
    told = f'<div style="color:{MUTED}">{_inline(group.detail)}</div>' if group.detail else ""
    return (
        '<div style="display:flex; gap:10px; margin:3px 0">'
        f'<strong style="color:{SIGN_COLOUR[group.sign]}">{group.sign}</strong>'
        f"<div>{_inline(group.names)}{told}{picture}</div></div>"
    )


def error_map_svg(case: CaseResult) -> str:
    """Draw where an answer is wrong: one square per entry, stronger as the error grows."""
    error_map = case.judgement.error_map
    assert error_map is not None
    rows, columns = len(error_map), len(error_map[0])
    wrong = sum(value > 0 for row in error_map for value in row)
    label = f"Error map: {wrong} of {rows * columns} entries are wrong; rows down, columns across."
    squares = "".join(
        f'<rect x="{j * CELL}" y="{i * CELL}" width="{CELL - 1}" height="{CELL - 1}" '
        f'fill="{WRONG if value else RIGHT}" fill-opacity="{_opacity(value):.2f}"/>'
        for i, row in enumerate(error_map)
        for j, value in enumerate(row)
    )
    return (
        f'<div style="margin:4px 0; color:{MUTED}; font-size:90%"><svg role="img" '
        f'aria-label="{label}" width="{columns * CELL}" height="{rows * CELL}">'
        f"<title>{label}</title>{squares}</svg><br>"
        f"where it is wrong: {rows} rows, {columns} columns; stronger colour, larger error</div>"
    )


def _opacity(error: float) -> float:
    """Pale where right, and from a quarter to full colour as the error grows."""
    return 0.25 + 0.75 * error if error else 0.2


def _advice(result: Result) -> str:
    return "" if result.verdict is Verdict.PASSED else result.message


def _points(result: Result) -> str:
    return f"{result.score:g} / {result.max_score:g}"


def _footer(result: Result) -> list[str]:
    lines = []
    if result.seed is not None and result.verdict is not Verdict.NOT_ATTEMPTED:
        name = result.exercise.partition(".")[2]
        again = f'`check("{result.exercise}", {name}, seed={result.seed})`'
        lines.append(f"The same cases again: {again}")
    if result.verdict is not Verdict.PASSED:
        lines.append(f'Stuck? `hint("{result.exercise}")`')
    return lines


def _colour(result: Result) -> str:
    if result.verdict is Verdict.NOT_ATTEMPTED:
        return NEUTRAL
    return RIGHT if result.verdict is Verdict.PASSED else WRONG


def _inline(text: str) -> str:
    """Escape text for HTML and show what stands between backticks as code."""
    escaped = html.escape(text)
    return re.sub(r"`([^`]+)`", rf'<code style="font-family:{CODE_FONT}">\1</code>', escaped)
