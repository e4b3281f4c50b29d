"""The same picture in other company: what batch norm makes of it, and what is read from it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.layers import BatchNorm2d
from bnlib.plots.style import COLORS, figure

SIDE = 64  # pixels of a picture, both ways
_COMPANY = 7  # pictures beside the one we watch
_DUSK = 0.5  # daylight in the one we watch: neither day nor night
_SPREAD = 0.12  # how much daylight differs within the company
_SHARPNESS = 3.0  # of the day-or-night unit: one weight, no bias
_LIGHTS = tuple(round(0.05 * k, 2) for k in range(21))  # what the slider may ask for
_SHOWN_RANGE = 2.2  # standard deviations at which a shown channel is black or full
_GAP = 3  # pixels around a picture
_BAND = 22  # pixels between the two rows, for a line of text
_PAPER = 0.988  # the figures' own background


@dataclass(frozen=True)
class Company:
    """One batch of pictures, and what batch norm makes of it."""

    #: ndarray of shape (8, 3, 64, 64): the batch, values in [0, 1]; picture 0 is always the same.
    pictures: np.ndarray
    #: ndarray of shape (8, 3, 64, 64): the batch after batch norm in training mode.
    seen: np.ndarray
    #: P(day) that the unit reads from picture 0.
    day: float


def landscape(light: float, seed: int) -> np.ndarray:
    """Paint hills under a sky; ``light`` 0 is night, 1 is noon; the hills depend on the seed.

    Returns
    -------
    ndarray of shape (3, 64, 64)
        Red, green, blue in [0, 1].
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    picture = _mix((0.55, 0.75, 1.0), (1.0, 0.85, 0.65), y)
    disk = np.hypot(x - rng.uniform(0.2, 0.8), y - rng.uniform(0.15, 0.3)) < 0.1
    picture[:, disk] = np.array([[1.0], [0.95], [0.7]])
    for base, color in ((0.55, (0.45, 0.6, 0.55)), (0.75, (0.25, 0.5, 0.25))):
        waves = rng.uniform(2, 9, 3), rng.uniform(0, 6.28, 3), rng.uniform(0.02, 0.07, 3)
        hills = base + sum(a * np.sin(f * x + p) for f, p, a in zip(*waves, strict=True))
        picture[:, y > hills] = np.array(color)[:, None]
    night = np.array([0.10, 0.13, 0.28])[:, None, None]
    shade = night + (1 - night) * light
    return np.asarray(np.clip(picture * shade, 0, 1))


@cache
def company(light: float, seed: int = 0) -> Company:
    """Normalise a picture taken at dusk together with seven others, and read day or night from it.

    Parameters
    ----------
    light : float
        Mean daylight of the seven others, from 0 (night) to 1 (noon).
    seed : int
        Decides the others.

    Notes
    -----
    The batch goes through `bnlib.BatchNorm2d(3)` in training mode. The unit that reads it has one
    weight: P(day) = sigmoid(3 · mean of picture 0 after batch norm). It never changes, nor does
    picture 0.
    """
    rng = np.random.default_rng(seed)
    lights = np.clip(light + _SPREAD * rng.uniform(-1, 1, _COMPANY), 0, 1)
    others = [landscape(value, seed=1 + seed * _COMPANY + k) for k, value in enumerate(lights)]
    pictures = np.stack([landscape(_DUSK, seed=0), *others])
    seen = BatchNorm2d(3)(pictures)
    return Company(pictures, seen, float(1 / (1 + np.exp(-_SHARPNESS * seen[0].mean()))))


def draw_company(light: float = 0.15, seed: int = 0) -> Figure:
    """Draw the batch, the batch as the next layer sees it, and P(day) of the first picture.

    The curve below is P(day) of that one picture for every daylight of its company.
    """
    batch = company(light, seed)
    fig = figure(
        2,
        1,
        size=(9.2, 5.0),
        xlabel=["", "daylight in the other seven pictures (0 night, 1 noon)"],
        ylabel=["", "P(day) of picture 1"],
    )
    top, bottom = fig.axes
    top.set_position((0.03, 0.415, 0.94, 0.53))
    bottom.set_position((0.09, 0.115, 0.88, 0.22))
    _draw_pictures(top, batch)
    _draw_reading(bottom, light, seed)
    return fig


def _draw_pictures(ax: Any, batch: Company) -> None:
    """Show the batch twice, and frame the picture that never changes."""
    tile = SIDE + 2 * _GAP
    ax.set_axis_off()
    ax.imshow(_mosaic(batch), aspect="equal", interpolation="none")
    ax.text(0, -6, "the batch: picture 1 is always the same", fontsize=11)
    ax.text(0, tile + _BAND - 6, "after batch norm: what the next layer sees", fontsize=11)
    for y in (0, tile + _BAND):
        ax.plot(
            [0, tile, tile, 0, 0],
            [y, y, y + tile, y + tile, y],
            color=COLORS["vermillion"],
            linewidth=3,
            clip_on=False,
        )


def _draw_reading(ax: Any, light: float, seed: int) -> None:
    """Draw P(day) of picture 1 over the daylight of its company, and where we are."""
    ax.plot(_LIGHTS, [company(value, seed).day for value in _LIGHTS], color=COLORS["blue"])
    day = company(light, seed).day
    ax.plot([light], [day], "o", color=COLORS["vermillion"], markersize=10)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.08, 1.08)
    word = "day" if day > 0.5 else "night"
    ax.set_title(f"picture 1 is read as {word}: P(day) = {day:.2f}", loc="left", fontsize=11)


def _mix(top: tuple[float, ...], bottom: tuple[float, ...], share: np.ndarray) -> np.ndarray:
    """Blend two colours down the picture."""
    first, second = (np.array(color)[:, None, None] for color in (top, bottom))
    return np.asarray(first * (1 - share) + second * share)


def _mosaic(batch: Company) -> np.ndarray:
    """Lay the batch out as two rows of pictures: as taken, and as normalised."""
    shown = np.clip(batch.seen / (2 * _SHOWN_RANGE) + 0.5, 0, 1)
    rows = [_strip(batch.pictures), _strip(shown)]
    band = np.full((_BAND, *rows[0].shape[1:]), _PAPER)
    return np.concatenate([rows[0], band, rows[1]], axis=0)


def _strip(pictures: np.ndarray) -> np.ndarray:
    """Lay pictures side by side, channels last, with a margin around each."""
    margin = ((0, 0), (0, 0), (_GAP, _GAP), (_GAP, _GAP))
    framed = np.pad(pictures, margin, constant_values=_PAPER)
    return np.concatenate(list(framed.transpose(0, 2, 3, 1)), axis=1)
