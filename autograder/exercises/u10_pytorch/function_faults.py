"""Wrong ideas about `BatchNormFunction`, each a function of torch with one part exchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.exercises.u10_pytorch.building import Lazy
from autograder.vocabulary import Case, Misconception
from autograder.worker.interpreter import Answer

NODE = "the result is a node of the graph of its own kind"
KEPT = "the arguments are left as they were"
GRADIENTS = "(dx, dgamma, dbeta)"
LATE = "x is changed before the backward pass: an error, or right gradients"

Axes = tuple[int, ...]
Slopes = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Parts:
    """What the forward pass has worked out; vectors in shapes that broadcast against x."""

    x: Any
    x_hat: Any
    inv_std: Any
    gamma: Any
    beta: Any
    m: int
    """Values for each channel."""
    axes: Axes
    """What statistics run over."""

    def sum(self, value: Any) -> Any:
        """Add up a channel's values."""
        return value.sum((0, *range(2, value.ndim)), keepdim=True)


def _inverse_root(var: Any, eps: float) -> Any:
    return 1 / (var + eps).sqrt()


def _channels(x: Any) -> Axes:
    return (0, *range(2, x.ndim))


def _affine(p: Parts) -> Any:
    return p.gamma * p.x_hat + p.beta


def _slopes(p: Parts, dy: Any) -> Slopes:
    dbeta, dgamma = p.sum(dy), p.sum(dy * p.x_hat)
    return p.gamma * p.inv_std * (dy - (dbeta + p.x_hat * dgamma) / p.m), dgamma, dbeta


