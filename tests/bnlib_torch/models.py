"""Small models whose losses and gradients are known, and what of a model may not change."""

import torch
from torch import Tensor, nn


def network(norm: bool = True, seed: int = 0) -> nn.Sequential:
    """Make a three-layer network in float64 in the middle of its life, with buffers and .grad."""
    torch.manual_seed(seed)
    norms = [nn.BatchNorm1d(5), nn.BatchNorm1d(4)] if norm else [nn.Identity(), nn.Identity()]
    model = nn.Sequential(
        *(nn.Linear(3, 5), norms[0], nn.Tanh(), nn.Linear(5, 4), norms[1], nn.Tanh()),
        nn.Linear(4, 2),
    ).double()
    x, y = batch()
    nn.functional.mse_loss(model(x), y).backward()
    return model


def batch(rows: int = 6) -> tuple[Tensor, Tensor]:
    """Return inputs and targets."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 3, generator=generator, dtype=torch.float64)
    return x, torch.randn(rows, 2, generator=generator, dtype=torch.float64)


def quadratic(start: list[float]) -> nn.Linear:
    """Make a model whose output on the identity is its own weight: losses are functions of it."""
    model = nn.Linear(len(start), 1, bias=False).double()
    nn.init.zeros_(model.weight)
    with torch.no_grad():
        model.weight += torch.tensor([start], dtype=torch.float64)
    return model


def photograph(model: nn.Module) -> list[Tensor]:
    """Copy everything of a model that a measurement could change, and the global random state."""
    parts = [t.detach().clone() for t in model.state_dict().values()]
    parts += [p.grad.clone() for p in model.parameters() if p.grad is not None]
    parts += [torch.tensor([m.training for m in model.modules()])]
    parts += [torch.tensor([p.requires_grad for p in model.parameters()])]
    return [*parts, torch.random.get_rng_state()]


def same(before: list[Tensor], after: list[Tensor]) -> bool:
    """Say whether two photographs agree to the last bit."""
    return len(before) == len(after) and all(map(torch.equal, before, after))
