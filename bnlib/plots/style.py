"""The house style of every figure: colours by name, labelled axes, a light card for any theme.

Figures are made without pyplot, so nothing stays open, no global state is touched and no back end
has to be chosen::

    from bnlib.plots import COLORS, Picture, figure

    fig = figure(xlabel="batch size m", ylabel="std of the mean (units of x)", title="Noise")
    (ax,) = fig.axes
    ax.plot(m, noise, color=COLORS["blue"], label="measured")
    ax.legend()
    Picture.of(fig, alt="Noise of the batch mean falls as one over the root of m.")

The last line is what a notebook cell ends in: an image with alternative text.
"""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from PIL import Image

#: Okabe & Ito (2008), "Color Universal Design": eight colours that colour-blind readers tell apart.
COLORS: dict[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#6B7280",
}
#: Order in which unnamed lines take colours; yellow is left out (too light for a line on white).
CYCLE: tuple[str, ...] = tuple(
    COLORS[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky", "black")
)
#: Colour map for anything ordered.
SEQUENTIAL = "viridis"

_CARD = "#FCFCFD"  # opaque and light: axes stay readable on JupyterLab's dark theme
_INK = "#1F2933"
_GRID = "#E3E7EC"
_MAX_TICKS = 5  # each tick label costs a millisecond
_CSS_DPI = 100  # one inch of figure is this many CSS pixels
_PNG_DPI = 120  # sharper than a plain screen's pixels, cheap enough for a slider
_FAST_TEXT = {"text.hinting": "none"}  # text is most of a drawing's time; this saves a fifth of it
_PNG_LEVEL = 1  # faster than the default, the file grows by a few kB
_DRAWING = Lock()  # one drawing at a time: they share canvases


def figure(
    rows: int = 1,
    cols: int = 1,
    *,
    size: tuple[float, float] | None = None,
    xlabel: str | Sequence[str] = "",
    ylabel: str | Sequence[str] = "",
    title: str | Sequence[str] = "",
) -> Figure:
    """Return a styled figure that pyplot does not know of; its axes are ``fig.axes``, row by row.

    Parameters
    ----------
    rows, cols : int, default 1
        Grid of axes.
    size : tuple of float, optional
        Width and height in inches (100 CSS pixels each); by default it grows with the grid.
    xlabel, ylabel, title : str or sequence of str
        One text for all axes, or one for each. A label names its quantity and unit.

    Raises
    ------
    ValueError
        If a sequence of texts does not hold one text for each of the axes.
    """
    width, height = size or (min(9.6, 2.0 + 4.4 * cols), 0.6 + 3.0 * rows)
    fig = Figure(figsize=(width, height), facecolor=_CARD, dpi=_CSS_DPI)
    FigureCanvasAgg(fig)
    fig.subplots(rows, cols)
    axes_width, axes_height = _margins(fig, width, height, rows, cols)
    named = (("xlabel", xlabel), ("ylabel", ylabel), ("title", title))
    texts = [_one_each(name, text, rows * cols) for name, text in named]
    for ax, *labels in zip(fig.axes, *texts, strict=True):
        style_axes(ax)
        _label(ax, labels, axes_width, axes_height)
    return fig


def style_axes(ax: Any) -> None:
    """Give axes the house look: light grid behind the data, two spines, the colour cycle."""
    ax.set_facecolor(_CARD)
    ax.set_prop_cycle(cycler(color=CYCLE))
    ax.grid(True, color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(_INK)
    ax.tick_params(colors=_INK, labelsize=10)
    ax.locator_params(nbins=_MAX_TICKS)


def to_png(fig: Figure, *, dpi: int = _PNG_DPI) -> bytes:
    """Return the figure as opaque PNG; equal figures give equal bytes.

    Half as long as ``fig.savefig``: the canvas of the same size is used again, with the text
    layouts that it remembers.
    """
    buffer = io.BytesIO()
    before = fig.dpi
    with _DRAWING, rc_context(_FAST_TEXT):
        fig.dpi = dpi
        try:
            canvas = _canvas(round(fig.bbox.width), round(fig.bbox.height), dpi)
            canvas.clear()
            fig.draw(canvas)
            Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").save(
                buffer, format="png", compress_level=_PNG_LEVEL
            )
        finally:
            fig.dpi = before
    return buffer.getvalue()


def to_svg(fig: Figure) -> bytes:
    """Return the figure as SVG; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "bnlib"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@lru_cache(maxsize=8)
def _canvas(width: int, height: int, dpi: int) -> RendererAgg:
    """Return the canvas of this size in pixels."""
    return RendererAgg(width, height, dpi)


@dataclass(frozen=True)
class Picture:
    """A drawn figure with alternative text, as the value of a notebook cell."""

    #: The image file.
    png: bytes
    #: What a reader who cannot see the figure has to know.
    alt: str
    #: Width on the page in CSS pixels; it shrinks on a narrower page.
    width: int
    #: Height on the page in CSS pixels at that width.
    height: int

    @classmethod
    def of(cls, fig: Figure, *, alt: str) -> "Picture":
        """Draw ``fig``; ``alt`` must say something.

        Raises
        ------
        ValueError
            If ``alt`` is blank.
        """
        if not alt.strip():
            raise ValueError(
                "alt must describe the figure in a sentence; got a blank text. "
                "It is all that a reader gets who cannot see the picture."
            )
        width, height = fig.get_size_inches()
        return cls(to_png(fig), alt, round(width * _CSS_DPI), round(height * _CSS_DPI))

    def html(self) -> str:
        """Return an ``<img>`` that needs no second file and keeps its place while it is decoded."""
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img alt="{html.escape(self.alt)}" decoding="sync" '
            f'width="{self.width}" height="{self.height}" '
            'style="max-width:100%;height:auto;border:1px solid #cbd2d9;border-radius:6px" '
            f'src="data:image/png;base64,{data}">'
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {
            "text/plain": f"[figure] {self.alt}",
            "text/html": self.html(),
            "image/png": base64.b64encode(self.png).decode("ascii"),
        }


def _margins(fig: Figure, width: float, height: float, rows: int, cols: int) -> tuple[float, float]:
    """Set margins in inches and return the size of one axes.

    A layout engine would double the time that a slider's move takes, and let the axes jump.
    """
    left, right, top, bottom, gap_x, gap_y = 0.75, 0.2, 0.4, 0.58, 0.95, 0.95
    axes_width = (width - left - right - gap_x * (cols - 1)) / cols
    axes_height = (height - top - bottom - gap_y * (rows - 1)) / rows
    fig.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=gap_x / axes_width,
        hspace=gap_y / axes_height,
    )
    return axes_width, axes_height


def _one_each(name: str, text: str | Sequence[str], count: int) -> Sequence[str]:
    """Repeat a single text, or check that there is one for each of the axes."""
    if isinstance(text, str):
        return [text] * count
    if len(text) != count:
        raise ValueError(
            f"{name} must be one text, or one for each of the {count} axes; got {len(text)} texts."
        )
    return text


def _label(ax: Any, labels: Sequence[str], axes_width: float, axes_height: float) -> None:
    """Write the three labels at fixed places: they neither jump nor cost a second layout pass."""
    xlabel, ylabel, title = labels
    ax.set_xlabel(xlabel, fontsize=10, color=_INK)
    ax.xaxis.set_label_coords(0.5, -0.32 / axes_height)
    ax.set_ylabel(ylabel, fontsize=10, color=_INK)
    ax.yaxis.set_label_coords(-0.54 / axes_width, 0.5)
    ax.set_title(title, fontsize=11, color=_INK, loc="left", y=1.0)
