"""Compare one plain value with the oracle's, and say what the first difference is."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.differences import describe, error_map, within
from autograder.vocabulary import Judgement, Tolerance
from autograder.worker.values import Foreign, Plain

ROUNDING = 64  # units in the last place that an answer in a narrow dtype may be off
SIDE_FAULT_SHARE = 0.5  # right values in the wrong dtype, or right values and a changed argument


def compare(
    label: str, answer: Plain, expected: Plain, tolerance: Tolerance, dtype: np.dtype | None
) -> Judgement:
    """Compare one value with the oracle's: type, shape, finiteness, entries, then dtype."""
    if isinstance(answer, Foreign):
        return _wrong_type(label, answer.type_name, expected)
    if isinstance(expected, tuple | list):
        return _compare_items(label, answer, expected, tolerance, dtype)
    if isinstance(expected, dict):
        return _compare_keys(label, answer, expected, tolerance, dtype)
    if isinstance(expected, np.ndarray | np.floating | float):
        return _compare_numbers(label, answer, np.asarray(expected), tolerance, dtype)
    return _compare_word(label, answer, expected)


def _compare_word(label: str, answer: Plain, expected: Plain) -> Judgement:
    """Compare whole numbers, strings, booleans and None: equal, and of the same kind."""
    got = answer.item() if isinstance(answer, np.generic) else answer
    want = expected.item() if isinstance(expected, np.generic) else expected
    both_numbers = type(got) in (int, float) and type(want) is int
    if type(got) is not type(want) and not both_numbers:
        return _wrong_type(label, type(answer).__name__, want)
    if got == want:
        return Judgement(1.0)
    if isinstance(want, str) and want.endswith("Error"):
        raised = "nothing" if got == "no error" else f"`{got}`"
        text = f"a `{want}` must be raised here; your code raised {raised}."
    elif got is True or got is False:
        text = f"`{label}` is {got}, and must be {want}."
    else:
        text = f"`{label}` is {got!r}, which is not right."
    return Judgement(0.0, text, "value")


def _wrong_type(label: str, got: str, expected: Plain) -> Judgement:
    if got == "NoneType":
        text = f"`{label}` is None. Did you forget the `return`?"
    else:
        text = f"`{label}` must be {_type_words(expected)}; it is a `{got}`."
    return Judgement(0.0, text, "type")


def _type_words(expected: Plain) -> str:
    if isinstance(expected, np.ndarray) and expected.ndim:
        return f"an array of shape {expected.shape}"
    if isinstance(expected, np.ndarray | np.floating | float):
        return "a number"
    names = {int: "an integer", str: "a string", tuple: "a tuple", list: "a list", dict: "a dict"}
    return names.get(type(expected), f"a `{type(expected).__name__}`")


def _compare_items(
    label: str, answer: Plain, expected: Any, tolerance: Tolerance, dtype: np.dtype | None
) -> Judgement:
    """Compare part by part; a label like ``(dx, dgamma)`` names the parts and takes a list, too."""
    names = _part_names(label, len(expected))
    allowed = (tuple, list) if names else (type(expected),)
    if type(answer) not in allowed:
        return _wrong_type(label, type(answer).__name__, expected)
    given: Any = answer
    if len(given) != len(expected):
        text = f"`{label}` must have {len(expected)} entries; it has {len(given)}."
        return Judgement(0.0, text, "shape")
    names = names or [f"{label}[{i}]" for i in range(len(expected))]
    parts = [
        compare(name, theirs, ours, tolerance, dtype)
        for name, theirs, ours in zip(names, given, expected, strict=True)
    ]
    return min(parts, key=lambda judgement: judgement.share, default=Judgement(1.0))


def _part_names(label: str, count: int) -> list[str]:
    names = label.removeprefix("(").removesuffix(")").split(", ")
    return names if label.startswith("(") and len(names) == count else []


