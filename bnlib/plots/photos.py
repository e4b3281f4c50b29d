"""Small photos of digits, drawn from the fonts that come with matplotlib: data without a download.

Each photo shows one digit in a random typeface, turned, shifted and lit at random, with the noise
of a cheap camera. Good enough to train a classifier on in seconds, small enough to look at.
"""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 16
"""Height and width of a photo in pixels."""

_FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBolIta.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
)
_LARGE = 4 * SIZE  # the digit is drawn four times as large and then shrunk: smooth edges
_FONT_SIZE = 52  # in large pixels: digits fill most of the photo
_MAX_TURN = 12.0  # degrees
_MAX_SHIFT = 5  # large pixels, a little more than one photo pixel
_NOISE = 0.04  # standard deviation of the camera's noise; 0 is black, 1 is white


def digit_photos(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` photos and what they show.

    Parameters
    ----------
    n : int
        At least 1.
    seed : int
        The same seed gives the same photos.

    Returns
    -------
    photos : ndarray of shape (n, 16, 16), float32
        Brightness between 0 (black) and 1 (white); light digits on a dark ground.
    labels : ndarray of shape (n,), int64
        The digits, drawn evenly from 0 to 9.

    Raises
    ------
    ValueError
        If ``n`` is less than 1.

    Examples
    --------
    >>> photos, labels = digit_photos(3, seed=0)
    >>> photos.shape, photos.dtype, labels.shape
    ((3, 16, 16), dtype('float32'), (3,))
    """
    if n < 1:
        raise ValueError(f"n must be a number of photos of at least 1; got {n}.")
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=n)
    faces = rng.integers(len(_FONTS), size=n)
    turns = rng.uniform(-_MAX_TURN, _MAX_TURN, size=n)
    shifts = rng.integers(-_MAX_SHIFT, _MAX_SHIFT, size=(n, 2), endpoint=True)
    shapes = np.stack(
        [
            _shape(int(digit), int(face), float(turn), (int(across), int(down)))
            for digit, face, turn, (across, down) in zip(labels, faces, turns, shifts, strict=True)
        ]
    )
    ground = rng.uniform(0.05, 0.2, size=(n, 1, 1))
    contrast = rng.uniform(0.5, 0.75, size=(n, 1, 1))
    noisy = ground + contrast * shapes + rng.normal(0.0, _NOISE, size=shapes.shape)
    return noisy.clip(0.0, 1.0).astype(np.float32), labels


def relight(photos: np.ndarray, contrast: float, haze: float) -> np.ndarray:
    """Return the photos as another camera would take them: ``contrast · photo + haze``, in [0, 1].

    Examples
    --------
    >>> relight(np.array([0.0, 0.5]), contrast=0.5, haze=0.25)
    array([0.25, 0.5 ])
    """
    return np.asarray((contrast * photos + haze).clip(0.0, 1.0).astype(photos.dtype))


def _shape(digit: int, face: int, turn: float, shift: tuple[int, int]) -> np.ndarray:
    """Draw one digit in white on black, turned and shifted."""
    moved = _glyph(digit, face).rotate(turn, Image.Resampling.BILINEAR, translate=shift)
    small = moved.resize((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255.0


@cache
def _glyph(digit: int, face: int) -> Image.Image:
    """Draw one digit large, upright and in the middle."""
    image = Image.new("L", (_LARGE, _LARGE))
    ImageDraw.Draw(image).text(
        (_LARGE / 2, _LARGE / 2), str(digit), fill=255, font=_font(face), anchor="mm"
    )
    return image


@cache
def _font(face: int) -> ImageFont.FreeTypeFont:
    """Load a typeface from matplotlib's own data."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(folder / _FONTS[face], _FONT_SIZE)
