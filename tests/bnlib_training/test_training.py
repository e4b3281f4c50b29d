"""The training loop does what plain gradient descent does, and keeps what it measured."""

import doctest
import math
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

import bnlib.training.batches
import bnlib.training.loop
from bnlib.data import Dataset
from bnlib.errors import BatchSizeError
from bnlib.nets import mlp
from bnlib.training import accuracy, batch_order, train


@pytest.fixture
def data(rng):
    """Return a small set of two classes that a line tells apart."""
    x = rng.normal(size=(40, 1, 1, 2)).astype(np.float32)
    y = (x[:, 0, 0, 0] > 0).astype(np.int64)
    return Dataset("planted", x[:30], y[:30], x[30:], y[30:], ("left", "right"))


@pytest.fixture
def rng():
    """Make a generator with a fixed seed."""
    return np.random.default_rng(7)


def values(model):
    """Return a copy of all parameters and buffers."""
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize(
    "settings",
    [{}, {"momentum": 0.9}, {"weight_decay": 0.1}, {"momentum": 0.5, "weight_decay": 0.1}],
)
def test_it_takes_the_steps_that_torch_takes(data, settings):
    """Parameters and losses of a loop written out by hand."""
    model, twin = mlp([2, 5, 2], norm="batch"), mlp([2, 5, 2], norm="batch")
    found = train(model, data, steps=12, batch_size=8, lr=0.1, seed=3, **settings)
    optimizer, losses = torch.optim.SGD(twin.parameters(), lr=0.1, **settings), []
    for rows in islice(batch_order(30, 8, seed=3), 12):
        loss = nn.functional.cross_entropy(
            twin(torch.from_numpy(data.train_x[rows])), torch.from_numpy(data.train_y[rows])
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(found.loss, losses, rtol=1e-6)
    for name, value in twin.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value)
    assert (found.diverged, found.interrupted) == (False, False)


