"""Exercise `batchnorm_mixed`: half in, half out, float32 in every sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.exercises.u11_gpu.common import (
    EPS,
    EXACT,
    FORBIDDEN,
    KEEP_ARGUMENTS,
    UNIT,
    computer,
    placed,
    theirs,
)
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.script import Given, Script, call, method
from autograder.worker.values import Tensor

TOLERANCES = {
    "float64": Tolerance(
        4e-3, 8e-3, "float16 rounds an output of order 1 to 2⁻¹¹ = 5e-4; ten of these"
    )
}
BRAIN = Tolerance(3e-2, 3e-2, "bfloat16 rounds an output of order 1 to 2⁻⁸ = 4e-3; eight of these")
SINGLE = Tolerance(1e-4, 1e-4, "float32: 1e3 eps32 = 1e-4")
FAR = Tolerance(
    2e-2, 2e-2, "float32 near 1e4 has steps of 1e-3: four of them, and a σ of at least 0.5"
)
COARSE = Tolerance(2e-2, 3e-2, "float16 rounds a gradient of order 1 to 5e-4 at each of its steps")
SCRIPT = (
    call("batchnorm_mixed", "x", "gamma", "beta", into="answer"),
    call("as_doubles", "answer", into="y"),
)
FACTS = (
    call("batchnorm_mixed", "x", "gamma", "beta", into="answer"),
    call("facts", "answer", into="device, dtype and memory format of y"),
)
ON_CARD = (
    theirs("batchnorm_mixed"),
    method("computer", "call", "theirs", "x", "gamma", "beta", into="answer"),
    call("as_doubles", "answer", into="y"),
    call("facts", "answer", into="device, dtype and memory format of y"),
)
KEPT = (
    call("batchnorm_mixed", "x", "gamma", "beta"),
    call("as_doubles", "x", into="x afterwards"),
)
GRADIENT = (
    call("batchnorm_mixed", "x", "gamma", "beta", into="answer"),
    call("weighted_gradient", "answer", "x", "upstream", into="gradient by x"),
)
WITH_EPS = (
    call("batchnorm_mixed", "x", "gamma", "beta", "eps", into="answer"),
    call("as_doubles", "answer", into="y"),
)
HELPERS = {name: Given(name) for name in ("as_doubles", "facts", "weighted_gradient")}
NARROW = ("float16", "bfloat16")

OVERFLOW = "float16 ends at 65504: a square, or a sum of many, is beyond. Go to float32 before."
ADDS_UP = (
    "At 500 two neighbours in float16 are 0.25 apart or more, and so is a mean from its true "
    "place. Take the means in float32."
)
CANCELS = (
    "E[x²] − E[x]² is the difference of two numbers near 10⁸: float32 keeps nothing of a variance "
    "of 1. Subtract the mean before you square."
)
PLACE = (
    "A tensor made inside the function lies on the CPU unless you say otherwise: "
    "`device=x.device`, or `torch.zeros_like`."
)
SAME = f"{KEEP_ARGUMENTS} (A float32 x is not copied by `x.float()`: it is x itself.)"
ORDER = (
    "`reshape` to (N·H·W, C) and back loses the order of the axes in memory. Pass `dim=(0, 2, 3)`."
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `batchnorm_mixed`."""

    def case(
        name: str,
        values: np.ndarray,
        dtype: str = "float16",
        script: Script = SCRIPT,
        report: Sequence[str] = ("y",),
        learns: bool = False,
        **options: Any,
    ) -> Case:
        channels = values.shape[1]
        gamma = rng.uniform(0.5, 2.0, (channels,)).astype(np.float32)
        beta = rng.normal(size=(channels,)).astype(np.float32)
        tensors: dict[str, Any] = {
            "x": as_dtype(values, dtype, learns),
            "gamma": Tensor("float32", gamma),
            "beta": Tensor("float32", beta),
        }
        if options.pop("turned", False):
            tensors["x"] = Given("channels_last", {"value": tensors["x"]})
        place = options.pop("place", "cpu")
        if place != "cpu":
            tensors = {name: placed(value, place) for name, value in tensors.items()}
        inputs = {
            **tensors,
            "computer": computer(cards=2),
            "eps": 0.5,
            "upstream": rng.normal(size=values.shape),
            **HELPERS,
        }
        return Case(name, inputs, script, tuple(report), dtype_of=None, **options)

    def normal(*shape: int) -> np.ndarray:
        c = shape[1]
        widths, places = rng.uniform(0.5, 3.0, c), rng.normal(size=c)
        axes = (1, c) + (1,) * (len(shape) - 2)
        return np.asarray(rng.normal(size=shape) * widths.reshape(axes) + places.reshape(axes))

    n, c = int(rng.integers(6, 12)), int(rng.integers(3, 6))
    yield _example()
    yield case("float16", normal(n, c))
    yield case("bfloat16", normal(n, c), "bfloat16", tolerance=BRAIN)
    yield case(
        "float32 stays float32", normal(n, c).astype(np.float32), "float32", tolerance=SINGLE
    )
    yield case("images (N, C, H, W)", normal(3, c, 4, 5), weight=2)
    yield case("another eps", normal(n, c), script=WITH_EPS, help=EPS)
    wide = rng.choice([-1.0, 1.0], (n, c)) * rng.uniform(300, 900, (n, c))
    yield case("squares beyond 65504", wide, weight=2, help=OVERFLOW)
    yield case("a sum beyond 65504", 40.0 + normal(2, c, 40, 40), weight=2, help=OVERFLOW)
    yield case("far from zero (mean 500)", 500.0 + 3 * normal(64, c), help=ADDS_UP)
    far = (1e4 + normal(64, c)).astype(np.float32)
    yield case("float32 far from zero (mean 10 000)", far, "float32", tolerance=FAR, help=CANCELS)
    report = ("device, dtype and memory format of y",)
    facts: dict[str, Any] = {"script": FACTS, "report": report, "tolerance": EXACT}
    for dtype in ("float16", "bfloat16", "float32"):
        yield case("y has the dtype of x", normal(2, c, 3, 3), dtype, weight=3, idle=True, **facts)
    last: dict[str, Any] = {"turned": True, "help": ORDER, "idle": True}
    yield case("channels last in memory stays so", normal(2, 4, 3, 5), **last, **facts)
    there: dict[str, Any] = {"script": ON_CARD, "report": ("y", *report), "place": "cuda:1"}
    yield case("all tensors on the second card", normal(n, c), weight=2, help=PLACE, **there)
    slope: dict[str, Any] = {"script": GRADIENT, "report": ("gradient by x",), "tolerance": COARSE}
    slope["help"] = "Mean and variance depend on x, too: no `detach`, no `no_grad` on the way."
    yield case(
        "gradients flow through the statistics", normal(n, c), learns=True, weight=2, **slope
    )
    after: dict[str, Any] = {
        "script": KEPT,
        "report": ("x afterwards",),
        "tolerance": EXACT,
        "idle": True,
    }
    for dtype in ("float16", "float32"):
        yield case("x is left as it was", normal(n, c), dtype, help=SAME, **after)


