"""What a function calls is seen at run time, through whatever name, and put back afterwards."""

from __future__ import annotations

import functools
import importlib
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest
import torch

import bnlib
from autograder.vocabulary import READY_MADE
from autograder.worker import shortcuts
from autograder.worker.givens.layers import ReadyLayer, batchnorm_layer
from autograder.worker.interpreter import run_script
from autograder.worker.script import Given, call
from autograder.worker.shortcuts import ShortcutError, Watch, helpers_not_given

X = np.array([[1.0, 4.0], [3.0, 10.0], [5.0, 13.0]])
TORCH_X = torch.tensor(X)
MEAN = bnlib.batch_mean
LAYER = bnlib.BatchNorm1d(2)
WATCH = Watch()
CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "by name": (lambda: bnlib.batch_mean(X), "bnlib.batch_mean"),
    "by a captured reference": (lambda: MEAN(X), "bnlib.batch_mean"),
    "by a partial": (functools.partial(bnlib.batch_mean, X), "bnlib.batch_mean"),
    "by a bound method": (LAYER.eval, "eval"),
    "by a call of a layer": (lambda: LAYER(X), "__call__"),
    "by making a layer": (lambda: bnlib.BatchNorm1d(2), "__init__"),
    "by map": (lambda: list(map(MEAN, [X])), "bnlib.batch_mean"),
    "by a subclass": (lambda: type("Mine", (bnlib.BatchNorm1d,), {})(2), "__init__"),
    "with the wrong arguments": (lambda: bnlib.batch_mean(1, 2, 3, y=4), "bnlib.batch_mean"),
    "torch's function": (
        lambda: torch.nn.functional.batch_norm(TORCH_X, None, None, training=True),
        "torch.batch_norm",
    ),
    "torch's layer": (lambda: torch.nn.BatchNorm1d(2).double()(TORCH_X), "torch.batch_norm"),
    "torch's operator": (
        lambda: torch.ops.aten.native_batch_norm(TORCH_X, None, None, None, None, True, 0.1, 1e-5),
        "torch.batch_norm",
    ),
    "torch's layer norm": (
        lambda: torch.nn.functional.layer_norm(TORCH_X, (2,)),
        "torch.layer_norm",
    ),
    "torch's group norm": (
        lambda: torch.nn.functional.group_norm(TORCH_X, 1),
        "torch.group_norm",
    ),
    "torch's instance norm": (
        lambda: torch.nn.functional.instance_norm(TORCH_X[None]),
        "torch.batch_norm",
    ),
}


@pytest.mark.parametrize(("function", "name"), CALLS.values(), ids=CALLS)
def test_a_forbidden_call_is_recorded_and_stopped(function: Callable[[], Any], name: str) -> None:
    """However it is reached; afterwards everything works as before."""
    with pytest.raises(ShortcutError), WATCH(READY_MADE) as seen:
        function()
    assert len(seen) == 1
    assert seen[0].startswith(("bnlib.", "torch."))
    assert seen[0].endswith(name)
    assert bnlib.batch_mean(X).tolist() == [3.0, 9.0]
    assert LAYER.train() is LAYER


def test_a_call_that_is_caught_is_recorded_all_the_same() -> None:
    """Neither `except Exception` nor a bare `except` hides it."""
    with WATCH(READY_MADE) as seen:
        try:
            bnlib.batch_var(X)
        except BaseException:
            X.var(axis=0)
    assert seen == ["bnlib.batch_var"]


def test_what_is_allowed_is_not_seen() -> None:
    """NumPy, torch without its layers, and errors of ours."""
    with WATCH(READY_MADE) as seen:
        x = torch.tensor(X, requires_grad=True)
        y = (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, correction=0) + 1e-5)
        torch.autograd.grad(y.sum(), x)
        np.linalg.norm(X)
        str(bnlib.ShapeError("x"))
    assert seen == []


def test_an_exercise_may_allow_a_function() -> None:
    """Only what is forbidden is watched."""
    with WATCH(("bnlib.batch_var",)) as seen:
        bnlib.batch_mean(X)
        torch.nn.functional.batch_norm(TORCH_X, None, None, training=True)
    assert seen == []


