"""What unit 4 hands to the student is what its grader runs, and its text says what it counts."""

import ast
from pathlib import Path

import numpy as np

import bnlib
from autograder.exercises.u04_backward_graph.batches import graph
from autograder.exercises.u04_backward_graph.design import exposed, numerical_gradients, read
from autograder.exercises.u04_backward_graph.faults import backward
from autograder.exercises.u04_backward_graph.wrong_passes import WRONG_PASSES
from autograder.worker.givens import backward as given_module

ROOT = Path(__file__).parents[2]
ASSIGNMENT = (ROOT / "course/u04_backward_graph/assignment.py").read_text(encoding="utf-8")


def statements(source, name):
    """Return the statements of a function or class, without docstrings and annotations."""
    tree = ast.parse(source)
    (node,) = (n for n in ast.walk(tree) if getattr(n, "name", None) == name)
    body = [n for n in node.body if not isinstance(n, ast.Expr)]
    return [ast.dump(n) for n in body]


def test_the_given_cell_is_the_given_helper():
    """The forward pass in the notebook and the one behind the cache are the same lines."""
    cell = ASSIGNMENT.split('# %% given="forward"\n')[1].split("# %%")[0]
    helper = Path(given_module.__file__).read_text(encoding="utf-8")
    for name in ("Cache", "batchnorm_forward"):
        assert statements(cell, name) == statements(helper, name)


def test_the_text_counts_the_wrong_passes():
    """The number of wrong passes and of their kinds stand in the exercise's text."""
    assert f"{len(WRONG_PASSES)} wrong backward passes" in ASSIGNMENT
    kinds = dict.fromkeys(wrong.kind for wrong in WRONG_PASSES)
    assert f"{len(kinds)}. features mixed up" in ASSIGNMENT


def test_the_backward_pass_with_no_fault_is_right():
    """The one that faults are planted in agrees with the reference before that."""
    cache, dy = graph(np.random.default_rng(0), 7, 3)
    for ours, theirs in zip(backward(dy, cache), bnlib.batchnorm_backward(dy, cache), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_no_wrong_pass_is_right_by_accident():
    """All wrong passes differ from the right one, and from one another, at a good point."""
    point = read(bnlib.design_check(np.random.default_rng(0)))
    numeric = numerical_gradients(point)
    answers = [np.concatenate([g.ravel() for g in w.run(point)]) for w in WRONG_PASSES]
    assert all(exposed(w.run(point), numeric, point) for w in WRONG_PASSES)
    assert not exposed(backward(point.dy, point.cache), numeric, point)
    for i, first in enumerate(answers):
        assert not any(np.allclose(first, other, rtol=1e-6) for other in answers[:i])


def test_nudging_a_row_in_all_features_is_nudging_entry_by_entry():
    """The judge's short cut gives the numbers of plain central differences."""
    x, gamma, beta, dy = bnlib.design_check(np.random.default_rng(1))
    dx, dgamma, dbeta = numerical_gradients(read((x, gamma, beta, dy)))

    def along(v, which):
        arguments = {"x": x, "gamma": gamma, "beta": beta, which: v}
        return bnlib.batchnorm_forward(**arguments)[0]

    slow = bnlib.numerical_gradient(lambda v: along(v, "x"), x, dy)
    np.testing.assert_allclose(dx, slow, rtol=1e-6, atol=1e-6)
    for which, ours in (("gamma", dgamma), ("beta", dbeta)):
        start = {"gamma": gamma, "beta": beta}[which]
        slow = bnlib.numerical_gradient(lambda v, which=which: along(v, which), start, dy)
        np.testing.assert_allclose(ours, slow, rtol=1e-6)
