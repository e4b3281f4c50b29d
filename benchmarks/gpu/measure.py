"""Time every contender on one batch, once it has been seen to be right."""

from dataclasses import asdict, dataclass

import torch

from bnlib.kernels import View, plan_reduction, traffic

from .contenders import OURS, Bench, Contender, bench, prepared, worst_error
from .shapes import Setting
from .timing import Clock, median_ms

# Roundings of the largest entry: one at the end in the batch's dtype, sums in float32 before.
ALLOWED = {"float32": 2e-5, "float16": 2.0**-9, "bfloat16": 2.0**-6}
PARTS = ("forward", "backward", "both")


@dataclass(frozen=True)
class Timing:
    """One contender on one batch."""

    contender: str
    """Its name."""
    error: float
    """Against float64, before it was timed."""
    ms: dict[str, float]
    """Milliseconds of forward, backward, and both in one go; empty if it was wrong."""


@dataclass(frozen=True)
class Row:
    """One batch."""

    setting: Setting
    """What was timed."""
    fewest_bytes: dict[str, int]
    """Bytes that our plan moves in each part."""
    timings: list[Timing]
    """Our own first."""

    def best_of_torch(self, part: str) -> float:
        """Return the shortest time of all others that were right."""
        return min(t.ms[part] for t in self.timings[1:] if t.ms)

    def ratio(self, part: str) -> float | None:
        """Return time(best of torch's) / time(ours): above 1, ours is faster; None if wrong."""
        ours = self.timings[0]
        if not ours.ms or not any(t.ms for t in self.timings[1:]):
            return None
        return self.best_of_torch(part) / ours.ms[part]

    def share_of_copy(self, part: str, bandwidth: float) -> float | None:
        """Return the share of the copy bandwidth (GB/s) at which our plan's bytes were moved."""
        ours = self.timings[0]
        return self.fewest_bytes[part] / ours.ms[part] / 1e6 / bandwidth if ours.ms else None

    def plain(self) -> dict[str, object]:
        """Return what a JSON file can hold."""
        return asdict(self)


def bytes_of_plan(setting: Setting) -> dict[str, int]:
    """Return the bytes that our kernels read and write, per part."""
    view = View.of(setting.shape, setting.channels_last)
    size = setting.tensor_bytes // (view.channels * view.values)
    moved = {
        part: sum(traffic(plan_reduction(view, size, part), part)) * setting.tensor_bytes
        for part in ("forward", "backward")
    }
    return {**moved, "both": moved["forward"] + moved["backward"]}


def measure(setting: Setting, field: list[Contender], clock: Clock, device: torch.device) -> Row:
    """Check and time all contenders on one batch."""
    b = bench(setting, device)
    return Row(setting, bytes_of_plan(setting), [_timing(c, setting, b, clock) for c in field])


def _timing(contender: Contender, setting: Setting, b: Bench, clock: Clock) -> Timing:
    error = worst_error(contender, b)
    if not error <= ALLOWED[setting.dtype]:
        return Timing(contender.name, error, {})
    with contender.around():
        layer, leaves = prepared(contender, b)

        def both() -> None:
            torch.autograd.grad(layer(b.x), leaves, b.dy)

        y = layer(b.x)

        def backward() -> None:
            torch.autograd.grad(y, leaves, b.dy, retain_graph=True)

        calls = {"forward": lambda: layer(b.x), "backward": backward, "both": both}
        return Timing(contender.name, error, {p: median_ms(clock, calls[p]) for p in PARTS})


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean: the fair average of ratios."""
    logs = torch.tensor(values, dtype=torch.float64).log()
    return float(logs.mean().exp())


__all__ = [
    "ALLOWED",
    "OURS",
    "PARTS",
    "Row",
    "Timing",
    "bytes_of_plan",
    "geometric_mean",
    "measure",
]
