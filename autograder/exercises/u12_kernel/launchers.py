"""Exercises `triton_bn_forward` and `triton_bn_backward`: from tensors to launches and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.u12_kernel.data import (
    FORBIDDEN,
    NEEDS,
    SINGLE,
    TOLERANCES,
    UNIT,
    batch,
    per_channel,
)
from autograder.exercises.u12_kernel.wrong_gradients import as_launcher, gradients, misconceptions
from autograder.exercises.u12_kernel.wrong_launches import (
    arguments_swapped,
    backward_eps_fixed,
    backward_in_memory_order,
    dy_in_memory_order,
    eps_fixed,
    inverse_std,
    memory_order,
    memory_order_throughout,
    moments_swapped,
    only_y,
    strided_dx,
    strided_y,
    triton_bn_forward,
    x_in_memory_order,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.interpreter import Answer
from autograder.worker.script import Given, call, item

FORWARD_ANSWER, BACKWARD_ANSWER = "(y, mean, var)", "(dx, dgamma, dbeta)"
STRIDED = "x with other strides"
NOT_CHANGED = "arguments changed"
MANY = (5, 2, 15, 16)  # more entries than a block of 1024 has lanes: 1200 a channel


def _layouts(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Return the same numbers behind strides that are not those of a new array."""
    order = rng.permutation(x.ndim - 1) + 1
    axes = (*order[::-1], 0) if rng.random() < 0.5 else (0, *(range(2, x.ndim)), 1)
    moved = np.ascontiguousarray(x.transpose(axes))
    return moved.transpose(np.argsort(axes))


def _shaped(rng: np.random.Generator, *shape: int, mean: float = 1.0) -> np.ndarray:
    return batch(rng, shape[0], shape[1], int(np.prod(shape[2:])), mean).reshape(shape)


def _launch(
    launcher: str, kernels: tuple[str, ...], arguments: tuple[str, ...], answer: str
) -> Any:
    script = (
        call("launch", launcher, *arguments, into="launched"),
        item("launched", "answer", into=answer),
        item("launched", "changed", into=NOT_CHANGED),
    )
    return Given("call_launcher", {"kernels": list(kernels)}), script


