"""BatchNorm1d: one behaviour of the layer a case, most of them worth the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u03_modes.layer_help import (
    ARRAYS,
    FAR_CASE,
    HALF_CASE,
    LOAD_COPY_CASE,
    MISCONCEPTIONS,
    SNAPSHOT_CASE,
)
from autograder.exercises.u03_modes.statistics import UNIT
from autograder.vocabulary import Case, Exercise, Tolerance
from autograder.worker.script import Given, Script, Step, call, get, method, put

TOLERANCES = {
    "float64": Tolerance(
        1e-5, 1e-5, "parameters and buffers may be float32, as torch's: 64 eps32 = 7.6e-6"
    ),
    "float32": Tolerance(1e-4, 1e-4, "64 rows of order 10: 64 eps32 * 10 = 7.6e-5"),
    "float16": Tolerance(4e-3, 4e-3, "reduced in float32, rounded once to float16: eps16 = 1e-3"),
}
# Added one by one in float32, a mean near 1e4 of 64 rows may be off by 64 (eps32 / 2) 1e4 = 0.038,
# and the standard deviation is at least 1.
FAR = Tolerance(0.0, 0.05, "64 rows at 1e4: 64 (eps32 / 2) 1e4 = 0.038 of a std of at least 1")

BUFFERS = ("running_mean", "running_var")
NEW = call("BatchNorm1d", "num_features", into="layer")
NEW_WITH = call("BatchNorm1d", "num_features", into="layer", eps="eps", momentum="momentum")
PARAMETERS_SET = tuple(put("layer", name, name) for name in ("weight", "bias"))
BUFFERS_SET = tuple(put("layer", name, name) for name in BUFFERS)
EVAL = method("layer", "eval")
RUN = call("layer", "x", into="y")
READ_BUFFERS = tuple(get("layer", name, into=name) for name in BUFFERS)
READ_COUNT = (
    get("layer", "num_batches_tracked", into="counter"),
    call("as_number", "counter", into="num_batches_tracked"),
)
ALL_BUFFERS = (*BUFFERS, "num_batches_tracked")
STEP_IN_PLACE = tuple(
    step
    for name in ARRAYS
    for step in (get("layer", name, into=f"own_{name}"), call("in_place_step", f"own_{name}"))
)
THREE_STEPS = tuple(call("layer", f"x{k}") for k in (1, 2, 3))


def batch(rng: np.random.Generator, n: int, c: int, dtype: str = "float64") -> np.ndarray:
    """Draw a batch whose features differ in place and width."""
    z = rng.normal(size=(n, c))
    z[:2] = [[1.5], [-1.5]]
    return (z * rng.uniform(0.7, 2.0, c) + rng.uniform(1.0, 4.0, c)).astype(dtype)


def state_of(rng: np.random.Generator, c: int) -> dict[str, Any]:
    """Draw parameters and buffers that are neither 0 nor 1."""
    return {
        "weight": rng.uniform(0.5, 2.0, c) * rng.choice([-1.0, 1.0], c),
        "bias": rng.uniform(1.0, 2.0, c),
        "running_mean": rng.uniform(-3.0, -1.0, c),
        "running_var": rng.uniform(2.0, 4.0, c),
    }


class _Draw:
    """Sizes and numbers of one run, shared by the groups of cases below."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.n, self.c = int(rng.integers(5, 9)), int(rng.integers(2, 5))
        self.options = {
            "num_features": self.c,
            "eps": float(rng.uniform(0.1, 0.3)),
            "momentum": float(rng.uniform(0.15, 0.35)),
        }

    def batch(self, n: int | None = None, dtype: str = "float64") -> np.ndarray:
        """Draw a batch for the layer."""
        return batch(self.rng, self.n if n is None else n, self.c, dtype)

    def three(self) -> dict[str, np.ndarray]:
        """Draw three small batches of different sizes: small, so that m − 1 is seen."""
        sizes = self.rng.permutation([2, 3, 5])
        return {f"x{k}": self.batch(int(n)) for k, n in enumerate(sizes, start=1)}


