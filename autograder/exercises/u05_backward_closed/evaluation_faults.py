"""Wrong ideas about `batchnorm_backward_eval`: one backward pass with wrong parts put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.exercises.u05_backward_closed.batches import EPS, normalised

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Arguments:
    """What the exercise's function is called with."""

    dy: np.ndarray
    x: np.ndarray
    gamma: np.ndarray
    running_mean: np.ndarray
    running_var: np.ndarray
    eps: float

    @property
    def inv_std(self) -> np.ndarray:
        """The right inv_std."""
        return np.asarray(1.0 / np.sqrt(self.running_var + self.eps))

    @property
    def x_hat(self) -> np.ndarray:
        """The right x_hat."""
        return np.asarray((self.x - self.running_mean) * self.inv_std)


def backward(
    a: Arguments,
    *,
    inv_std: np.ndarray | None = None,
    x_hat: np.ndarray | None = None,
    dx: np.ndarray | None = None,
    dgamma: np.ndarray | None = None,
    dbeta: np.ndarray | None = None,
) -> Gradients:
    """Return (dx, dgamma, dbeta); whatever is given stands in the place of the right thing.

    Parameters
    ----------
    a
        Arguments of the call.
    inv_std
        Factor of both x_hat and dx.
    x_hat
        What dgamma multiplies dy with.
    dx, dgamma, dbeta
        Gradients by x, gamma and beta.
    """
    if inv_std is None:
        inv_std = a.inv_std
    if x_hat is None:
        x_hat = (a.x - a.running_mean) * inv_std
    return (
        a.gamma * inv_std * a.dy if dx is None else dx,
        (a.dy * x_hat).sum(axis=0) if dgamma is None else dgamma,
        a.dy.sum(axis=0) if dbeta is None else dbeta,
    )


def as_answer(idea: Callable[[Arguments], Gradients]) -> Callable[..., Gradients]:
    """Give a wrong idea the exercise's signature."""

    def answer(
        dy: np.ndarray,
        x: np.ndarray,
        gamma: np.ndarray,
        running_mean: np.ndarray,
        running_var: np.ndarray,
        eps: float = EPS,
    ) -> Gradients:
        return idea(Arguments(dy, x, gamma, running_mean, running_var, eps))

    return answer


def _through_statistics(
    dy: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray, gamma: np.ndarray
) -> np.ndarray:
    """Return dx as in training mode, where the statistics move with x."""
    means = dy.mean(axis=0) + x_hat * (dy * x_hat).mean(axis=0)
    return np.asarray(gamma * inv_std * (dy - means))


@as_answer
def training_formula(a: Arguments) -> Gradients:
    """Go back through training mode, with the batch's own statistics."""
    x_hat, inv_std = normalised(a.x, a.eps)
    return backward(a, x_hat=x_hat, dx=_through_statistics(a.dy, x_hat, inv_std, a.gamma))


@as_answer
def projected(a: Arguments) -> Gradients:
    """Use the running statistics, but subtract the two means all the same."""
    return backward(a, dx=_through_statistics(a.dy, a.x_hat, a.inv_std, a.gamma))


@as_answer
def batch_x_hat(a: Arguments) -> Gradients:
    """Build dgamma with the x_hat of the batch statistics."""
    return backward(a, x_hat=normalised(a.x, a.eps)[0])


@as_answer
def x_for_x_hat(a: Arguments) -> Gradients:
    """Build dgamma with x itself."""
    return backward(a, x_hat=a.x)


@as_answer
def no_gamma(a: Arguments) -> Gradients:
    """Forget gamma in dx."""
    return backward(a, dx=a.inv_std * a.dy)


@as_answer
def no_inv_std(a: Arguments) -> Gradients:
    """Forget inv_std in dx."""
    return backward(a, dx=a.gamma * a.dy)


@as_answer
def no_root(a: Arguments) -> Gradients:
    """Divide by the variance."""
    return backward(a, inv_std=1.0 / (a.running_var + a.eps))


@as_answer
def eps_outside(a: Arguments) -> Gradients:
    """Add eps to the standard deviation."""
    return backward(a, inv_std=1.0 / (np.sqrt(a.running_var) + a.eps))


@as_answer
def eps_fixed(a: Arguments) -> Gradients:
    """Compute with 1e-5 whatever eps is."""
    return backward(a, inv_std=1.0 / np.sqrt(a.running_var + EPS))


@as_answer
def averaged(a: Arguments) -> Gradients:
    """Give means back as dgamma and dbeta."""
    return backward(a, dgamma=(a.dy * a.x_hat).mean(axis=0), dbeta=a.dy.mean(axis=0))


@as_answer
def gamma_in_dgamma(a: Arguments) -> Gradients:
    """Build dgamma and dbeta from gamma · dy."""
    pushed = a.gamma * a.dy
    return backward(a, dgamma=(pushed * a.x_hat).sum(axis=0), dbeta=pushed.sum(axis=0))


@as_answer
def biased_again(a: Arguments) -> Gradients:
    """Turn the running variance back into a biased one."""
    n = len(a.x)
    return backward(a, inv_std=1.0 / np.sqrt(a.running_var * (n - 1) / n + a.eps))
