"""Where tensors live: choose a device, and move whole batches there."""

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

Batch = TypeVar("Batch")


def pick_device() -> torch.device:
    """Return the device to work on: ``cuda`` where there is one, else ``cpu``.

    Asked anew at every call, so that the same line of code runs on every machine.

    Examples
    --------
    >>> pick_device().type in ("cpu", "cuda")
    True
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch with every tensor in it on `device`.

    Parameters
    ----------
    batch
        A tensor, or dicts, lists, tuples and named tuples of them, nested as one likes. Containers
        are built anew, of the same kind; what is neither container nor tensor is passed through.
    device : torch.device
        Where to. A copy to a card does not wait (``non_blocking``: from pinned memory it runs
        beside the host); a copy to the CPU does, since the host may read the result at once.

    Examples
    --------
    >>> moved = to_device({"x": torch.ones(2), "names": ["a", "b"]}, torch.device("meta"))
    >>> moved["x"].device.type, moved["names"]
    ('meta', ['a', 'b'])
    """
    return _moved(batch, device)  # type: ignore[no-any-return]


def _moved(item: Any, device: torch.device) -> Any:
    if isinstance(item, Tensor):
        return item.to(device, non_blocking=device.type != "cpu")
    if isinstance(item, Mapping):
        return type(item)({key: _moved(value, device) for key, value in item.items()})  # type: ignore[call-arg]
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*(_moved(value, device) for value in item))
    if isinstance(item, list | tuple):
        return type(item)(_moved(value, device) for value in item)
    return item
