"""One batch over several cards, against torch on the whole batch."""

import pytest
import torch
from torch import nn

from autograder.worker.givens import build_given
from bnlib.errors import BatchSizeError, ShapeError
from bnlib.gpu import merge_stats, sync_batchnorm_backward, sync_batchnorm_forward
from bnlib.gpu.distributed import WorkerError, run_in_processes
from tests.bnlib_gpu.computers import computer

SIZES = [(3, 5), (4, 1, 6), (7,), (2, 0, 3), (0, 4)]


def draw(sizes, place=0.0, dtype=torch.float64, columns=3):
    """Draw shards whose means differ, an upstream for each, gamma and beta."""
    generator = torch.Generator().manual_seed(sum(sizes))
    shards = [
        (torch.randn(n, columns, generator=generator).double() + place + card).to(dtype)
        for card, n in enumerate(sizes)
    ]
    dys = [torch.randn(n, columns, generator=generator).to(dtype) for n in sizes]
    gamma = (torch.rand(columns, generator=generator) + 0.5).to(dtype)
    return shards, dys, gamma, torch.randn(columns, generator=generator).to(dtype)


def all_reduce(ranks):
    """Return a sum over so many cards that counts its calls."""
    return build_given("all_reduce", {"ranks": ranks})


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_and_backward_are_those_of_the_whole_batch(sizes):
    """Torch's layer on all rows at once, in double; one sum a pass."""
    shards, dys, gamma, beta = draw(sizes)
    layer = nn.BatchNorm1d(3).double()
    layer.load_state_dict({"weight": gamma, "bias": beta}, strict=False)
    x = torch.cat(shards).requires_grad_()
    y = layer(x)
    y.backward(torch.cat(dys))
    there, back = all_reduce(len(sizes)), all_reduce(len(sizes))
    ys, stats = sync_batchnorm_forward(shards, gamma, beta, there)
    dxs, dgamma, dbeta = sync_batchnorm_backward(dys, shards, gamma, stats, back)
    torch.testing.assert_close(torch.cat(ys), y.detach())
    torch.testing.assert_close(torch.cat(dxs), x.grad)
    torch.testing.assert_close(dgamma, layer.weight.grad)
    torch.testing.assert_close(dbeta, layer.bias.grad)
    assert stats[2] == sum(sizes)
    assert (there.calls, back.calls) == (1, 1)


def test_float32_far_from_zero_keeps_its_variance():
    """Where E[x²] − E[x]² gives 0 or worse."""
    shards, _, gamma, beta = draw((40, 3, 21), place=1e4, dtype=torch.float32)
    _, (mean, var, _) = sync_batchnorm_forward(shards, gamma, beta, all_reduce(3))
    true = torch.cat(shards).double()
    torch.testing.assert_close(mean.double(), true.mean(0), rtol=1e-7, atol=2e-3)
    torch.testing.assert_close(var.double(), true.var(0, correction=0), rtol=1e-2, atol=0)


def test_shards_may_lie_on_different_cards():
    """No line mixes them."""
    shards, dys, gamma, beta = draw((3, 0, 5))
    plain = sync_batchnorm_forward(shards, gamma, beta, all_reduce(3))[0]
    for card, pair in enumerate(zip(shards, dys, strict=True)):
        build_given("placed", {"value": list(pair), "place": f"cuda:{card}"})
    build_given("placed", {"value": [gamma, beta], "place": "everywhere"})
    machine = computer(cards=3)
    ys, stats = machine.call(sync_batchnorm_forward, shards, gamma, beta, all_reduce(3))
    machine.call(sync_batchnorm_backward, dys, shards, gamma, stats, all_reduce(3))
    assert all(torch.equal(a, b) for a, b in zip(ys, plain, strict=True))


@pytest.mark.parametrize("counts", [(3, 5), (1, 1), (4, 0), (0, 4)])
def test_merged_statistics_are_those_of_all_rows(counts):
    """Of any two groups, in either order."""
    a, b = (torch.randn(n, 2, generator=torch.Generator().manual_seed(n)).double() for n in counts)

    def stats(rows):
        zero = torch.zeros(2).double()
        return (
            (rows.mean(0), rows.var(0, correction=0), len(rows)) if len(rows) else (zero, zero, 0)
        )

    mean, var, count = merge_stats(stats(a), stats(b))
    rows = torch.cat([a, b])
    torch.testing.assert_close((mean, var), (rows.mean(0), rows.var(0, correction=0)))
    assert count == len(rows)


def test_shards_that_do_not_fit_are_refused():
    """Different numbers of channels, or no row at all."""
    one = torch.ones(1)
    with pytest.raises(ShapeError, match="one C"):
        sync_batchnorm_forward([torch.ones(2, 1), torch.ones(2, 2)], one, one, all_reduce(2))
    with pytest.raises(BatchSizeError, match="no row"):
        sync_batchnorm_forward([torch.ones(0, 1)], one, one, all_reduce(1))


@pytest.mark.slow
def test_two_processes_over_gloo_agree_with_the_whole_batch():
    """Each knows its own shard; both passes talk once, over 127.0.0.1."""
    shards, dys, gamma, beta = draw((5, 2))
    found = run_in_processes(shards, dys, gamma, beta)
    ys, stats = sync_batchnorm_forward(shards, gamma, beta, all_reduce(2))
    dxs, dgamma, dbeta = sync_batchnorm_backward(dys, shards, gamma, stats, all_reduce(2))
    for rank, end in enumerate(found):
        torch.testing.assert_close(end["y"], ys[rank])
        torch.testing.assert_close(end["dx"], dxs[rank])
        torch.testing.assert_close((end["dgamma"], end["dbeta"]), (dgamma, dbeta))
        assert (end["count"], end["sums"]) == (7, 2)


@pytest.mark.slow
def test_a_process_that_fails_is_named():
    """With its last words, and without a wait for the others' time to run out."""
    shards = [torch.ones(2, 3), torch.ones(2, 2)]
    with pytest.raises(WorkerError, match="one C"):
        run_in_processes(shards, shards, torch.ones(3), torch.zeros(3))
