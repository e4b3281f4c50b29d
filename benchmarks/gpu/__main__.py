"""Time batch norm on this machine's GPU.

Ends with 0 if it measured, 1 if an answer of ours was wrong, 3 if there is no GPU.

``--quick`` takes three shapes, ``--dtype`` one dtype (twice for two), ``--no-compile`` leaves
torch.compile out, which takes most of the time; ``--out`` names a folder for the results (default
``benchmarks/results``, where the lecture of unit 12 looks for them).
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from .contenders import Contender
    from .shapes import Setting
    from .timing import Clock

NOT_RUN = 3
DTYPES = ("float32", "float16", "bfloat16")
RESULTS = Path(__file__).parents[1] / "results"


def main(arguments: list[str] | None = None) -> int:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three shapes")
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="only this one")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results go")
    chosen = parser.parse_args(arguments)
    os.environ["TRITON_INTERPRET"] = "0"  # an interpreter's time would say nothing

    import torch

    if not torch.cuda.is_available():
        print("not run: no GPU")
        return NOT_RUN
    from .contenders import contenders
    from .report import machine
    from .shapes import settings
    from .timing import CudaClock

    device = torch.device("cuda")
    todo = settings(chosen.quick, chosen.dtype or DTYPES)
    field = contenders(not chosen.no_compile)
    return run(todo, field, CudaClock(device), device, machine(), chosen.out)


def run(
    todo: "list[Setting]",
    field: "list[Contender]",
    clock: "Clock",
    device: "torch.device",
    about: dict[str, str],
    folder: Path,
) -> int:
    """Go through all batches, print and write what came out, return the exit code."""
    from .measure import measure
    from .report import summary, table, write
    from .timing import copy_bandwidth

    bandwidth = copy_bandwidth(clock, device, n_bytes=1 << 30 if device.type == "cuda" else 1 << 20)
    print(f"{about['device']}: a copy moves {bandwidth:.0f} GB/s", flush=True)
    rows = []
    for at, setting in enumerate(todo, 1):
        rows.append(measure(setting, field, clock, device))
        print(f"[{at}/{len(todo)}] {table(rows[-1:], bandwidth).splitlines()[1]}", flush=True)
    print("\n" + table(rows, bandwidth) + "\n")
    for name, value in summary(rows, bandwidth).items():
        print(f"{name}: {value}")
    print(f"written: {write(folder, about, rows, bandwidth)}")
    return 0 if all(row.timings[0].ms for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