def made(
    *,
    axes: Callable[[Any], Axes] = _channels,
    correction: int = 0,
    inverse: Callable[[Any, float], Any] = _inverse_root,
    output: Callable[[Parts], Any] = _affine,
    slopes: Callable[[Parts, Any], Slopes] = _slopes,
) -> Lazy:
    """Make the function with wrong parts put in.

    Parameters
    ----------
    axes
        What the statistics run over.
    correction
        Of the variance.
    inverse
        From variance and eps to what the deviations are multiplied by.
    output
        The result.
    slopes
        The gradients by x, gamma and beta, the last two in shapes that broadcast.
    """

    def make() -> Any:
        import torch

        class BatchNormFunction(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
                over, wide = axes(x), (1, -1, *[1] * (x.ndim - 2))
                var, mean = torch.var_mean(x, over, correction=correction, keepdim=True)
                inv_std = inverse(var, eps)
                ctx.p = Parts(
                    x=x.clone(),
                    x_hat=(x - mean) * inv_std,
                    inv_std=inv_std,
                    gamma=gamma.reshape(wide),
                    beta=beta.reshape(wide),
                    m=x.numel() // x.shape[1],
                    axes=over,
                )
                return output(ctx.p)

            @staticmethod
            def backward(ctx: Any, dy: Any) -> tuple[Any, ...]:
                dx, dgamma, dbeta = slopes(ctx.p, dy)
                return dx, dgamma.flatten(), dbeta.flatten(), None

        return BatchNormFunction

    return Lazy(make)


def _dx(dx: Callable[[Parts, Any, Any, Any], Any]) -> Callable[[Parts, Any], Slopes]:
    """Exchange the gradient by x, a function of (parts, dy, dgamma, dbeta)."""

    def slopes(p: Parts, dy: Any) -> Slopes:
        _, dgamma, dbeta = _slopes(p, dy)
        return dx(p, dy, dgamma, dbeta), dgamma, dbeta

    return slopes


def _swapped(p: Parts, dy: Any) -> Slopes:
    dx, dgamma, dbeta = _slopes(p, dy)
    return dx, dbeta, dgamma


def _means(p: Parts, dy: Any) -> Slopes:
    dx, dgamma, dbeta = _slopes(p, dy)
    return dx, dgamma / p.m, dbeta / p.m


def _dgamma_from_x(p: Parts, dy: Any) -> Slopes:
    dx, _, dbeta = _slopes(p, dy)
    return dx, p.sum(dy * p.x), dbeta


def _dgamma_from_y(p: Parts, dy: Any) -> Slopes:
    dx, _, dbeta = _slopes(p, dy)
    return dx, p.sum(dy * _affine(p)), dbeta


def _gradient_is_none(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values[GRADIENTS]
    want: Any = expected.values[GRADIENTS]
    lost = [g is None and w is not None for g, w in zip(got, want, strict=True)]
    return any(lost) and not all(g is None for g in got)


def _only_dx_differs(_: Case, answer: Answer, expected: Answer) -> bool:
    got: Any = answer.values[GRADIENTS]
    want: Any = expected.values[GRADIENTS]
    near = [bool(np.allclose(g, w, 1e-4, 1e-4)) for g, w in zip(got, want, strict=True)]
    return near == [False, True, True]


def _fails_on(name: str) -> Callable[[Case, Answer, Answer], bool]:
    return lambda case, _answer, _expected: case.name == name


MISCONCEPTIONS = (
    Misconception(
        "arguments-changed",
        "Your function changed an argument in place (`-=`, a method that ends in `_`). The caller "
        "still needs it, and your own backward pass may, too: work on new tensors.",
        signs=_fails_on(KEPT),
    ),
    Misconception(
        "gradient-left-out",
        "Your `backward` returns None for x, gamma or beta. Each of them has a gradient; None is "
        "for eps alone.",
        signs=_gradient_is_none,
    ),
    Misconception(
        "mean-and-variance-held-constant",
        "Your dx is `gamma · inv_std · dy`: as if mean and variance did not depend on x. They do, "
        "and both paths lead back to x.",
        made(slopes=_dx(lambda p, dy, dg, db: p.gamma * p.inv_std * dy)),
    ),
    Misconception(
        "path-through-the-mean-forgotten",
        "The path through the mean is missing in your dx: the part `dbeta / m` is taken out of dy.",
        made(slopes=_dx(lambda p, dy, dg, db: p.gamma * p.inv_std * (dy - p.x_hat * dg / p.m))),
    ),
    Misconception(
        "path-through-the-variance-forgotten",
        "The path through the variance is missing in your dx: the part `x_hat · dgamma / m` is "
        "taken out of dy.",
        made(slopes=_dx(lambda p, dy, dg, db: p.gamma * p.inv_std * (dy - db / p.m))),
    ),
    Misconception(
        "gamma-forgotten-in-dx",
        "Your dx lacks the factor gamma: dy meets gamma first on its way back.",
        made(slopes=_dx(lambda p, dy, dg, db: p.inv_std * (dy - (db + p.x_hat * dg) / p.m))),
    ),
    Misconception(
        "inv-std-forgotten-in-dx",
        "Your dx lacks the factor `inv_std`, the derivative of x_hat by x.",
        made(slopes=_dx(lambda p, dy, dg, db: p.gamma * (dy - (db + p.x_hat * dg) / p.m))),
    ),
    Misconception(
        "divided-by-n-instead-of-m",
        "Your dx divides by N, the number of images. Each channel has m = N·H·W values, and its "
        "statistics run over all of them.",
        made(
            slopes=_dx(
                lambda p, dy, dg, db: p.gamma * p.inv_std * (dy - (db + p.x_hat * dg) / len(p.x))
            )
        ),
    ),
    Misconception(
        "not-divided-by-m",
        "The two sums in your dx are not divided by m, the number of values for each channel.",
        made(slopes=_dx(lambda p, dy, dg, db: p.gamma * p.inv_std * (dy - db - p.x_hat * dg))),
    ),
    Misconception(
        "sign-in-dx",
        "In your dx the two sums are added to dy. They are what is taken *out* of it.",
        made(
            slopes=_dx(lambda p, dy, dg, db: p.gamma * p.inv_std * (dy + (db + p.x_hat * dg) / p.m))
        ),
    ),
    Misconception(
        "dgamma-from-x",
        "Your dgamma is the sum of `dy · x`. What gamma multiplies is x_hat.",
        made(slopes=_dgamma_from_x),
    ),
    Misconception(
        "dgamma-from-y",
        "Your dgamma is the sum of `dy · y`. What gamma multiplies is x_hat.",
        made(slopes=_dgamma_from_y),
    ),
    Misconception(
        "dgamma-and-dbeta-swapped",
        "dgamma and dbeta have changed places: gradients are returned in the order of the "
        "arguments of `forward`.",
        made(slopes=_swapped),
    ),
    Misconception(
        "dgamma-and-dbeta-averaged",
        "Your dgamma and dbeta are means. gamma and beta act on every value of their channel, and "
        "gradients along all these ways add up.",
        made(slopes=_means),
    ),
    Misconception(
        "unbiased-variance",
        "Your variance divides by m−1, as torch's `var` does unless it gets `correction=0`. A "
        "batch is normalised with 1/m.",
        made(correction=1),
    ),
    Misconception(
        "statistics-over-the-batch-axis-only",
        "Your statistics run over axis 0 only: each pixel has its own. In batch norm a channel has "
        "one mean and one variance, over the images and all positions.",
        made(axes=lambda x: (0,)),
    ),
    Misconception(
        "one-mean-for-all-channels",
        "You took one mean and one variance for everything. Each channel (axis 1) has its own.",
        made(axes=lambda x: tuple(range(x.ndim))),
    ),
    Misconception(
        "statistics-of-each-example",
        "Your statistics run within each example. That is another norm: batch norm goes over axis "
        "0, and the positions.",
        made(axes=lambda x: tuple(range(1, x.ndim)) if x.ndim == 2 else tuple(range(2, x.ndim))),
    ),
    Misconception(
        "eps-outside-the-root",
        "Your eps is added to the standard deviation. It belongs inside the root: √(var + eps).",
        made(inverse=lambda var, eps: 1 / (var.sqrt() + eps)),
    ),
    Misconception(
        "eps-ignored",
        "You wrote 1e-5 where the argument `eps` belongs.",
        made(inverse=lambda var, eps: _inverse_root(var, 1e-5)),
    ),
    Misconception(
        "eps-forgotten",
        "There is no eps in your root: √(var + eps).",
        made(inverse=lambda var, eps: _inverse_root(var, 0.0)),
    ),
    Misconception(
        "root-forgotten",
        "You divided by the variance. x_hat divides by its root.",
        made(inverse=lambda var, eps: 1 / (var + eps)),
    ),
    Misconception(
        "affine-forgotten",
        "Your result is x_hat itself: multiply by gamma and add beta.",
        made(output=lambda p: p.x_hat + 0 * p.beta),
    ),
    Misconception(
        "no-node-of-its-own",
        "The numbers may be right, but autograd found the gradient, not your `backward`: the "
        "result comes from ordinary operations. Do the work in `forward(ctx, ...)` of a subclass "
        "of `torch.autograd.Function`, and leave `apply` to torch.",
        signs=_fails_on(NODE),
    ),
    Misconception(
        "x-kept-on-ctx",
        "x was changed after your forward pass and before the backward pass, as `x += 1` does, and "
        "your gradients became silently wrong. Tensors kept with `ctx.save_for_backward(...)` are "
        "watched, and torch raises an error.",
        signs=_fails_on(LATE),
    ),
    Misconception(
        "only-dx-wrong",
        "dgamma and dbeta are right, dx alone is not. Compare it with the formula, term by term: "
        "the factor in front is `gamma · inv_std`, and what is taken out of dy are the means of "
        "`dy` and of `dy · x_hat`, the latter times x_hat.",
        signs=_only_dx_differs,
    ),
)
