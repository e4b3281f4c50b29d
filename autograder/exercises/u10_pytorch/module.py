"""Exercise `MyBatchNorm2d`: one behaviour of the module a case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import (
    EXACT,
    FAR_HELP,
    UNIT,
    built,
    helpers,
    reference,
    spec,
    tensor,
)
from autograder.exercises.u10_pytorch.module_faults import (
    EVAL_KEPT,
    FROM_TORCH,
    GRADIENTS,
    GRAPH,
    HALF,
    INTO_TORCH,
    MISCONCEPTIONS,
    NO_GRAD,
    PLACES,
    TO_DOUBLE,
    TWIN,
)
from autograder.vocabulary import Case, Exercise, Tolerance
from autograder.worker.script import Script, call, get, method, snapshot

TOLERANCES = {
    "float64": Tolerance(1e-5, 1e-5, "a new layer has parameters in float32: 64 eps32 = 7.6e-6"),
    "float32": Tolerance(1e-4, 1e-4, "sums over 80 numbers of order 10: 80 eps32 * 10 = 1e-4"),
    "float16": Tolerance(8e-3, 8e-3, "input, numbers and output are rounded to float16: 8 eps16"),
}
FAR = Tolerance(0.0, 0.05, "64 values at 1e4: 64 (eps32 / 2) 1e4 = 0.038 of a std of at least 1")
HELPERS = (
    *("as_arrays", "gradients", "set_numbers", "numbers_of", "state_numbers", "state_dtypes"),
    *("what_learns", "into_torch", "out_of_torch", "without_gradients", "is_same", "places_of"),
)

NEW = call("MyBatchNorm2d", "num_features", into="layer")
NEW_WITH = call("MyBatchNorm2d", "num_features", into="layer", eps="eps", momentum="momentum")
FILL = call("set_numbers", "layer", "numbers")
LIVED: Script = (NEW_WITH, FILL)
EVAL = method("layer", "eval")
RUN: Script = (call("layer", "x", into="result"), call("as_arrays", "result", into="y"))
SLOPES: Script = (
    get("layer", "weight", into="weight"),
    get("layer", "bias", into="bias"),
    call("gradients", "result", "dy", "x", "weight", "bias", into=GRADIENTS),
)
BUFFERS = "buffers"
READ = call("numbers_of", "layer", into=BUFFERS)
STATE = call("state_numbers", "layer", into="state_dict()")
KEPT_AS = call("places_of", "layer", into=PLACES)
DTYPES = call("state_dtypes", "layer", into="dtypes of state_dict()")


def images(rng: np.random.Generator, n: int, c: int, *spatial: int) -> np.ndarray:
    """Draw images whose channels differ in place and width."""
    place, width = rng.uniform(1.0, 4.0, (2, c, 1, 1)) * [[[[1.0]]], [[[0.5]]]]
    return np.asarray(rng.normal(size=(n, c, *spatial)) * width + place)


class _Draw:
    """Sizes and numbers of one run, shared by the groups of cases below."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.c = rng, int(rng.integers(2, 5))
        self.options = {
            "num_features": self.c,
            "eps": float(rng.uniform(0.1, 0.3)),
            "momentum": float(rng.uniform(0.15, 0.35)),
        }

    def x(self, n: int = 4, dtype: str = "float64") -> np.ndarray:
        """Draw a batch for the layer."""
        return images(self.rng, n, self.c, 3, 2).astype(dtype)

    def numbers(self, dtype: str = "float64") -> dict[str, np.ndarray]:
        """Draw parameters and running statistics that are neither 0 nor 1."""
        rng, c = self.rng, self.c
        found = {
            "weight": rng.uniform(0.5, 2.0, c) * rng.choice([-1.0, 1.0], c),
            "bias": rng.uniform(1.0, 2.0, c),
            "running_mean": rng.uniform(-3.0, -1.0, c),
            "running_var": rng.uniform(2.0, 4.0, c),
        }
        return {name: value.astype(dtype) for name, value in found.items()}

    def lived(self, x: np.ndarray | None = None) -> dict[str, Any]:
        """Return the inputs of a layer in the middle of its life, with a batch for it."""
        batch = self.x() if x is None else x
        dy = tensor((self.rng.normal(size=batch.shape) + 0.5).astype(batch.dtype))
        numbers = self.numbers(batch.dtype.name)
        return {**self.options, "numbers": numbers, "x": tensor(batch, learns=True), "dy": dy}

    def three(self) -> dict[str, Any]:
        """Draw three batches of different sizes: small, so that m − 1 is seen."""
        sizes = self.rng.permutation([1, 2, 3])
        drawn = (images(self.rng, int(n), self.c, 2, 1) for n in sizes)
        return {f"x{k}": tensor(x.astype(np.float32)) for k, x in enumerate(drawn, start=1)}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `MyBatchNorm2d`."""
    draw = _Draw(rng)
    yield from _training_cases(draw)
    yield from _buffer_cases(draw)
    yield from _eval_cases(draw)
    yield from _framework_cases(draw)
    yield from _precision_cases(draw)


def _case(
    name: str, inputs: dict[str, Any], script: Script, report: tuple[str, ...], **options: Any
) -> Case:
    return Case(name, inputs | helpers(script, HELPERS), script, report, **options)


def _training_cases(draw: _Draw) -> Iterator[Case]:
    c = draw.c
    example = tensor(np.array([1.0, 3.0, 5.0, 7.0], np.float32).reshape(2, 1, 1, 2))
    yield _case(
        "training: the example of the test cell",
        {"num_features": 1, "x": example},
        (NEW, *RUN),
        ("y",),
        gate=True,
    )
    yield _case("training: the output", draw.lived(), (*LIVED, *RUN), ("y",), weight=2)
    slopes = (*LIVED, *RUN, *SLOPES)
    yield _case("training: the gradients", draw.lived(), slopes, (GRADIENTS,), weight=4)
    yield _case(
        NO_GRAD,
        draw.lived(),
        (*LIVED, call("without_gradients", "layer", "x", into="result"), RUN[1], READ),
        ("y", BUFFERS),
        weight=2,
    )
    yield _case(
        "training: one value per channel raises ValueError",
        {"num_features": c, "x": tensor(images(draw.rng, 1, c, 1, 1).astype(np.float32))},
        (NEW, call("layer", "x", into="answer to a batch of one", expect="ValueError")),
        ("answer to a batch of one",),
        dtype_of=None,
        idle=True,
    )
    yield _case(
        "the batch is left as it was",
        draw.lived(),
        (*LIVED, *RUN, *SLOPES, EVAL, *RUN, call("as_arrays", "x", into="x afterwards")),
        ("x afterwards",),
        tolerance=EXACT,
        idle=True,
    )


def _buffer_cases(draw: _Draw) -> Iterator[Case]:
    def steps(name: str, momentum: float | None, **options: Any) -> Case:
        inputs = {**draw.options, **draw.three(), "momentum": momentum}
        script = (NEW_WITH, *(call("layer", f"x{k}") for k in (1, 2, 3)), READ)
        return _case(name, inputs, script, (BUFFERS,), dtype_of=None, **options)

    momentum = draw.options["momentum"]
    yield steps("running statistics after three training steps", momentum, weight=3)
    yield steps("momentum=None: the plain average of all batches", None)
    yield steps("momentum=0: the running statistics stay", 0.0, idle=True, weight=0.5)
    yield _case(
        "training, evaluation, training: the steps in training count",
        {**draw.options, **draw.three()},
        (
            NEW_WITH,
            call("layer", "x1"),
            EVAL,
            call("layer", "x2"),
            method("layer", "train"),
            call("layer", "x3"),
            READ,
        ),
        (BUFFERS,),
        dtype_of=None,
    )
    yield _case(
        GRAPH,
        draw.lived(),
        (*LIVED, *RUN, call("what_learns", "layer", into="requires_grad")),
        ("requires_grad",),
        dtype_of=None,
        weight=2,
        idle=True,
    )


def _eval_cases(draw: _Draw) -> Iterator[Case]:
    evaluated = (*LIVED, EVAL, *RUN)
    yield _case("eval: by the running statistics", draw.lived(), evaluated, ("y",), weight=3)
    single = draw.lived(images(draw.rng, 1, draw.c, 1, 1))
    yield _case("eval: a single image of one pixel", single, evaluated, ("y",))
    yield _case("eval: the gradients", draw.lived(), (*evaluated, *SLOPES), (GRADIENTS,))
    yield _case(
        EVAL_KEPT,
        draw.lived(),
        (*evaluated, READ),
        (BUFFERS,),
        dtype_of=None,
        idle=True,
    )


def _framework_cases(draw: _Draw) -> Iterator[Case]:
    start = {"num_features": draw.c}
    yield _case(
        "a new layer: its state dict, and what learns",
        start,
        (NEW, STATE, DTYPES, call("what_learns", "layer", into="requires_grad"), KEPT_AS),
        ("state_dict()", "dtypes of state_dict()", "requires_grad", PLACES),
        dtype_of=None,
        idle=True,
    )
    into = call("into_torch", "layer", into="nn.BatchNorm2d")
    yield _case(
        INTO_TORCH,
        {**draw.options, **draw.three()},
        (NEW_WITH, call("layer", "x1"), call("layer", "x2"), into),
        ("nn.BatchNorm2d",),
        dtype_of=None,
        weight=2,
    )
    state = {**draw.numbers("float32"), "num_batches_tracked": np.array(7)}
    theirs = built(spec("BatchNorm2d", options=start, state=state))
    yield _case(
        FROM_TORCH,
        {**draw.lived(draw.x(dtype="float32")), "theirs": theirs},
        (NEW_WITH, call("out_of_torch", "layer", "theirs"), READ, EVAL, *RUN),
        (BUFFERS, "y"),
        dtype_of=None,
        weight=2,
    )
    yield _case(
        TWIN,
        {**draw.options, **draw.three(), "x": tensor(draw.x(dtype="float32"), learns=True)},
        (
            NEW_WITH,
            call("layer", "x"),
            snapshot("layer", into="twin"),
            call("twin", "x1"),
            READ,
            call("numbers_of", "twin", into="buffers of the copy"),
        ),
        (BUFFERS, "buffers of the copy"),
        dtype_of=None,
    )
    yield _case(
        TO_DOUBLE,
        {**draw.options, **draw.three()},
        (NEW_WITH, call("layer", "x1"), method("layer", "double"), DTYPES),
        ("dtypes of state_dict()",),
        dtype_of=None,
        idle=True,
    )
    yield _case(
        "two layers share nothing",
        {**draw.options, **draw.three()},
        (
            call("MyBatchNorm2d", "num_features", into="other"),
            call("MyBatchNorm2d", "num_features", into="layer"),
            call("other", "x1"),
            READ,
        ),
        (BUFFERS,),
        dtype_of=None,
        idle=True,
        help="Another layer was trained, and this one changed: buffers are made in `__init__`.",
    )


def _precision_cases(draw: _Draw) -> Iterator[Case]:
    single = draw.lived(draw.x(8, "float32"))
    slopes = (*LIVED, *RUN, *SLOPES)
    yield _case("float32 in, float32 out", single, slopes, ("y", GRADIENTS), weight=0.5)
    far = images(draw.rng, 4, draw.c, 4, 4) + 1e4
    inputs = draw.lived(far.astype(np.float32))
    yield _case(
        "float32 far from zero (mean 10 000)",
        inputs,
        (*LIVED, *RUN),
        ("y",),
        tolerance=FAR,
        help=FAR_HELP,
    )
    # the same rounded numbers for the oracle: float16 holds them exactly
    half = draw.lived((300 * draw.x(4)).astype(np.float16))
    yield _case(
        HALF,
        half,
        (*LIVED, *RUN),
        ("y",),
        help="float16 ends at 65 504: take statistics of float16 and bfloat16 in float32 "
        "(`x.float()`), and give the result the dtype of x.",
    )


MODULE = Exercise(
    unit=UNIT,
    name="MyBatchNorm2d",
    points=9,
    minutes=30,
    oracle=reference("MyBatchNorm2d"),
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Start with `__init__` and the training half of `forward`, and check: that alone earns "
        "points. `nn.Parameter` for what learns, `self.register_buffer(name, tensor)` for what "
        "does not and yet belongs to the layer.",
        "`forward` chooses mean and variance by `self.training`, then normalises in the same lines "
        "for both modes. The batch's statistics stay in the graph where they normalise; into the "
        "buffers go `mean.detach()` and the unbiased `var.detach() * m / (m − 1)`.",
        "In training: refuse m = 1 with a `ValueError`; `var, mean = torch.var_mean(x, (0, 2, 3), "
        "correction=0)`; `with torch.no_grad():` `self.num_batches_tracked += 1`, the share of "
        "the new is `1 / self.num_batches_tracked` if `self.momentum is None`, else "
        "`self.momentum`; `self.running_mean += share * (mean − self.running_mean)`, and so on. "
        "For half precision begin with `x.float()`, end with `.to(x.dtype)`.",
    ),
)
