"""The batches that are timed: every batch norm of ResNet-50, and a few hard ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

RESNET50 = {  # (channels, side of the image): how many of its 53 layers have it (He et al. 2016,
    # with the stride in the 3 x 3 convolution, as torchvision has it)
    **{(64, 112): 1, (64, 56): 6, (256, 56): 4, (128, 56): 1},
    **{(128, 28): 7, (512, 28): 5, (256, 28): 1},
    **{(256, 14): 11, (1024, 14): 7, (512, 14): 1},
    **{(512, 7): 5, (2048, 7): 4},
}
BATCHES = (32, 256)
HARD = {
    "one channel": (1, 1, 4096, 4096),
    "three channels": (4, 3, 1024, 1024),
    "odd sides": (64, 67, 33, 31),
    "many channels": (8, 8192, 5, 5),
    "one place": (4096, 1024, 1, 1),
}
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Setting:
    """One thing to time."""

    name: str
    """Where the shape comes from."""
    shape: tuple[int, int, int, int]
    """(N, C, H, W)."""
    channels_last: bool
    """Memory format."""
    dtype: str
    """A key of `DTYPES`."""

    @property
    def tensor_bytes(self) -> int:
        """Bytes of the batch."""
        n, c, h, w = self.shape
        return n * c * h * w * DTYPES[self.dtype].itemsize

    def label(self) -> str:
        """Return a line's beginning."""
        layout = "NHWC" if self.channels_last else "NCHW"
        return f"{self.name:16} {'x'.join(map(str, self.shape)):>18} {layout} {self.dtype:8}"


def settings(quick: bool = False, dtypes: Sequence[str] = tuple(DTYPES)) -> list[Setting]:
    """Return what is timed; `quick` takes three of the shapes."""
    shapes = {
        f"ResNet-50 /{batch}": [(batch, c, side, side) for c, side in RESNET50] for batch in BATCHES
    }
    named = [(name, shape) for name, many in shapes.items() for shape in many]
    named += list(HARD.items())
    if quick:
        named = [named[0], named[9], ("odd sides", HARD["odd sides"])]
    return [
        Setting(name, shape, last, dtype)
        for dtype in dtypes
        for last in (False, True)
        for name, shape in named
    ]
