"""`group_norm`: some channels of a sample together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bnlib
from autograder.exercises.u02_forward.batches import parameters
from autograder.exercises.u06_family.inputs import (
    DEFAULT_EPS,
    FAR_TOLERANCE,
    GATE,
    HELP,
    SIGNS,
    TOLERANCES,
    UNIT,
    USUAL_EPS,
    Axes,
    Normalise,
    ending,
    far,
    half,
    over,
    special,
    values,
)
from autograder.vocabulary import Case, Exercise, Misconception
from autograder.worker.script import call

ARGUMENTS = ("x", "num_groups", "gamma", "beta")
SCRIPT = (call("group_norm", *ARGUMENTS, "eps", into="y"),)
NO_EPS_SCRIPT = (call("group_norm", *ARGUMENTS, into="y"),)
ONE = "one group for all channels"
EACH = "a group for each channel"
ARRAYS = ("x", "gamma", "beta")
# Per sample channels 0, 1 have mean 3 and variance 2, channels 2, 3 mean 10 and variance 14; with
# eps = 2 the roots are 2 and 4. The second sample is the first one in another place.
_FIRST = np.array([[1.0, 3.0], [3.0, 5.0], [4.0, 10.0], [12.0, 14.0]])
EXAMPLE = {
    "x": np.stack([_FIRST, _FIRST + 100.0]),
    "num_groups": 2,
    "gamma": np.array([10.0, 2.0, 2.0, 4.0]),
    "beta": np.array([1.0, 0.0, -1.0, 0.0]),
    "eps": 2.0,
}


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Behaviours of `group_norm`."""

    def case(name: str, x: np.ndarray, groups: int, eps: float = 1e-5, **options: Any) -> Case:
        gamma, beta = parameters(rng, x.shape[1], x.dtype)
        inputs = {"x": x, "num_groups": groups, "gamma": gamma, "beta": beta, "eps": eps}
        return Case(name, inputs, SCRIPT, ("y",), ARRAYS, **options)

    def array(*shape: int, groups: int) -> np.ndarray:
        return grouped(rng, shape, groups)

    n = int(rng.integers(2, 4))
    yield Case(GATE, EXAMPLE, SCRIPT, ("y",), gate=True)
    yield case("6 channels in 2 groups", array(n, 6, 3, 4, groups=2), 2, weight=3)
    yield case("6 channels in 3 groups", array(n, 6, 3, 4, groups=3), 3, weight=2)
    yield case("8 channels in 4 groups", array(n, 8, 2, 3, groups=4), 4)
    yield case(ONE, array(n, 4, 3, 4, groups=1), 1)
    yield case(EACH, array(n, 4, 3, 4, groups=4), 4)
    yield case("sequences (N, C, L)", array(n, 6, 5, groups=2), 2)
    yield case("features (N, C), no positions", array(5, 12, groups=3), 3)
    yield case("as many groups as channels in one", array(n, 9, 3, 2, groups=3), 3)
    yield case("as many channels as columns", array(n, 6, 2, 6, groups=3), 3, weight=2)
    yield case("a single image", array(1, 6, 3, 4, groups=2), 2)
    yield case("a large eps", array(n, 6, 3, 4, groups=2), 2, float(rng.uniform(0.5, 2)), weight=2)
    small = case(DEFAULT_EPS, 1e-3 * array(n, 6, 3, 4, groups=2), 2)
    inputs = {name: small.inputs[name] for name in ARGUMENTS}
    yield Case(DEFAULT_EPS, inputs, NO_EPS_SCRIPT, ("y",), ARRAYS)
    for name, x in special(rng, (n, 6, 3, 4), (2, 3)):
        yield case(name, x, 3)
    name, x = far(rng, (n, 6, 5, 4), (2, 3))
    yield case(name, x, 2, tolerance=FAR_TOLERANCE, weight=2)
    name, x = half(rng, (n, 6, 8))
    yield case(name, x, 3)


