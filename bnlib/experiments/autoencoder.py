"""Whether batch norm helps to train a deep autoencoder, beside layer norm and no norm."""

from dataclasses import replace
from typing import Literal

import torch
from torch import nn

from bnlib.data import Dataset, digits
from bnlib.experiments._curves import best
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import mlp
from bnlib.training import train

SIZES = [64, 100, 100, 50, 16, 50, 100, 100, 64]
BATCH = 60
STEPS = 1500
RATES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
TRIAL_SEED = 1000  # rates are chosen on a run that is not measured

NormName = Literal["batch", "layer"] | None
NAMES: tuple[NormName, ...] = ("batch", "layer", None)


def to_itself(data: Dataset) -> Dataset:
    """Return a data set whose targets are its images, flattened."""
    return replace(
        data,
        train_y=data.train_x.reshape(len(data.train_x), -1),
        test_y=data.test_x.reshape(len(data.test_x), -1),
    )


@torch.no_grad()
def unexplained(model: nn.Module, data: Dataset) -> float:
    """Return the test images' variance that a reconstruction misses, in % of all of it.

    Σ(x − x̂)² / Σ(x − mean of the training images)²: 100 for a network that always answers with
    the mean image, 0 for a perfect one. The model is left in evaluation mode.
    """
    model.eval()
    x, mean = torch.from_numpy(data.test_y), torch.from_numpy(data.train_y.mean(0))
    missed = (model(torch.from_numpy(data.test_x)) - x).square().sum()
    return float(100 * missed / (x - mean).square().sum())


def error(norm: NormName, lr: float, seed: int, steps: int) -> float:
    """Return what an autoencoder leaves unexplained after training; nan if it diverged."""
    data = to_itself(digits())
    model = mlp(SIZES, norm=norm, seed=seed)
    found = train(
        model,
        data,
        steps=steps,
        batch_size=BATCH,
        lr=lr,
        seed=seed,
        loss_function=nn.functional.mse_loss,
    )
    return float("nan") if found.diverged else unexplained(model, data)


def best_rate(norm: NormName, steps: int) -> float:
    """Return the learning rate of least error, on a seed of its own."""
    return best(RATES, lambda lr: error(norm, lr, TRIAL_SEED, steps))


def run(scale: Scale) -> Outcome:
    """Measure reconstruction errors, each norm at its own best learning rate."""
    steps = scale.steps(STEPS)
    rate = {norm: best_rate(norm, steps) for norm in NAMES}
    found = {
        norm: tuple(error(norm, rate[norm], seed, steps) for seed in range(scale.seeds))
        for norm in NAMES
    }
    name = f"variance left unexplained after {steps} steps"
    measures = (
        Measure(name, "%", found["batch"], found[None]),
        Measure(
            name, "%", found["batch"], found["layer"], without_label="layer norm", decides=False
        ),
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Sønderby et al.: batch normalization and deterministic warm-up are crucial for "
            "training variational autoencoders with many stochastic layers (their abstract; "
            "MNIST, OMNIGLOT, NORB). Ba et al. 2016 train generative models with layer norm, for "
            "which batches are no matter."
        ),
        comparison=(
            "An ordinary autoencoder, not a variational one: tried is only whether a norm helps a "
            "deep stack of layers to reconstruct. The second row is the comparison with layer "
            "norm; it does not decide."
        ),
        setup=(
            f"Hidden layers of {', '.join(map(str, SIZES[1:-1]))} ReLUs (He initialisation), "
            f"digits, squared error, batches of {BATCH}, plain SGD; learning rate from "
            f"{', '.join(f'{r:g}' for r in RATES)} by a run of its own: {rate['batch']:g} with "
            f"batch norm, {rate['layer']:g} with layer norm, {rate[None]:g} without."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="autoencoder",
    claim="Batch norm helps to train a deep autoencoder.",
    source="Sønderby et al. 2016 (Ladder VAE), abstract",
    run=run,
)
