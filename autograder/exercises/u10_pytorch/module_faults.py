"""Wrong ideas about `MyBatchNorm2d`: a sketch that is right, with one part exchanged in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograder.exercises.u10_pytorch.building import Lazy
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

NO_GRAD = "training: under torch.no_grad() it is training as well"
GRAPH = "no graph hangs on the buffers after a step"
INTO_TORCH = "its state dict loads into nn.BatchNorm2d"
FROM_TORCH = "a state dict of nn.BatchNorm2d loads into it"
TWIN = "a deep copy in the middle of training goes on by itself"
TO_DOUBLE = "double() takes the buffers along, and leaves the counter whole"

HALF = "half precision: large values, squares beyond float16"
EVAL_KEPT = "eval: nothing is updated"

AXES = (0, 2, 3)


def _is_training(layer: Any) -> bool:
    return bool(layer.training)


def _batch(x: Any) -> tuple[Any, Any]:
    import torch

    var, mean = torch.var_mean(x, AXES, correction=0)
    return mean, var


def _standardise(x: Any, mean: Any, var: Any, eps: float) -> Any:
    return (x - _wide(mean)) / (_wide(var) + eps).sqrt()


def _affine(layer: Any, x_hat: Any) -> Any:
    return _wide(layer.weight) * x_hat + _wide(layer.bias)


def _share(layer: Any) -> Any:
    return 1 / layer.num_batches_tracked if layer.momentum is None else layer.momentum


def _running(layer: Any, mean: Any, var: Any) -> tuple[Any, Any]:
    return layer.running_mean, layer.running_var


def _stored(var: Any, m: int) -> Any:
    return var * (m / (m - 1))


def _wide(value: Any) -> Any:
    return value.reshape(1, -1, 1, 1) if value.ndim == 1 else value


def made(
    *,
    training: Callable[[Any], bool] = _is_training,
    batch: Callable[[Any], tuple[Any, Any]] = _batch,
    normaliser: Callable[[Any, Any, int], tuple[Any, Any]] = lambda mean, var, m: (mean, var),
    standardise: Callable[[Any, Any, Any, float], Any] = _standardise,
    affine: Callable[[Any, Any], Any] = _affine,
    share: Callable[[Any], Any] = _share,
    stored: Callable[[Any, int], Any] = _stored,
    moves_in_eval: bool = False,
    counts: bool = True,
    counts_in_eval: bool = False,
    running: Callable[[Any, Any, Any], tuple[Any, Any]] = _running,
    start: Mapping[str, float] | None = None,
    counter_dtype: str = "int64",
) -> Lazy:
    """Make the module with wrong parts put in.

    Parameters
    ----------
    training
        Whether a layer takes the batch's statistics.
    batch
        These statistics.
    normaliser
        What of them, with m, a training batch is normalised with.
    standardise
        From (x, mean, var, eps) to x_hat.
    affine
        From (layer, x_hat) to the output.
    share
        The weight of the new in the running statistics.
    stored
        From the batch's variance and m to what is kept.
    moves_in_eval
        Whether the running statistics move in evaluation mode.
    counts, counts_in_eval
        Whether steps are counted in the two modes.
    running
        From (layer, mean, var) of the batch to what is normalised with in evaluation.
    start
        Start values of the running statistics, by name.
    counter_dtype
        Of `num_batches_tracked`.
    """

    def make() -> Any:
        import torch
        from torch import nn

        first = {"running_mean": 0.0, "running_var": 1.0, **(start or {})}

        class MyBatchNorm2d(nn.Module):
            running_mean: Any
            running_var: Any
            num_batches_tracked: Any

            def __init__(self, num_features: int, eps: float = 1e-5, momentum: Any = 0.1) -> None:
                super().__init__()
                self.eps, self.momentum = eps, momentum
                self.weight = nn.Parameter(torch.ones(num_features))
                self.bias = nn.Parameter(torch.zeros(num_features))
                for name, value in first.items():
                    self.register_buffer(name, torch.full((num_features,), value))
                counter = torch.tensor(0, dtype=getattr(torch, counter_dtype))
                self.register_buffer("num_batches_tracked", counter)

            def forward(self, x: Any) -> Any:
                wide, m = x if x.dtype == torch.float64 else x.float(), x.numel() // x.shape[1]
                learning = training(self)
                if learning and m == 1:
                    raise ValueError("one value per channel")
                mean, var = batch(wide)
                if (learning and counts) or (not learning and counts_in_eval):
                    self.num_batches_tracked += 1
                if learning or moves_in_eval:
                    with torch.no_grad():
                        self.remember(mean, stored(var, m))
                mean, var = normaliser(mean, var, m) if learning else running(self, mean, var)
                return affine(self, standardise(wide, mean, var, self.eps)).to(x.dtype)

            def remember(self, mean: Any, var: Any) -> None:
                part = share(self)
                for own, new in ((self.running_mean, mean), (self.running_var, var)):
                    if new.numel() == own.numel():
                        own.copy_((1 - part) * own + part * new)

        return MyBatchNorm2d

    return Lazy(make)


def _detached_statistics(x: Any) -> tuple[Any, Any]:
    mean, var = _batch(x)
    return mean.detach(), var.detach()


def _by_gradients(layer: Any) -> bool:
    import torch

    return torch.is_grad_enabled()


def _of_pixels(x: Any) -> tuple[Any, Any]:
    mean = x.mean(0, keepdim=True)
    return mean, ((x - mean) ** 2).mean(0, keepdim=True)


def _of_images(x: Any) -> tuple[Any, Any]:
    mean = x.mean((2, 3), keepdim=True)
    return mean, ((x - mean) ** 2).mean((2, 3), keepdim=True)


def _keeps_nothing(layer: Any) -> Any:
    return 0.0


def _differs(case_name: str, label: str) -> Callable[[Case, Answer, Answer], bool]:
    def signs(case: Case, answer: Answer, expected: Answer) -> bool:
        from autograder.compare import identical

        want = expected.values[label]
        return case.name == case_name and not identical(want, answer.values[label])

    return signs


def _counter_is_not_whole(_: Case, answer: Answer, expected: Answer) -> bool:
    label = "dtypes of state_dict()"
    got: Any = answer.values[label]
    want: Any = expected.values[label]
    name = "num_batches_tracked"
    return bool(name in got and got[name] != want[name])


def _state_lacks(*names: str) -> Callable[[Case, Answer, Answer], bool]:
    """Make the signs of a state dict in which some names are missing."""

    def signs(_: Case, answer: Answer, expected: Answer) -> bool:
        labels = ("state_dict()", "dtypes of state_dict()")
        for label in labels:
            if label in expected.values:
                got: Any = answer.values[label]
                return any(name not in got for name in names)
        return False

    return signs


MISCONCEPTIONS = (
    Misconception(
        "statistics-in-half-precision",
        "In half precision your statistics overflow: float16 ends at 65 504, and 300² is more. "
        "Compute in float32 (`x.float()`), and give the result the dtype of x.",
        signs=lambda case, _answer, _expected: case.name == HALF,
    ),
    Misconception(
        "buffers-as-plain-attributes",
        "Your running statistics are not in the state dict: plain attributes are not saved, and do "
        "not follow `.to(...)`. `self.register_buffer(name, tensor)` makes them part of the layer.",
        signs=_state_lacks("running_mean", "running_var"),
    ),
    Misconception(
        "counter-missing",
        "`num_batches_tracked` is not in the state dict: it is a buffer, too.",
        signs=_state_lacks("num_batches_tracked"),
    ),
    Misconception(
        "counter-is-not-whole",
        "`num_batches_tracked` counts: `torch.tensor(0)`, an int64 of shape (). A floating one is "
        "turned into half precision with the rest, and stops at 2048.",
        made(counter_dtype="float32"),
        signs=_counter_is_not_whole,
    ),
    Misconception(
        "graph-on-the-buffers",
        "After a training step gradients flow to your buffers, or not to your parameters. Buffers "
        "that are made from the batch hold on to its whole graph, step after step: use "
        "`mean.detach()`, or update under `torch.no_grad()`. What learns is an `nn.Parameter`.",
        signs=_differs(GRAPH, "requires_grad"),
    ),
    Misconception(
        "no-gradient-through-the-statistics",
        "Your gradient treats mean and variance as constants: they are under `no_grad` or detached "
        "where they *normalise*. Only what goes into the buffers is detached.",
        made(batch=_detached_statistics),
    ),
    Misconception(
        "trains-only-with-gradients",
        "Under `torch.no_grad()` your layer in training mode does not train. The mode is "
        "`self.training`, and nothing else.",
        made(training=lambda layer: layer.training and _by_gradients(layer)),
    ),
    Misconception(
        "counts-in-eval",
        "You count steps in evaluation mode, too.",
        made(counts_in_eval=True),
    ),
    Misconception(
        "mode-read-from-is-grad-enabled",
        "You go by whether gradients are recorded. The mode is `self.training`: one may train a "
        "layer's statistics without gradients, and take gradients in evaluation mode.",
        made(training=_by_gradients),
    ),
    Misconception(
        "eval-uses-the-batch",
        "In evaluation mode you normalise with the batch's statistics. There the running ones are "
        "used: each image is answered for alone.",
        made(running=lambda layer, mean, var: (mean, var)),
    ),
    Misconception(
        "eval-updates-the-statistics",
        "Your running statistics move in evaluation mode, too. They move in training only.",
        made(moves_in_eval=True),
        signs=lambda case, _answer, _expected: case.name == EVAL_KEPT,
    ),
    Misconception(
        "never-counts",
        "`num_batches_tracked` stays 0: each training step counts.",
        made(counts=False, share=lambda layer: 1.0 if layer.momentum is None else layer.momentum),
    ),
    Misconception(
        "stores-the-biased-variance",
        "You keep the biased variance. A batch is normalised with 1/m, but what goes into "
        "`running_var` is divided by m−1.",
        made(stored=lambda var, m: var),
    ),
    Misconception(
        "normalises-with-the-unbiased-variance",
        "You normalise with the variance by m−1. That one is for `running_var`; the batch itself "
        "is normalised with 1/m.",
        made(normaliser=lambda mean, var, m: (mean, _stored(var, m))),
    ),
    Misconception(
        "variances-swapped",
        "The two variances have changed places: 1/m normalises, 1/(m−1) is kept.",
        made(normaliser=lambda mean, var, m: (mean, _stored(var, m)), stored=lambda var, m: var),
    ),
    Misconception(
        "momentum-swapped",
        "Your momentum weighs the *old* value, as in Keras. In torch it weighs the new one.",
        made(share=lambda layer: _share(layer) if layer.momentum is None else 1 - layer.momentum),
    ),
    Misconception(
        "zero-taken-for-none",
        "`momentum=0` is a number: nothing moves. Ask `is None`, not whether it is true.",
        made(
            share=lambda layer: layer.momentum if layer.momentum else 1 / layer.num_batches_tracked
        ),
    ),
    Misconception(
        "none-taken-for-the-default",
        "`momentum=None` means the plain average of all batches: the new one weighs "
        "1/num_batches_tracked.",
        made(share=lambda layer: 0.1 if layer.momentum is None else layer.momentum),
    ),
    Misconception(
        "momentum-ignored",
        "You wrote 0.1 where `self.momentum` belongs.",
        made(share=lambda layer: 0.1),
    ),
    Misconception(
        "statistics-never-move",
        "Your running statistics stay at their start values in training.",
        made(share=_keeps_nothing),
    ),
    Misconception(
        "running-variance-starts-at-zero",
        "`running_var` starts at 1.",
        made(start={"running_var": 0.0}),
    ),
    Misconception(
        "each-pixel-has-its-own",
        "Your statistics run over axis 0 only. A channel has one mean and one variance, over the "
        "images and all positions: axes (0, 2, 3).",
        made(batch=_of_pixels, share=_keeps_nothing),
    ),
    Misconception(
        "each-image-has-its-own",
        "Your statistics run within each image: that is instance norm. Batch norm takes axes "
        "(0, 2, 3).",
        made(batch=_of_images, share=_keeps_nothing),
    ),
    Misconception(
        "eps-outside-the-root",
        "Your eps is added to the standard deviation. It belongs inside the root.",
        made(standardise=lambda x, mean, var, eps: (x - _wide(mean)) / (_wide(var).sqrt() + eps)),
    ),
    Misconception(
        "eps-ignored",
        "You wrote 1e-5 where `self.eps` belongs.",
        made(standardise=lambda x, mean, var, eps: _standardise(x, mean, var, 1e-5)),
    ),
    Misconception(
        "root-forgotten",
        "You divided by the variance. x_hat divides by its root.",
        made(standardise=lambda x, mean, var, eps: (x - _wide(mean)) / (_wide(var) + eps)),
    ),
    Misconception(
        "weight-and-bias-unused",
        "Your result is x_hat itself: multiply by `weight` and add `bias`, channel by channel.",
        made(affine=lambda layer, x_hat: x_hat + 0 * _wide(layer.bias)),
    ),
    Misconception(
        "weight-and-bias-unused-in-eval",
        "In evaluation mode you leave `weight` and `bias` out.",
        made(affine=lambda layer, x_hat: _affine(layer, x_hat) if layer.training else x_hat),
    ),
)
