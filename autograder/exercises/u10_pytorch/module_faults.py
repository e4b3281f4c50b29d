"""Wrong ideas about `MyBatchNorm2d`: one part of a right sketch is exchanged in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.module_sketch import (
    made,
    of_batch,
    scaled_and_shifted,
    share_of_the_new,
    standardised,
    unbiased,
    wide_as_images,
)
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

NO_GRAD = "training: under torch.no_grad() it is training as well"
GRAPH = "no graph hangs on the buffers after a step"
INTO_TORCH = "its state dict loads into nn.BatchNorm2d"
FROM_TORCH = "a state dict of nn.BatchNorm2d loads into it"
TWIN = "a deep copy in the middle of training goes on by itself"
TO_DOUBLE = "double() takes the buffers along, and leaves the counter whole"

HALF = "half precision: large values, squares beyond float16"
GRADIENTS = "(dx, dweight, dbias)"
PLACES = "where it is kept"
EVAL_KEPT = "eval: nothing is updated"


def _detached_statistics(x: Any) -> tuple[Any, Any]:
    mean, var = of_batch(x)
    return mean.detach(), var.detach()


def _by_gradients(layer: Any) -> bool:
    import torch

    return torch.is_grad_enabled()


def _detached_variance(x: Any) -> tuple[Any, Any]:
    mean, var = of_batch(x)
    return mean, var.detach()


def _share_of_the_next(layer: Any) -> Any:
    """Weigh as if the present batch had not been counted yet."""
    return 1 / (layer.num_batches_tracked + 1) if layer.momentum is None else layer.momentum


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


def _no_gradient_by_a_parameter(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values[GRADIENTS]
    return got[0] is not None and any(slope is None for slope in got[1:])


def _statistic_is_a_parameter(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values[PLACES]
    return "a parameter" in [got[name] for name in got if name not in ("weight", "bias")]


def _counter_is_not_whole(_: Case, answer: Answer, expected: Answer) -> bool:
    for place in ("buffers", "state_dict()", "nn.BatchNorm2d"):
        if place in answer.values:
            held: Any = answer.values[place]
            if isinstance(held.get("num_batches_tracked"), np.ndarray):
                return True  # a tensor of shape () arrives as a number
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
        "statistic-is-a-parameter",
        "Your running statistics are parameters: `model.parameters()` hands them to the optimiser, "
        "and to everybody who counts, thaws or clips parameters. What does not learn is a buffer.",
        signs=_statistic_is_a_parameter,
    ),
    Misconception(
        "weight-or-bias-does-not-learn",
        "No gradient flows to `weight` or `bias`. What learns is an `nn.Parameter`, and the output "
        "is made with it.",
        signs=_no_gradient_by_a_parameter,
    ),
    Misconception(
        "no-gradient-through-the-variance",
        "Your gradient lacks the path through the variance: it is detached where it *normalises*. "
        "Only what goes into the buffers is detached.",
        made(batch=_detached_variance),
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
        "mode-ignored",
        "After `eval()` your layer goes on as in training. Ask for `self.training`: in "
        "evaluation mode it normalises with the buffers, and changes nothing.",
        made(training=lambda layer: True),
    ),
    Misconception(
        "training-by-the-running-statistics",
        "In training mode, too, you normalise with the running statistics. A training batch is "
        "normalised with its own.",
        made(training=lambda layer: False, moves_in_eval=True, counts_in_eval=True),
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
        made(normaliser=lambda mean, var, m: (mean, unbiased(var, m))),
    ),
    Misconception(
        "variances-swapped",
        "The two variances have changed places: 1/m normalises, 1/(m−1) is kept.",
        made(normaliser=lambda mean, var, m: (mean, unbiased(var, m)), stored=lambda var, m: var),
    ),
    Misconception(
        "momentum-swapped",
        "Your momentum weighs the *old* value, as in Keras. In torch it weighs the new one.",
        made(
            share=lambda layer: (
                share_of_the_new(layer) if layer.momentum is None else 1 - layer.momentum
            )
        ),
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
        "average-counts-one-too-many",
        "`momentum=None`: the first batch weighs 1, the second 1/2. Yours weigh 1/2 and 1/3: once "
        "it is raised, `num_batches_tracked` counts the present batch already.",
        made(share=_share_of_the_next),
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
        made(
            standardise=lambda x, mean, var, eps: (
                (x - wide_as_images(mean)) / (wide_as_images(var).sqrt() + eps)
            )
        ),
    ),
    Misconception(
        "eps-ignored",
        "You wrote 1e-5 where `self.eps` belongs.",
        made(standardise=lambda x, mean, var, eps: standardised(x, mean, var, 1e-5)),
    ),
    Misconception(
        "root-forgotten",
        "You divided by the variance. x_hat divides by its root.",
        made(
            standardise=lambda x, mean, var, eps: (
                (x - wide_as_images(mean)) / (wide_as_images(var) + eps)
            )
        ),
    ),
    Misconception(
        "weight-and-bias-unused",
        "Your result is x_hat itself: multiply by `weight` and add `bias`, channel by channel.",
        made(affine=lambda layer, x_hat: x_hat + 0 * wide_as_images(layer.bias)),
    ),
    Misconception(
        "weight-and-bias-unused-in-eval",
        "In evaluation mode you leave `weight` and `bias` out.",
        made(
            affine=lambda layer, x_hat: (
                scaled_and_shifted(layer, x_hat) if layer.training else x_hat
            )
        ),
    ),
)
