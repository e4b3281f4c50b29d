"""Crossings and predicted times: the counts are bnlib.traffic's, the times the data sheet's."""

import doctest

import pytest

from benchmarks.gpu import report
from bnlib.kernels.cards import CARDS
from bnlib.kernels.results import load_measured
from bnlib.plots import kernel_cost, to_png
from bnlib.plots.kernel_cost import RELU, draw_cost, draw_measured, predicted_ms, variants
from bnlib.traffic import big_accesses
from tests.benchmarks_gpu.test_harness import ABOUT, made_row

LARGE, SMALL = (256, 64, 112, 112), (32, 512, 7, 7)


def test_the_examples_in_the_docstrings_are_true():
    """Crossings of four ways; the time of one."""
    assert doctest.testmod(kernel_cost).failed == 0


def test_the_counts_are_those_of_unit_11():
    """A kernel for each formula, and as few as a large batch allows."""
    ways = variants(LARGE)
    assert ways[0].touches == big_accesses("train", fused=False)
    assert ways[2].touches == big_accesses("train", fused=True)


@pytest.mark.parametrize("shape", [LARGE, SMALL])
def test_a_relu_costs_two_crossings_or_none(shape):
    """As a kernel of its own it reads and writes; in the same kernel it is free."""
    alone, own, fused = (variants(shape, relu) for relu in RELU)
    assert [b.touches - a.touches for a, b in zip(alone, own, strict=True)] == [2] * 4
    assert fused == alone


def test_only_small_channels_stay_on_the_chip():
    """1568 values do, 3.2 million do not."""
    assert variants(SMALL)[3].possible
    assert not variants(LARGE)[3].possible


@pytest.mark.parametrize("card", CARDS)
def test_memory_decides_on_every_card(card):
    """Moving the bytes takes at least seven times as long as the arithmetic, at the leanest."""
    numbers = 256 * 64 * 112 * 112
    sums = CARDS[card].arithmetic_ms(kernel_cost.OPERATIONS * numbers)
    assert predicted_ms(LARGE, card, variants(LARGE)[3]) > 7 * sums
    assert CARDS[card].source.endswith("data sheet")
    assert 5 < CARDS[card].balance < 30


def test_bars_show_the_counts_and_the_times():
    """Left reads and writes, right milliseconds; what does not fit has no bar."""
    fig = draw_cost(images=256, channels=64, side=112, card="H200")
    left, right = fig.axes
    reads = [bar.get_width() for bar in left.containers[0]]
    assert reads == [4, 3, 2]
    times = [bar.get_width() for bar in right.containers[0]]
    expected = [predicted_ms(LARGE, "H200", v) if v.possible else 0.0 for v in variants(LARGE)]
    assert times == pytest.approx(expected)
    assert "predicted from its data sheet" in right.get_title(loc="left")
    assert "does not fit" in " ".join(text.get_text() for text in right.texts)


@pytest.mark.parametrize("images", [1, 256])
@pytest.mark.parametrize("channels", [16, 2048])
@pytest.mark.parametrize("side", [7, 112])
def test_every_corner_of_the_sliders_draws(images, channels, side):
    """The same state, the same picture."""
    state = {"images": images, "channels": channels, "side": side, "relu": RELU[1], "card": "T4"}
    assert to_png(draw_cost(**state)) == to_png(draw_cost(**state))


def test_an_unknown_relu_is_refused():
    """By name."""
    with pytest.raises(ValueError, match="relu must be one of none"):
        variants(SMALL, "twice")


def test_what_was_not_measured_is_none(tmp_path):
    """Neither an empty figure nor a zero."""
    assert load_measured(tmp_path) is None


def test_what_the_benchmark_writes_the_lecture_reads(tmp_path):
    """The newest of two runs, with the times of both passes, and without who was wrong."""
    rows = [made_row(2.0, (3.0, 4.0))]
    report.write(tmp_path, ABOUT, rows, 900.0)
    report.write(tmp_path, {**ABOUT, "date": "2000-01-02"}, rows, 1000.0)
    found = load_measured(tmp_path)
    assert found is not None
    assert (found.machine["date"], found.bandwidth) == ("2000-01-02", 1000.0)
    (row,) = found.rows
    assert row.ms == {"ours": 2.0, "torch 0": 3.0, "torch 1": 4.0}
    assert row.shape == (4, 3, 6, 5)
    (ax,) = draw_measured(found).axes
    assert {line.get_label() for line in ax.lines} == {*row.ms, "at a copy's speed"}
    assert "made-up" in ax.get_title(loc="left")
