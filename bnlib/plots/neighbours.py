"""One photo in changing company: its batch, and what a classifier says about it."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

Classify = Callable[[np.ndarray], np.ndarray]
"""Photos of shape (N, H, W) to probabilities of shape (N, 10)."""

ANY = "any digits"
TWINS = "copies of itself"
COMPANIES = (ANY, "only 0s", "only 1s", "only 7s", TWINS)
"""Who else may be in the batch."""

_COLUMNS = 8  # photos in a row of the mosaic
_SHOWN = 64  # photos of a batch that are shown; all are used


def company_of(
    photo: np.ndarray,
    photos: np.ndarray,
    labels: np.ndarray,
    company: str,
    size: int,
    seed: int,
) -> np.ndarray:
    """Return a batch of ``size`` photos, the given one first, the others drawn at random.

    Parameters
    ----------
    photo : ndarray of shape (H, W)
        Row 0 of the batch.
    photos, labels : ndarray of shape (K, H, W) and (K,)
        Where the others come from.
    company : str
        One of `COMPANIES`.
    size : int
        Rows of the batch, at least 2.
    seed : int
        The same seed gives the same batch.

    Raises
    ------
    ValueError
        If the company is unknown or the size is less than 2.
    """
    if company not in COMPANIES:
        raise ValueError(f"company must be one of {', '.join(COMPANIES)}; got {company!r}.")
    if size < 2:
        raise ValueError(f"size must be at least 2, the photo and a neighbour; got {size}.")
    if company == TWINS:
        return np.repeat(photo[np.newaxis], size, axis=0)
    rng = np.random.default_rng(seed)
    pool = photos if company == ANY else photos[labels == int(company.split()[1][0])]
    others = pool[rng.choice(len(pool), size=size - 1, replace=True)]
    return np.concatenate([photo[np.newaxis], others])


def draw_neighbours(
    company: str = ANY,
    size: int = 16,
    seed: int = 0,
    *,
    photo: np.ndarray,
    photos: np.ndarray,
    labels: np.ndarray,
    classify: Classify,
) -> Figure:
    """Draw a batch with the photo first, and the classifier's probabilities for the photo.

    ``classify`` is called on the whole batch; only row 0 of its answer is drawn.
    """
    batch = company_of(photo, photos, labels, company, size, seed)
    probabilities = classify(batch)[0]
    fig = figure(
        1,
        2,
        size=(8.6, 3.8),
        xlabel=["", "digit"],
        ylabel=["", "probability of the framed photo"],
        title=[
            f"the photo (framed) and {size - 1} neighbours",
            f"the classifier says: {int(probabilities.argmax())}",
        ],
    )
    left, right = fig.axes
    height, width = photo.shape
    left.imshow(_mosaic(batch[:_SHOWN]), cmap="gray", vmin=0.0, vmax=1.0)
    x, y = np.array([0, 1, 1, 0, 0]) * width - 0.5, np.array([0, 0, 1, 1, 0]) * height - 0.5
    left.plot(x, y, color=COLORS["vermillion"], linewidth=3, clip_on=False)
    left.set_axis_off()
    best = int(probabilities.argmax())
    colors = [COLORS["vermillion"] if k == best else COLORS["sky"] for k in range(10)]
    right.bar(np.arange(10), probabilities, color=colors)
    right.set_xticks(np.arange(10))
    right.set_ylim(0.0, 1.0)
    return fig


def draw_accuracy_by_light(
    haze: float,
    *,
    photos: np.ndarray,
    curves: dict[str, np.ndarray],
    hazes: np.ndarray,
    relit: Callable[[np.ndarray, float], np.ndarray],
) -> Figure:
    """Draw a few photos at one haze, and accuracy over haze for several ways to classify.

    Parameters
    ----------
    haze : float
        Position that is marked.
    photos : ndarray of shape (K, H, W)
        Photos to show, at least 12.
    curves : dict of str to ndarray of shape (T,)
        Accuracy between 0 and 1 by name.
    hazes : ndarray of shape (T,)
        Where the accuracies were measured.
    relit : callable
        ``relit(photos, haze)`` returns the photos as taken in that haze.
    """
    fig = figure(
        1,
        2,
        size=(8.6, 3.6),
        xlabel=["", "haze (0: as in training)"],
        ylabel=["", "accuracy"],
        title=[f"photos at haze {haze:g}", "accuracy on 1000 new photos"],
    )
    left, right = fig.axes
    left.imshow(_mosaic(relit(photos[:12], haze), columns=4), cmap="gray", vmin=0.0, vmax=1.0)
    left.set_axis_off()
    styles = ("-", "--", "-.")
    for (name, values), style in zip(curves.items(), styles, strict=False):
        right.plot(hazes, values, style, label=name, linewidth=2)
    right.axvline(haze, color=COLORS["grey"], linewidth=1.2)
    right.set_ylim(0.0, 1.05)
    right.legend(fontsize=9, loc="lower left")
    return fig


def _mosaic(batch: np.ndarray, columns: int = _COLUMNS) -> np.ndarray:
    """Lay photos out in rows of ``columns``; missing ones stay white."""
    n, height, width = batch.shape
    rows = -(-n // columns)
    padded = np.ones((rows * columns, height, width))
    padded[:n] = batch
    grid = padded.reshape(rows, columns, height, width).swapaxes(1, 2)
    return np.asarray(grid.reshape(rows * height, columns * width))
