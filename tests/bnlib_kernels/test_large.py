"""Batches beyond what the interpreter can walk through: single programs at their far ends."""

import pytest
import torch

from bnlib.kernels import batch_norm_backward, batch_norm_forward, launch
from bnlib.kernels.elementwise import apply_forward
from bnlib.kernels.plan import Plan
from bnlib.kernels.reduction import partial_moments
from tests.bnlib_kernels.problems import DEVICE, answer, near, near_sums, problem, slope

CHANNELS, SIDE = 1 << 24, 64  # an image holds 2³⁰ numbers, so the third begins at 2³¹
IMAGE = CHANNELS * SIDE


@pytest.fixture(scope="module")
def vast():
    """Return three images of float16 of which only the first channel is ever touched.

    4.3 GB of address space; the system gives memory to what is written, a few kB.
    """
    if DEVICE == "cuda":
        return torch.zeros(2 * IMAGE + SIDE, dtype=torch.float16, device=DEVICE)
    return torch.empty(2 * IMAGE + SIDE, dtype=torch.float16)


def test_statistics_reach_beyond_two_to_the_31(vast):
    """An offset of 32 bits would be negative there, and read before the tensor."""
    values = torch.randn(3, SIDE, generator=torch.Generator().manual_seed(0)).half().to(DEVICE)
    for image in range(3):
        vast[image * IMAGE : image * IMAGE + SIDE] = values[image]
    parts = torch.zeros(2 * CHANNELS + 1, device=DEVICE)
    constants = {"VECTOR": 16, "ROWS": 4, "COLUMNS": SIDE, "LAST": False}
    partial_moments[(1, 1)](vast, parts, 3, CHANNELS, SIDE // 16, 1, **constants)
    count, mean, m2 = (float(parts[plane * CHANNELS]) for plane in range(3))
    centred = values.double() - values[0, 0].double()
    assert count == values.numel()
    assert mean == pytest.approx(float(centred.mean()), abs=1e-6)
    assert m2 == pytest.approx(float((centred - centred.mean()).square().sum()), rel=1e-6)


def test_the_elementwise_pass_reaches_beyond_two_to_the_31(vast):
    """The first program takes the last block; its channel is 0 again."""
    vast[2 * IMAGE :] = 2.5
    stats = torch.zeros(2 * CHANNELS + 1, device=DEVICE)
    stats[0], stats[CHANNELS], stats[2 * CHANNELS] = 1.0, 0.5, 2.0  # (2.5 − 1 − 0.5)·2 = 2
    flags = {"LAST": False, "WIDE": True, "AFFINE": False, "RELU": False, "RESIDUAL": False}
    apply_forward[(1,)](
        *(vast, vast, vast, stats, stats, stats, 2 * CHANNELS, 2 * CHANNELS + 1, CHANNELS),
        SIDE // 16,
        **{"VECTOR": 16, "ROWS": 1, "COLUMNS": SIDE},
        **flags,
    )
    assert torch.equal(vast[2 * IMAGE :], torch.full_like(vast[2 * IMAGE :], 2.0))


@pytest.mark.parametrize(("numbers", "wide"), [((1 << 31) - 1, False), (1 << 31, True)])
def test_offsets_are_wide_as_soon_as_one_needs_it(numbers, wide):
    """The last entry of 2³¹ has the largest offset that 32 bits hold; padding is masked."""
    assert launch._wide(torch.empty(numbers, device="meta")) == wide


def test_two_to_the_24_values_in_a_channel(monkeypatch):
    """A count that float32 still holds, at mean 1e4; the interpreter gets a few huge blocks."""
    x = torch.randn(1, 1, 4096, 4096, generator=torch.Generator().manual_seed(0)).to(DEVICE) + 1e4
    plan = None
    if DEVICE == "cpu":
        plan = Plan(False, 1, 1 << 19, 1, 4, 8, 8)
        monkeypatch.setattr(launch, "plan_apply", lambda *_: (1, 1 << 19, 1 << 5))
    y, _ = batch_norm_forward(x, plan=plan)
    wide = x.double()
    centred = wide - wide.mean()
    near(y, centred / (centred.square().mean() + 1e-5).sqrt(), torch.float32)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    "shape", [(256, 64, 112, 112), (32, 2048, 7, 7), (4, 3, 2048, 2048), (1, 1, 4096, 4096)]
)
def test_large_batches_on_a_gpu(shape, last, dtype):
    """Both passes at full size, against float64 on the same card."""
    p = problem(shape, dtype, last=last, mean=3.0)
    y, stats = batch_norm_forward(p.x, p.weight, p.bias)
    found = batch_norm_backward(p.dy, p.x, stats, p.weight, p.bias)
    theirs, grads, _ = answer(p)
    near(y, theirs, dtype)
    near(found.dx, grads["x"], dtype, slope(p))
    near_sums(found.dweight, grads["w"], p)
    near_sums(found.dbias, grads["b"], p)
