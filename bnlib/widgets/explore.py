"""The slider panel of every lecture: controls above, one figure below, redrawn on each move.

How to write one. The drawing goes to ``bnlib/plots/<subject>.py`` as a pure function of its
arguments (random numbers come from a seed among them, data is computed once and cached), so that
it can be tested without a browser; see ``bnlib/plots/batch_noise.py``::

    def draw_batch_noise(m: int = 8, seed: int = 0) -> Figure:
        noise = batch_noise(default_population(), m, trials=2000, rng_seed=seed)   # data: pure
        fig = figure(xlabel="batch mean (units of x)", ylabel="share of batches")  # house style
        (ax,) = fig.axes
        ax.stairs(*shares(noise.means), fill=True, color=COLORS["sky"])
        return fig

and the notebook cell holds the view alone (last expression of the cell; names are draw's own)::

    explore(draw_batch_noise, title="Who else is in the batch?",
            alt="Histogram of batch means; the larger the batch, the narrower.",
            m=Slider("batch size m", 1, 256, 2, 8, log=True, unit="values"),
            seed=Choice("random seed", (0, 1, 2), 0))

Test it by driving the object: ``view.set(m=64)``, then ``view.state``, ``view.image_bytes``,
``view.error`` (None when the last drawing worked). Keep a move below 100 ms: two axes, no
layout engine, ``stairs`` and ``plot`` instead of many patches.
"""

import gc
import html
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure

from bnlib.plots.style import Picture
from bnlib.widgets.controls import Control

_REMEMBERED = 64  # pictures kept per panel, some 50 kB each: going back costs nothing


