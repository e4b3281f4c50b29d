"""Exercises `fold_conv_bn` and `fold_bn_linear`: two layers, one of them affine, become one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import (
    AROUND_BATCHNORM,
    EXACT,
    EXAMPLE_TOLERANCE,
    UNIT,
    Lazy,
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
from autograder.vocabulary import Case, Exercise, Misconception, Tolerance
from autograder.worker.interpreter import Answer
from autograder.worker.script import Script, call

TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-10, "a product of four numbers, a sum of 30: 1e3 eps64 = 2e-13"),
    "float32": Tolerance(1e-5, 1e-5, "the same in float32, of order 10: 10 eps32 = 1.2e-6"),
}
HELPERS = ("options_of", "weights_of", "as_arrays", "model_state", "step_in_tensors")
PAIRS = {"fold_conv_bn": ("conv", "bn"), "fold_bn_linear": ("bn", "linear")}
PARTS = "(weight, bias)"
OPTIONS = "what came back"

UNTRACKED = "a batch norm without running statistics: ValueError"
KEPT = "both layers are left as they were, and share nothing with the result"


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


# --- wrong ideas ----------------------------------------------------------------------------------


@dataclass
class Numbers:
    """A batch norm's numbers, and the layer's, as tensors that ideas compute with."""

    mean: Any
    var: Any
    gamma: Any
    beta: Any
    eps: float
    weight: Any
    bias: Any
    """Zeros if the layer has none."""
    groups: int = 1


Formula = Callable[[Numbers], tuple[Any, Any]]


def folding(pair: tuple[str, str], formula: Formula) -> Lazy:
    """Make a fold of the layers named in `pair` from a formula for weight and bias."""

    def make() -> Any:
        def fold(first: Any, second: Any) -> Any:
            import copy

            import torch

            bn, layer = (first, second) if pair[0] == "bn" else (second, first)
            like = layer.weight.detach()
            bias = None if layer.bias is None else layer.bias.detach()
            ones = torch.ones_like(bn.running_var)
            numbers = Numbers(
                mean=bn.running_mean,
                var=bn.running_var,
                gamma=ones if bn.weight is None else bn.weight.detach(),
                beta=0 * ones if bn.bias is None else bn.bias.detach(),
                eps=bn.eps,
                weight=like,
                bias=like.new_zeros(len(like)) if bias is None else bias,
                groups=getattr(layer, "groups", 1),
            )
            weight, shift = formula(numbers)
            result = copy.deepcopy(layer)
            result.weight = torch.nn.Parameter(weight)
            result.bias = None if shift is None else torch.nn.Parameter(shift)
            return result

        return fold

    return Lazy(make)


def _scale(p: Numbers) -> Any:
    return p.gamma / (p.var + p.eps).sqrt()


def _rows(scale: Any, weight: Any) -> Any:
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1))


def _conv_formula(
    scale: Callable[[Numbers], Any] = _scale,
    bias: Callable[[Numbers, Any], Any] = lambda p, s: p.beta + s * (p.bias - p.mean),
    weight: Callable[[Any, Any], Any] = _rows,
) -> Lazy:
    def formula(p: Numbers) -> tuple[Any, Any]:
        s = scale(p)
        return weight(s, p.weight), bias(p, s)

    return folding(PAIRS["fold_conv_bn"], formula)


def _columns(scale: Any, weight: Any) -> Any:
    """Scale the second axis, as far as it goes: inputs, which grouped filters have fewer of."""
    return weight * scale[: weight.shape[1]].reshape(1, -1, 1, 1)


def _linear_formula(
    scale: Callable[[Numbers], Any] = _scale,
    bias: Callable[[Numbers, Any], Any] = lambda p, s: p.bias + p.weight @ (p.beta - s * p.mean),
    weight: Callable[[Any, Any], Any] = lambda s, w: w * s,
) -> Lazy:
    def formula(p: Numbers) -> tuple[Any, Any]:
        s = scale(p)
        return weight(s, p.weight), bias(p, s)

    return folding(PAIRS["fold_bn_linear"], formula)


def _fitting(values: Any, count: int) -> Any:
    """Return as many of the values as there are outputs."""
    return values[:count] if len(values) >= count else values[[0] * count]


def _past(p: Numbers) -> Any:
    count = len(p.weight)
    return p.bias + _fitting(p.beta - _scale(p) * p.mean, count)


def _first_rows(p: Numbers) -> tuple[Any, Any]:
    count = len(p.weight)
    s, beta, mean = (_fitting(v, count) for v in (_scale(p), p.beta, p.mean))
    return _rows(s, p.weight), beta + s * (p.bias - mean)


def _no_bias(_: Case, answer: Answer, expected: Answer) -> bool:
    parts: Any = answer.values[PARTS]
    return parts[0] is not None and parts[1] is None


def _another_class(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values[OPTIONS]
    want: Any = expected.values[OPTIONS]
    return bool(got["class"] != want["class"])


def _other_options(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values[OPTIONS]
    want: Any = expected.values[OPTIONS]
    return bool(got["class"] == want["class"] and got != want)


def _changed(layer: str) -> Callable[[Case, Answer, Answer], bool]:
    def signs(case: Case, answer: Answer, expected: Answer) -> bool:
        from autograder.compare import identical

        label = f"{layer} afterwards"
        return case.name == KEPT and not identical(expected.values[label], answer.values[label])

    return signs


def _accepted(case: Case, answer: Answer, _: Answer) -> bool:
    return case.name == UNTRACKED


# Before the others: asked for what is not there, the variants below raise as a student's code does.
UNTRACKED_ACCEPTED = Misconception(
    "untracked-accepted",
    "With `track_running_stats=False` there are no running statistics (they are None): "
    "the layer uses each batch's own in evaluation mode, too, and nothing fixed can "
    "replace it. Raise a `ValueError` that says so.",
    signs=_accepted,
)


def _shared(name: str, made: Callable[..., Lazy]) -> tuple[Misconception, ...]:
    """Ideas that can go wrong in the same words in both exercises."""
    first, second = PAIRS[name]
    return (
        Misconception(
            "eps-forgotten",
            "There is no eps in your scale: s = gamma / √(running_var + eps).",
            made(scale=lambda p: p.gamma / p.var.sqrt()),
        ),
        Misconception(
            "eps-written-into-the-code",
            "You wrote 1e-5 where the layer's own `bn.eps` belongs.",
            made(scale=lambda p: p.gamma / (p.var + 1e-5).sqrt()),
        ),
        Misconception(
            "eps-outside-the-root",
            "Your eps is added to the standard deviation. It belongs inside the root.",
            made(scale=lambda p: p.gamma / (p.var.sqrt() + p.eps)),
        ),
        Misconception(
            "root-forgotten",
            "You divided by the variance. Batch norm divides by its root.",
            made(scale=lambda p: p.gamma / (p.var + p.eps)),
        ),
        Misconception(
            "gamma-forgotten",
            "gamma is missing in your scale: s = gamma / √(running_var + eps).",
            made(scale=lambda p: 1 / (p.var + p.eps).sqrt()),
        ),
        Misconception(
            "no-bias",
            "Your result has no bias. Even if the layer had none, batch norm adds something: t.",
            signs=_no_bias,
        ),
        Misconception(
            "two-layers-still",
            "What you return holds more than one layer, or is of another class. Return a layer of "
            "the kind that came in, with other numbers.",
            signs=_another_class,
        ),
        Misconception(
            "options-lost",
            "The options of your layer are not those of the one that came in (stride, padding, "
            "dilation, groups, padding mode). `copy.deepcopy` brings all of them along.",
            signs=_other_options,
        ),
        *(
            Misconception(
                f"{'batch-norm' if layer == 'bn' else 'layer'}-changed",
                f"Your function changed `{layer}`, or the result shares memory with it: a step on "
                "the result moved it. Work on a deep copy, and make new parameters.",
                signs=_changed(layer),
            )
            for layer in (first, second)
        ),
    )


FOLD_CONV = Exercise(
    unit=UNIT,
    name="fold_conv_bn",
    points=5,
    minutes=15,
    oracle=reference("fold_conv_bn"),
    cases=conv_cases,
    tolerances=TOLERANCES,
    forbidden=AROUND_BATCHNORM,
    misconceptions=(
        UNTRACKED_ACCEPTED,
        Misconception(
            "own-bias-dropped",
            "The convolution's own bias is lost: it runs through batch norm as well, b' = s·b + t.",
            _conv_formula(bias=lambda p, s: p.beta - s * p.mean),
        ),
        Misconception(
            "own-bias-not-scaled",
            "You added the convolution's bias as it is. It runs through batch norm, too: s·b.",
            _conv_formula(bias=lambda p, s: p.beta + p.bias - s * p.mean),
        ),
        Misconception(
            "mean-not-scaled",
            "The running mean is subtracted before the scale: it comes with the factor s.",
            _conv_formula(bias=lambda p, s: p.beta + s * p.bias - p.mean),
        ),
        Misconception(
            "mean-forgotten",
            "The running mean is missing in your bias: t = beta − s · running_mean.",
            _conv_formula(bias=lambda p, s: p.beta + s * p.bias),
        ),
        Misconception(
            "mean-added",
            "You added the running mean. Batch norm subtracts it.",
            _conv_formula(bias=lambda p, s: p.beta + s * (p.bias + p.mean)),
        ),
        Misconception(
            "beta-forgotten",
            "beta is missing in your bias: t = beta − s · running_mean.",
            _conv_formula(bias=lambda p, s: s * (p.bias - p.mean)),
        ),
        Misconception(
            "bias-as-it-was",
            "You scaled the weights and left the bias as it was: b' = s·b + t.",
            _conv_formula(bias=lambda p, s: p.bias),
        ),
        Misconception(
            "weights-as-they-were",
            "You changed the bias and left the weights as they were. Each filter is multiplied "
            "by its s.",
            _conv_formula(weight=lambda s, w: w.clone()),
        ),
        Misconception(
            "scaled-along-the-inputs",
            "You scaled axis 1 of the weight, its input channels. Batch norm comes after: each "
            "*output* channel, axis 0, has its own s. (Shape (C, 1, 1, 1), not (C, 1, 1).)",
            _conv_formula(weight=_columns),
        ),
        *_shared("fold_conv_bn", _conv_formula),
    ),
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
    misconceptions=(
        UNTRACKED_ACCEPTED,
        Misconception(
            "shift-past-the-weights",
            "You added t to the bias as it is. It enters the linear layer: b' = b + W t.",
            folding(PAIRS["fold_bn_linear"], lambda p: (p.weight * _scale(p), _past(p))),
        ),
        Misconception(
            "batch-norm-after-the-layer",
            "You folded a batch norm that comes *after* the linear layer. Here it comes before: "
            "the *columns* of W are scaled, one for each input.",
            folding(PAIRS["fold_bn_linear"], _first_rows),
        ),
        Misconception(
            "rows-scaled",
            "You scaled the rows of W, its outputs. Batch norm comes before it: each *input*, "
            "a column, has its own s.",
            _linear_formula(weight=lambda s, w: _rows(_fitting(s, len(w)), w)),
        ),
        Misconception(
            "shift-through-scaled-weights",
            "Your bias is b + W' t with the weights that are already scaled: t would be scaled "
            "twice. Use the old W.",
            _linear_formula(bias=lambda p, s: p.bias + (p.weight * s) @ (p.beta - s * p.mean)),
        ),
        Misconception(
            "shift-forgotten",
            "Your bias is the old one. What batch norm adds, t, goes through the weights into it: "
            "b' = b + W t.",
            _linear_formula(bias=lambda p, s: p.bias),
        ),
        Misconception(
            "own-bias-dropped",
            "The linear layer's own bias is lost: b' = b + W t.",
            _linear_formula(bias=lambda p, s: p.weight @ (p.beta - s * p.mean)),
        ),
        Misconception(
            "own-bias-scaled",
            "You scaled the linear layer's bias. Batch norm comes before it, and does not see it: "
            "b' = b + W t.",
            _linear_formula(
                bias=lambda p, s: (
                    _fitting(s, len(p.bias)) * p.bias + p.weight @ (p.beta - s * p.mean)
                )
            ),
        ),
        Misconception(
            "shift-through-the-transpose",
            "t goes through Wᵀ into your bias. torch keeps W in the shape (out, in): b' = b + W t.",
            _linear_formula(bias=lambda p, s: p.bias + p.weight.T @ (p.beta - s * p.mean)),
        ),
        Misconception(
            "mean-added",
            "You added the running mean. Batch norm subtracts it.",
            _linear_formula(bias=lambda p, s: p.bias + p.weight @ (p.beta + s * p.mean)),
        ),
        Misconception(
            "mean-forgotten",
            "The running mean is missing: t = beta − s · running_mean.",
            _linear_formula(bias=lambda p, s: p.bias + p.weight @ p.beta),
        ),
        Misconception(
            "beta-forgotten",
            "beta is missing: t = beta − s · running_mean.",
            _linear_formula(bias=lambda p, s: p.bias - p.weight @ (s * p.mean)),
        ),
        Misconception(
            "mean-not-scaled",
            "The running mean is subtracted before the scale: it comes with the factor s.",
            _linear_formula(bias=lambda p, s: p.bias + p.weight @ (p.beta - p.mean)),
        ),
        *_shared("fold_bn_linear", _linear_formula),
    ),
    hints=(
        "Write `linear(bn(x))` with s and t, and collect what stands before x.",
        "`W (s ∘ x + t) + b = (W diag(s)) x + (W t + b)`. W has shape (out, in): `W * s` scales "
        "its columns.",
        "`folded = copy.deepcopy(linear)`; weight `linear.weight.detach() * s`, bias "
        "`linear.weight.detach() @ t`, plus the old bias if there is one; both as `nn.Parameter`.",
    ),
)
