"""Forward and backward against float64, on the GPU or by Triton's interpreter on small batches."""

import pytest
import torch

from bnlib import BatchSizeError, ShapeError
from bnlib.kernels import batch_norm_backward, batch_norm_forward
from tests.bnlib_kernels.problems import DEVICE, answer, near, near_sums, problem, slope

DTYPES = [torch.float32, torch.float16, torch.bfloat16]
SHAPES = [  # odd numbers, primes, single rows, rows of one, one channel, padding on every side
    *((4, 3, 5, 7), (2, 5, 1, 1), (3, 1, 9, 4), (1, 4, 3, 3), (33, 2, 7, 7), (7, 9)),
    *((2, 3, 13, 16), (2, 3, 6)),
]


def run(p, resident=True, training=True, running=(None, None), momentum=0.1, eps=1e-5):
    """Run both passes by the kernels."""
    y, stats = batch_norm_forward(
        *(p.x, p.weight, p.bias),
        residual=p.residual,
        relu=p.relu,
        running_mean=running[0],
        running_var=running[1],
        momentum=momentum,
        eps=eps,
        training=training,
        plan=p.plan("forward", resident),
    )
    found = batch_norm_backward(
        *(p.dy, p.x, stats, p.weight, p.bias),
        y=y,
        relu=p.relu,
        residual=p.residual is not None,
        training=training,
        plan=p.plan("backward", resident),
    )
    return y, found


def agree(p, y, found, theirs, grads, variance=None):
    """Compare all results with float64."""
    dtype = p.x.dtype
    near(y, theirs, dtype)
    near(found.dx, grads["x"], dtype, slope(p, variance))
    if p.weight is not None:
        near_sums(found.dweight, grads["w"], p)
        near_sums(found.dbias, grads["b"], p)
    if p.residual is not None:
        near(found.dresidual, grads["z"], dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("resident", [False, True])
def test_every_shape_in_both_layouts_and_both_ways(shape, last, resident):
    """y, dx, dgamma and dbeta, from one read or two; the output keeps the memory format."""
    if last and len(shape) != 4:
        last = False
    p = problem(shape, last=last, mean=2.0)
    y, found = run(p, resident)
    theirs, grads, _ = answer(p)
    agree(p, y, found, theirs, grads)
    assert y.stride() == found.dx.stride() == p.x.stride()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("resident", [False, True])
def test_every_dtype_with_relu_and_residual(dtype, relu, residual, resident):
    """Half precision is read and written as such, and summed in float32."""
    p = problem((6, 3, 5, 5), dtype, last=relu, relu=relu, residual=residual)
    y, found = run(p, resident)
    assert y.dtype == found.dx.dtype == dtype
    theirs, grads, _ = answer(p)
    agree(p, y, found, theirs, grads)


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("mean", [1e4, -1e6])
def test_a_large_mean_costs_no_digit(mean, last, resident):
    """At 1e6 neighbouring float32 numbers are 1/16 apart: all there is to know is kept."""
    p = problem((8, 3, 6, 5), last=last, mean=mean)
    y, found = run(p, resident)
    theirs, grads, _ = answer(p)
    agree(p, y, found, theirs, grads)


@pytest.mark.parametrize("resident", [False, True])
def test_an_outlier_in_first_place_costs_little(resident):
    """The pivot is the first value, whatever it is: Chan's merge still holds."""
    p = problem((16, 2, 8, 8))
    p.x[0, :, 0, 0] = 1e3
    y, found = run(p, resident)
    theirs, grads, _ = answer(p)
    agree(p, y, found, theirs, grads)


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("last", [False, True])
def test_a_constant_channel_becomes_beta(last, resident):
    """Variance 0 is no division by zero, and nothing of a large constant is left."""
    p = problem((4, 3, 5, 5), last=last)
    p.x[:, 1] = 1234.5
    y, found = run(p, resident)
    assert torch.equal(y[:, 1], torch.full_like(y[:, 1], float(p.bias[1])))
    assert torch.isfinite(found.dx).all()


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("last", [False, True])
def test_running_statistics_move_as_in_torch(last, resident):
    """The mean, and the unbiased variance, with the weight on the new."""
    p = problem((3, 4, 5, 3), last=last, mean=3.0, std=2.0)
    running = torch.full((4,), 0.5, device=DEVICE), torch.full((4,), 2.0, device=DEVICE)
    _, _, (mean, var) = answer(p, running, momentum=0.3)
    run(p, resident, running=running, momentum=0.3)
    near(running[0], mean, torch.float32)
    near(running[1], var, torch.float32)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("resident", [False, True])
def test_evaluation_mode_uses_and_keeps_the_running_statistics(relu, resident):
    """Constants: no gradient flows through them, and a single value per channel is welcome."""
    for shape in ((5, 3, 4, 3), (1, 3, 1, 1)):
        p = problem(shape, relu=relu, mean=1.0)
        running = torch.rand(3, device=DEVICE), torch.rand(3, device=DEVICE) + 0.5
        before = [t.clone() for t in running]
        y, found = run(p, resident, training=False, running=running)
        theirs, grads, _ = answer(p, running, training=False)
        agree(p, y, found, theirs, grads, running[1])
        assert all(map(torch.equal, before, running))


@pytest.mark.parametrize("resident", [False, True])
def test_without_weight_and_bias(resident):
    """`affine=False`: the normalised values themselves, and no gradient by what is not there."""
    p = problem((4, 3, 5, 5), affine=False, relu=True)
    y, found = run(p, resident)
    theirs, grads, _ = answer(p)
    agree(p, y, found, theirs, grads)
    assert (found.dweight, found.dbias, found.dresidual) == (None, None, None)


def test_parameters_in_half_precision_get_gradients_in_half_precision():
    """A model that was made `.half()` as a whole."""
    p = problem((4, 3, 5, 5), torch.float16)
    half = p.weight.half(), p.bias.half()
    _, stats = batch_norm_forward(p.x, *half)
    found = batch_norm_backward(p.dy, p.x, stats, *half)
    assert found.dweight.dtype == found.dbias.dtype == torch.float16


@pytest.mark.parametrize("processors", [1, 2, 132])
@pytest.mark.parametrize("last", [False, True])
def test_blocks_and_shares_are_merged_whatever_their_number(last, processors):
    """On a small chip a program merges many blocks; on a large one there are many programs.

    The mean drifts from block to block, so that what is between them counts.
    """
    shape = (7, 2, 40, 40) if not last else (90, 9, 10, 10)
    p = problem(shape, last=last, mean=50.0)
    p.x.add_(3.0 * torch.arange(shape[0], device=DEVICE).view(-1, 1, 1, 1))
    plans = {d: p.plan(d, False, processors) for d in ("forward", "backward")}
    assert (plans["forward"].tiles_each > 1) == (processors < 132)
    y, stats = batch_norm_forward(p.x, p.weight, p.bias, plan=plans["forward"])
    found = batch_norm_backward(p.dy, p.x, stats, p.weight, p.bias, plan=plans["backward"])
    theirs, grads, _ = answer(p)
    agree(p, y, found, theirs, grads)


def test_the_same_bits_every_time():
    """No atomics: the order of sums is fixed."""
    p = problem((7, 2, 40, 40), residual=True, relu=True)
    first, second = run(p, resident=False), run(p, resident=False)
    assert torch.equal(first[0], second[0])
    assert all(map(torch.equal, first[1], second[1]))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:, :, ::2],
        lambda t: t.transpose(2, 3),
        lambda t: t[:1].expand(4, -1, -1, -1),
    ],
    ids=["sliced", "transposed", "expanded"],
)
def test_any_strides_are_taken(change):
    """As batch and as upstream gradient; nothing beyond the batch is read."""
    p = problem((4, 3, 6, 5))
    x, dy = change(p.x), change(p.dy)
    y, stats = batch_norm_forward(x, p.weight, p.bias)
    plain, _ = batch_norm_forward(x.contiguous(), p.weight, p.bias)
    assert torch.equal(y, plain)
    found = batch_norm_backward(dy, x, stats, p.weight, p.bias)
    expected = batch_norm_backward(dy.contiguous(), x.contiguous(), stats, p.weight, p.bias)
    assert torch.equal(found.dx, expected.dx)


