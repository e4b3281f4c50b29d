"""The slider panel, driven without a browser."""

import gc
import subprocess
import sys

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from bnlib.plots import figure
from bnlib.widgets import Choice, Slider, Toggle, explore


def draw(m=1, kind="line", grid=False):
    """Draw a small figure, but not at m = 4."""
    if m == 4:
        raise ZeroDivisionError("m = 4 has <no> picture")
    fig = figure(title=f"{m} {kind} {grid}")
    fig.axes[0].plot([0, m])
    return fig


@pytest.fixture
def view():
    """Make a panel with one control of each sort."""
    return explore(
        draw,
        title="Try <it>",
        alt="A line.",
        m=Slider("steps m", 1, 5, 1, 2),
        kind=Choice("kind", ("line", "curve"), "line"),
        grid=Toggle("grid", False),
    )


def test_the_start_state_is_the_controls_values(view):
    """And the first picture is there at once."""
    assert view.state == {"m": 2, "kind": "line", "grid": False}
    assert view.image_bytes.startswith(b"\x89PNG")
    assert view.error is None


@pytest.mark.parametrize("change", [{"m": 3}, {"kind": "curve"}, {"grid": True}])
def test_a_move_changes_state_and_picture(view, change):
    """Each control reaches draw."""
    before = view.image_bytes
    view.set(**change)
    assert view.state == {"m": 2, "kind": "line", "grid": False} | change
    assert view.image_bytes != before


def test_a_move_in_the_front_end_redraws(view):
    """What the browser does is to set a widget's value; also after the program moved one."""
    view.set(m=3)
    before = view.image_bytes
    slider = next(w for w in view.panel.children if isinstance(w, ipywidgets.IntSlider))
    slider.value = 5
    assert view.state["m"] == 5
    assert view.image_bytes != before


def test_several_controls_move_in_one_drawing():
    """No picture of a state that nobody asked for."""
    drawn = []

    def record(a, b):
        drawn.append((a, b))
        return figure()

    panel = explore(record, alt="x", a=Slider("a", 0, 9, 1, 0), b=Slider("b", 0, 9, 1, 0))
    panel.set(a=3, b=4)
    assert drawn == [(0, 0), (3, 4)]


def test_a_state_seen_before_is_not_drawn_again():
    """Back and forth costs nothing."""
    drawn = []

    def record(a):
        drawn.append(a)
        return figure(title=str(a))

    panel = explore(record, alt="x", a=Slider("a", 0, 9, 1, 0))
    first = panel.image_bytes
    for a in (1, 0, 1):
        panel.set(a=a)
    assert drawn == [0, 1]
    panel.set(a=0)
    assert panel.image_bytes == first


def test_the_picture_has_alternative_text_with_the_state(view):
    """A reader who cannot see it learns what it shows now."""
    view.set(m=3)
    shown = view.panel.children[-1].value
    text = "A line. Shown for steps m = 3, kind = line, grid = False."
    assert view.alt == text
    assert f'alt="{text}"' in shown


def test_an_error_while_drawing_is_told_in_the_panel(view):
    """The last good picture stays, with a sentence above it; the next good one removes that."""
    good = view.image_bytes
    view.set(m=4)
    message = view.panel.children[-2]
    assert "ZeroDivisionError: m = 4 has <no> picture" in view.error
    assert "steps m = 4" in view.error
    assert "m = 4 has &lt;no&gt; picture" in message.value
    assert 'role="alert"' in message.value
    assert view.image_bytes == good
    view.set(m=5)
    assert view.error is None
    assert message.value == ""


def test_an_error_at_the_start_fails_the_cell():
    """A figure that never worked must not pass for a working one."""
    with pytest.raises(ZeroDivisionError):
        explore(draw, alt="x", m=Slider("m", 1, 5, 1, 4))


def test_draw_must_return_a_figure():
    """The usual slip: no return."""
    with pytest.raises(TypeError, match="returned NoneType"):
        explore(lambda a: None, alt="x", a=Slider("a", 0, 9, 1, 0))


@pytest.mark.parametrize(
    ("state", "message"),
    [({"n": 3}, "'n' is no control of this panel; it has m, kind, grid"), ({"m": 9}, "got 9")],
)
def test_an_impossible_move_is_refused_and_changes_nothing(view, state, message):
    """Nothing is clamped or ignored."""
    before = view.state
    with pytest.raises(ValueError, match=message):
        view.set(kind="curve", **state)
    assert view.state == before


def test_a_panel_needs_controls_and_alternative_text():
    """Both are what it is for."""
    with pytest.raises(ValueError, match="at least one control"):
        explore(draw, alt="x")
    with pytest.raises(ValueError, match="alt must say"):
        explore(draw, alt=" ", m=Slider("m", 1, 5, 1, 1))
    with pytest.raises(TypeError, match="must be a Slider, a Choice or a Toggle; got int"):
        explore(draw, alt="x", m=3)


def test_the_title_is_text_not_markup(view):
    """A title with a less-than sign shows one."""
    assert "Try &lt;it&gt;" in view.panel.children[0].value


def test_one_cell_value_serves_live_and_static_pages(view):
    """The live widget, and the picture for where none can run."""
    bundle = view._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<img" in bundle["text/html"]
    assert bundle["image/png"]
    assert "A line." in bundle["text/plain"]


CELL = """
from bnlib.plots.batch_noise import draw_batch_noise
from bnlib.widgets import Slider, explore
explore(draw_batch_noise, alt="Batch means.", m=Slider("batch size", 1, 256, 2, 8, log=True))
"""


@pytest.fixture(scope="module")
def executed():
    """Run the cell in a kernel, as a student does."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def test_a_notebook_cell_shows_the_panel_and_nothing_else(executed):
    """One output, no text on stderr, also on the first run of a fresh kernel."""
    (output,) = executed.cells[0].outputs
    assert output.output_type == "execute_result"
    assert "application/vnd.jupyter.widget-view+json" in output.data


def test_a_static_page_without_widgets_shows_the_picture(executed):
    """A notebook is converted whose widget state was not saved."""
    executed = nbformat.from_dict(executed)
    executed.metadata.pop("widgets", None)
    page, _ = HTMLExporter().from_notebook_node(executed)
    assert 'alt="Batch means. Shown for batch size = 8."' in page


def test_the_panel_works_where_warnings_are_errors():
    """In a plain interpreter without a kernel, nothing is printed and nothing is deprecated."""
    code = CELL.strip().replace("explore(draw", "view = explore(draw") + "\nview.set(m=16)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_panel_sets_aside_what_is_loaded():
    """A search for garbage in all of torch would hold up one move of twenty for 0.2 s."""
    gc.unfreeze()

    explore(draw, alt="A line.", m=Slider("steps m", 1, 3, 1, 2))

    assert gc.get_freeze_count() > len(gc.get_objects())