def _compare_keys(
    label: str,
    answer: Plain,
    expected: dict[str, Plain],
    tolerance: Tolerance,
    dtype: np.dtype | None,
) -> Judgement:
    if not isinstance(answer, dict):
        return _wrong_type(label, type(answer).__name__, expected)
    if answer.keys() != expected.keys():
        keys, found = ", ".join(sorted(expected)), ", ".join(sorted(answer)) or "none"
        text = f"`{label}` must have the keys {keys}; it has {found}."
        return Judgement(0.0, text, "keys")
    parts = [compare(f"{label}[{k!r}]", answer[k], expected[k], tolerance, dtype) for k in expected]
    return min(parts, key=lambda judgement: judgement.share, default=Judgement(1.0))


def _compare_numbers(
    label: str,
    answer: Plain,
    expected: np.ndarray,
    tolerance: Tolerance,
    dtype: np.dtype | None,
) -> Judgement:
    if not isinstance(answer, np.ndarray | np.generic | int | float) or isinstance(answer, bool):
        return _wrong_type(label, type(answer).__name__, expected)
    got = np.asarray(_as_float(answer) if isinstance(answer, int) else answer)
    if expected.ndim and not isinstance(answer, np.ndarray):
        return _wrong_type(label, type(answer).__name__, expected)
    if got.shape != expected.shape:
        want = expected.shape or "() (a single number)"
        return Judgement(0.0, f"`{label}` must have shape {want}; it has {got.shape}.", "shape")
    if got.dtype.kind == "b" or (got.ndim and got.dtype.kind != "f"):
        text = f"`{label}` must hold floating point numbers; it holds {got.dtype}."
        return Judgement(0.0, text, "dtype")
    right = within(got, expected, tolerance.rtol, tolerance.atol)
    if not right.all():
        return _wrong_numbers(label, got, expected, right, dtype)
    if dtype is not None and got.ndim and got.dtype != dtype:
        text = (
            f"`{label}` is {got.dtype} for a {dtype} input: right numbers, wrong dtype. "
            "Hand back the dtype that came in."
        )
        return Judgement(SIDE_FAULT_SHARE, text, "dtype")
    return Judgement(1.0)


def _wrong_numbers(
    label: str, got: np.ndarray, expected: np.ndarray, right: np.ndarray, dtype: np.dtype | None
) -> Judgement:
    """Say what is wrong with floating point numbers of the right shape."""
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        bad = int((~np.isfinite(got)).sum())
        where = f" in {bad} of {got.size} entries" if got.ndim else ""
        return Judgement(0.0, f"`{label}` is nan or infinite{where}.", "not-finite")
    if _only_rounded(got, expected, dtype):
        text = (
            f"`{label}` is {got.dtype} for a {dtype} input, so half of its digits are lost. "
            "Hand back the dtype that came in."
        )
        return Judgement(0.0, text, "dtype")
    text = describe(label, got, expected, right)
    return Judgement(0.0, text, "value", error_map(got, expected, right))


def _as_float(number: int) -> float:
    """Return a whole number as a float; NumPy has no dtype for those beyond 64 bits."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else -float("inf")


def _only_rounded(got: np.ndarray, expected: np.ndarray, dtype: np.dtype | None) -> bool:
    """Whether an answer in too narrow a dtype is right as far as that dtype goes."""
    if dtype is None or not got.ndim or got.dtype.itemsize >= dtype.itemsize:
        return False
    allowed = ROUNDING * float(np.finfo(got.dtype).eps) * float(np.max(np.abs(expected), initial=0))
    return bool(within(got, expected, 0.0, allowed).all())


def identical(before: Any, after: Plain) -> bool:
    """Whether an input is bit for bit what it was."""
    if isinstance(before, np.ndarray):
        return (
            isinstance(after, np.ndarray)
            and after.shape == before.shape
            and after.dtype == before.dtype
            and after.tobytes() == before.tobytes()
        )
    if isinstance(before, list | tuple):
        return (
            isinstance(after, list | tuple)
            and len(before) == len(after)
            and all(map(identical, before, after))
        )
    if isinstance(before, dict):
        return (
            isinstance(after, dict)
            and before.keys() == after.keys()
            and all(identical(before[key], after[key]) for key in before)
        )
    return type(before) is type(after) and bool(before == after)
