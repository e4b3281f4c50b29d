"""Batch norm layers that are wrong in one way each, to recognise a student's by what it answers.

`Sketch` is right; every class below it changes one hook.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

NAMES = ("weight", "bias", "running_mean", "running_var")


class Sketch:
    """A right layer with a hook for each thing that can go wrong."""

    start_of_variance = 1.0

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.full(num_features, self.start_of_variance)
        self.num_batches_tracked = 0
        self.training = True

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Normalise a batch."""
        wide = np.asarray(x, dtype=np.float64)
        if self.training:
            self.refuse(wide)
            mean, var = self.statistics(wide)
            self.remember(mean, var, len(wide))
            mean, var = self.training_statistics(mean, var, len(wide))
        else:
            mean, var = self.eval_statistics(wide)
        return np.asarray(self.affine(self.standardise(wide, mean, var)).astype(x.dtype))

    def refuse(self, x: np.ndarray) -> None:
        """Refuse a batch of one."""
        if len(x) < 2:
            raise ValueError("expected more than 1 value per channel when training")

    def statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and biased variance."""
        return x.mean(axis=0), x.var(axis=0)

    def training_statistics(
        self, mean: np.ndarray, var: np.ndarray, m: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what a training batch is normalised with."""
        return mean, var

    def eval_statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is normalised with in evaluation."""
        return self.running_mean, self.running_var

    def standardise(self, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
        """Return x_hat."""
        return np.asarray((x - mean) / np.sqrt(var + self.eps))

    def affine(self, x_hat: np.ndarray) -> np.ndarray:
        """Scale and shift."""
        return np.asarray(self.weight * x_hat + self.bias)

    def share(self) -> float:
        """Return the weight of the new batch; the count includes it."""
        return 1 / self.num_batches_tracked if self.momentum is None else self.momentum

    def stored_variance(self, var: np.ndarray, m: int) -> np.ndarray:
        """Return the variance to remember."""
        return np.asarray(var * m / max(m - 1, 1))

    def count(self) -> None:
        """Count the step."""
        self.num_batches_tracked += 1

    def remember(self, mean: np.ndarray, var: np.ndarray, m: int) -> None:
        """Update the buffers."""
        self.count()
        a = self.share()
        self.running_mean = (1 - a) * self.running_mean + a * mean
        self.running_var = (1 - a) * self.running_var + a * self.stored_variance(var, m)

    def train(self, mode: bool = True) -> Any:
        """Switch the mode."""
        self.training = mode
        return self

    def eval(self) -> Any:
        """Switch to evaluation."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """Return copies."""
        state: dict[str, Any] = {name: getattr(self, name).copy() for name in NAMES}
        return state | {"num_batches_tracked": self.num_batches_tracked}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take copies."""
        for name in NAMES:
            setattr(self, name, np.array(state[name]))
        self.num_batches_tracked = int(state["num_batches_tracked"])


class StoresBiased(Sketch):
    """Remember the biased variance."""

    def stored_variance(self, var: np.ndarray, m: int) -> np.ndarray:
        """Return it uncorrected."""
        return var


