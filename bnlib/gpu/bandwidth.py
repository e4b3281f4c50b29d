"""How fast memory is here: a large copy, the yardstick for everything that is bound by memory."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from bnlib.gpu.timing import time_op
from bnlib.traffic import achieved_bandwidth, bytes_moved

COPY_BYTES = {"cpu": 2**28, "cuda": 2**30}  # beyond the caches; a copy reads and writes as many
WARMUP, REPEATS = 2, 5
SHAPES = {"cpu": (32, 64, 56, 56), "cuda": (256, 256, 56, 56)}  # 26 MB and 822 MB of float32


@dataclass(frozen=True)
class Measurement:
    """One operation on one device."""

    name: str
    """What was done."""
    n_bytes: int
    """Bytes that it has to move."""
    ms: float
    """Median time of a call."""

    @property
    def bandwidth(self) -> float:
        """Bytes moved a second, in GB/s."""
        return achieved_bandwidth(self.n_bytes, self.ms)


def measure(name: str, fn: Callable[[], object], n_bytes: int, device: torch.device) -> Measurement:
    """Time an operation that has to move so many bytes."""
    return Measurement(name, n_bytes, median(time_op(fn, device, WARMUP, REPEATS)))


def copy_bandwidth(device: torch.device, n_bytes: int | None = None) -> float:
    """Return the bandwidth of a large copy on the device, in GB/s, reads and writes counted.

    Parameters
    ----------
    device : torch.device
        Where.
    n_bytes : int, optional
        Size of what is copied; by default far more than a cache holds.

    Examples
    --------
    >>> copy_bandwidth(torch.device("cpu"), n_bytes=2**16) > 0
    True
    """
    size = n_bytes or COPY_BYTES[device.type]
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return measure("copy", lambda: target.copy_(source), 2 * size, device).bandwidth


def batchnorm_measurements(
    device: torch.device, shape: tuple[int, ...] | None = None
) -> list[Measurement]:
    """Measure batch norm's passes on the device, each against the bytes that it has to move.

    Torch's own layer is held against the count of fused kernels, the same line by line against that
    of unfused ones.
    """
    size = shape or SHAPES[device.type]
    generator = torch.Generator(device).manual_seed(0)
    x = torch.randn(size, device=device, generator=generator)
    layer = nn.BatchNorm2d(size[1]).to(device)

    def count(pass_: str, fused: bool) -> int:
        return bytes_moved(size, x.dtype, pass_, fused)

    with torch.no_grad():
        return [
            measure("training, nn.BatchNorm2d", lambda: layer(x), count("train", True), device),
            measure(
                "training, line by line", lambda: _by_lines(x, layer), count("train", False), device
            ),
            measure(
                "evaluation, nn.BatchNorm2d",
                lambda: nn.functional.batch_norm(
                    x, layer.running_mean, layer.running_var, layer.weight, layer.bias
                ),
                count("eval", True),
                device,
            ),
        ]


def _by_lines(x: Tensor, layer: nn.BatchNorm2d) -> Tensor:
    """Work as `KERNELS["train", False]` does, a kernel a line, as near as torch comes to it."""
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    var = (x - mean).square().mean(dim=(0, 2, 3), keepdim=True)
    x_hat = (x - mean) * torch.rsqrt(var + layer.eps)
    return x_hat * layer.weight.view(1, -1, 1, 1) + layer.bias.view(1, -1, 1, 1)
