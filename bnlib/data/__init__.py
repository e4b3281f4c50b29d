"""Real images to train on: one set that is always there, three that are downloaded once."""

from collections.abc import Callable
from pathlib import Path

from bnlib.data.cifar import cifar10
from bnlib.data.dataset import Dataset
from bnlib.data.embedded import digits
from bnlib.data.fetch import RemoteFile, data_folder
from bnlib.data.idx_sets import fashion_mnist, mnist
from bnlib.errors import ParameterError

__all__ = [
    "Dataset",
    "RemoteFile",
    "cifar10",
    "data_folder",
    "digits",
    "fashion_mnist",
    "load",
    "mnist",
]

_LOADERS: dict[str, Callable[[Path | str | None], Dataset]] = {
    "digits": lambda folder: digits(),
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
}


def load(name: str, folder: Path | str | None = None) -> Dataset:
    """Return a data set by its name: "digits", "mnist", "fashion_mnist" or "cifar10".

    Parameters
    ----------
    name : str
        One of the four.
    folder : path or None
        Data folder, for the three that are not part of the package: see `mnist`.

    Raises
    ------
    ParameterError
        If there is no data set of that name.
    DataError
        If its files cannot be had.

    Examples
    --------
    >>> load("digits").train_x.shape
    (1297, 1, 8, 8)
    """
    if name not in _LOADERS:
        raise ParameterError(f"name must be one of {', '.join(_LOADERS)}; got {name!r}.")
    return _LOADERS[name](folder)