def test_a_module_that_is_loaded_later_is_watched() -> None:
    """The warm parent need not know everything; nor does a reload help."""
    program = """
        import importlib, sys
        from autograder.worker.shortcuts import ShortcutError, Watch
        watch = Watch()
        assert "bnlib" not in sys.modules
        import numpy as np
        import bnlib.statistics
        for again in (False, True):
            if again:
                importlib.reload(bnlib.statistics)
            for mean in (bnlib.batch_mean, bnlib.statistics.batch_mean):
                try:
                    with watch(("bnlib",)) as seen:
                        mean(np.ones((2, 2)))
                except ShortcutError:
                    pass
                assert len(seen) == 1, (again, seen)
        assert "torch" not in sys.modules
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(program)], check=True)


def test_functions_with_closures_and_generators_are_watched() -> None:
    """A trap fits whatever it takes the place of, and the wrapped function beneath a wrapper."""
    n = 3

    def closed(x: int) -> int:
        return x + n

    def generate() -> Any:
        yield n

    @functools.wraps(closed)
    def wrapper(x: int) -> int:
        return closed(x)

    for function, arguments in ((closed, (1,)), (wrapper, (1,)), (generate, ())):
        with pytest.raises(ShortcutError), WATCH((), also=(function,)) as seen:
            list([function(*arguments)] if function is not generate else generate())
        assert len(seen) == 1
    with pytest.raises(ShortcutError), WATCH((), also=(wrapper,)):
        closed(1)
    assert (closed(1), wrapper(1), list(generate())) == (4, 4, [3])


def test_the_given_layer_is_watched_where_it_is_not_given() -> None:
    """An exercise that does not take a layer has no business with ours."""
    layer = batchnorm_layer(np.ones(2), np.zeros(2), np.zeros(2), np.ones(2))
    assert ReadyLayer in helpers_not_given({"x": X})
    with pytest.raises(ShortcutError), WATCH(READY_MADE, helpers_not_given({"x": X})) as seen:
        layer(X)
    assert seen == ["autograder.worker.givens.layers.ReadyLayer"]


def test_a_given_layer_may_be_used() -> None:
    """By the function that takes it, and by the interpreter that builds it."""
    parameters = dict.fromkeys(("weight", "running_var"), np.ones(2))
    parameters |= dict.fromkeys(("bias", "running_mean"), np.zeros(2))
    inputs = {"layers": [Given("batchnorm_layer", parameters)], "x": X}
    with WATCH(READY_MADE, helpers_not_given(inputs)) as seen:
        answer = run_script(
            (call("f", "layers", "x", into="y"),), inputs, ("y",), {"f": lambda ls, x: ls[0](x)}
        )
    assert (seen, answer.failure) == ([], None)


def test_code_is_put_back_after_any_end_and_blocks_may_be_nested() -> None:
    """Whatever leaves the block, the functions are what they were."""
    codes = {f: f.__code__ for f in vars(bnlib).values() if isinstance(f, FunctionType)}
    for error in (KeyboardInterrupt, SystemExit, ValueError):
        with pytest.raises(error), WATCH(READY_MADE), WATCH(READY_MADE):
            raise error
    with WATCH(READY_MADE) as outer:
        with WATCH(READY_MADE) as inner, pytest.raises(ShortcutError):
            bnlib.batch_mean(X)
        with pytest.raises(ShortcutError):
            bnlib.batch_var(X)
    assert (outer, inner) == (["bnlib.batch_var"], ["bnlib.batch_mean"])
    assert all(function.__code__ is code for function, code in codes.items())


def test_a_trap_that_an_interrupt_left_behind_lifts_itself() -> None:
    """The next call finds that nobody watches any more."""
    own = bnlib.batch_mean.__code__
    trap = next(t for t in WATCH.traps(("bnlib.batch_mean",)))
    assert trap.set()
    assert bnlib.batch_mean(X).tolist() == [3.0, 9.0]
    assert bnlib.batch_mean.__code__ is own


def test_traps_that_stay_let_calls_pass_between_blocks() -> None:
    """And are in place again in the next block, whoever lifted them."""
    own = {f: f.__code__ for f in (bnlib.batch_mean, bnlib.batch_var, type(LAYER).__call__)}
    watch, forbidden = Watch(stays=True), ("bnlib.batch_mean", "bnlib.layers")
    try:
        watch.prepare([forbidden])
        changed = [function.__code__ is not code for function, code in own.items()]
        assert changed == [True, False, True]
        assert list(inspect.signature(bnlib.batch_mean).parameters) == ["x"]
        assert bnlib.batch_mean.__code__.co_name == "batch_mean"
        for _ in range(2):
            with watch(forbidden) as seen:
                for function in (MEAN, LAYER):
                    with pytest.raises(ShortcutError):
                        function(X)
            assert len(seen) == 2
            assert MEAN(X).tolist() == [3.0, 9.0]
            assert bnlib.batch_mean.__code__ is own[bnlib.batch_mean]
            assert LAYER(X).shape == X.shape
        with watch(("bnlib.batch_var",)) as seen, pytest.raises(ShortcutError):
            bnlib.batch_var(X, MEAN(X))
        assert seen == ["bnlib.batch_var"]
        assert bnlib.batch_mean.__code__ is own[bnlib.batch_mean]
    finally:
        watch.prepare([("nothing",)])
    assert all(function.__code__ is code for function, code in own.items())


def test_what_a_function_is_asked_for_between_blocks_is_there(tmp_path: Path) -> None:
    """Generators yield, and modules that are loaded later are trapped as well."""
    watch, forbidden = Watch(["late_package"], stays=True), ("late_package",)
    watch.prepare([forbidden])
    (tmp_path / "late_package.py").write_text(
        "def count(n):\n    yield from range(n)\n\n"
        "def make(n):\n    def inner():\n        return n\n    return inner\n\n"
        "three = make(3)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        late = importlib.import_module("late_package")
        with watch(forbidden) as seen:
            with pytest.raises(ShortcutError):
                list(late.count(2))
            with pytest.raises(ShortcutError):
                late.three()
        assert seen == ["late_package.count", "late_package.make.<locals>.inner"]
        assert (list(late.count(2)), late.three()) == ([0, 1], 3)
        del sys.modules["late_package"]


def test_watching_torch_does_not_load_its_compiler() -> None:
    """That takes seconds, which the first case of a submission does not have."""
    program = """
        import sys
        import torch
        from autograder.vocabulary import READY_MADE
        from autograder.worker.shortcuts import Watch
        with Watch()(READY_MADE):
            torch.ones(3).mean()
        assert "torch._dynamo" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


def test_the_next_block_makes_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with every question: traps are made once, and modules searched if there are more."""
    with WATCH(READY_MADE, helpers_not_given({})):
        pass
    for work in ("_functions_of", "_names_of", "_Trap"):
        monkeypatch.setattr(shortcuts, work, None)
    with WATCH(READY_MADE, helpers_not_given({})) as seen:
        with pytest.raises(ShortcutError):
            bnlib.batch_mean(X)
        assert seen == ["bnlib.batch_mean"]