def grouped(rng: np.random.Generator, shape: tuple[int, ...], groups: int) -> np.ndarray:
    """Draw an array whose groups are wide enough to divide by, and clearly differ."""
    split = (shape[0], groups, shape[1] // groups, *shape[2:])
    return values(rng, split, tuple(range(2, len(split)))).reshape(shape)


# --- what a wrong idea answers --------------------------------------------------------------------

Function = Callable[..., np.ndarray]
Cut = Callable[[np.ndarray, int], np.ndarray]


def _contiguous(x: np.ndarray, groups: int) -> np.ndarray:
    return x.reshape(x.shape[0], groups, -1, *x.shape[2:])


def _apart(v: np.ndarray, ndim: int) -> np.ndarray:
    return np.asarray(v.reshape(-1, *[1] * (ndim - 2)))


def from_groups(
    axes: Callable[[int], Axes] = lambda ndim: tuple(range(2, ndim)),
    *,
    normalise: Normalise | None = None,
    groups_of: Callable[[np.ndarray, int], int] = lambda x, groups: groups,
    affine: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Function:
    """Build `group_norm` from what is done to x in the shape (N, G, C/G, *spatial)."""

    def group_norm(
        x: np.ndarray,
        num_groups: int,
        gamma: np.ndarray,
        beta: np.ndarray,
        eps: float = USUAL_EPS,
    ) -> np.ndarray:
        split = _contiguous(x, groups_of(x, num_groups))
        x_hat = (normalise or over(axes))(split, eps).reshape(x.shape)
        if affine is not None:
            return affine(x_hat, gamma, beta).astype(x.dtype)
        return np.asarray((_apart(gamma, x.ndim) * x_hat + _apart(beta, x.ndim)).astype(x.dtype))

    return group_norm


def interleaved(
    x: np.ndarray, num_groups: int, gamma: np.ndarray, beta: np.ndarray, eps: float = USUAL_EPS
) -> np.ndarray:
    """Put channels 0, G, 2G, … into one group."""
    split = x.reshape(x.shape[0], -1, num_groups, *x.shape[2:])
    axes = tuple(axis for axis in range(1, split.ndim) if axis != 2)
    x_hat = over(lambda ndim: axes)(split, eps).reshape(x.shape)
    return np.asarray((_apart(gamma, x.ndim) * x_hat + _apart(beta, x.ndim)).astype(x.dtype))


def affine_first(
    x: np.ndarray, num_groups: int, gamma: np.ndarray, beta: np.ndarray, eps: float = USUAL_EPS
) -> np.ndarray:
    """Scale and shift before normalising."""
    scaled = _apart(gamma, x.ndim) * x.astype(np.float64) + _apart(beta, x.ndim)
    x_hat = over(lambda ndim: tuple(range(2, ndim)))(_contiguous(scaled, num_groups), eps)
    return np.asarray(x_hat.reshape(x.shape).astype(x.dtype))


def one_gamma_a_group(
    x: np.ndarray, num_groups: int, gamma: np.ndarray, beta: np.ndarray, eps: float = USUAL_EPS
) -> np.ndarray:
    """Scale and shift each group by one number: the first entries of gamma and beta."""
    first = [np.repeat(v[:num_groups], x.shape[1] // num_groups) for v in (gamma, beta)]
    return np.asarray(from_groups()(x, num_groups, *first, eps))


GROUP_NORM = Exercise(
    unit=UNIT,
    name="group_norm",
    points=4,
    minutes=12,
    oracle=bnlib.group_norm,
    cases=cases,
    tolerances=TOLERANCES,
    misconceptions=(
        *SIGNS,
        Misconception(
            "groups-interleaved",
            "Your groups take every G-th channel, like cards that are dealt out. A group is "
            "channels that follow one another: reshape to (N, G, C/G, …), the groups first.",
            interleaved,
        ),
        Misconception(
            "positions-on-their-own",
            "You averaged over the channels of a group at each position separately. All positions "
            "of the group belong to it: every axis from 2 on.",
            from_groups(lambda ndim: (2,)),
        ),
        Misconception(
            "channels-on-their-own",
            "Each channel has a mean of its own in your code: that is instance norm. The channels "
            "of a group share one.",
            from_groups(lambda ndim: tuple(range(3, ndim)) or (2,)),
        ),
        Misconception(
            "groups-ignored",
            "All channels of a sample share one mean in your code: that is layer norm. Each group "
            "has its own.",
            from_groups(lambda ndim: tuple(range(1, ndim))),
        ),
        Misconception(
            "batch-included",
            "You averaged over the batch, too. Group norm looks at one sample at a time.",
            from_groups(lambda ndim: (0, *range(2, ndim))),
        ),
        Misconception(
            "number-read-as-size",
            "You made groups of `num_groups` channels. It is the number of groups: C/G channels "
            "are in each.",
            from_groups(groups_of=lambda x, groups: x.shape[1] // groups),
        ),
        *(
            Misconception(name, HELP[name], from_groups(normalise=normalise))
            for name, normalise in ending(lambda ndim: tuple(range(2, ndim))).items()
        ),
        Misconception(
            "gamma-on-the-last-axis",
            "Your groups are right, and gamma and beta went along the last axis: that is where "
            "broadcasting puts a vector. Reshape them to (C, 1, …, 1).",
            from_groups(affine=lambda x, g, b: np.asarray(g * x + b)),
        ),
        Misconception(
            "gamma-per-group",
            "You scaled and shifted each group as a whole, by one entry of gamma and beta. Every "
            "channel has its own: go back to the shape of `x` first.",
            one_gamma_a_group,
        ),
        Misconception(
            "beta-on-the-last-axis",
            HELP["beta-on-the-last-axis"],
            from_groups(affine=lambda x, g, b: _apart(g, x.ndim) * x + b),
        ),
        Misconception(
            "shifted-before-scaled",
            HELP["shifted-before-scaled"],
            from_groups(affine=lambda x, g, b: _apart(g, x.ndim) * (x + _apart(b, x.ndim))),
        ),
        Misconception(
            "gamma-forgotten",
            "`gamma` is missing: after normalising, each channel is multiplied by its own scale.",
            from_groups(affine=lambda x, g, b: x + _apart(b, x.ndim)),
        ),
        Misconception(
            "beta-forgotten",
            "`beta` is missing: at the end each channel is shifted by its own beta.",
            from_groups(affine=lambda x, g, b: x * _apart(g, x.ndim)),
        ),
        Misconception(
            "gamma-and-beta-forgotten",
            "You returned x_hat: scale it by `gamma` and shift it by `beta`.",
            from_groups(affine=lambda x, g, b: x),
        ),
        Misconception(
            "affine-before-normalising",
            "You scaled and shifted first: normalising takes most of that out again. It comes "
            "after.",
            affine_first,
        ),
    ),
    hints=(
        "Make the groups an axis of their own, and you know the rest: it is layer norm, group by "
        "group.",
        "`x.reshape(N, num_groups, C // num_groups, *x.shape[2:])`: over which axes of that do you "
        "average? Reshape back before gamma and beta, which belong to channels.",
        "Mean and variance of the reshaped array over all axes from 2 on, with `keepdims=True`; "
        "normalise; reshape to `x.shape`; then `gamma.reshape(-1, 1, 1)` for images, as many ones "
        "as there are positions' axes: `[-1] + [1] * (x.ndim - 2)`.",
    ),
)
