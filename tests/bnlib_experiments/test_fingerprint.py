"""A fingerprint changes with what code does, and with nothing else."""

import pytest

import bnlib.experiments.fingerprint as fingerprints
from bnlib.experiments.fingerprint import closure, fingerprint

CODE = '''"""A module."""
import numpy as np

STEPS = 5  # enough


def f(x):
    """Return more."""
    if x:
        x = x + 1
        return f"{x!r} and 'more'"
    return "same"
'''


def essence(code):
    """Return what a fingerprint is taken of."""
    return fingerprints._essence(code)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another text,\n\nof three lines.\n"""'),
        ("# enough", "# more than enough"),
        ('    """Return more."""\n', ""),
        ("STEPS = 5  # enough\n", "STEPS = 5\n\n# a line\n\n"),
        ("x = x + 1", "x  =  x+1"),
    ],
)
def test_words_and_blanks_do_not_count(old, new):
    """Docstrings, comments, empty lines, spaces."""
    assert old in CODE
    assert essence(CODE.replace(old, new)) == essence(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("STEPS = 5", "STEPS = 6"),
        ('"same"', '"other"'),
        ("and 'more'", "or 'more'"),
        ("        return f", "    return f"),
        ("if x", "if not x"),
        ("np", "npy"),
    ],
)
def test_everything_else_counts(old, new):
    """Numbers, texts that are used, names, and what is indented under what."""
    assert old in CODE
    assert essence(CODE.replace(old, new)) != essence(CODE)


def test_a_closure_holds_what_an_experiment_rests_on():
    """Its helpers, networks, training, data; through `bnlib` itself only what is used of it."""
    found = closure("bnlib.experiments.convergence")
    assert {
        "bnlib.experiments.convergence",
        "bnlib.experiments._curves",
        "bnlib.nets.dense",
        "bnlib.training.loop",
        "bnlib.data.embedded",
        "bnlib.claims",
    } <= set(found)
    assert "bnlib.layers" not in found
    assert "bnlib" not in found


def test_a_name_from_the_front_door_leads_to_its_module(tmp_path, monkeypatch):
    """`from bnlib import bessel` rests on `bnlib.running`, and on nothing else than that does."""
    assert fingerprints._owner("bnlib.bessel") == "bnlib.running"
    assert fingerprints._owner("bnlib.running.bessel") == "bnlib.running"
    assert fingerprints._owner("bnlib.nets.mlp") == "bnlib.nets"
    assert fingerprints._owner("bnlib") is None


def test_a_change_in_a_helper_changes_the_fingerprint(monkeypatch):
    """Of those experiments that lead to it."""
    before = {
        name: fingerprint(f"bnlib.experiments.{name}") for name in ("convergence", "vocabulary")
    }
    real = fingerprints._essence

    def changed(source):
        return real(source) + ("changed" if "def mlp" in source else "")

    monkeypatch.setattr(fingerprints, "_essence", changed)
    after = {name: fingerprint(f"bnlib.experiments.{name}") for name in before}
    assert after["convergence"] != before["convergence"]
    assert after["vocabulary"] == before["vocabulary"]