@pytest.mark.parametrize("resident", [False, True])
def test_nothing_outside_of_the_batch_is_read_or_written(resident):
    """Guards of nan on both sides of every tensor: none gets in, none is lost."""

    def guarded(t):
        room = torch.full((t.numel() + 200,), float("nan"), device=t.device)
        inner = room[100:-100].view(t.shape)
        return room, inner.copy_(t)

    p = problem((3, 3, 5, 7), relu=True, residual=True)
    rooms, parts = zip(*map(guarded, (p.x, p.residual, p.weight, p.bias)), strict=True)
    x, residual, weight, bias = parts
    y, stats = batch_norm_forward(
        x, weight, bias, residual=residual, relu=True, plan=p.plan("forward", resident)
    )
    assert torch.isfinite(y).all()
    found = batch_norm_backward(
        *(p.dy, x, stats, weight, bias),
        **{"y": y, "relu": True, "residual": True, "plan": p.plan("backward", resident)},
    )
    assert all(torch.isfinite(t).all() for t in found)
    assert all(bool(room[:100].isnan().all() and room[-100:].isnan().all()) for room in rooms)


@pytest.mark.parametrize("resident", [False, True])
def test_nan_stays_in_its_channel_and_survives_the_relu(resident):
    """As in torch: it is not silently made 0."""
    p = problem((3, 3, 5, 5), relu=True)
    p.x[1, 1, 2, 2] = float("nan")
    y, _ = run(p, resident)
    assert y[:, 1].isnan().all()
    assert torch.isfinite(y[:, [0, 2]]).all()


def test_one_value_per_channel_is_refused_in_training():
    """As torch refuses it; in evaluation mode it is fine (above)."""
    with pytest.raises(BatchSizeError, match="more than 1 value per channel when training"):
        batch_norm_forward(torch.zeros(1, 3, 1, 1, device=DEVICE))


@pytest.mark.parametrize("name", ["weight", "bias", "running_mean", "running_var", "residual"])
def test_an_argument_that_does_not_fit_is_refused(name):
    """A kernel would read beyond its end."""
    x = torch.zeros(4, 3, 2, 2, device=DEVICE)
    given = {"weight": torch.ones(3), "bias": torch.ones(3), name: torch.ones(2)}
    with pytest.raises(ShapeError, match="shape"):
        batch_norm_forward(x, **{key: t.to(DEVICE) for key, t in given.items()})


def test_gradients_are_those_of_central_differences():
    """Without autograd: a random upstream, the sum of dy·y moved along random directions."""
    p = problem((4, 2, 3, 3), residual=True)
    _, found = run(p)
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):
        way = torch.randn(p.x.shape, generator=generator).to(DEVICE)
        h = 2.0**-7  # rounding 2⁻²⁴/h and curvature h² are both about 1e-5
        ends = [
            batch_norm_forward(p.x + s * h * way, p.weight, p.bias, residual=p.residual)[0]
            for s in (1, -1)
        ]
        measured = float(((ends[0] - ends[1]).double() * p.dy.double()).sum()) / (2 * h)
        expected = float((found.dx.double() * way.double()).sum())
        assert abs(measured - expected) <= 2e-3 * float(found.dx.norm() * way.norm())
