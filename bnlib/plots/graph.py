"""The computational graph of batch norm for one feature: values go forward, gradients come back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bnlib.plots.style import COLORS, figure

#: The lecture's batch of four: with `EPS` every number of both passes is exact on paper.
X = (1.0, 2.0, 4.0, 5.0)
GAMMA, BETA, EPS = 2.0, 1.0, 1.5
#: Upstream gradients to choose from, by the name the reader sees.
UPSTREAM: dict[str, tuple[float, ...]] = {
    "(3, 1, −1, 1)": (3.0, 1.0, -1.0, 1.0),
    "all ones": (1.0, 1.0, 1.0, 1.0),
    "first row only": (1.0, 0.0, 0.0, 0.0),
    "along x̂": (-1.0, -0.5, 0.5, 1.0),
}
#: Paths that can be cut, to see what a backward pass without them hands back.
CUTS = ("nothing", "mean → centered", "centered → var", "both")
#: One line per position of the slider; the order in which the nodes are computed.
STEPS = (
    "the inputs",
    "forward: mean = average of x",
    "forward: centered = x − mean",
    "forward: var = average of centered²",
    "forward: inv_std = 1/√(var + eps)",
    "forward: x_hat = centered · inv_std",
    "forward: y = gamma · x_hat + beta",
    "backward: dy arrives from the rest of the network",
    "backward: dx_hat = gamma · dy,  dgamma = Σ dy · x_hat,  dbeta = Σ dy",
    "backward: dinv_std = Σ dx_hat · centered, and a first part of dcentered",
    "backward: dvar = −½ · inv_std³ · dinv_std",
    "backward: the second part of dcentered arrives; the two add up",
    "backward: dmean = −Σ dcentered",
    "backward: dx = dcentered + dmean/N",
)
LAST_STEP = len(STEPS) - 1

_FORWARD_AT = {
    "x": 0, "gamma": 0, "beta": 0, "mean": 1, "centered": 2, "var": 3,
    "inv_std": 4, "x_hat": 5, "y": 6,
}  # fmt: skip
_BACKWARD_AT = {
    "y": 7, "x_hat": 8, "gamma": 8, "beta": 8, "inv_std": 9, "centered": 9, "var": 10,
    "mean": 12, "x": 13,
}  # fmt: skip
_PLACES = {
    "x": (11, 40), "centered": (37, 40), "x_hat": (63, 40), "y": (89, 40),
    "mean": (24, 12), "var": (46, 12), "inv_std": (63, 12), "gamma": (74, 63), "beta": (92, 63),
}  # fmt: skip
_EDGES = (
    ("x", "mean"), ("x", "centered"), ("mean", "centered"), ("centered", "var"),
    ("var", "inv_std"), ("centered", "x_hat"), ("inv_std", "x_hat"), ("x_hat", "y"),
    ("gamma", "y"), ("beta", "y"),
)  # fmt: skip
_WIDE = ("x", "centered", "x_hat", "y")
_CUT_EDGES = {
    "nothing": (),
    "mean → centered": (("mean", "centered"),),
    "centered → var": (("centered", "var"),),
    "both": (("mean", "centered"), ("centered", "var")),
}
_HALF_WIDTH = {True: 11.4, False: 7.4}
_HALF_HEIGHT = {True: 9.2, False: 7.2}
_INK, _FAINT, _PAPER = "#1F2933", "#B6BEC8", "#FFFFFF"


@dataclass(frozen=True)
class GraphValues:
    """Every number that stands on the graph, by the name of its node."""

    #: Values of the forward pass: `x`, `mean`, …, `y`, arrays of shape (N,) or ().
    forward: Mapping[str, np.ndarray]
    #: Gradient of the loss by each of them.
    backward: Mapping[str, np.ndarray]
    #: Part of `backward["centered"]` that comes straight from x_hat.
    direct: np.ndarray
    #: Part of it that comes through var.
    through_var: np.ndarray


def graph_values(
    x: np.ndarray, gamma: float, beta: float, dy: np.ndarray, eps: float, cut: str = "nothing"
) -> GraphValues:
    """Walk the graph of one feature forward and back.

    Parameters
    ----------
    x, dy : ndarray of shape (N,)
        The feature over the batch, and the upstream gradient.
    gamma, beta, eps : float
        Scale, shift, and the number under the root.
    cut : str, default "nothing"
        One of `CUTS`: an edge along which the gradient is not passed back.

    Raises
    ------
    ValueError
        If `cut` names no edge that can be cut, or the shapes differ.

    Examples
    --------
    >>> values = graph_values(np.array(X), GAMMA, BETA, np.array([3.0, 1, -1, 1]), EPS)
    >>> values.backward["x"]
    array([ 1.25 , -0.375, -1.625,  0.75 ])
    """
    if cut not in CUTS:
        raise ValueError(f"cut must be one of {', '.join(CUTS)}; got {cut!r}.")
    if x.ndim != 1 or x.shape != dy.shape:
        raise ValueError(
            f"x and dy must be one feature each, of the same shape (N,); got {x.shape}, {dy.shape}."
        )
    mean = x.mean()
    centered = x - mean
    var = (centered**2).mean()
    inv_std = 1.0 / np.sqrt(var + eps)
    x_hat = centered * inv_std
    forward = {
        "x": x, "gamma": np.float64(gamma), "beta": np.float64(beta), "mean": mean,
        "centered": centered, "var": var, "inv_std": inv_std, "x_hat": x_hat,
        "y": gamma * x_hat + beta,
    }  # fmt: skip
    dx_hat = gamma * dy
    dinv_std = (dx_hat * centered).sum()
    dvar = -0.5 * inv_std**3 * dinv_std
    direct = dx_hat * inv_std
    keep_var, keep_mean = cut not in ("centered → var", "both"), cut in ("nothing", CUTS[2])
    through_var = keep_var * dvar * 2.0 * centered / x.size
    dcentered = direct + through_var
    dmean = -keep_mean * dcentered.sum()
    backward = {
        "y": dy, "gamma": (dy * x_hat).sum(), "beta": dy.sum(), "x_hat": dx_hat,
        "inv_std": dinv_std, "var": dvar, "centered": dcentered, "mean": dmean,
        "x": dcentered + dmean / x.size,
    }  # fmt: skip
    return GraphValues(forward, backward, direct, through_var)


def draw_graph(
    step: int = LAST_STEP, upstream: str = "(3, 1, −1, 1)", cut: str = "nothing"
) -> Figure:
    """Draw the graph as it stands after `step` of `LAST_STEP` steps.

    Blue numbers are values and go from left to right, vermillion ones are gradients and come back.
    The node at work has a thick frame.

    Parameters
    ----------
    step : int
        Position in `STEPS`.
    upstream : str
        A name in `UPSTREAM`.
    cut : str
        One of `CUTS`.
    """
    values = graph_values(np.array(X), GAMMA, BETA, np.array(UPSTREAM[upstream]), EPS, cut)
    fig = figure(size=(9.6, 5.0), title=f"{step} of {LAST_STEP} · {STEPS[step]}")
    (ax,) = fig.axes
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.08, top=0.92)
    ax.set_axis_off()
    ax.set(xlim=(-1, 101), ylim=(0, 74))
    for edge in _EDGES:
        _draw_edge(ax, edge, step, edge in _CUT_EDGES[cut])
    for name in _PLACES:
        _draw_node(ax, name, values, step)
    ax.text(0, -3.5, _remark(values, step), fontsize=10, color=_INK, va="center")
    return fig


def _remark(values: GraphValues, step: int) -> str:
    """Say below the graph what is worth noticing at this step."""
    if step == 11 or step == 12:
        parts = f"({_row(values.direct)})  +  ({_row(values.through_var)})"
        return f"dcentered = straight from x_hat + through var = {parts}"
    if step == LAST_STEP:
        dx = values.backward["x"]
        numeric = _numeric(values)
        error = float(np.abs(dx - numeric).max())
        verdict = "they agree" if error < 1e-6 else f"largest difference {error:.3g}"
        return f"Σ dx = {_number(dx.sum())}.  Central differences: ({_row(numeric)}): {verdict}"
    return "blue: values, from left to right     vermillion: gradients, from right to left"


def _numeric(values: GraphValues, h: float = 1e-5) -> np.ndarray:
    """Return dx by central differences: the judge that knows nothing of the graph."""
    x, dy = values.forward["x"], values.backward["y"]

    def loss(point: np.ndarray) -> float:
        return float(dy @ graph_values(point, GAMMA, BETA, dy, EPS).forward["y"])

    steps = h * np.eye(x.size)
    return np.array([(loss(x + e) - loss(x - e)) / (2 * h) for e in steps])


def _draw_edge(ax: Any, edge: tuple[str, str], step: int, cut: bool) -> None:
    """Draw one arrow: blue once its value has passed, vermillion once its gradient came back."""
    start, end = (_border(a, b) for a, b in (edge, edge[::-1]))
    came_back = step >= _returned_at(edge)
    passed = step >= _FORWARD_AT[edge[1]]
    color = COLORS["vermillion"] if came_back else COLORS["blue"] if passed else _FAINT
    style = "<|-" if came_back else "-|>"
    dashes = "-"
    if cut and step > 6:
        color, style, dashes = _FAINT, "-", ":"
    arrow = {"arrowstyle": style, "color": color, "linewidth": 1.6, "linestyle": dashes}
    ax.annotate("", xy=end, xytext=start, arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
    if cut and step > 6:
        middle = np.add(start, end) / 2
        ax.text(*middle, "cut", fontsize=9, color=_INK, ha="center", va="center", zorder=3)


def _returned_at(edge: tuple[str, str]) -> int:
    """Return the step at which the gradient comes back along an edge."""
    return 11 if edge == ("centered", "var") else _BACKWARD_AT[edge[0]]


def _border(name: str, toward: str) -> tuple[float, float]:
    """Return the point where the line from a node's centre to another's leaves its box."""
    (x, y), (x2, y2) = _PLACES[name], _PLACES[toward]
    dx, dy = x2 - x, y2 - y
    wide = name in _WIDE
    reach = min(
        _HALF_WIDTH[wide] / abs(dx) if dx else np.inf,
        _HALF_HEIGHT[wide] / abs(dy) if dy else np.inf,
    )
    return x + reach * dx, y + reach * dy


def _draw_node(ax: Any, name: str, values: GraphValues, step: int) -> None:
    """Draw one box: its name, its value, its gradient as far as they are known."""
    x, y = _PLACES[name]
    wide = name in _WIDE
    w, h = _HALF_WIDTH[wide], _HALF_HEIGHT[wide]
    known = step >= _FORWARD_AT[name]
    ax.fill(
        [x - w, x + w, x + w, x - w], [y - h, y - h, y + h, y + h],
        facecolor=_PAPER, edgecolor=_INK if known else _FAINT,
        linewidth=3.0 if _at_work(name, step) else 1.0, zorder=2,
    )  # fmt: skip
    line = {"ha": "center", "va": "center", "zorder": 3}
    ax.text(x, y + 0.6 * h, name, fontsize=10.5, color=_INK if known else _FAINT, **line)
    if known:
        text = _row(values.forward[name])
        ax.text(x, y + 0.02 * h, text, fontsize=9.5, color=COLORS["blue"], **line)
    gradient = _gradient(name, values, step)
    if gradient is not None:
        text = _row(gradient)
        ax.text(x, y - 0.56 * h, text, fontsize=9.5, color=COLORS["vermillion"], **line)


def _at_work(name: str, step: int) -> bool:
    """Whether the node gets its value or its gradient at this step."""
    if name == "centered" and step == 11:
        return True
    return step == (_FORWARD_AT[name] if step <= 6 else _BACKWARD_AT[name])


def _gradient(name: str, values: GraphValues, step: int) -> np.ndarray | None:
    """Return what is known of a node's gradient at a step: for `centered` first one part."""
    if step < _BACKWARD_AT[name]:
        return None
    if name == "centered" and step < 11:
        return values.direct
    return values.backward[name]


def _row(value: np.ndarray) -> str:
    """Write a number, or the numbers of a batch side by side."""
    return "   ".join(_number(float(v)) for v in np.atleast_1d(value))


def _number(value: float) -> str:
    """Write at most four significant digits; rounding noise is 0."""
    return "0" if abs(value) < 1e-9 else f"{value:.4g}".replace("-", "−")
