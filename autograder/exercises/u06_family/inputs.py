"""Arrays with more than two axes, and the cases and wrong ideas that all norms of unit 6 share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.u02_forward.batches import (
    FAR,
    FAR32,
    OVERFLOW,
    is_off,
    looks_narrowed,
    looks_overflown,
)
from autograder.exercises.u02_forward.forward import FORWARD_FAR, FORWARD_TOLERANCES
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

UNIT = "u06_family"
GATE = "the example of the test cell"
DEFAULT_EPS = "eps left out (default 1e-5), variances about as small"
FORTRAN = "stored in Fortran order"  # part of the names of cases
USUAL_EPS = 1e-5
TOLERANCES = FORWARD_TOLERANCES  # sets of at most 64 values of order 10, std at least 0.5: the same
FAR_TOLERANCE = FORWARD_FAR["float32"]
NARROWEST = 0.5  # standard deviation of a set that shares statistics; 1 far from zero

Axes = tuple[int, ...]
Normalise = Callable[[np.ndarray, float], np.ndarray]
_RISE = 1.2  # how far the slices along an axis lie apart
_CLEAR = 0.5  # x_hat farther from zero keeps its sign, however the mean was rounded
_NEAR = 1e-4  # farther than float32 brings x_hat from the truth
_DIGITS = 1e-12  # of x_hat, after gamma and beta in float64


def values(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    axes: Axes,
    *,
    mean: float = 0.0,
    narrowest: float = NARROWEST,
) -> np.ndarray:
    """Draw an array whose slices differ in place along every axis, of order 10.

    So a mean over any other axes than the right ones is another number. Drawn again until every
    set over `axes` is wide enough to divide by.
    """
    while True:
        x = mean + rng.uniform(0.5, 1.5) + 1.5 * rng.normal(size=shape)
        for axis, length in enumerate(shape):
            places = rng.permutation(np.linspace(-_RISE, _RISE, length)) if length > 1 else 0.0
            x = x + np.reshape(places, [-1 if a == axis else 1 for a in range(len(shape))])
        if x.std(axis=axes).min() >= narrowest:
            return x


def special(
    rng: np.random.Generator, shape: tuple[int, ...], axes: Axes
) -> Iterator[tuple[str, np.ndarray]]:
    """Draw arrays in other dtypes and memory layouts, and a set that is constant."""
    yield "float32 in, float32 out", values(rng, shape, axes).astype(np.float32)
    yield FORTRAN, np.asfortranarray(values(rng, shape, axes))
    wide = np.repeat(values(rng, shape, axes), 2, axis=-1)
    wide[..., 1::2] = np.nan
    yield "a view: every other entry of a larger array", wide[..., ::2]
    constant = values(rng, shape, axes)
    index = tuple(slice(None) if axis in axes else 0 for axis in range(len(shape)))
    constant[index] = rng.uniform(1.0, 3.0)
    yield "values that share a variance of 0", constant


def far(rng: np.random.Generator, shape: tuple[int, ...], axes: Axes) -> tuple[str, np.ndarray]:
    """Draw a float32 array on which E[x²] − E[x]² fails."""
    x = values(rng, shape, axes, mean=FAR32, narrowest=1.0)
    return f"a float32 array {FAR} (mean 10 000)", x.astype(np.float32)


def half(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[str, np.ndarray]:
    """Draw a float16 array, at least one image deep, whose squares do not fit into float16.

    The standard deviation is about 150. Each channel of each sample holds a value 360 from zero.
    """
    z = rng.normal(size=shape)
    z[..., 0], z[..., -1] = 3.0, -3.0
    x = z * rng.uniform(120.0, 160.0) + rng.uniform(-30.0, 30.0)
    return f"a float16 array whose squares would {OVERFLOW}", x.astype(np.float16)


def has_other_default(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether only the case that leaves eps out went wrong."""
    return case.name == DEFAULT_EPS and is_off(case, answer, expected)


def x_hat_of(case: Case, y: np.ndarray) -> np.ndarray:
    """Take gamma and beta off again: for each channel, each entry of a sample, or not at all."""
    if "gamma" not in case.inputs:
        return y
    gamma, beta = (case.inputs[name].astype(np.float64) for name in ("gamma", "beta"))
    if gamma.ndim == 1:
        shape = [1] * y.ndim
        shape[case.inputs.get("channel_axis", 1)] = -1
        gamma, beta = gamma.reshape(shape), beta.reshape(shape)
    return np.asarray((y.astype(np.float64) - beta) / gamma)


def _both(case: Case, answer: Answer, expected: Answer) -> tuple[np.ndarray, np.ndarray]:
    label = case.report[-1]
    got, want = (np.asarray(a.values[label]) for a in (answer, expected))
    return x_hat_of(case, got), x_hat_of(case, want)


def changes_x(case: Case, answer: Answer) -> bool:
    """Whether `x` was worked on in place: what the dtype did to it is the second thing to say."""
    return not np.array_equal(np.asarray(answer.values["x"]), case.inputs["x"], equal_nan=True)


