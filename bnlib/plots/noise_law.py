"""The law of batch noise: mean, standard deviation, output and gap against 1/√m, measured."""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

_TRIALS = 2000  # batches a dot is taken from: good to about 2 %
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_EPS = 1e-5
_FLOOR = 2e-3  # noise of 0 has no place on a logarithmic axis: it is drawn at the lower edge

FEATURES = ("normal", "flat", "skewed")
"""Populations to choose from, each with mean 0 and standard deviation 1."""


def feature(name: str, seed: int = 0) -> np.ndarray:
    """Return 4000 values of a feature with mean 0 and standard deviation 1.

    Raises
    ------
    ValueError
        If `name` is none of `FEATURES`.
    """
    rng = np.random.default_rng(seed)
    draws = {
        "normal": lambda: rng.normal(size=4000),
        "flat": lambda: rng.uniform(-1.0, 1.0, size=4000),
        "skewed": lambda: rng.gamma(2.0, 1.0, size=4000),
    }
    if name not in draws:
        raise ValueError(f"name must be one of {', '.join(FEATURES)}; got {name!r}.")
    values = draws[name]()
    return np.asarray((values - values.mean()) / values.std())


@cache
def _company(name: str, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and biased variance of 2000 groups of m values, each of shape (2000,)."""
    rng = np.random.default_rng([m, FEATURES.index(name)])
    values = feature(name)
    groups = values[rng.integers(values.size, size=(_TRIALS, m))]
    return groups.mean(axis=1), groups.var(axis=1)


def noises(name: str, m: int, z: float) -> tuple[float, float, float, float]:
    """Measure four noises over 2000 random batches of m values.

    Parameters
    ----------
    name : str
        One of `FEATURES`.
    m : int
        Batch size, at least 1.
    z : float
        Where the fixed sample lies, in standard deviations from the mean.

    Returns
    -------
    of_mean, of_std : float
        Standard deviations of the batch's mean and of its standard deviation, in units of σ.
    of_output : float
        Standard deviation of x̂ of the sample, which is one of the m values.
    gap : float
        Root mean square distance of that x̂ from evaluation mode's, z/√(1 + eps).

    Examples
    --------
    >>> of_mean, _, of_output, _ = noises("normal", 1, 1.0)
    >>> 0.9 < of_mean < 1.1, of_output
    (True, 0.0)
    """
    means, variances = _company(name, m)
    outputs = _outputs(name, m, z)
    away = outputs - z / np.sqrt(1.0 + _EPS)
    rms = float(np.sqrt(np.mean(np.square(away))))
    return float(means.std()), float(np.sqrt(variances).std()), float(outputs.std()), rms


def _outputs(name: str, m: int, z: float) -> np.ndarray:
    """Return x̂ of the sample in 2000 batches: m − 1 others, and the sample merged in (Chan)."""
    if m == 1:
        return np.zeros(_TRIALS)
    means, variances = _company(name, m - 1)
    off = (z - means) / m  # how far the sample moves the mean
    merged = (m - 1) / m * variances + (m - 1) * np.square(off)
    return np.asarray((z - means - off) / np.sqrt(merged + _EPS))


def theory(name: str, z: float) -> tuple[float, float, float]:
    """Return what the noises of mean, standard deviation and output times √m tend to.

    `1`, `√((κ−1)/4)` and `√(1 + z·skew + z²(κ−1)/4)`, with skew and κ the third and fourth moment
    of the feature, whose mean is 0 and standard deviation 1.

    Examples
    --------
    >>> [round(t, 1) for t in theory("normal", 1.0)]
    [1.0, 0.7, 1.2]
    """
    values = feature(name)
    skew, kurtosis = float(np.mean(values**3)), float(np.mean(values**4))
    of_std = (kurtosis - 1.0) / 4.0
    return 1.0, of_std**0.5, (1.0 + z * skew + z * z * of_std) ** 0.5


def draw_noise_law(m: int = 8, z: float = 1.0, name: str = "normal") -> Figure:
    """Draw the noises over the batch size, dots measured and lines by theory, m marked.

    Left: the batch's mean and standard deviation. Right: the output of one sample that lies z
    standard deviations out, and its distance from evaluation mode.
    """
    table = np.array([noises(name, size, z) for size in _SIZES]).T
    here = noises(name, m, z)
    fig = figure(
        1,
        2,
        xlabel="batch size m (values per channel)",
        ylabel=["noise (units of σ)", "noise of x̂ (no unit)"],
        title=[
            f"m = {m}: of μ_B {here[0]:.3f}, of σ_B {here[1]:.3f}",
            f"a sample {z:g} σ out: std of x̂ {here[2]:.3f}, gap {here[3]:.3f}",
        ],
    )
    left, right = fig.axes
    of_mean, of_std, of_output = theory(name, z)
    _panel(left, [(table[0], "o", "blue", "mean μ_B"), (table[1], "s", "vermillion", "σ_B")], m)
    _panel(
        right,
        [
            (table[2], "o", "green", "std of x̂"),
            (table[3], "x", "orange", "gap to evaluation mode"),
        ],
        m,
    )
    _law(left, of_mean, "σ/√m")
    _law(left, of_std, "σ√((κ−1)/4m)", above=False)
    _law(right, of_output, f"{of_output:.2f}/√m")
    for ax in fig.axes:
        ax.legend(fontsize=9, loc="lower left")
    return fig


def _panel(ax: Any, series: list[tuple[np.ndarray, str, str, str]], m: int) -> None:
    """Draw measured dots on logarithmic axes, and a line at m."""
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.minorticks_off()
    for values, marker, color, label in series:
        shown = np.maximum(values, _FLOOR)
        ax.plot(_SIZES, shown, marker, color=COLORS[color], markersize=5, label=label)
    ax.axvline(m, color=COLORS["black"], linestyle=":", linewidth=1.2)
    ax.set_xlim(0.8, 330)
    ax.set_ylim(_FLOOR, 3.0)
    ax.set_xticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
    ax.set_yticks([0.01, 0.1, 1.0], ["0.01", "0.1", "1"])


def _law(ax: Any, slope: float, label: str, above: bool = True) -> None:
    """Draw a line that falls as 1/√m, its label above or below."""
    ends = np.array([1.0, 300.0])
    ax.plot(ends, slope / np.sqrt(ends), color=COLORS["grey"], linewidth=1.2)
    place = (40.0, slope / 40.0**0.5 * (1.35 if above else 0.35))
    ax.annotate(label, place, fontsize=9, color=COLORS["grey"])
