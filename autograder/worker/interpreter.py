"""Run a script of plain operations against the student's functions and give back plain data."""

from __future__ import annotations

import builtins
import copy
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.worker.givens import build_given
from autograder.worker.script import Given, Script, Step
from autograder.worker.values import Plain, Tensor, plain

ERROR_TEXT_LIMIT = 500  # characters of a student's own error message that are passed on


@dataclass(frozen=True)
class Failure:
    """What stopped a script."""

    kind: str
    """Name of the exception's class; `MissingName` if there is no such function, `NoItems` if
    a result lacks the part that is asked for."""
    message: str
    """The exception's text, cut to `ERROR_TEXT_LIMIT` characters."""
    step: int
    """Index of the step that failed."""
    line: str = ""
    """Last line of the student's own code on the stack, as `line 7: y = x / n`, if known."""


@dataclass(frozen=True)
class Answer:
    """What one run of a script gave back."""

    values: Mapping[str, Plain]
    """Reported values by name; on a failure those that existed by then."""
    failure: Failure | None
    """What stopped the script, or None."""
    seconds: float
    """Wall time of the run."""


class _MissingNameError(Exception):
    """The student's namespace has no such function."""


class _NoItemsError(Exception):
    """A result lacks the part that is asked for, or has no parts at all."""


KINDS: dict[type[BaseException], str] = {_MissingNameError: "MissingName", _NoItemsError: "NoItems"}


def run_script(
    script: Script,
    inputs: Mapping[str, Any],
    report: tuple[str, ...],
    namespace: Mapping[str, Any],
) -> Answer:
    """Run `script` on fresh copies of `inputs` and report the named values.

    Parameters
    ----------
    script
        The operations, in order.
    inputs
        Named arguments: plain values and `Given` helpers; copied first, so that what student code
        does to them is seen only in this run.
    report
        Names whose values are returned. The name of an input returns the input as it is *after*
        the script: that is how a function that modifies its argument is seen.
    namespace
        The student's functions and classes by name.

    Returns
    -------
    Answer
        Plain data only. Exceptions of student code are caught and described, an `exit()` among
        them; only `KeyboardInterrupt` and a time limit's own exception pass through.
    """
    start = time.perf_counter()
    values: dict[str, Any] = {}
    failure = None
    index = -1
    try:
        values.update({name: _build(value) for name, value in inputs.items()})
        for step in script:
            index += 1
            result = _attempt(step, values, namespace)
            if step.into:
                values[step.into] = result
    except (Exception, SystemExit) as error:
        failure = _describe(error, index)
    seconds = time.perf_counter() - start
    return Answer({n: plain(values[n]) for n in report if n in values}, failure, seconds)


def _build(value: Any) -> Any:
    """Copy an input; build the helpers in it."""
    if isinstance(value, Given):
        return build_given(value.name, {k: _build(v) for k, v in value.parameters.items()})
    if isinstance(value, list | tuple):
        return type(value)(_build(v) for v in value)
    if isinstance(value, np.ndarray):
        return _copy_with_layout(value)
    if isinstance(value, Tensor):
        return _build_tensor(value)
    return copy.deepcopy(value)


def _build_tensor(value: Tensor) -> Any:
    import torch

    made = torch.from_numpy(value.array.copy()).to(getattr(torch, value.dtype))
    return made.requires_grad_(value.requires_grad)


def _copy_with_layout(array: np.ndarray) -> np.ndarray:
    """Copy an array into memory of the same layout, gaps between its entries included."""
    base = array.base
    if not isinstance(base, np.ndarray) or base.dtype != array.dtype or not base.flags.forc:
        return array.copy(order="K")
    if array.flags.forc and array.nbytes == base.nbytes:
        return array.copy(order="K")
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    memory = bytearray(base.tobytes(order="A"))
    return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)


def _attempt(step: Step, values: dict[str, Any], namespace: Mapping[str, Any]) -> Any:
    if not step.expect:
        return _perform(step, values, namespace)
    expected = getattr(builtins, step.expect)
    try:
        _perform(step, values, namespace)
    except NotImplementedError:
        raise
    except expected:
        return step.expect
    except Exception as error:
        return type(error).__name__
    return "no error"


def _perform(step: Step, values: dict[str, Any], namespace: Mapping[str, Any]) -> Any:
    target = _look_up(step.target, values, namespace)
    args = [_look_up(name, values, namespace) for name in step.args]
    named = step.kwargs.items()
    kwargs = {parameter: _look_up(name, values, namespace) for parameter, name in named}
    operations: dict[str, Callable[[], Any]] = {
        "call": lambda: target(*args, **kwargs),
        "method": lambda: getattr(target, str(step.member))(*args, **kwargs),
        "get": lambda: getattr(target, str(step.member)),
        "put": lambda: setattr(target, str(step.member), args[0]),
        "item": lambda: _item(target, step.member),
        "snapshot": lambda: copy.deepcopy(target),
    }
    return operations[step.do]()


def _item(target: Any, key: str | int) -> Any:
    try:
        return target[key]
    except (TypeError, IndexError, KeyError) as error:  # a NumPy scalar raises an IndexError
        what = "None" if target is None else f"a `{type(target).__name__}`"
        if isinstance(target, tuple | list | dict):
            what += f" of length {len(target)}"
        raise _NoItemsError(what) from error


def _look_up(name: str, values: Mapping[str, Any], namespace: Mapping[str, Any]) -> Any:
    if name in values:
        return values[name]
    if name in namespace:
        return namespace[name]
    raise _MissingNameError(name)


def _describe(error: BaseException, index: int) -> Failure:
    kind = KINDS.get(type(error), type(error).__name__)
    try:
        text = str(error)
    except Exception:  # a student's own exception may break while it is printed
        text = ""
    return Failure(kind, text[:ERROR_TEXT_LIMIT], index, _student_line(error))


def _student_line(error: BaseException) -> str:
    """Last line on the stack that belongs to a notebook cell."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(("<ipython-input", "<string", "<student")) or (
            "ipykernel_" in frame.filename
        ):
            return f"line {frame.lineno}: {frame.line}" if frame.line else f"line {frame.lineno}"
    return ""