def overflows(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether a float16 case went wrong on the way, in an array of its own."""
    return looks_overflown(case, answer, expected) and not changes_x(case, answer)


def loses_the_variance(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether an array far from zero went wrong in its variance alone, as E[x²] − E[x]² does.

    Then what lies above its mean still does, or is lost. A mistake of another kind in this case,
    gamma along another axis say, changes signs.
    """
    if FAR not in case.name or changes_x(case, answer) or not is_off(case, answer, expected):
        return False
    got, want = _both(case, answer, expected)
    clear = np.isfinite(got) & (np.abs(want) > _CLEAR)
    return bool((np.sign(got) == np.sign(want))[clear].all())


def narrows(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether a float64 case was normalised in float32, before gamma and beta or with them."""
    if looks_narrowed(case, answer, expected):
        return True
    if case.inputs["x"].dtype != np.float64:
        return False
    got, want = _both(case, answer, expected)
    near = np.abs(got - want).max() < _NEAR
    return bool(near and np.abs(got - got.astype(np.float32)).max() < _DIGITS)


def follows_memory(case: Case, answer: Answer, expected: Answer) -> bool:
    """Whether an array in Fortran order went wrong."""
    return FORTRAN in case.name and is_off(case, answer, expected)


def over(axes: Callable[[int], Axes], *, ddof: int = 0) -> Normalise:
    """Build a way to normalise from the axes that share statistics, given the number of axes."""

    def normalise(x: np.ndarray, eps: float) -> np.ndarray:
        which = axes(x.ndim)
        wide = x.astype(np.float64)
        centered = wide - wide.mean(axis=which, keepdims=True)
        count = wide.size // centered.mean(axis=which).size
        var = np.square(centered).sum(axis=which, keepdims=True) / (count - ddof)
        return np.asarray(centered / np.sqrt(var + eps))

    return normalise


def ending(axes: Callable[[int], Axes]) -> dict[str, Normalise]:
    """Build the usual slips after the right axes: by the name of the misconception."""

    def parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        wide, which = x.astype(np.float64), axes(x.ndim)
        mean, var = wide.mean(axis=which, keepdims=True), wide.var(axis=which, keepdims=True)
        return wide, mean, var

    def eps_outside(x: np.ndarray, eps: float) -> np.ndarray:
        wide, mean, var = parts(x)
        return np.asarray((wide - mean) / (np.sqrt(var) + eps))

    def by_variance(x: np.ndarray, eps: float) -> np.ndarray:
        wide, mean, var = parts(x)
        return np.asarray((wide - mean) / (var + eps))

    def not_centred(x: np.ndarray, eps: float) -> np.ndarray:
        wide, _, var = parts(x)
        return np.asarray(wide / np.sqrt(var + eps))

    def root_mean_square(x: np.ndarray, eps: float) -> np.ndarray:
        wide, mean, var = parts(x)
        return np.asarray(wide / np.sqrt(var + mean**2 + eps))

    def uncentred_variance(x: np.ndarray, eps: float) -> np.ndarray:
        wide, mean, var = parts(x)
        return np.asarray((wide - mean) / np.sqrt(var + mean**2 + eps))

    return {
        "divides-by-m-minus-1": over(axes, ddof=1),
        "eps-outside-root": eps_outside,
        "eps-argument-ignored": lambda x, eps: over(axes)(x, USUAL_EPS),
        "eps-forgotten": lambda x, eps: over(axes)(x, 0.0),
        "divides-by-variance": by_variance,
        "mean-not-subtracted": not_centred,
        "root-mean-square": root_mean_square,
        "variance-without-mean": uncentred_variance,
    }


HELP = {
    "divides-by-m-minus-1": "Your variance divides by one less than the number of values. All "
    "norms of this family normalise with the biased one, 1/m.",
    "eps-outside-root": "eps stands outside the square root. It is added to the variance, before "
    "the root is taken.",
    "eps-argument-ignored": "You always use 1e-5, whatever `eps` is: hand the argument on.",
    "eps-forgotten": "eps is missing: values that are all equal are then divided by zero.",
    "divides-by-variance": "You divided by the variance; it takes its square root to bring the "
    "spread to 1.",
    "mean-not-subtracted": "You divided by the standard deviation, but the mean is still in.",
    "root-mean-square": "You divided by the root of the mean of x²: that is RMSNorm. Here the mean "
    "is subtracted first, from x and so from what is squared.",
    "variance-without-mean": "Your variance is the mean of x². It is the mean of (x − μ)²: take "
    "the mean away before you square, too.",
    "shifted-before-scaled": "You multiplied beta by gamma, too: gamma · (x_hat + beta). Scale "
    "first, then add beta.",
    "beta-on-the-last-axis": "gamma is where it belongs; beta went along the last axis, where "
    "broadcasting puts a vector. Reshape it as you did gamma.",
}

SIGNS = (
    Misconception(
        "mean-of-squares-minus-square-of-mean",
        "Right near zero, wrong far from it: is there an E[x²] − E[x]² in your variance? Subtract "
        "the mean first, then square (unit 2).",
        signs=loses_the_variance,
    ),
    Misconception(
        "computed-in-float16",
        "In the float16 case squares on the way did not fit: the largest float16 is 65 504. "
        "Compute in a wider type and return to the dtype of `x` at the end.",
        signs=overflows,
    ),
    Misconception(
        "narrowed-to-float32",
        "Right to about 7 digits, and a float64 array has 16: you computed in float32. Widen "
        "float16 and float32 on the way, but never make anything narrower than it came.",
        signs=narrows,
    ),
    Misconception(
        "other-default-eps",
        "Right when `eps` is given, wrong when it is left out: the default is 1e-5, as in PyTorch.",
        signs=has_other_default,
    ),
    Misconception(
        "memory-order",
        "Right, except for arrays in Fortran order: you go by how the numbers lie in memory "
        "(`order='A'`, `order='K'`, strides). Go by the axes: a plain `reshape` does.",
        signs=follows_memory,
    ),
)


def usual_slips(
    make: Callable[[Normalise], Callable[..., np.ndarray]], axes: Callable[[int], Axes]
) -> tuple[Misconception, ...]:
    """Return the slips after the right axes as misconceptions of one exercise.

    Parameters
    ----------
    make
        Builds the exercise's function from a way to normalise.
    axes
        The right axes, given the number of axes.
    """
    return tuple(Misconception(name, HELP[name], make(n)) for name, n in ending(axes).items())
