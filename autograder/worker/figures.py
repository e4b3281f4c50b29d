"""Turn a figure into a PNG as Jupyter does, drawing it once.

Jupyter crops a picture to what is on it. To find out what that is, matplotlib draws the figure
without a picture, and then again; here it is drawn once, and the picture is cropped.
"""

from __future__ import annotations

import base64 as base64_
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython.core import pylabtools
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.transforms import Bbox

MARGIN = 0.5  # inches around the figure where labels and titles may be: Jupyter shows them

_as_ipython_does = pylabtools.print_figure


def print_figure(
    figure: Figure,
    fmt: str = "png",
    bbox_inches: Any = "tight",
    base64: bool = False,
    **options: Any,
) -> Any:
    """Return a figure as a picture, as IPython's function of this name does, and sooner.

    The result is the same but for less than a pixel that the picture is moved by. Everything that
    is not the usual (other formats, options of the student's own, layout engines, what lies far
    beyond the figure's edge) is IPython's to draw.
    """
    usual = fmt == "png" and bbox_inches == "tight" and not options and figure.axes
    if usual and type(figure.canvas) is FigureCanvasAgg:
        with _nothing_to_lay_out(figure) as nothing:
            picture = _drawn_once(figure, figure.canvas) if nothing else None
        if picture is not None:
            return base64_.b64encode(picture).decode() if base64 else picture
    return _as_ipython_does(figure, fmt, bbox_inches, base64, **options)


@contextmanager
def _nothing_to_lay_out(figure: Figure) -> Iterator[bool]:
    """Say whether drawing moves nothing; what ``tight_layout`` leaves behind is set aside."""
    engine = figure.get_layout_engine()
    left_behind = isinstance(engine, PlaceHolderLayoutEngine)
    if left_behind:
        figure.set_layout_engine(None)
    try:
        yield figure.get_layout_engine() is None
    finally:
        if left_behind:
            figure.set_layout_engine(engine)


def _drawn_once(figure: Figure, canvas: FigureCanvasAgg) -> bytes | None:
    """Return the PNG; None if something lies beyond the margin."""
    margin = MARGIN * figure.dpi
    whole = Bbox([[-MARGIN, -MARGIN], [side + MARGIN for side in figure.bbox_inches.size]])
    canvas.print_figure(
        _Nowhere(),
        format="rgba",
        dpi=figure.dpi,
        facecolor=figure.get_facecolor(),
        edgecolor=figure.get_edgecolor(),
        bbox_inches=whole,
    )
    content = figure.get_tightbbox(canvas.renderer)
    if not (whole.contains(*content.min) and whole.contains(*content.max)):
        return None
    drawn = np.asarray(canvas.renderer.buffer_rgba())
    wanted = content.padded(mpl.rcParams["savefig.pad_inches"])
    width, height = (int(side * figure.dpi) for side in wanted.size)
    left = round(wanted.x0 * figure.dpi + margin)
    top = round(drawn.shape[0] - margin - wanted.y1 * figure.dpi)
    cropped = np.zeros((height, width, 4), drawn.dtype)  # transparent, where it is the larger one
    rows, columns = _common(top, height, drawn.shape[0]), _common(left, width, drawn.shape[1])
    cropped[rows[0], columns[0]] = drawn[rows[1], columns[1]]
    picture = io.BytesIO()
    imsave(picture, cropped, format="png", origin="upper", dpi=figure.dpi)
    return picture.getvalue()


class _Nowhere(io.RawIOBase):
    """A file that is not kept: the canvas still holds what is written."""

    def write(self, _data: Any) -> None:
        """Do nothing."""


def _common(start: int, size: int, whole: int) -> tuple[slice, slice]:
    """Return where `whole` and `size` from `start` on overlap, in the one and in the other."""
    first, last = max(start, 0), min(start + size, whole)
    return slice(first - start, last - start), slice(first, last)
