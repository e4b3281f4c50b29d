"""How far a layer's two modes lie apart on one batch."""

import copy
from typing import Protocol, runtime_checkable

import numpy as np

from bnlib.arrays import Batch, widen
from bnlib.running import RunningStatistics


@runtime_checkable
class TwoModes(RunningStatistics, Protocol):
    """What a layer needs to have for `train_eval_gap`."""

    num_batches_tracked: int
    training: bool

    def __call__(self, x: Batch) -> Batch:
        """Normalise a batch in the present mode."""

    def train(self, mode: bool = True) -> object:
        """Switch the mode."""


def train_eval_gap(layer: TwoModes, batch: Batch) -> float:
    """Return the root mean square difference of a layer's outputs in its two modes.

    `√(mean over all entries of (y_train − y_eval)²)`, both on the same batch, with the running
    statistics as they are when the function is called.

    Parameters
    ----------
    layer : BatchNorm1d, BatchNorm2d or anything with their attributes
        Left as it was: both passes go through a copy.
    batch : ndarray of shape (N, C) or (N, C, *spatial)
        More than one value per channel.

    Returns
    -------
    float
        In units of the output; 0 if the running statistics are the batch's (biased) own.

    Raises
    ------
    BatchSizeError, ShapeError, DtypeError
        As the layer does in training mode.

    Notes
    -----
    It shrinks with the batch size m as the noise of the statistics does, about as 1/√m, once the
    running statistics have settled; a fresh layer is far off.

    Examples
    --------
    >>> from bnlib.layers import BatchNorm1d
    >>> layer = BatchNorm1d(1, eps=1.0)  # fresh: running mean 0, running variance 1
    >>> layer.running_var = np.array([3.0])
    >>> x = np.array([[-4.0], [4.0]]) / 17**0.5  # training gives ±4/√33, evaluation ±2/√17
    >>> round(train_eval_gap(layer, x), 3)
    0.211
    >>> layer.training, layer.num_batches_tracked, layer.running_mean
    (True, 0, array([0.]))
    """
    copied = copy.deepcopy(layer)
    copied.train(False)  # evaluation first: a pass in training mode moves the running statistics
    evaluated = widen(copied(batch), "batch")
    copied.train(True)
    trained = widen(copied(batch), "batch")
    return float(np.sqrt(np.mean(np.square(trained - evaluated))))
