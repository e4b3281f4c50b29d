"""Measure what folding batch norm away saves, side by side with torch's own fusion.

Run ``python -m benchmarks.folding``. Networks are trained on the embedded digits, then timed in
evaluation mode on one thread: as they are, folded by `bnlib.torch`, and folded by
`torch.nn.utils.fusion`. All three take turns, so that a busy moment hits all alike; a figure is the
median of the ratios of a turn. The command fails if an output moves by more than 1e-5 of the
largest, or if folding does not make a network faster.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bnlib.data import digits
from bnlib.nets import cnn
from bnlib.torch import fold_network
from bnlib.training import train

EXACT = 1e-5  # of the largest output, in float32
NETWORKS: dict[str, Sequence[int]] = {
    "3 blocks, 32 to 64 channels": (32, 64, 64),
    "6 blocks, 16 channels": (16,) * 6,
}
BATCHES = (1, 16, 64)
SIZE = 32  # pixels a side: the digits are 8, enlarged so that there is something to compute
STEPS, TURNS, WARM = 60, 40, 3


def trained(channels: Sequence[int]) -> nn.Sequential:
    """Return a network that has learned a little, in evaluation mode."""
    model = cnn(channels, 10, norm="batch")
    train(model, digits(), steps=STEPS, batch_size=64, lr=0.1)
    return model.eval()


def torch_folded(model: nn.Sequential) -> nn.Sequential:
    """Return a copy folded by torch's own function, pair by pair."""
    parts = list(copy.deepcopy(model))
    for i in range(1, len(parts)):
        if isinstance(parts[i - 1], nn.Conv2d) and isinstance(parts[i], nn.BatchNorm2d):
            parts[i - 1] = fuse_conv_bn_eval(parts[i - 1], parts[i])
            parts[i] = nn.Identity()
    return nn.Sequential(*parts).eval()


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def turns(models: Sequence[nn.Module], x: Tensor) -> np.ndarray:
    """Return milliseconds of shape (turns, models): in each turn every model once."""
    rows = [[milliseconds(lambda m=m: m(x)) for m in models] for _ in range(WARM + TURNS)]
    return np.array(rows[WARM:])


def main() -> int:
    """Print the table; fail where folding is not exact, or not faster."""
    torch.set_num_threads(1)
    failed = False
    head = f"{'network':28} {'batch':>5} {'as it is ms':>12} {'folded ms':>10} {'torch ms':>9}"
    print(f"{head} {'ours':>6} {'torch':>6} {'difference':>11}")
    for name, channels in NETWORKS.items():
        model = trained(channels)
        models = (model, fold_network(model), torch_folded(model))
        for batch in BATCHES:
            small = torch.from_numpy(digits().test_x[:batch])
            x = nn.functional.interpolate(small, (SIZE, SIZE), mode="bilinear")
            with torch.no_grad():
                wanted = model(x)
                moved = (models[1](x) - wanted).abs().max() / wanted.abs().max()
                times = turns(models, x)
            ours, theirs = (float(np.median(times[:, 0] / times[:, k])) for k in (1, 2))
            failed |= float(moved) > EXACT or ours < 1.0
            plain, folded, fused = np.median(times, axis=0)
            row = f"{name:28} {batch:5} {plain:12.3f} {folded:10.3f} {fused:9.3f}"
            print(f"{row} {ours:5.2f}x {theirs:5.2f}x {float(moved):11.1e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