def forward_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `triton_bn_forward`."""

    def case(
        name: str, x: np.ndarray, *more: float, part: int | None = None, **options: Any
    ) -> Case:
        gamma, beta = options.pop("affine", None) or per_channel(rng, x.shape[1])
        names = ("x", "gamma", "beta", "eps")[: 3 + len(more)]
        kernels = ("bn_stats_kernel", "bn_apply_kernel")
        helper, script = _launch("triton_bn_forward", kernels, names, FORWARD_ANSWER)
        given = dict(zip(names, (x, gamma, beta, *more), strict=True))
        report: tuple[str, ...] = (FORWARD_ANSWER, NOT_CHANGED)
        if part is not None:
            label = ("y", "mean", "var")[part]
            script, report = (*script, item(FORWARD_ANSWER, part, into=label)), (label,)
        return Case(name, {"launch": helper, **given}, script, report, **options)

    example = np.array([[[1.0, 1.0], [10.0, 20.0]], [[3.0, 3.0], [30.0, 40.0]]], np.float32)
    affine = np.array([1.0, 2.0], np.float32), np.array([0.0, 5.0], np.float32)
    yield case("the example of the test cell", example, affine=affine, gate=True)
    yield case("images, (N, C, H, W)", _shaped(rng, 3, 4, 5, 2), weight=2)
    yield case("rows, (N, C)", _shaped(rng, 7, 3))
    yield case("more entries than lanes", _shaped(rng, *MANY), weight=2)
    yield case("eps as the fourth argument", _shaped(rng, 4, 3, 5), float(rng.uniform(0.5, 2)))
    yield case(
        STRIDED,
        _layouts(rng, _shaped(rng, 3, 4, 5, 2)),
        weight=2,
        help="If this case alone fails: a pointer knows nothing of strides, `x.contiguous()` "
        "first.",
    )
    half = _shaped(rng, 4, 3, 5).astype(np.float16)
    yield case("float16: y is float16", half, part=0)
    precise = _shaped(rng, 4, 3, 50, mean=100.0).astype(np.float16)
    yield case(
        "float16: mean is float32",
        precise,
        part=1,
        dtype_of=None,
        tolerance=SINGLE,
        help="If this case alone fails, keep mean and var in float32: "
        "`torch.empty(C, dtype=torch.float32)`.",
    )


def _unwritten(answer_name: str) -> Callable[[Case, Answer, Answer], bool]:
    def seen(case: Case, answer: Answer, expected: Answer) -> bool:
        found: Any = answer.values.get(answer_name, answer.values.get("y", ()))
        parts = found if isinstance(found, tuple | list) else (found,)
        return any(bool(np.isnan(part).any()) for part in parts)

    return seen


def _changes(case: Case, answer: Answer, _expected: Answer) -> bool:
    return bool(answer.values.get(NOT_CHANGED))


_CHANGED = "The launcher changed one of its arguments. Results belong in new tensors."
_NEVER_WRITTEN = (
    "There is nan in the result: entries that no program wrote. Does the grid have enough programs "
    "for all channels, and for all blocks of entries? `triton.cdiv(x.numel(), BLOCK)` rounds up. "
    "Or do the numbers of the launch come in another order than those of the kernel?"
)
_STRIDES = (
    "Right for contiguous tensors, wrong for others: a pointer knows where a tensor begins, and "
    "nothing of its strides. Take `.contiguous()` of each that comes in: it copies only where it "
    "has to."
)

_STRIDED_RESULT = (
    "Right for contiguous tensors, wrong for others: the result has the strides of x, which "
    "`torch.empty_like` keeps, and your kernel writes it in order. Make it like the contiguous x."
)

FORWARD = Exercise(
    unit=UNIT,
    name="triton_bn_forward",
    points=3,
    minutes=9,
    oracle=triton_bn_forward,
    cases=forward_cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    needs=NEEDS,
    misconceptions=(
        Misconception("not-contiguous", _STRIDES, memory_order),
        Misconception("not-contiguous", _STRIDES, memory_order_throughout),
        Misconception("result-not-contiguous", _STRIDED_RESULT, strided_y),
        Misconception(
            "mean-and-variance-swapped",
            "Mean and variance are in each other's place: return (y, mean, var).",
            moments_swapped,
        ),
        Misconception(
            "eps-ignored",
            "The argument eps changes nothing. Pass it on to the kernel.",
            eps_fixed,
        ),
        Misconception(
            "inverse-std-for-variance",
            "You returned 1/√(var + eps) in the place of the variance.",
            inverse_std,
        ),
        Misconception("entries-never-written", _NEVER_WRITTEN, signs=_unwritten(FORWARD_ANSWER)),
        Misconception("arguments-changed", _CHANGED, signs=_changes),
        Misconception("returns-y-alone", "Return the tuple (y, mean, var).", only_y),
    ),
    hints=(
        "Three tensors to make: y like x, mean and var of C float32 numbers. `torch.empty` is "
        "enough, the kernels write every entry.",
        "`x = x.contiguous()`, `N, C = x.shape[:2]`, `L = x.numel() // (N * C)`. The statistics "
        "take a grid of C programs, the other kernel one program for each BLOCK entries.",
        "`bn_stats_kernel[(C,)](x, mean, var, N, C, L, BLOCK=BLOCK)`, then "
        "`bn_apply_kernel[(triton.cdiv(x.numel(), BLOCK),)](x, mean, var, gamma, beta, y, C, L, "
        "x.numel(), eps, BLOCK=BLOCK)`.",
    ),
)


def backward_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `triton_bn_backward`."""

    def case(
        name: str, dy: np.ndarray, x: np.ndarray, *more: float, part: int | None = None,
        **options: Any,
    ) -> Case:  # fmt: skip
        wide, axes = x.astype(np.float64), (0, *range(2, x.ndim))
        moments = (f(axis=axes).astype(np.float32) for f in (wide.mean, wide.var))
        gamma = options.pop("gamma", None)
        gamma = per_channel(rng, x.shape[1])[0] if gamma is None else gamma
        names = ("dy", "x", "mean", "var", "gamma", "eps")[: 5 + len(more)]
        kernels = ("bn_backward_kernel",)
        helper, script = _launch("triton_bn_backward", kernels, names, BACKWARD_ANSWER)
        given = dict(zip(names, (dy, x, *moments, gamma, *more), strict=True))
        report: tuple[str, ...] = (BACKWARD_ANSWER, NOT_CHANGED)
        if part is not None:
            label = ("dx", "dgamma", "dbeta")[part]
            script, report = (*script, item(BACKWARD_ANSWER, part, into=label)), (label,)
        return Case(name, {"launch": helper, **given}, script, report, **options)

    def drawn(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        return _shaped(rng, *shape), _shaped(rng, *shape)

    dy = np.array([[[4.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 2.0]]], np.float32)
    x = np.array([[[0.0, 0.0], [0.0, 2.0]], [[4.0, 4.0], [0.0, 2.0]]], np.float32)
    gamma = np.array([1.0, 2.0], np.float32)
    yield case("the example of the test cell", dy, x, 0.0, gamma=gamma, gate=True)
    yield case("images, (N, C, H, W)", *drawn(3, 4, 5, 2), weight=2)
    yield case("rows, (N, C)", *drawn(7, 3))
    yield case("more entries than lanes", *drawn(*MANY))
    yield case("eps as the sixth argument", *drawn(4, 3, 5), float(rng.uniform(0.5, 2)))
    pair = drawn(3, 4, 5, 2)
    yield case("dy with other strides", _layouts(rng, pair[0]), pair[1])
    pair = drawn(3, 4, 5, 2)
    yield case(STRIDED, pair[0], _layouts(rng, pair[1]))
    half_dy, half_x = (a.astype(np.float16) for a in drawn(4, 3, 5))
    yield case("float16: dx is float16", half_dy, half_x, part=0)
    # 16 channels: of three dgamma, all may happen to lie near a number of float16
    half_dy, half_x = (a.astype(np.float16) for a in drawn(4, 16, 5))
    yield case(
        "float16: dgamma is float32",
        half_dy,
        half_x,
        part=1,
        dtype_of=None,
        tolerance=SINGLE,
        help="If this case alone fails, keep dgamma and dbeta in float32: "
        "`torch.empty(C, dtype=torch.float32)`.",
    )


BACKWARD_LAUNCHER = Exercise(
    unit=UNIT,
    name="triton_bn_backward",
    points=2,
    minutes=6,
    oracle=as_launcher(gradients),
    cases=backward_cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    needs=NEEDS,
    misconceptions=(
        Misconception("not-contiguous", _STRIDES, backward_in_memory_order),
        Misconception("not-contiguous", _STRIDES, dy_in_memory_order),
        Misconception("not-contiguous", _STRIDES, x_in_memory_order),
        Misconception("result-not-contiguous", _STRIDED_RESULT, strided_dx),
        Misconception("dy-and-x-swapped", "dy and x are in each other's place.", arguments_swapped),
        Misconception(
            "eps-ignored",
            "The argument eps changes nothing. Pass it on to the kernel.",
            backward_eps_fixed,
        ),
        *misconceptions(as_launcher),
        Misconception("entries-never-written", _NEVER_WRITTEN, signs=_unwritten(BACKWARD_ANSWER)),
        Misconception("arguments-changed", _CHANGED, signs=_changes),
    ),
    hints=(
        "As in `triton_bn_forward`: new tensors for the results, contiguous inputs (dy, too), one "
        "launch with C programs.",
        "dx is like x; dgamma and dbeta have C float32 numbers.",
        "`bn_backward_kernel[(C,)](dy, x, mean, var, gamma, dx, dgamma, dbeta, N, C, L, eps, "
        "BLOCK=BLOCK)`, and `return dx, dgamma, dbeta`.",
    ),
)
