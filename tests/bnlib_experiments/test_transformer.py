"""The small transformer does what one does, and its losses are compared the right way round."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import bnlib.experiments.transformer as transformer
from bnlib.experiments import Scale
from bnlib.experiments.transformer import (
    CONTEXT,
    SYMBOLS,
    TokenBatchNorm,
    Transformer,
    loss_of,
    text,
    train_and_validate,
    windows,
)


def test_the_text_is_text():
    """All symbols in range, spaces the commonest, and enough of it."""
    counts = np.bincount(text().numpy(), minlength=SYMBOLS)
    assert len(text()) == 200_000
    assert counts.argmax() == ord(" ") - 31
    assert len(counts) == SYMBOLS


def test_a_window_and_what_follows_it():
    """Targets are the inputs, one further."""
    x, y = windows(torch.arange(100), np.array([0, 40]))
    assert x.shape == y.shape == (2, CONTEXT)
    assert torch.equal(y, x + 1)
    assert x[1, 0] == 40


@pytest.mark.parametrize("norm", [TokenBatchNorm, nn.LayerNorm])
def test_nothing_comes_from_the_future_in_evaluation(norm):
    """Changing the last character changes the last scores only."""
    torch.manual_seed(0)
    model = Transformer(norm).eval()
    x = torch.randint(SYMBOLS, (2, CONTEXT))
    changed = x.clone()
    changed[:, -1] = (changed[:, -1] + 1) % SYMBOLS
    with torch.no_grad():
        before, after = model(x), model(changed)
    torch.testing.assert_close(before[:, :-1], after[:, :-1])
    assert not torch.allclose(before[:, -1], after[:, -1])


def test_in_training_batch_norm_does_look_ahead():
    """Its statistics are of all positions; layer norm's are not."""
    torch.manual_seed(0)
    x = torch.randint(SYMBOLS, (2, CONTEXT))
    changed = x.clone()
    changed[:, -1] = (changed[:, -1] + 1) % SYMBOLS
    for norm, looks in ((TokenBatchNorm, True), (nn.LayerNorm, False)):
        model = Transformer(norm).train()
        same = torch.allclose(model(x)[:, 0], model(changed)[:, 0], atol=1e-6)
        assert same is not looks


def test_a_batch_norm_over_tokens_is_torchs_over_the_channel_axis():
    """(N, T, C) as (N, C, T)."""
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))
    expected = nn.BatchNorm1d(3)(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(TokenBatchNorm(3)(x), expected)


def test_a_model_that_knows_nothing_has_the_loss_of_guessing():
    """The logarithm of the number of symbols."""
    model = lambda x: torch.zeros(*x.shape, SYMBOLS)  # noqa: E731
    x = torch.zeros(2, CONTEXT, dtype=torch.long)
    assert float(loss_of(model, x, x)) == pytest.approx(math.log(SYMBOLS))


@pytest.mark.parametrize(("worse", "verdict"), [("batch", "supported"), ("layer", "refuted")])
def test_worse_is_a_larger_loss(monkeypatch, worse, verdict):
    """The claim is that batch norm is worse: its larger loss supports it."""

    def planted(norm, lr, seed, steps):
        loss = 2.0 + (norm == worse) + 0.01 * (seed % 7) + (lr != 3e-3)
        return loss, loss

    monkeypatch.setattr(transformer, "train_and_validate", planted)
    outcome = transformer.run(Scale(seeds=3))
    assert outcome.verdict == verdict
    assert [m.decides for m in outcome.measures] == [False, True]
    assert "0.003 with batch norm" in outcome.setup


def test_the_real_thing_runs():
    """Ten steps: better than guessing, the same for the same seed."""
    first = train_and_validate("batch", 1e-2, 0, 10)
    assert first == train_and_validate("batch", 1e-2, 0, 10)
    assert first[0] < math.log(SYMBOLS) + 0.5
    state = torch.get_rng_state()
    train_and_validate("layer", 1e-2, 0, 2)
    assert torch.equal(torch.get_rng_state(), state)
