"""Errors of two placements, where they are known."""

import pytest

import bnlib.experiments.placement as placement
from bnlib.experiments import Scale
from bnlib.experiments.placement import error, errors


def plant(monkeypatch, table):
    """Let a network have the error `table[network, placement]` at rate 0.3, and more elsewhere."""

    def planted(network, where, lr, seed, steps):
        return table[network, where] + 0.1 * (seed % 5) + (0 if lr == 0.3 else 50)

    monkeypatch.setattr(placement, "error", planted)


def test_each_placement_gets_its_best_rate(monkeypatch):
    """Chosen on a seed that is not among those measured."""
    plant(monkeypatch, {("mlp", "before"): 4.0})
    rate, found = errors("mlp", "before", Scale(seeds=3))
    assert rate == 0.3
    assert found == pytest.approx((4.0, 4.1, 4.2))


@pytest.mark.parametrize(
    ("mlp", "cnn", "verdict"),
    [((2, 4), (2, 4), "supported"), ((4, 2), (4, 2), "refuted"), ((2, 4), (4, 2), "undecided")],
)
def test_both_networks_have_to_agree(monkeypatch, mlp, cnn, verdict):
    """Before better than after in both, or in none."""
    names = ("before", "after")
    table = {("mlp", where): mlp[i] for i, where in enumerate(names)}
    plant(monkeypatch, table | {("cnn", where): cnn[i] for i, where in enumerate(names)})
    assert placement.run(Scale(seeds=3)).verdict == verdict


def test_the_real_thing_runs():
    """Both networks for a moment; placements differ."""
    for network in ("mlp", "cnn"):
        before, after = (error(network, where, 0.3, 0, 20) for where in ("before", "after"))
        assert 0 < before < 100
        assert before != after
