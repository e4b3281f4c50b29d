"""What every loader returns: images and labels, split into training and test."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

Images = Float32[np.ndarray, "n channels height width"]
Pixels = UInt8[np.ndarray, "n channels height width"]
Labels = Int64[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images, split into a training and a test part."""

    name: str
    """What `load` knows it by."""
    train_x: Images
    """Training images of shape (N, C, H, W), float32 in [0, 1]."""
    train_y: Labels
    """Their classes of shape (N,), int64 from 0."""
    test_x: Images
    """Test images, as `train_x`."""
    test_y: Labels
    """Test classes, as `train_y`."""
    classes: tuple[str, ...]
    """The name of each class."""

    def __repr__(self) -> str:
        """Describe it in a line, without printing megabytes of pixels."""
        return (
            f"Dataset({self.name!r}: {len(self.train_x)} + {len(self.test_x)} images of shape "
            f"{self.train_x.shape[1:]}, {len(self.classes)} classes)"
        )


def to_unit(pixels: Pixels, full: int = 255) -> Images:
    """Return pixels of 0 to `full` as float32 in [0, 1], with one large array in the making."""
    x = np.empty(pixels.shape, np.float32)
    np.divide(pixels, np.float32(full), out=x)
    return x
