"""The house style: figures without pyplot, readable on any theme, with alternative text."""

import base64
import io
import subprocess
import sys

import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from bnlib.plots import COLORS, Picture, figure, to_png, to_svg


def _luminance(color):
    """Relative luminance by WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_importing_the_figures_loads_neither_pyplot_nor_torch():
    """Figures of pyplot stay open, and it picks a back end: a page needs neither."""
    code = (
        "import sys, bnlib.plots.batch_noise\n"
        "assert not {'matplotlib.pyplot', 'torch'} & set(sys.modules), 'loaded'"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_figure_has_one_labelled_axes_per_cell():
    """One text is repeated, a sequence gives each of the axes its own."""
    fig = figure(1, 2, xlabel="m", ylabel=["a", "b"], title="t")
    assert [ax.get_xlabel() for ax in fig.axes] == ["m", "m"]
    assert [ax.get_ylabel() for ax in fig.axes] == ["a", "b"]
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["t", "t"]


def test_too_few_labels_are_refused():
    """A forgotten label is an error, not an unlabelled axis."""
    with pytest.raises(ValueError, match="ylabel must be one text, or one for each of the 2 axes"):
        figure(1, 2, ylabel=["a"])


def test_the_background_is_opaque_and_light():
    """On JupyterLab's dark theme black text must not end up on black."""
    image = Image.open(io.BytesIO(to_png(figure(xlabel="x", ylabel="y"))))
    pixel = image.convert("RGBA").getpixel((1, 1))
    assert pixel[3] == 255
    assert min(pixel[:3]) > 240


@pytest.mark.parametrize("name", [n for n in COLORS if n not in ("yellow", "sky")])
def test_colours_stand_out_on_the_card(name):
    """Lines need a contrast of about 2 to the light card; text in black needs far more."""
    card = _luminance(figure().get_facecolor()[:3])
    contrast = (card + 0.05) / (_luminance(COLORS[name]) + 0.05)
    assert contrast > (12 if name == "black" else 2)


def test_labels_lie_inside_the_figure():
    """Fixed margins must have room for tick labels, axis labels and titles."""
    fig = figure(2, 2, xlabel="x (unit)", ylabel="y (unit)", title="title")
    for ax in fig.axes:
        ax.plot([0, 1], [-1e-3, 1.25])
    to_png(fig)
    for ax in fig.axes:
        box = ax.get_tightbbox()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= fig.bbox.x1
        assert box.y1 <= fig.bbox.y1


def test_equal_figures_give_equal_bytes():
    """A notebook run twice does not change its files."""
    assert to_png(figure(title="a")) == to_png(figure(title="a"))
    assert to_svg(figure(title="a")) == to_svg(figure(title="a"))
    assert to_png(figure(title="a")) != to_png(figure(title="b"))


def test_a_picture_carries_its_alternative_text_everywhere():
    """HTML, plain text and the bare image all come from one cell value."""
    bundle = Picture.of(figure(), alt='mean < 1 & "so on"')._repr_mimebundle_()
    assert 'alt="mean &lt; 1 &amp; &quot;so on&quot;"' in bundle["text/html"]
    assert "mean < 1" in bundle["text/plain"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")


def test_a_picture_without_alternative_text_is_refused():
    """A blank text describes nothing."""
    with pytest.raises(ValueError, match="alt must describe"):
        Picture.of(figure(), alt="  ")