class NormalisesUnbiased(Sketch):
    """Normalise the batch with the unbiased variance."""

    def training_statistics(
        self, mean: np.ndarray, var: np.ndarray, m: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Correct the variance."""
        return mean, var * m / max(m - 1, 1)


class MomentumSwapped(Sketch):
    """Weigh the old value with momentum."""

    def share(self) -> float:
        """Take the other weight."""
        return 1 / self.num_batches_tracked if self.momentum is None else 1 - self.momentum


class MomentumIgnored(Sketch):
    """Always use 0.1."""

    def share(self) -> float:
        """Return the default."""
        return 0.1


class ZeroIsNone(Sketch):
    """Write `if not momentum`, which 0 fulfils, too."""

    def share(self) -> float:
        """Take 0 for None."""
        return self.momentum or 1 / self.num_batches_tracked


class ZeroIsDefault(Sketch):
    """Write `momentum or 0.1`: right for neither 0 nor None."""

    def share(self) -> float:
        """Take 0 and None for the default."""
        return self.momentum or 0.1


class NoneIsDefault(Sketch):
    """Treat None as 0.1."""

    def share(self) -> float:
        """Take None for the default."""
        return 0.1 if self.momentum is None else self.momentum


class NoneOffByOne(Sketch):
    """Count the start value as a batch."""

    def share(self) -> float:
        """Divide by one more."""
        return 1 / (self.num_batches_tracked + 1) if self.momentum is None else self.momentum


class EvalUpdates(Sketch):
    """Update the buffers in evaluation mode as well."""

    def eval_statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the running ones, and then change them."""
        old = self.running_mean, self.running_var
        self.remember(*self.statistics(x), len(x))
        return old


class EvalCounts(Sketch):
    """Count the batches of evaluation as well."""

    def eval_statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the running ones, and count."""
        self.count()
        return self.running_mean, self.running_var


class EvalUsesBatch(Sketch):
    """Normalise with the batch in evaluation mode, too."""

    def eval_statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the batch's own."""
        return self.statistics(x)


class TrainingUsesRunning(Sketch):
    """Normalise a training batch with the buffers it has just updated."""

    def training_statistics(
        self, mean: np.ndarray, var: np.ndarray, m: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the running ones."""
        return self.running_mean, self.running_var


class EpsOutside(Sketch):
    """Add eps to the root."""

    def standardise(self, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
        """Use the wrong place."""
        return np.asarray((x - mean) / (np.sqrt(var) + self.eps))


class EpsIgnored(Sketch):
    """Write 1e-5 into the code."""

    def standardise(self, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
        """Use the default."""
        return np.asarray((x - mean) / np.sqrt(var + 1e-5))


class EpsForgotten(Sketch):
    """Leave eps out."""

    def standardise(self, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
        """Divide by the root of the variance."""
        return np.asarray((x - mean) / np.sqrt(var))


class NoRoot(Sketch):
    """Divide by the variance."""

    def standardise(self, x: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
        """Forget the root."""
        return np.asarray((x - mean) / (var + self.eps))


class NoAffine(Sketch):
    """Forget weight and bias."""

    def affine(self, x_hat: np.ndarray) -> np.ndarray:
        """Return x_hat."""
        return x_hat


class NoAffineInEval(Sketch):
    """Forget weight and bias in evaluation mode."""

    def affine(self, x_hat: np.ndarray) -> np.ndarray:
        """Return x_hat in evaluation."""
        return super().affine(x_hat) if self.training else x_hat


class Axis1(Sketch):
    """Take the statistics of each row."""

    def statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Average over axis 1."""
        return x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)

    def remember(self, mean: np.ndarray, var: np.ndarray, m: int) -> None:
        """Have nothing of shape (C,) to remember."""
        self.count()


class OneMeanForAll(Sketch):
    """Take the statistics of everything."""

    def statistics(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Average over all axes."""
        c = x.shape[1]
        return np.full(c, x.mean()), np.full(c, x.var())


class AcceptsOne(Sketch):
    """Train on a batch of one."""

    def refuse(self, x: np.ndarray) -> None:
        """Accept everything."""


class NeverCounts(Sketch):
    """Leave num_batches_tracked at 0 (and keep a count of its own for momentum None)."""

    steps = 0

    def count(self) -> None:
        """Count elsewhere."""
        self.steps += 1

    def share(self) -> float:
        """Use the other count."""
        return 1 / self.steps if self.momentum is None else self.momentum


class StoresStd(Sketch):
    """Remember the standard deviation."""

    def stored_variance(self, var: np.ndarray, m: int) -> np.ndarray:
        """Take the root."""
        return np.asarray(np.sqrt(var * m / max(m - 1, 1)))


class StartsAtZero(Sketch):
    """Start running_var at 0, as CS231n."""

    start_of_variance = 0.0


class RemembersOnlyMean(Sketch):
    """Never update running_var."""

    def stored_variance(self, var: np.ndarray, m: int) -> np.ndarray:
        """Return what is there."""
        return self.running_var


class NeverRemembers(Sketch):
    """Count, and leave the buffers alone."""

    def remember(self, mean: np.ndarray, var: np.ndarray, m: int) -> None:
        """Count only."""
        self.count()


class ReturnsNothing(Sketch):
    """Switch the mode without returning the layer."""

    def train(self, mode: bool = True) -> Any:
        """Return None."""
        self.training = mode


class TrainIgnoresMode(Sketch):
    """Switch to training whatever the argument says."""

    def train(self, mode: bool = True) -> Any:
        """Ignore `mode`."""
        self.training = True
        return self

    def eval(self) -> Any:
        """Switch to evaluation."""
        self.training = False
        return self
