"""Exercises `fold_conv_bn` and `fold_bn_linear`: two layers, one of them affine, become one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import (
    AROUND_BATCHNORM,
    EXACT,
    EXAMPLE_TOLERANCE,
    UNIT,
    as_float32,
    batch_norm,
    built,
    conv,
    helpers,
    linear,
    reference,
    spec,
    tensor,
)
from autograder.exercises.u10_pytorch.folding_faults import (
    CONV_FAULTS,
    KEPT,
    LINEAR_FAULTS,
    OPTIONS,
    PAIRS,
    PARTS,
    UNTRACKED,
)
from autograder.vocabulary import Case, Exercise, Tolerance
from autograder.worker.script import Script, call

TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-10, "a product of four numbers, a sum of 30: 1e3 eps64 = 2e-13"),
    "float32": Tolerance(1e-5, 1e-5, "the same in float32, of order 10: 10 eps32 = 1.2e-6"),
}
HELPERS = ("options_of", "weights_of", "as_arrays", "model_state", "step_in_tensors")


class _Folding:
    """Cases of one of the two exercises."""

    def __init__(self, name: str) -> None:
        self.name, self.pair = name, PAIRS[name]
        fold = call(name, *self.pair, into="folded")
        self.weights: Script = (
            fold,
            call("options_of", "folded", into=OPTIONS),
            call("weights_of", "folded", into=PARTS),
        )
        run = (call("folded", "x", into="result"), call("as_arrays", "result", into="y"))
        self.output: Script = (fold, *run)
        self.kept: Script = (
            fold,
            call("step_in_tensors", "folded"),
            *(call("model_state", layer, into=f"{layer} afterwards") for layer in self.pair),
        )
        self.refused: Script = (call(name, *self.pair, into="answer", expect="ValueError"),)

    def case(
        self,
        name: str,
        first: dict[str, Any],
        second: dict[str, Any],
        script: Script,
        report: tuple[str, ...],
        *,
        x: np.ndarray | None = None,
        **options: Any,
    ) -> Case:
        """Make a case of two layers, in the order of the exercise's arguments."""
        inputs: dict[str, Any] = dict(zip(self.pair, (built(first), built(second)), strict=True))
        if x is not None:
            inputs["x"] = tensor(x)
        if "dtype_of" not in options:  # what comes back has the dtype of the layers
            inputs["like"] = np.zeros(1, next(iter(first["state"].values())).dtype)
            options["dtype_of"] = "like"
        return Case(name, inputs | helpers(script, HELPERS), script, report, **options)

    def same(
        self, name: str, first: dict[str, Any], second: dict[str, Any], **options: Any
    ) -> Case:
        """Make a case that looks at what came back: its class, its options, its numbers."""
        return self.case(name, first, second, self.weights, (OPTIONS, PARTS), **options)

    def untouched(self, first: dict[str, Any], second: dict[str, Any]) -> Case:
        """Make the case in which the result is changed, and its origins must not be."""
        report = tuple(f"{layer} afterwards" for layer in self.pair)
        options: dict[str, Any] = {"dtype_of": None, "tolerance": EXACT, "idle": True}
        return self.case(KEPT, first, second, self.kept, report, **options)

    def untracked(self, first: dict[str, Any], second: dict[str, Any]) -> Case:
        """Make the case of statistics that are not there."""
        options: dict[str, Any] = {"dtype_of": None, "idle": True, "weight": 0.5}
        return self.case(UNTRACKED, first, second, self.refused, ("answer",), **options)


def _untracked(axes: int, width: int) -> dict[str, Any]:
    options = {"num_features": width, "track_running_stats": False}
    return spec(f"BatchNorm{axes}d", options=options, training=False)