class Explorer:
    """A panel of controls over a figure; make one with `explore`.

    Shown as the value of a cell it is live. Where no widget can be shown (a static page, a PDF)
    the same cell shows the figure at the state it has at that moment.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        controls: dict[str, Control],
        *,
        alt: str,
        title: str | None,
    ) -> None:
        self._draw = draw
        self._controls = controls
        self._alt = alt
        self._pictures: OrderedDict[tuple[Any, ...], Picture] = OrderedDict()
        self._widgets = {name: control.widget() for name, control in controls.items()}
        self._image = widgets.HTML()
        self._message = widgets.HTML()
        self._paused = False
        #: Why the last drawing failed, in a sentence; None when it worked.
        self.error: str | None = None
        self._picture = self._picture_of(self.state)
        self._image.value = self._picture.html()
        head = [widgets.HTML(f"<strong>{html.escape(title)}</strong>")] if title else []
        #: The widget that is shown.
        self.panel = widgets.VBox([*head, *self._widgets.values(), self._message, self._image])
        for control in self._widgets.values():
            control.observe(self._on_move, names="value")

    @property
    def state(self) -> dict[str, Any]:
        """The controls' values by name: what ``draw`` is called with."""
        return {name: c.snap(self._widgets[name].value) for name, c in self._controls.items()}

    @property
    def alt(self) -> str:
        """The alternative text of the picture shown, with the state it was drawn at."""
        return self._picture.alt

    @property
    def image_bytes(self) -> bytes:
        """The PNG that is shown: after a failed drawing, the last one that worked."""
        return self._picture.png

    def set(self, **state: Any) -> None:
        """Move controls, as a reader would, and redraw once.

        Raises
        ------
        ValueError
            If a name is no control of this panel, or a value is not among its positions.
        """
        for name in state:
            if name not in self._controls:
                raise ValueError(
                    f"{name!r} is no control of this panel; it has {', '.join(self._controls)}."
                )
        checked = {name: self._controls[name].check(value) for name, value in state.items()}
        self._paused = True
        try:
            for name, value in checked.items():
                self._widgets[name].value = value
        finally:
            self._paused = False
        self._refresh()

    def _on_move(self, _: object) -> None:
        """Redraw when a control moved in the front end."""
        if not self._paused:
            self._refresh()

    def _refresh(self) -> None:
        """Show the picture of the present state, or say why there is none."""
        state = self.state
        try:
            self._picture = self._picture_of(state)
        except Exception as problem:  # whatever draw raises belongs on the panel, not in a log
            self.error = _sentence(problem, self._described(state))
            self._message.value = (
                '<div role="alert" style="padding:.5em;color:#7a1f00;background:#fff1e8;'
                f'border:1px solid #d55e00;border-radius:6px">{html.escape(self.error)}</div>'
            )
            return
        self.error = None
        self._message.value = ""
        self._image.value = self._picture.html()

    def _picture_of(self, state: dict[str, Any]) -> Picture:
        """Draw, or take what was drawn for this state before."""
        key = tuple(state.values())
        if key not in self._pictures:
            alt = f"{self._alt.rstrip('. ')}. Shown for {self._described(state)}."
            self._pictures[key] = Picture.of(_drawn(self._draw, state), alt=alt)
            if len(self._pictures) > _REMEMBERED:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(key)
        return self._pictures[key]

    def _described(self, state: dict[str, Any]) -> str:
        """Write the state in the labels' words."""
        return ", ".join(f"{self._controls[name].label} = {value}" for name, value in state.items())

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Return the live panel together with its present picture for where widgets do not run."""
        live = self.panel._repr_mimebundle_(**options)
        return {**live, **self._picture._repr_mimebundle_()}


def explore(
    draw: Callable[..., Figure],
    *,
    alt: str,
    title: str | None = None,
    **controls: Control,
) -> Explorer:
    """Show ``draw(**state)`` under controls that change the state.

    Parameters
    ----------
    draw : callable
        Pure function of the controls' values, named as the controls, to a
        `matplotlib.figure.Figure`. The same values must give the same figure: pictures are kept.
    alt : str
        What the figure shows, for a reader who cannot see it; the state is added to it.
    title : str, optional
        A line above the controls.
    **controls : Slider, Choice or Toggle
        At least one.

    Returns
    -------
    Explorer
        Show it as the last expression of a cell.

    Raises
    ------
    ValueError
        If there is no control, or ``alt`` is blank.
    TypeError
        If a control is none of ours.

    Notes
    -----
    What ``draw`` raises at the start values is raised here, so that a broken figure fails its
    notebook. What it raises later, at a move, is shown in the panel above the last good picture.
    """
    if not controls:
        raise ValueError("explore needs at least one control, such as m=Slider(...); got none.")
    if not alt.strip():
        raise ValueError("alt must say in a sentence what the figure shows; got a blank text.")
    for name, control in controls.items():
        if not isinstance(control, Control):
            raise TypeError(
                f"control {name!r} must be a Slider, a Choice or a Toggle; "
                f"got {type(control).__name__}."
            )
    panel = Explorer(draw, dict(controls), alt=alt, title=title)
    _set_aside_what_is_loaded()
    return panel


def _set_aside_what_is_loaded() -> None:
    """Keep later searches for garbage short.

    Figures are made of cycles, so at every twentieth move or so Python goes through all objects
    there are. With torch loaded that takes a fifth of a second, in which the slider stands still.
    """
    gc.collect()
    gc.freeze()


def _drawn(draw: Callable[..., Figure], state: dict[str, Any]) -> Figure:
    """Call ``draw`` and hold it to its promise."""
    fig = draw(**state)
    if not isinstance(fig, Figure):
        raise TypeError(
            f"draw must return a matplotlib Figure; {getattr(draw, '__name__', 'draw')} returned "
            f"{type(fig).__name__}. Is its last line `return fig`?"
        )
    return fig


def _sentence(problem: Exception, where: str) -> str:
    """Say what went wrong and what to do."""
    what = f"{type(problem).__name__}: {problem}".rstrip(": ")
    return (
        f"There is no picture for {where} ({what}). Below is the last one that could be drawn; "
        "move the control back, or correct the function that draws."
    )