def _example() -> Case:
    """Return the test cell's: two values whose squares float16 cannot hold."""
    ones = np.ones(1, np.float32)
    inputs = {
        "x": as_dtype(np.array([[300.0], [900.0]]), "float16"),
        "gamma": Tensor("float32", ones),
        "beta": Tensor("float32", ones - 1),
        **HELPERS,
    }
    script = (*SCRIPT, call("facts", "answer", into="device, dtype and memory format of y"))
    report = ("y", "device, dtype and memory format of y")
    name = "the example of the test cell"
    return Case(name, inputs, script, report, tolerance=EXACT, dtype_of=None, gate=True)


def as_dtype(values: np.ndarray, dtype: str, requires_grad: bool = False) -> Tensor:
    """Return values as a tensor that holds them as well as its dtype can."""
    if dtype == "bfloat16":
        bits = values.astype(np.float32).view(np.uint32)
        return Tensor(dtype, (bits & np.uint32(0xFFFF0000)).view(np.float32).copy(), requires_grad)
    return Tensor(dtype, values.astype(dtype).copy(), requires_grad)


def computed(
    inside: str = "float64",
    *,
    out: str | None = None,
    correction: int = 0,
    mean_inside: str | None = None,
    two_pass: bool = True,
    axes: Callable[[int], tuple[int, ...]] = lambda ndim: (0, *range(2, ndim)),
    attached: bool = True,
) -> Callable[..., Any]:
    """Make an implementation that computes in one dtype, with wrong parts put in."""

    def batchnorm_mixed(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
        import torch

        kind = getattr(torch, inside)
        form = (1, -1) + (1,) * (x.ndim - 2)
        wide = x.to(kind)
        sums = x.to(getattr(torch, mean_inside)) if mean_inside else wide
        mean = sums.mean(dim=axes(x.ndim), keepdim=True).to(kind)
        if two_pass:
            centered = sums - mean.to(sums.dtype)
            n = centered.numel() // mean.numel()
            var = centered.square().sum(dim=axes(x.ndim), keepdim=True) / (n - correction)
        else:
            var = sums.square().mean(dim=axes(x.ndim), keepdim=True) - mean**2
        var = var.to(kind)
        if not attached:
            mean, var = mean.detach(), var.detach()
        x_hat = (wide - mean) * torch.rsqrt(var + eps)
        y = x_hat * gamma.to(kind).view(form) + beta.to(kind).view(form)
        return y.to(getattr(torch, out) if out else x.dtype)

    return batchnorm_mixed


MIXED = Exercise(
    unit=UNIT,
    name="batchnorm_mixed",
    points=3,
    minutes=10,
    oracle=computed(),
    cases=cases,
    tolerances=TOLERANCES,
    forbidden=FORBIDDEN,
    misconceptions=(
        Misconception(
            "all-in-half",
            "You computed in half precision, or rounded to it on the way. Squares and sums "
            "overflow there, or stop growing: `x.float()` first, `.to(x.dtype)` last.",
            computed("float16"),
        ),
        Misconception(
            "statistics-in-half",
            "You took mean and variance in half precision. It is they that need float32; what "
            "comes after could be narrow.",
            computed("float32", mean_inside="float16"),
        ),
        Misconception(
            "half-forgotten-on-the-way-out",
            "You return float32. Half in, half out: the next layer expects x's dtype, and y takes "
            "twice the memory.",
            computed("float32", out="float32"),
        ),
        Misconception(
            "always-float16-out",
            "You return float16 always. The result has the dtype of x.",
            computed("float32", out="float16"),
        ),
        Misconception(
            "unbiased-variance",
            "Your variance divides by m−1. Batch norm normalises with 1/m.",
            computed("float32", correction=1),
        ),
        Misconception("cancelling-variance", CANCELS, computed("float32", two_pass=False)),
        Misconception(
            "rows-only",
            "You took statistics over axis 0 only. For images they run over N, H and W.",
            computed("float32", axes=lambda ndim: (0,)),
        ),
        Misconception(
            "statistics-detached",
            "Your gradient takes mean and variance for constants. No `detach`, no `no_grad` on "
            "the way.",
            computed("float32", attached=False),
        ),
    ),
    hints=(
        "Which dtype does each line work in? Write it beside the line. The first line should widen "
        "x, the last narrow y.",
        "`wide = x.float()`; mean and biased variance over all axes but 1, with `keepdim=True`; "
        "gamma and beta as `(1, C, 1, 1)`; `.to(x.dtype)` at the end.",
        "`axes = [a for a in range(x.ndim) if a != 1]`, `var = wide.var(dim=axes, correction=0, "
        "keepdim=True)`, `shape = (1, -1) + (1,) * (x.ndim - 2)`, `gamma.view(shape)`.",
    ),
)