def conv_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `fold_conv_bn`."""
    f = _Folding("fold_conv_bn")
    c = 2 * int(rng.integers(1, 3)) + 2  # as many inputs as outputs: a wrong axis is no error

    def norm(width: int = c, **options: Any) -> dict[str, Any]:
        return batch_norm(rng, width, **options)

    yield f.same("the example of the test cell", *CONV_EXAMPLE, **EXAMPLE)
    yield f.same("with a bias", conv(rng, c, c), norm(), weight=3)
    yield f.same(
        "without a bias: the result has one", conv(rng, c, c, bias=False), norm(), weight=2
    )
    yield f.same("groups", conv(rng, c, c, groups=2), norm(), weight=2)
    yield f.same("one filter for each channel (depthwise)", conv(rng, c, c, groups=c), norm())
    yield f.same("1×1", conv(rng, 3, c, 1, bias=False), norm())
    yield f.same("an eps of its own", conv(rng, 3, c), norm(eps=float(rng.uniform(0.2, 0.4))))
    yield f.same("affine=False: no gamma, no beta", conv(rng, c, c), norm(affine=False))
    shaped = conv(rng, 2, c, bias=False, stride=2, dilation=2, padding=3, padding_mode="reflect")
    yield f.same("stride, padding, dilation and padding mode", shaped, norm())
    x = rng.normal(size=(2, c, 6, 5)) + 1.0
    padded = conv(rng, c, c, padding=1)
    yield f.case("the output on images", padded, norm(), f.output, ("y",), x=x, weight=2)
    single = as_float32(conv(rng, c, c)), as_float32(norm())
    yield f.same("float32 stays float32", *single)
    yield f.untouched(conv(rng, c, c), norm())
    yield f.untracked(conv(rng, 3, c), _untracked(2, c))


def linear_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `fold_bn_linear`."""
    f = _Folding("fold_bn_linear")
    c = int(rng.integers(3, 6))

    def norm(**options: Any) -> dict[str, Any]:
        return batch_norm(rng, c, 1, **options)

    yield f.same("the example of the test cell", *LINEAR_EXAMPLE, **EXAMPLE)
    yield f.same("as many inputs as outputs", norm(), linear(rng, c, c), weight=3)
    yield f.same("more inputs than outputs", norm(), linear(rng, c, 2), weight=2)
    yield f.same("no bias: the result has one", norm(), linear(rng, c, c, bias=False), weight=2)
    own_eps = norm(eps=float(rng.uniform(0.2, 0.4)))
    yield f.same("an eps of its own", own_eps, linear(rng, c, c))
    yield f.same("affine=False: no gamma, no beta", norm(affine=False), linear(rng, c, c))
    x = rng.normal(size=(4, c)) + 1.0
    yield f.case("the output on rows", norm(), linear(rng, c, c), f.output, ("y",), x=x)
    yield f.same("float32 stays float32", as_float32(norm()), as_float32(linear(rng, c, c)))
    yield f.untouched(norm(), linear(rng, c, c))
    yield f.untracked(_untracked(1, c), linear(rng, c, 3))


def _example(axes: int) -> dict[str, Any]:
    """Describe the batch norm of the test cells: s = 2 and t = −19, but for a trace of eps."""
    state = {
        "weight": np.array([6.0]),
        "bias": np.array([-9.0]),
        "running_mean": np.array([5.0]),
        "running_var": np.array([9.0]),
    }
    options = {"num_features": 1}
    return spec(f"BatchNorm{axes}d", options=options, state=state, training=False)


def _one(kind: str, options: dict[str, Any], axes: int) -> dict[str, Any]:
    state = {"weight": np.full((1,) * axes, 3.0), "bias": np.zeros(1)}
    return spec(kind, options=options, state=state)


EXAMPLE: dict[str, Any] = {"gate": True, "tolerance": EXAMPLE_TOLERANCE}
CONV_EXAMPLE = (
    _one("Conv2d", {"in_channels": 1, "out_channels": 1, "kernel_size": 1}, 4),
    _example(2),
)
LINEAR_EXAMPLE = (_example(1), _one("Linear", {"in_features": 1, "out_features": 1}, 2))


FOLD_CONV = Exercise(
    unit=UNIT,
    name="fold_conv_bn",
    points=5,
    minutes=15,
    oracle=reference("fold_conv_bn"),
    cases=conv_cases,
    tolerances=TOLERANCES,
    forbidden=AROUND_BATCHNORM,
    misconceptions=CONV_FAULTS,
    hints=(
        "What does batch norm in evaluation mode do to one channel? Something times x, plus "
        "something: `eval_as_affine` of unit 3. Then put the convolution's result in for x.",
        "`bn(W ∗ x + b) = s (W ∗ x + b) + t = (s W) ∗ x + (s b + t)`. The weight has shape "
        "(out, in / groups, h, w): which axis has an entry for each s? What is b if there is none, "
        "and gamma, if `affine=False`?",
        "`s = gamma / (bn.running_var + bn.eps).sqrt()`, `t = beta − s * bn.running_mean`; "
        "`folded = copy.deepcopy(conv)`; `folded.weight = nn.Parameter(conv.weight.detach() * "
        "s.reshape(-1, 1, 1, 1))`, and the bias likewise.",
    ),
)

FOLD_LINEAR = Exercise(
    unit=UNIT,
    name="fold_bn_linear",
    points=3,
    minutes=8,
    oracle=reference("fold_bn_linear"),
    cases=linear_cases,
    tolerances=TOLERANCES,
    forbidden=AROUND_BATCHNORM,
    misconceptions=LINEAR_FAULTS,
    hints=(
        "Write `linear(bn(x))` with s and t, and collect what stands before x.",
        "`W (s ∘ x + t) + b = (W diag(s)) x + (W t + b)`. W has shape (out, in): `W * s` scales "
        "its columns.",
        "`folded = copy.deepcopy(linear)`; weight `linear.weight.detach() * s`, bias "
        "`linear.weight.detach() @ t`, plus the old bias if there is one; both as `nn.Parameter`.",
    ),
)
