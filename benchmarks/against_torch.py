"""Measure how far bnlib is from torch in double precision, on the tests' grid of hard batches.

Run ``python -m benchmarks.against_torch``. For each kind of batch: the largest error of the output
and of each gradient, as a part of its largest entry (of the upstream's, where a gradient is all
cancellation), over every shape, memory layout and five seeds.
"""

from __future__ import annotations

import sys

import numpy as np

import bnlib
from tests.bnlib.grid import KINDS, LAYOUTS, RTOL_TORCH, SHAPES, lay_out, problem, torch_batchnorm

SEEDS = range(5)


def errors(kind: str) -> dict[str, float]:
    """Return the largest relative error of each result over shapes, layouts and seeds."""
    worst = dict.fromkeys(("y", "dx", "dgamma", "dbeta"), 0.0)
    for shape in SHAPES:
        for seed in SEEDS:
            p = problem(shape, kind, np.random.default_rng(seed))
            theirs = torch_batchnorm(*p)
            for layout in LAYOUTS:
                y, cache = bnlib.batchnorm_forward(lay_out(p.x, layout), p.gamma, p.beta)
                dy = lay_out(p.dy, layout)
                ours = (
                    y,
                    *bnlib.batchnorm_backward_closed(dy, cache.x_hat, cache.inv_std, p.gamma),
                )
                for name, mine, other in zip(worst, ours, theirs, strict=True):
                    scale = np.abs(other).max() if name == "y" else p.scale(other)
                    worst[name] = max(worst[name], float(np.abs(mine - other).max() / scale))
    return worst


def main() -> int:
    """Print the table; fail above the promised 1e-10."""
    cases = len(SHAPES) * len(LAYOUTS) * len(SEEDS)
    print(f"{'batch':20} {'y':>9} {'dx':>9} {'dgamma':>9} {'dbeta':>9}   ({cases} cases each)")
    largest = 0.0
    for kind in KINDS:
        worst = errors(kind)
        largest = max(largest, *worst.values())
        print(f"{kind:20} " + " ".join(f"{value:9.1e}" for value in worst.values()))
    print(f"largest: {largest:.1e} of {RTOL_TORCH:.0e}")
    return 0 if largest <= RTOL_TORCH else 1


if __name__ == "__main__":
    sys.exit(main())
