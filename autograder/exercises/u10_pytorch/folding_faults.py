"""Wrong ideas of `fold_conv_bn` and `fold_bn_linear`: their formulas, and what they look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.exercises.u10_pytorch.building import Lazy
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

PAIRS = {"fold_conv_bn": ("conv", "bn"), "fold_bn_linear": ("bn", "linear")}
PARTS = "(weight, bias)"
OPTIONS = "what came back"

UNTRACKED = "a batch norm without running statistics: ValueError"
KEPT = "both layers are left as they were, and share nothing with the result"


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


CONV_FAULTS = (
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
)

LINEAR_FAULTS = (
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
            bias=lambda p, s: _fitting(s, len(p.bias)) * p.bias + p.weight @ (p.beta - s * p.mean)
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
)
