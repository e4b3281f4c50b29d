"""The panel under a check: what passed, what is wrong in words, and where, as HTML and as text."""

from __future__ import annotations

import html
import re
from dataclasses import asdict, dataclass
from typing import Any

from autograder.vocabulary import CaseResult, Result, Verdict

RESULT_MIME = "application/vnd.batchnorm-course.result+json"
RIGHT, WRONG, NEUTRAL = "#009E73", "#D55E00", "#999999"  # Okabe-Ito green, vermillion; grey
TEXT = "var(--jp-ui-font-color1, inherit)"
MUTED = "var(--jp-ui-font-color2, #767676)"
CODE_FONT = "var(--jp-code-font-family, monospace)"
CELL = 12  # pixels of one entry in an error map
SIGN = {True: "✓", False: "✗"}

HEADLINES = {
    Verdict.PASSED: "All right",
    Verdict.PARTIAL: "Partly right",
    Verdict.WRONG: "Not right yet",
    Verdict.ERROR: "Your code raised an error",
    Verdict.NOT_ATTEMPTED: "Not written yet",
    Verdict.TIMEOUT: "Did not finish",
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
    record = asdict(result)
    for case in record["cases"]:
        case["judgement"].pop("error_map")
    return record


def as_text(result: Result) -> str:
    """Return the plain-text twin of the panel."""
    advice = _advice(result)
    lines = [f"{result.exercise}: {headline(result)} — {_points(result)} points"]
    lines += [f"  {advice}"] if advice else []
    for case, detail in _details(result):
        lines.append(f"  {SIGN[case.passed]} {case.name}{_share(case)}")
        lines += [f"      {detail}"] if detail else []
    lines.append(f"  {_footer(result)}")
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
    pictured = next((c for c in _shown(result) if c.judgement.error_map), None)
    for case, detail in _details(result):
        picture = error_map_svg(case) if case is pictured else ""
        parts.append(_row(case, detail, picture))
    parts.append(
        f'<div style="color:{MUTED}; font-size:90%">{_inline(_footer(result))}</div></div>'
    )
    return "".join(parts)


def headline(result: Result) -> str:
    """Return the verdict in a few words."""
    return HEADLINES.get(result.verdict, result.verdict.replace("_", " "))


def _header(result: Result, colour: str) -> str:
    passed = sum(case.passed for case in result.cases)
    count = f"{passed} of {len(result.cases)} cases" if result.cases else ""
    share = 100 * result.score / result.max_score if result.max_score else 0.0
    return (
        '<div style="display:flex; gap:12px; align-items:baseline; flex-wrap:wrap">'
        f'<strong style="font-family:{CODE_FONT}">{html.escape(result.exercise)}</strong>'
        f'<strong style="color:{colour}">{html.escape(headline(result))}</strong>'
        f"<span>{count}</span>"
        f'<span style="margin-left:auto"><strong>{_points(result)}</strong> points</span></div>'
        f'<div style="height:4px; margin-top:4px; border-radius:2px; '
        f'background:color-mix(in srgb, {NEUTRAL} 35%, transparent)">'
        f'<div style="height:4px; border-radius:2px; width:{share:.0f}%; background:{RIGHT}">'
        "</div></div>"
    )


def _row(case: CaseResult, detail: str, picture: str) -> str:
    colour = RIGHT if case.passed else WRONG
    told = f'<div style="color:{MUTED}">{_inline(detail)}</div>' if detail else ""
    return (
        '<div style="display:flex; gap:10px; margin:3px 0">'
        f'<strong style="color:{colour}">{SIGN[case.passed]}</strong>'
        f"<div>{_inline(case.name + _share(case))}{told}{picture}</div></div>"
    )


def _details(result: Result) -> list[tuple[CaseResult, str]]:
    """Pair each listed case with its message, where that says something new."""
    said = {"", _advice(result)}
    pairs = []
    for case in _shown(result):
        message = case.judgement.message
        pairs.append((case, "" if message in said else message))
        said.add(message)
    return pairs


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


def _shown(result: Result) -> tuple[CaseResult, ...]:
    """Return the cases worth listing: none if nothing is written yet."""
    return () if result.verdict is Verdict.NOT_ATTEMPTED else result.cases


def _advice(result: Result) -> str:
    return "" if result.verdict is Verdict.PASSED else result.message


def _points(result: Result) -> str:
    return f"{result.score:g} / {result.max_score:g}"


def _share(case: CaseResult) -> str:
    return "" if case.share in (0.0, 1.0) else f" ({case.share:.0%} of this case)"


def _footer(result: Result) -> str:
    name = result.exercise.partition(".")[2]
    again = f'`check("{result.exercise}", {name}, seed={result.seed})`'
    repeat = "" if result.seed is None else f"The same cases again: {again}."
    if result.verdict is Verdict.PASSED:
        return repeat
    return f'{repeat} Stuck? `hint("{result.exercise}")`'.strip()


def _colour(result: Result) -> str:
    if result.verdict is Verdict.NOT_ATTEMPTED:
        return NEUTRAL
    return RIGHT if result.verdict is Verdict.PASSED else WRONG


def _inline(text: str) -> str:
    """Escape text for HTML and show what stands between backticks as code."""
    escaped = html.escape(text)
    return re.sub(r"`([^`]+)`", rf'<code style="font-family:{CODE_FONT}">\1</code>', escaped)
