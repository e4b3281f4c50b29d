"""Black boxes: what they compute, what they let one ask, and that they do not say their name."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle

import numpy as np
import pytest

import bnlib
from autograder.exercises.u06_family.boxes import KINDS, box
from autograder.exercises.u06_family.probing import SEQUENCES, SHAPES, SMALLEST
from autograder.worker.givens import build_given

ALL_SHAPES = (*SHAPES, *SEQUENCES, *SMALLEST)
RTOL, ATOL = 1e-9, 1e-9  # float64, sums of at most 200 numbers of order 1, std above 0.01


def make(kind: str, shape: tuple[int, ...], seed: int = 0, dtype: str = "float64"):
    """Build a box, and hand out its parts as well."""
    given = box(np.random.default_rng(seed), kind, shape, dtype)
    return build_given(given.name, given.parameters), given.parameters


def before_the_affine(kind, x, parts):
    """Compute bnlib's norm, or each value with its stored statistics."""
    one, zero = np.ones(x.shape[1]), np.zeros(x.shape[1])
    groups = len(np.unique(parts["labels"][0]))
    if kind == "none":
        return (x - parts["mean"]) / np.sqrt(parts["var"] + 1e-5)
    if kind == "layer":
        return bnlib.layer_norm(x, np.ones(x.shape[1:]), np.zeros(x.shape[1:]))
    if kind == "instance":
        return bnlib.instance_norm(x)
    if kind == "batch":
        return bnlib.batchnorm_nd(x, one, zero)
    return bnlib.group_norm(x, groups, one, zero)


@pytest.mark.parametrize("shape", ALL_SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_box_is_the_norm_that_it_is_meant_to_be(kind, shape):
    """Scaled and shifted; a group norm has more than one group, and fewer than channels."""
    rng = np.random.default_rng(1)
    for seed in range(5):
        f, parts = make(kind, shape, seed)
        x = rng.normal(size=shape)
        expected = before_the_affine(kind, x, parts)
        if kind == "group":
            assert 1 < len(np.unique(parts["labels"][0])) < shape[1]
        answer = f(x)
        np.testing.assert_allclose(
            answer, parts["gain"] * expected + parts["offset"], rtol=RTOL, atol=ATOL
        )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_with_and_without_scale_and_shift(kind):
    """And a box of kind none without them hands back what it gets, bit for bit."""
    plain = affine = 0
    for seed in range(40):
        f, parts = make(kind, (2, 4, 3), seed)
        if (parts["gain"] == 1).all():
            plain += 1
            if kind == "none":
                x = np.random.default_rng(seed).normal(size=(2, 4, 3))
                np.testing.assert_array_equal(f(x), x)
        else:
            affine += 1
    assert min(plain, affine) > 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_shares_nothing_is_not_moved_in_its_last_bit(kind, dtype):
    """By a nudge, by a nan, or by a batch of another size."""
    for seed, shape in enumerate(ALL_SHAPES):
        f, parts = make(kind, shape, seed, dtype)
        x = np.random.default_rng(seed).normal(size=shape)
        first = parts["labels"][0]
        same = np.broadcast_to(first == first.flat[0], shape).copy()
        if kind == "none":
            same[:] = False
        if kind != "batch":
            same[1:] = False
        same[(0,) * len(shape)] = True
        for value in (5.0, np.nan):
            moved = x.copy()
            moved[(0,) * len(shape)] = value
            changed = f(moved) != f(x)
            np.testing.assert_array_equal(changed & ~same, False)
            if value != 5.0:
                np.testing.assert_array_equal(changed, same)
        if kind != "batch":
            np.testing.assert_array_equal(f(x)[:1], f(x[:1]))
            np.testing.assert_array_equal(f(x), f(np.concatenate([x, x]))[: len(x)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_is_a_pure_function(kind):
    """The same answer to the same array, as a new array, the argument left alone."""
    f, _ = make(kind, (3, 6, 4, 5))
    x = np.random.default_rng(0).normal(size=(3, 6, 4, 5))
    before = x.copy()
    first, second = f(x), f(x)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(first, x)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(f(np.asfortranarray(x)), first)


@pytest.mark.parametrize("kind", KINDS)
def test_the_dtype_that_comes_in_goes_out(kind):
    """Whole numbers are answered in float64."""
    f, _ = make(kind, (3, 6, 5), dtype="float32")
    for dtype, answered in (("f4", "f4"), ("f8", "f8"), ("f2", "f2"), ("i8", "f8")):
        assert f(np.ones((4, 6, 5), dtype)).dtype == answered


@pytest.mark.parametrize("wrong", [(3, 6), (3, 5, 6), (0, 6, 5), (3, 6, 5, 1)])
def test_another_shape_is_refused_with_a_reason(wrong):
    """In the same words by every box."""
    words = set()
    for kind in KINDS:
        f, _ = make(kind, (3, 6, 5))
        with pytest.raises(ValueError, match=r"shape \(N, 6, 5\)") as raised:
            f(np.zeros(wrong))
        words.add(str(raised.value))
    assert len(words) == 1


def test_a_box_does_not_say_its_name():
    """Not by its text, names, attributes, code, closure, or what it holds on to."""
    seen = set()
    for kind in KINDS:
        f, _ = make(kind, (3, 6, 5))
        code = type(f).__call__.__code__
        seen.add(
            repr((repr(f), str(f), dir(f), type(f), type(f).__call__.__closure__, code.co_consts))
        )
        assert not hasattr(f, "__dict__")
        assert not hasattr(f, "__name__")
        assert all(held is type(f) for held in gc.get_referents(f))
        assert copy.deepcopy(f) is f
        assert copy.copy(f) is f
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(f)
    assert len(seen) == 1


def test_what_travels_to_the_worker_names_no_kind():
    """The parts are numbers: the same names, the same types, no word but the dtype's."""
    forms = set()
    for kind in KINDS:
        for seed in range(10):
            given = box(np.random.default_rng(seed), kind, (3, 6, 5))
            words = [v for v in given.parameters.values() if isinstance(v, str)]
            assert words == ["float64"]
            forms.add(tuple((k, type(v).__name__) for k, v in given.parameters.items()))
            assert given.name == "black_box"
    assert len(forms) == 1
    source = inspect.getsource(inspect.getmodule(build_given("black_box", given.parameters)))
    for kind in KINDS[1:4]:
        assert f'"{kind}"' not in source