def test_the_same_seed_gives_the_same_run_with_dropout_too(data):
    """And leaves torch's global generator where it was."""

    def losses(seed):
        model = mlp([2, 50, 2], dropout=0.5)
        return train(model, data, steps=10, batch_size=8, lr=0.1, seed=seed).loss

    state = torch.get_rng_state()
    first = losses(1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(1)  # the caller goes on drawing, which must not matter
    np.testing.assert_array_equal(losses(1), first)
    assert not np.array_equal(losses(1), losses(2))


def test_it_learns_what_can_be_learned(data):
    """A line between two classes."""
    model = mlp([2, 16, 2], norm="batch")
    train(model, data, steps=200, batch_size=15, lr=0.3)
    assert accuracy(model, data.train_x, data.train_y) > 0.9


def test_given_batches_are_used_and_may_end_the_run(data):
    """Fewer batches than steps: as many steps as batches."""
    seen = []
    batches = [np.array([0, 1, 2]), np.array([3, 4])]
    found = train(
        mlp([2, 2]),
        data,
        steps=9,
        batch_size=1,
        lr=0.1,
        batches=batches,
        on_step=lambda step, model, loss: seen.append((step, loss)),
    )
    assert [step for step, _ in seen] == [0, 1]
    assert [loss for _, loss in seen] == list(found.loss)


def test_a_run_that_diverges_ends_and_says_so(data):
    """Its last loss is the one that was not finite, and no step is taken from there."""
    model = mlp([2, 50, 50, 2])
    found = train(model, data, steps=500, batch_size=15, lr=1e6)
    assert found.diverged
    assert not math.isfinite(found.loss[-1])
    assert np.isfinite(found.loss[:-1]).all()
    assert len(found.loss) < 500
    assert not any(p.isnan().any() for p in model.parameters())


@pytest.mark.parametrize("where", ["in on_step", "in the batches", "in the model"])
def test_an_interrupt_keeps_what_there_is(data, where):
    """Wherever it comes: losses so far, marked as interrupted, the model as it is."""
    model = mlp([2, 5, 2])

    def look(step, model, loss):
        if where == "in on_step" and step == 3:
            raise KeyboardInterrupt

    def batches():
        for step, rows in enumerate(batch_order(30, 8, seed=0)):
            if step == 4 and where == "in the batches":
                raise KeyboardInterrupt
            if step == 4 and where == "in the model":
                model[1].register_forward_hook(stop)
            yield rows

    def stop(*_):
        raise KeyboardInterrupt

    found = train(model, data, steps=9, batch_size=8, lr=0.1, batches=batches(), on_step=look)
    assert found.interrupted
    assert not found.diverged
    assert len(found.loss) == 4


def test_any_other_error_is_the_callers(data):
    """What `on_step` raises is not swallowed."""

    def fail(step, model, loss):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train(mlp([2, 2]), data, steps=2, batch_size=3, lr=0.1, on_step=fail)


def test_progress_is_shown_when_asked_for_only(data, capsys):
    """A bar on stderr; otherwise nothing at all."""
    train(mlp([2, 2]), data, steps=3, batch_size=3, lr=0.1)
    assert capsys.readouterr() == ("", "")
    train(mlp([2, 2]), data, steps=3, batch_size=3, lr=0.1, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_another_loss_gets_outputs_and_targets(data):
    """An autoencoder's, for one."""
    found = train(
        mlp([2, 2]),
        data,
        steps=1,
        batch_size=3,
        lr=0.1,
        loss_function=lambda outputs, targets: outputs.sum() * 0 + targets.sum(),
        batches=[np.arange(30)],
    )
    assert found.loss[0] == data.train_y.sum()


def test_an_epoch_is_every_row_once_but_for_the_incomplete_batch():
    """Ten rows in batches of three: nine of them, then a new order."""
    first, second = (np.concatenate(list(islice(b, 3))) for b in [batch_order(10, 3, seed=4)] * 2)
    assert len(set(first)) == len(set(second)) == 9
    assert list(first) != list(second)


@pytest.mark.parametrize("size", [0, 11, -1])
def test_a_batch_that_cannot_be_is_refused_at_once(size):
    """Not at the first batch."""
    with pytest.raises(BatchSizeError, match=f"from 1 to n = 10; got {size}"):
        batch_order(10, size, seed=0)


def test_accuracy_is_the_share_of_right_answers(rng):
    """Of more rows than are taken at once; outputs with nan are wrong."""
    scores = rng.normal(size=(2500, 3)).astype(np.float32)
    classes = scores.argmax(1)
    classes[:500] = (classes[:500] + 1) % 3
    assert accuracy(nn.Identity(), scores, classes) == 0.8
    scores[500:1000, 0] = np.nan
    assert accuracy(nn.Identity(), torch.from_numpy(scores), torch.from_numpy(classes)) == 0.6


def test_accuracy_asks_in_evaluation_mode_and_gives_back_each_mode(rng):
    """A frozen layer stays frozen, buffers do not move, no gradient is recorded."""
    model = mlp([2, 4, 4, 2], norm="batch")
    model[2].eval()
    modes, before = [m.training for m in model.modules()], values(model)
    x, y = rng.normal(size=(6, 2)).astype(np.float32), np.zeros(6, np.int64)
    one_by_one = np.mean([accuracy(model, x[i : i + 1], y[:1]) for i in range(6)])
    assert accuracy(model, x, y) == pytest.approx(one_by_one)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_modes_come_back_after_an_error():
    """An input of the wrong width."""
    model = mlp([2, 4, 2], norm="batch")
    with pytest.raises(RuntimeError):
        accuracy(model, np.zeros((3, 5), np.float32), np.zeros(3, np.int64))
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("module", [bnlib.training.batches, bnlib.training.loop])
def test_the_examples_are_true(module):
    """The doctests."""
    assert doctest.testmod(module).failed == 0
