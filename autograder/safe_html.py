"""Which HTML may be shown of what students hand in: text, tables and colours, and no scripts.

It is used twice: for what cells showed, before it gets into an autograded notebook, and by
nbgrader's own pages (formgrader, feedback), where text cells can hold HTML, too.
"""

from __future__ import annotations

from functools import cache
from typing import Any

TAGS = [
    *("a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd"),
    *("del", "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "hr", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "s", "samp", "small"),
    *("span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead"),
    *("tr", "ul", "var"),
]
ATTRIBUTES = {
    "*": [
        "align",
        "aria-hidden",
        "aria-label",
        "class",
        "dir",
        "id",
        "role",
        "style",
        "title",
        "valign",
    ],
    "a": ["href"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "ol": ["start"],
}
STYLES = [  # none that moves a thing over others, or loads one
    *("align-items", "background", "background-color", "border", "border-bottom"),
    *("border-collapse", "border-color", "border-left", "border-left-width", "border-radius"),
    *("border-right", "border-top", "color", "display", "flex-wrap", "font", "font-family"),
    *("font-size", "font-style", "font-variant", "font-weight", "gap", "height", "letter-spacing"),
    *("line-height", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top"),
    *("max-width", "overflow", "padding", "text-align", "text-decoration", "vertical-align"),
    *("white-space", "width"),
]


def sanitise_html(text: object) -> str:
    """Return HTML with nothing in it but what is listed here; the rest is shown as text."""
    return str(_cleaner().clean(str(text)))


@cache
def _cleaner() -> Any:
    from bleach.css_sanitizer import CSSSanitizer
    from bleach.sanitizer import Cleaner

    styles = CSSSanitizer(allowed_css_properties=STYLES)
    return Cleaner(tags=TAGS, attributes=ATTRIBUTES, css_sanitizer=styles)


def sanitise_pages(config: Any) -> None:
    """Have nbgrader's pages show what students wrote without their scripts."""
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.filters = {"clean_html": "autograder.safe_html.sanitise_html"}
