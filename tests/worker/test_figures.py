"""Figures are drawn once, and look as in Jupyter."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core import pylabtools
from matplotlib.figure import Figure
from PIL import Image

from autograder.worker.figures import print_figure

BLOCK = 6  # pixels: in means over blocks, lines that lie half a pixel off are no difference
CLOSE = 3.0  # of 255: mean difference of such means


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    with plt.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")


def _curve() -> Figure:
    figure, axes = plt.subplots(figsize=(5, 3))
    axes.plot([0, 1, 0.5], label="a curve")
    axes.set(xlabel="below the figure's edge", ylabel="$y^2$")
    axes.legend()
    return figure


def _legend_outside() -> Figure:
    figure, axes = plt.subplots()
    axes.plot([1, 2], label="out")
    axes.legend(bbox_to_anchor=(1.05, 1))
    return figure


def _images() -> Figure:
    figure, axes = plt.subplots(2, 3, figsize=(7, 3), facecolor="0.8")
    for one in axes.flat:
        one.imshow(np.arange(12.0).reshape(3, 4))
        one.axis("off")
    figure.suptitle("six")
    figure.tight_layout()
    return figure


def _surface() -> Figure:
    figure = plt.figure(dpi=80)
    figure.add_subplot(projection="3d").plot_surface(*np.mgrid[:4, :4], np.eye(4))
    return figure


def _bare_axes() -> Figure:
    return plt.figure(figsize=(2, 1)).add_axes((0.3, 0.3, 0.2, 0.2)).figure


USUAL: dict[str, Callable[[], Figure]] = {
    "a curve": _curve,
    "a legend outside": _legend_outside,
    "images": _images,
    "a surface": _surface,
    "bare axes": _bare_axes,
}


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Return a list of the figures that are drawn from now on."""
    drawn: list[Figure] = []
    draw = Figure.draw

    def counted(self: Figure, renderer: Any) -> None:
        drawn.append(self)
        draw(self, renderer)

    monkeypatch.setattr(Figure, "draw", counted)
    return drawn


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), float)


def _blurred(pixels: np.ndarray) -> np.ndarray:
    rows, columns = (side // BLOCK for side in pixels.shape[:2])
    blocks = pixels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, 4)
    return blocks.mean(axis=(1, 3))


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_figure_is_drawn_once_and_looks_the_same(name: str, count: list[Figure]) -> None:
    expected = pylabtools.print_figure(USUAL[name]())
    figure = USUAL[name]()
    count.clear()
    state = figure.get_size_inches().tolist(), figure.dpi, figure.get_facecolor(), figure.canvas
    picture = print_figure(figure)
    assert len(count) == 1
    assert state == (
        figure.get_size_inches().tolist(),
        figure.dpi,
        figure.get_facecolor(),
        figure.canvas,
    )
    ours, theirs = _pixels(picture), _pixels(expected)
    assert ours.shape == theirs.shape
    assert np.abs(_blurred(ours) - _blurred(theirs)).mean() < CLOSE
    assert Image.open(io.BytesIO(picture)).info == Image.open(io.BytesIO(expected)).info


def _far_away() -> Figure:
    figure = _curve()
    figure.axes[0].annotate("far", (0, 0), (-3, 0), xycoords="axes fraction", annotation_clip=False)
    return figure


def _constrained() -> Figure:
    figure, axes = plt.subplots(1, 2, layout="constrained")
    axes[0].set_xlabel("x")
    return figure


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (_far_away, {}),
        (_constrained, {}),
        (_curve, {"fmt": "svg", "metadata": {"Date": None}}),
        (_curve, {"fmt": "retina"}),
        (_curve, {"bbox_inches": None}),
        (_curve, {"pad_inches": 1.0}),
        (plt.figure, {}),
    ],
)
def test_what_is_not_usual_is_as_ipython_makes_it(
    make: Callable[[], Figure], options: dict[str, Any]
) -> None:
    plt.rcParams["svg.hashsalt"] = "the same"
    expected = pylabtools.print_figure(make(), **options)
    assert print_figure(make(), **options) == expected


def test_a_picture_in_base64_is_the_same_picture() -> None:
    figure = _curve()
    expected = _pixels(print_figure(figure))
    encoded = print_figure(figure, base64=True)
    assert isinstance(encoded, str)
    url = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(url, float), expected)