def layer_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `BatchNorm1d`."""
    draw = _Draw(rng)
    yield from _training_cases(draw)
    yield from _buffer_cases(draw)
    yield from _eval_cases(draw)
    yield from _state_cases(draw)


def _case(
    name: str, inputs: dict[str, Any], script: Script, report: tuple[str, ...], **options: Any
) -> Case:
    helpers = {
        target: Given(target)
        for target in {step.target for step in script}
        if target in ("as_number", "in_place_step", "is_same")
    }
    if "x" in inputs and "unchanged" not in options:
        options["unchanged"] = ("x",)
    return Case(name, inputs | helpers, script, report, **options)


def _training_cases(draw: _Draw) -> Iterator[Case]:
    rng, c = draw.rng, draw.c

    def plain(name: str, x: np.ndarray, **options: Any) -> Case:
        inputs = {"num_features": x.shape[1], "x": x}
        return _case(name, inputs, (NEW, RUN), ("y",), **options)

    example = np.array([[1.0, 10.0], [3.0, 30.0]])
    yield plain("training: the example of the test cell", example, gate=True, weight=2)
    yield _case(
        "training: a random batch; weight, bias and eps are used",
        draw.options | state_of(rng, c) | {"x": draw.batch()},
        (NEW_WITH, *PARAMETERS_SET, RUN),
        ("y",),
        weight=2,
    )
    constant = draw.batch()
    constant[:, int(rng.integers(c))] = 3.0
    yield plain("training: a constant feature", constant, weight=0.5)
    yield plain("training: a batch of two", draw.batch(2), weight=0.5)
    views = (np.asfortranarray(draw.batch()), draw.batch(2 * draw.n)[::2])
    view = views[int(rng.integers(2))]
    yield plain("training: a batch in another memory layout", view, weight=0.5)
    yield plain("training: float32 in, float32 out", draw.batch(64, "float32"), weight=0.5)
    far = batch(rng, 64, 4) + 1e4
    yield plain(FAR_CASE, far.astype("float32"), tolerance=FAR)
    large = batch(rng, 16, 3) * rng.uniform(300.0, 400.0)
    yield plain(HALF_CASE, large.astype("float16"))
    yield _case(
        "training: one value per channel raises ValueError",
        {"num_features": c, "x": draw.batch(2)[:1]},
        (NEW, call("layer", "x", into="answer to a batch of one", expect="ValueError")),
        ("answer to a batch of one",),
        idle=True,
    )


def _buffer_cases(draw: _Draw) -> Iterator[Case]:
    c = draw.c
    settings = ("eps", "momentum", "training")
    yield _case(
        "a new layer: parameters, buffers, mode and options at their start values",
        {"num_features": c},
        (
            NEW,
            *(get("layer", name, into=name) for name in (*ARRAYS, *settings)),
            *READ_COUNT,
        ),
        (*ARRAYS, "num_batches_tracked", *settings),
        dtype_of=None,
        idle=True,
    )

    def steps(name: str, momentum: float | None, report: tuple[str, ...], weight: float) -> Case:
        inputs = draw.options | draw.three() | {"momentum": momentum}
        script = (NEW_WITH, *THREE_STEPS, *READ_BUFFERS)
        stays = momentum == 0.0
        return _case(name, inputs, script, report, dtype_of=None, weight=weight, idle=stays)

    momentum = draw.options["momentum"]
    yield steps("running_mean after three training steps", momentum, ("running_mean",), 2)
    yield steps("running_var after three training steps (unbiased)", momentum, ("running_var",), 2)
    yield steps("momentum=None: the plain average of all batches", None, BUFFERS, 1)
    yield steps("momentum=0: the running statistics stay as they are", 0.0, BUFFERS, 1)
    yield _case(
        "training, evaluation, training again: the steps in training count",
        draw.options | draw.three(),
        (
            NEW_WITH,
            call("layer", "x1"),
            EVAL,
            call("layer", "x2"),
            method("layer", "train"),
            call("layer", "x3"),
            *READ_COUNT,
        ),
        ("num_batches_tracked",),
        dtype_of=None,
        idle=True,
    )
    yield _case(
        "two layers share nothing",
        draw.options | draw.three(),
        (
            call("BatchNorm1d", "num_features", into="other"),
            call("BatchNorm1d", "num_features", into="layer"),
            call("other", "x1"),
            *READ_BUFFERS,
            *READ_COUNT,
        ),
        ALL_BUFFERS,
        dtype_of=None,
        idle=True,
        help="Another layer was trained, and this one changed: each layer needs arrays of its own, "
        "made in `__init__`.",
    )


def _eval_cases(draw: _Draw) -> Iterator[Case]:
    rng, c = draw.rng, draw.c
    setting = (NEW_WITH, *PARAMETERS_SET, *BUFFERS_SET, EVAL)

    def inputs(x: np.ndarray) -> dict[str, Any]:
        return draw.options | state_of(rng, c) | {"x": x}

    yield _case(
        "eval: normalised with the running statistics",
        inputs(draw.batch()),
        (*setting, RUN),
        ("y",),
        weight=4,
    )
    yield _case(
        "eval: a single row is classified alone",
        inputs(draw.batch(2)[:1]),
        (*setting, RUN),
        ("y",),
        weight=3,
    )
    yield _case(
        "eval: float32 in, float32 out",
        inputs(draw.batch(dtype="float32")),
        (*setting, RUN),
        ("y",),
        weight=0.5,
    )
    yield _case(
        "eval: nothing is updated",
        inputs(draw.batch()),
        (*setting, RUN, *READ_BUFFERS, *READ_COUNT),
        ALL_BUFFERS,
        dtype_of=None,
        weight=2,
        idle=True,
    )
    answers = ("eval() returns the layer", "train() returns the layer")
    modes = ("training after eval()", "training after train()", "training after train(False)")
    yield _case(
        "train() and eval() switch the mode and return the layer",
        {"num_features": c, "false": False},
        (
            NEW,
            *_switched(method("layer", "eval", into="answer"), answers[0], modes[0]),
            *_switched(method("layer", "train", into="answer"), answers[1], modes[1]),
            method("layer", "train", "false"),
            get("layer", "training", into=modes[2]),
        ),
        (*modes, *answers),
        dtype_of=None,
        idle=True,
    )


def _switched(switch: Step, answer: str, mode: str) -> Script:
    same = call("is_same", "answer", "layer", into=answer)
    return (switch, same, get("layer", "training", into=mode))


def _state_cases(draw: _Draw) -> Iterator[Case]:
    rng, c = draw.rng, draw.c
    state = state_of(rng, c) | {"num_batches_tracked": int(rng.integers(3, 9))}
    yield _case(
        "state_dict() has the five keys and their values",
        draw.options | state_of(rng, c) | draw.three(),
        (NEW_WITH, *PARAMETERS_SET, *THREE_STEPS, method("layer", "state_dict", into="state")),
        ("state",),
        dtype_of=None,
    )
    yield _case(
        SNAPSHOT_CASE,
        draw.options | draw.three(),
        (
            NEW_WITH,
            call("layer", "x1"),
            method("layer", "state_dict", into="state"),
            call("layer", "x2"),
            *STEP_IN_PLACE,
        ),
        ("state",),
        dtype_of=None,
    )
    loading = (NEW_WITH, method("layer", "load_state_dict", "state"))
    read = tuple(get("layer", name, into=name) for name in ARRAYS)
    yield _case(
        "load_state_dict() brings parameters, buffers and counter back",
        draw.options | {"state": state},
        (*loading, *read, *READ_COUNT),
        (*ARRAYS, "num_batches_tracked"),
        dtype_of=None,
        idle=True,
        help="All five come back: weight, bias, both running statistics and the counter.",
    )
    yield _case(
        LOAD_COPY_CASE,
        draw.options | {"state": state, "x1": draw.batch()},
        (*loading, call("layer", "x1"), *STEP_IN_PLACE),
        ("state",),
        dtype_of=None,
        idle=True,
    )


BATCH_NORM_1D = Exercise(
    unit=UNIT,
    name="BatchNorm1d",
    points=12,
    minutes=30,
    oracle=bnlib.BatchNorm1d,
    cases=layer_cases,
    tolerances=TOLERANCES,
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Start with `__init__` and the training half of `__call__`, and check: that alone earns "
        "points. Then `train` and `eval`, the evaluation half, the buffers, the state dict last.",
        "In `__call__`: choose mean and variance by `self.training`; normalise, scale and shift "
        "are the same two lines for both modes. Only the training half counts the step and updates "
        "the buffers, with your `update_running` and `bessel`.",
        "Training half, in order: refuse fewer than two rows; mean and biased variance over axis "
        "0, in float64; count the step; the weight of the new batch is 1 over the count if "
        "`self.momentum is None`, else `self.momentum`; update both buffers. Last line of "
        "`__call__`: give the result the dtype of `x`. In `state_dict` and `load_state_dict` copy "
        "every array with `np.array(...)`.",
    ),
)
