"""Shift that one makes oneself: noise after batch norm, and inputs that move."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

ROWS, FEATURES = 512, 24
STEPS = 40  # neighbouring steps whose shift is averaged
LEVELS = np.linspace(0.0, 2.0, 9)  # noise levels of the curve
_GRID = np.linspace(-5.0, 5.0, 141)
_BINS = np.linspace(-6.0, 6.0, 49)
MEAN_SCALE, STD_SCALE = 0.5, 1.25  # noise of level 1: Santurkar et al. 2018
EPS = 1e-5


def mean_shift(before: np.ndarray, after: np.ndarray) -> float:
    """Return ``mean over features of |mean_after − mean_before| / std_before``.

    Examples
    --------
    >>> mean_shift(np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]]))
    1.0
    """
    gap = np.abs(after.mean(axis=0) - before.mean(axis=0))
    return float((gap / before.std(axis=0)).mean())


def noise_of(level: float, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return shift and factor of each feature at a step: `noisy` of `bnlib.torch`, in NumPy.

    Level 1 is the noise of the paper; other levels multiply both ranges.
    """
    first, second = np.random.default_rng([step, 7]).random((2, FEATURES))
    shift = level * MEAN_SCALE * (2 * first - 1)
    return shift, 1 + level * (STD_SCALE - 1) * second


@lru_cache(maxsize=64)
def shift_of_noise(level: float) -> float:
    """Return the mean shift between neighbouring steps of normalised features with noise.

    A normalised feature has mean m and standard deviation s after the noise, whatever it was.
    """
    shifts = []
    for step in range(STEPS):
        (old, width), (new, _) = noise_of(level, step), noise_of(level, step + 1)
        shifts.append(float((np.abs(new - old) / width).mean()))
    return float(np.mean(shifts))


@lru_cache(maxsize=1)
def _curve() -> tuple[float, ...]:
    return tuple(shift_of_noise(float(level)) for level in LEVELS)


def draw_noise(level: float = 1.0, step: int = 0) -> Figure:
    """Draw one normalised feature at five neighbouring steps, and the shift against the noise.

    Parameters
    ----------
    level : float, default 1
        Of the noise; 0 is batch norm itself, 1 the noise of the paper.
    step : int, default 0
        First of the five steps.
    """
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel=["output of one unit after batch norm", "noise level (1: as in the paper)"],
        ylabel=["density", "shift in one step (standard deviations)"],
        title=[
            "the same unit at five neighbouring steps",
            f"shift at level {level:g}: {shift_of_noise(level):.2f}",
        ],
    )
    left, right = fig.axes
    shades = ("blue", "sky", "green", "orange", "vermillion")
    for k, shade in enumerate(shades):
        shift, factor = noise_of(level, step + k)
        z = (_GRID - shift[0]) / factor[0]
        density = np.exp(-(z**2) / 2) / (factor[0] * np.sqrt(2 * np.pi))
        left.plot(_GRID, density, color=COLORS[shade], linewidth=2.0)
    left.set(xlim=(-5, 5), ylim=(0, 0.45))
    right.plot(LEVELS, _curve(), color=COLORS["grey"])
    right.plot([level], [shift_of_noise(level)], "D", color=COLORS["vermillion"], markersize=9)
    right.set(xlim=(-0.05, 2.05), ylim=(-0.02, 0.7))
    return fig


@lru_cache(maxsize=1)
def _population() -> np.ndarray:
    rng = np.random.default_rng(11)
    return np.asarray(rng.normal(size=(ROWS, FEATURES)) @ rng.normal(size=(FEATURES, 8)) / 2)


def normalised(z: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
    """Return ``(z − mean)/√(var + eps)``."""
    return np.asarray((z - mean) / np.sqrt(var + EPS))


def outputs(shift: float, scale: float, mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's outputs for the inputs as they were, and for moved ones.

    The layer is linear, with batch norm after it or not; moved inputs are ``scale · x + shift``
    standard deviations.

    Parameters
    ----------
    shift, scale : float
        What happens to the layer's input.
    mode : "no batch norm", "training" or "evaluation"
        In evaluation mode the running statistics are those of the inputs as they were.
    """
    z = _population()
    moved = scale * z + shift * z.std(axis=0)
    mean, var = z.mean(axis=0), z.var(axis=0)
    if mode == "no batch norm":
        return z, moved
    if mode == "training":
        return normalised(z, mean, var), normalised(moved, moved.mean(axis=0), moved.var(axis=0))
    return normalised(z, mean, var), normalised(moved, mean, var)


MODES = ("no batch norm", "training", "evaluation")


def draw_input_shift(shift: float = 1.0, scale: float = 1.0, mode: str = "training") -> Figure:
    """Draw what a layer passes on when its input moves, and the shift in the three modes."""
    before, after = outputs(shift, scale, mode)
    fig = figure(
        1,
        2,
        size=(9.6, 3.8),
        xlabel=["output of one unit (its standard deviations)", "mode of the layer"],
        ylabel=["share of rows in a bin", "shift of the outputs (standard deviations)"],
        title=[f"one unit: {mode}", "what the next layer notices"],
    )
    left, right = fig.axes
    unit = before[:, 0].std()
    for values, color, label in (
        (before, "grey", "inputs as they were"),
        (after, "vermillion", "inputs moved"),
    ):
        counts, _ = np.histogram(np.clip(values[:, 0] / unit, -5.9, 5.9), _BINS)
        left.stairs(counts / ROWS, _BINS, color=COLORS[color], linewidth=2.0, label=label)
    left.set(xlim=(-6, 6), ylim=(0, 0.25))
    left.legend(fontsize=9, loc="upper left")
    heights = [mean_shift(*outputs(shift, scale, name)) for name in MODES]
    colors = [COLORS["vermillion" if name == mode else "sky"] for name in MODES]
    right.bar(range(len(MODES)), heights, color=colors, width=0.6)
    right.set(xlim=(-0.6, 2.6), ylim=(0, 3.2), xticks=range(len(MODES)))
    right.set_xticklabels(MODES)
    return fig
