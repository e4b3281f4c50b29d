"""Time batch norm on this machine's GPU.

Ends with 0 if it measured, 1 if an answer of ours was wrong, 3 if there is no GPU.

``--quick`` takes three shapes in float32, ``--no-compile`` leaves torch.compile out, ``--out``
names a folder for the results (default ``benchmarks/results``, where the lecture of unit 12 looks
for them).
"""

import argparse
import os
import sys
from pathlib import Path

NOT_RUN = 3
RESULTS = Path(__file__).parents[1] / "results"


def main(arguments: list[str] | None = None) -> int:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three shapes, one dtype")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results go")
    chosen = parser.parse_args(arguments)
    os.environ["TRITON_INTERPRET"] = "0"  # an interpreter's time would say nothing

    import torch

    if not torch.cuda.is_available():
        print("not run: no GPU")
        return NOT_RUN
    return _measure(chosen.out, chosen.quick, not chosen.no_compile)


def _measure(folder: Path, quick: bool, compiled: bool) -> int:
    """Go through all batches and write what came out."""
    import torch

    from .contenders import contenders
    from .measure import measure
    from .report import machine, summary, table, write
    from .shapes import settings
    from .timing import CudaClock, copy_bandwidth

    device = torch.device("cuda")
    clock = CudaClock(device)
    bandwidth = copy_bandwidth(clock, device)
    print(f"{torch.cuda.get_device_name()}: a copy moves {bandwidth:.0f} GB/s", flush=True)
    rows, todo = [], settings(quick)
    for at, setting in enumerate(todo, 1):
        rows.append(measure(setting, contenders(compiled), clock, device))
        print(f"[{at}/{len(todo)}] {table(rows[-1:], bandwidth).splitlines()[1]}", flush=True)
    print("\n" + table(rows, bandwidth) + "\n")
    for name, value in summary(rows, bandwidth).items():
        print(f"{name}: {value}")
    print(f"written: {write(folder, machine(), rows, bandwidth)}")
    return 0 if all(row.timings[0].ms for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
