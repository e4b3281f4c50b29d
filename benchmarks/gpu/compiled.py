"""What the compiler makes of the kernels for an H100 (sm_90): no GPU is needed to see it.

Run ``python -m benchmarks.gpu.compiled``: registers, spilled bytes, and the widest load and store
of each kernel. 128 bits is what one thread can ask of memory at once.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

TENSORS = {f"{name}_ptr" for name in ("x", "y", "dy", "dx", "residual", "dresidual")}
FLOATS = {"eps", "momentum", "over_values"}


@dataclass(frozen=True)
class Compiled:
    """One kernel, compiled."""

    kernel: str
    """Its name."""
    case: str
    """With which constants."""
    registers: int
    """Of each thread."""
    spilled: int
    """Bytes that found no register and went to memory."""
    load_bits: int
    """Widest load from memory."""
    store_bits: int
    """Widest store."""


def compile_kernel(kernel: Any, dtype: str, constants: dict[str, Any], warps: int) -> Any:
    """Compile one kernel; every pointer is aligned to 16 bytes, as torch's are."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    names = kernel.arg_names
    known = {name: value for name, value in constants.items() if name in names}

    def kind(name: str) -> str:
        if name in known:
            return "constexpr"
        if name.endswith("_ptr"):
            return f"*{dtype if name in TENSORS else 'fp32'}"
        return "fp32" if name in FLOATS else "i32"

    source = ASTSource(
        kernel,
        {name: kind(name) for name in names},
        {(names.index(name),): value for name, value in known.items()},
        {(at,): [["tt.divisibility", 16]] for at, n in enumerate(names) if n.endswith("_ptr")},
    )
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": warps})


def widest(ptx: str, instruction: str) -> int:
    """Return the bits of the widest access of a kind, "ld" or "st"."""
    found = re.findall(rf"{instruction}\.global(?:\.[a-z_:0-9]+)*?(?:\.v(\d))?\.[bf](\d+)", ptx)
    return max((int(many or 1) * int(bits) for many, bits in found), default=0)


def resources(ptx: str) -> tuple[int, int]:
    """Return registers and spilled bytes, by the assembler that comes with Triton."""
    import triton.backends.nvidia as nvidia

    folder = Path(nvidia.__path__[0])
    ptxas = next(path for path in sorted(folder.rglob("ptxas*")) if os.access(path, os.X_OK))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "kernel.ptx"
        file.write_text(ptx, encoding="utf-8")
        command = [str(ptxas), "-v", "-arch=sm_90a", str(file), "-o", os.devnull]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    (registers,) = re.findall(r"Used (\d+) registers", said)
    return int(registers), max(map(int, re.findall(r"(\d+) bytes spill", said)), default=0)


def look(kernel: Any, case: str, dtype: str, constants: dict[str, Any], warps: int) -> Compiled:
    """Compile one kernel and say what it became."""
    ptx = compile_kernel(kernel, dtype, constants, warps).asm["ptx"]
    registers, spilled = resources(ptx)
    name = kernel.fn.__name__
    return Compiled(name, case, registers, spilled, widest(ptx, "ld"), widest(ptx, "st"))


def survey() -> list[Compiled]:
    """Compile all kernels for a layer with rows of 3136 (56 x 56) and one in channels-last."""
    from bnlib.kernels import View, elementwise, gradient, plan_reduction, reduction, resident

    flags = {"AFFINE": True, "RELU": True, "RESIDUAL": False, "RUNNING": True, "WIDE": False}
    merging = {"SPLITS": 16, "BLOCK": 32}
    found = []
    for (dtype, size), last in product((("fp32", 4), ("bf16", 2)), (False, True)):
        split = View.of((32, 256, 56, 56), last)
        whole = View.of((32, 512, 14, 14) if not last else (1, 512, 14, 14), last)
        for view, on_chip in ((split, False), (whole, True)):
            kernels = {
                "forward": [resident.forward_resident]
                if on_chip
                else [
                    reduction.partial_moments,
                    reduction.merge_moments,
                    elementwise.apply_forward,
                ],
                "backward": [resident.backward_resident]
                if on_chip
                else [gradient.partial_sums, gradient.merge_sums, elementwise.apply_backward],
            }
            for direction, many in kernels.items():
                plan = plan_reduction(view, size, direction)
                assert plan.resident == on_chip
                blocks = {"ROWS": plan.rows, "COLUMNS": plan.columns, "VECTOR": view.vector}
                constants = {**flags, **merging, **blocks, "LAST": last}
                case = f"{dtype} {'NHWC' if last else 'NCHW'} {plan.rows}x{plan.columns}"
                found += [look(kernel, case, dtype, constants, plan.warps) for kernel in many]
        found += [] if last else [_odd(dtype, size, flags)]
    return found


def _odd(dtype: str, size: int, flags: dict[str, Any]) -> Compiled:
    """Compile the worst of ResNet-50: rows of 49, every number with an address of its own."""
    from bnlib.kernels import View, plan_reduction, resident

    view = View.of((256, 512, 7, 7), False)
    plan = plan_reduction(view, size, "forward")
    blocks = {"ROWS": plan.rows, "COLUMNS": plan.columns, "VECTOR": view.vector, "LAST": False}
    case = f"{dtype} NCHW {plan.rows}x{plan.columns} odd"
    return look(resident.forward_resident, case, dtype, {**flags, **blocks}, plan.warps)


def main() -> int:
    """Print a table, or JSON with ``--json``."""
    os.environ["TRITON_INTERPRET"] = "0"
    found = survey()
    if "--json" in sys.argv:
        print(json.dumps([asdict(row) for row in found]))
        return 0
    print(f"{'kernel':18} {'case':22} {'registers':>9} {'spilled':>8} {'load':>6} {'store':>6}")
    for row in found:
        sizes = f"{row.registers:9} {row.spilled:8} {row.load_bits:6} {row.store_bits:6}"
        print(f"{row.kernel:18} {row.case:22} {sizes}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
